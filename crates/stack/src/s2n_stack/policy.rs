//! Which of s2n-tls' security policies gives a handshake.
//!
//! s2n-tls takes groups, cipher suites and signature schemes only together, as a policy
//! with a name. No policy has just one of each, so two rules of s2n-tls decide what is
//! negotiated:
//!
//! - A client sends a share for the first post-quantum group of its policy, and one for
//!   the first curve. A client's policy here is one that yields a single share, of the
//!   group asked for.
//! - A server takes a group that it got a share for, and of the suites and schemes that
//!   the client offers the first in its own list. A server's policy here prefers what is
//!   asked for where a client of s2n-tls has it; clients of the other stacks offer
//!   nothing else.

use experiment::{Handshake, HandshakeKind, Side};
use wire::{ChainAlgorithms, CipherSuite, NamedGroup, ProtocolVersion, SignatureAlgorithm};

/// Curves x25519, secp256r1, secp384r1; no post-quantum group; TLS 1.3 alone.
const X25519_FIRST: &str = "CloudFront-TLS-1-3-2025-no-pq";
/// Curves secp256r1, x25519, secp384r1; no post-quantum group; TLS 1.3 alone.
const SECP256R1_FIRST: &str = "AWS-CRT-SDK-TLSv1.3-2023";
/// secp384r1 and AES-256 alone; TLS 1.3 alone.
const SECP384R1_ONLY: &str = "20250414";
/// The hybrid groups, X25519MLKEM768 first, then MLKEM1024; no curve; TLS 1.3 alone. It is
/// the only policy that offers X25519MLKEM768 without a curve beside it.
const HYBRIDS_ONLY: &str = "test_pq_only";
/// MLKEM1024, AES-256 and ML-DSA-87 alone; TLS 1.3 alone.
const CNSA_2: &str = "20260219";
/// MLKEM1024 and AES-256, with all schemes but ML-DSA-44 and -65.
const MLKEM1024: &str = "20260513";
/// Curves and hybrids with ML-KEM-768; AES-256 first; no ML-DSA.
const AES_256_FIRST: &str = "PQ-TLS-1-2-2024-10-09";
/// Curves and all hybrids; AES-128 first; all schemes.
const AES_128_FIRST: &str = "20250721";

/// The name of the policy for one side of a handshake.
///
/// # Errors
/// Why s2n-tls can't do it.
pub(super) fn policy(side: Side, handshake: &Handshake) -> Result<&'static str, String> {
    if handshake.version() != ProtocolVersion::Tls13 {
        return Err(
            "s2n-tls exports no keying material in TLS 1.2, by which it is checked here that \
             both sides have the same secrets"
                .to_owned(),
        );
    }
    if handshake.kind() == HandshakeKind::FullWithHelloRetryRequest {
        return Err(
            "s2n-tls takes its first key share, and the groups of a server, from its security \
             policy: a retry can't be provoked"
                .to_owned(),
        );
    }
    if handshake.kind() == HandshakeKind::EarlyData {
        return Err("the s2n-tls crate has no 0-RTT".to_owned());
    }
    if handshake.kind().is_resumption() || handshake.tickets() > 0 {
        return Err("the s2n-tls crate can't choose how many tickets a server issues".to_owned());
    }
    if let Some(algorithm) = algorithms(handshake).find(|it| *it == SignatureAlgorithm::Ed25519) {
        return Err(format!("s2n-tls has no certificates of {algorithm}"));
    }
    let group = handshake
        .group()
        .ok_or_else(|| "TLS 1.3 has no static RSA".to_owned())?;
    match side {
        Side::Client => client(group, handshake),
        Side::Server => server(group, handshake),
    }
}

fn client(group: NamedGroup, handshake: &Handshake) -> Result<&'static str, String> {
    let policy = match group {
        NamedGroup::X25519 => X25519_FIRST,
        NamedGroup::SECP256R1 => SECP256R1_FIRST,
        NamedGroup::SECP384R1 => SECP384R1_ONLY,
        NamedGroup::X25519MLKEM768 => HYBRIDS_ONLY,
        NamedGroup::MLKEM1024 => CNSA_2,
        NamedGroup::SECP256R1MLKEM768 | NamedGroup::SECP384R1MLKEM1024 => {
            return Err(format!(
                "no security policy of s2n-tls begins with a share of {group}"
            ));
        }
        _ => return Err(lacks_group(group)),
    };
    let suite = handshake.cipher_suite();
    let has_suite = match policy {
        SECP384R1_ONLY | CNSA_2 => suite == CipherSuite::AES_256_GCM_SHA384,
        // The policies have ChaCha20 as well, but after AES, and so has every server's.
        _ => suite != CipherSuite::CHACHA20_POLY1305_SHA256,
    };
    if !has_suite {
        return Err(format!(
            "no security policy of s2n-tls makes a client negotiate {group} with {suite}"
        ));
    }
    let has_algorithm = |algorithm: &SignatureAlgorithm| match policy {
        CNSA_2 => *algorithm == SignatureAlgorithm::MlDsa87,
        _ => !is_ml_dsa(*algorithm),
    };
    match algorithms(handshake).find(|algorithm| !has_algorithm(algorithm)) {
        Some(algorithm) => Err(format!(
            "no security policy of s2n-tls makes a client offer a single share of {group} along \
             with certificates of {algorithm}"
        )),
        None => Ok(policy),
    }
}

fn server(group: NamedGroup, handshake: &Handshake) -> Result<&'static str, String> {
    let is_aes_256 = handshake.cipher_suite() == CipherSuite::AES_256_GCM_SHA384;
    match group {
        NamedGroup::MLKEM1024 => {
            if !is_aes_256 {
                let suite = handshake.cipher_suite();
                return Err(format!(
                    "no security policy of s2n-tls has {group} with {suite}"
                ));
            }
            let lacks = |algorithm: &SignatureAlgorithm| {
                is_ml_dsa(*algorithm) && *algorithm != SignatureAlgorithm::MlDsa87
            };
            match algorithms(handshake).find(lacks) {
                Some(algorithm) => Err(format!(
                    "no security policy of s2n-tls has {group} with certificates of {algorithm}"
                )),
                None => Ok(MLKEM1024),
            }
        }
        NamedGroup::SECP384R1MLKEM1024 => Ok(AES_128_FIRST),
        NamedGroup::X25519
        | NamedGroup::SECP256R1
        | NamedGroup::SECP384R1
        | NamedGroup::X25519MLKEM768
        | NamedGroup::SECP256R1MLKEM768 => {
            // The one that prefers AES-256 has no ML-DSA. In a handshake with ML-DSA and
            // such a group the client is of another stack, and offers one suite.
            if is_aes_256 && !algorithms(handshake).any(is_ml_dsa) {
                Ok(AES_256_FIRST)
            } else {
                Ok(AES_128_FIRST)
            }
        }
        _ => Err(lacks_group(group)),
    }
}

fn lacks_group(group: NamedGroup) -> String {
    format!("s2n-tls has no group {group}")
}

/// Of all certificates of a handshake.
fn algorithms(handshake: &Handshake) -> impl Iterator<Item = SignatureAlgorithm> {
    [
        Some(handshake.authentication()),
        handshake.client_authentication(),
    ]
    .into_iter()
    .flatten()
    .flat_map(|chain: ChainAlgorithms| [chain.leaf(), chain.intermediate(), chain.root()])
}

const fn is_ml_dsa(algorithm: SignatureAlgorithm) -> bool {
    matches!(
        algorithm,
        SignatureAlgorithm::MlDsa44 | SignatureAlgorithm::MlDsa65 | SignatureAlgorithm::MlDsa87
    )
}
