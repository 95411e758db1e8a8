//! What a scan saw of one endpoint: one address of one target.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use wire::{CipherSuite, NamedGroup, SignatureScheme};

use crate::{Algorithm, Answer, Target, by_name};

/// One address of a target, and what was seen there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endpoint {
    /// What was asked for.
    pub target: Target,
    /// Where it is; absent where the name has no address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<SocketAddr>,
    /// The name that was sent as SNI; absent where the target is an address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server_name: Option<String>,
    /// When it was scanned, in RFC 3339.
    pub scanned: String,
    /// Connections, or QUIC attempts, that were made.
    pub probes: u32,
    /// Milliseconds from the first to the last of them.
    pub milliseconds: u64,
    /// What was seen.
    pub service: Service,
}

/// What stands at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Service {
    /// TLS, over TCP or in QUIC.
    Tls(Box<TlsService>),
    /// SSH.
    Ssh(SshService),
    /// Nothing that could be asked: no address, no connection, no TLS.
    Unreachable(crate::Unknown),
}

/// What was seen of a TLS service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TlsService {
    /// Versions by their number on the wire (0x0303 is TLS 1.2), and whether one was taken.
    pub versions: Vec<Tried<u16, ()>>,
    /// Every named group that was offered alone in TLS 1.3.
    #[serde(with = "group_answers")]
    #[cfg_attr(test, schemars(with = "Vec<Tried<String, GroupSupport>>"))]
    pub groups: Vec<Tried<NamedGroup, GroupSupport>>,
    /// The server's choice where it has one.
    pub preference: Answer<GroupPreference>,
    /// Suites of TLS 1.3, each offered alone.
    #[serde(with = "suite_answers")]
    #[cfg_attr(test, schemars(with = "Vec<Tried<String, SuiteSupport>>"))]
    pub tls13_suites: Vec<Tried<CipherSuite, SuiteSupport>>,
    /// Suites of TLS 1.2, each offered alone.
    #[serde(with = "suite_answers")]
    #[cfg_attr(test, schemars(with = "Vec<Tried<String, SuiteSupport>>"))]
    pub tls12_suites: Vec<Tried<CipherSuite, SuiteSupport>>,
    /// The chain that is shown to a client that takes one family of signatures only.
    pub chains: Vec<Tried<SignatureFamily, Chain>>,
    /// What ordinary clients would get.
    pub clients: Vec<Tried<String, ClientOutcome>>,
    /// ClientHellos in shapes that some servers and what stands before them can't take.
    pub tolerance: Vec<Tried<HelloShape, Tolerance>>,
    /// Whether sessions can be resumed.
    pub resumption: Answer<Resumption>,
    /// Whether a client certificate is asked for; refused means that it is not.
    pub client_certificate: Answer<ClientCertificateRequest>,
    /// Application protocols that were accepted, each offered alone.
    pub alpn: Vec<Tried<String, ()>>,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tried<Q, A> {
    /// What was offered.
    pub offer: Q,
    /// What came of it.
    pub answer: Answer<A>,
}

/// How a server took a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroupSupport {
    /// By a HelloRetryRequest: nothing was computed. Otherwise by a ServerHello.
    pub by_retry_request: bool,
}

/// In which order a server prefers groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroupPreference {
    /// The groups in the order in which the server chose them, when all were offered, then all
    /// but the first, and so on.
    #[serde(with = "by_name::list")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub order: Vec<NamedGroup>,
    /// Whether the server insists on its own order: it chose the same when the client's order
    /// was turned round. Otherwise it follows the client.
    pub server_decides: bool,
}

/// How a server took a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SuiteSupport {
    /// The group of its ServerKeyExchange, for ECDHE suites of TLS 1.2.
    #[serde(with = "by_name::option", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub group: Option<NamedGroup>,
    /// Bits of the prime of its ServerKeyExchange, for DHE suites of TLS 1.2.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dh_bits: Option<u32>,
}

/// Families of signatures that a client may be able to verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SignatureFamily {
    /// RSA, PSS and PKCS #1.
    Rsa,
    /// ECDSA on the NIST curves.
    Ecdsa,
    /// Ed25519 and Ed448.
    Eddsa,
    /// ML-DSA.
    MlDsa,
    /// SLH-DSA.
    SlhDsa,
}

impl SignatureFamily {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Rsa,
        Self::Ecdsa,
        Self::Eddsa,
        Self::MlDsa,
        Self::SlhDsa,
    ];

    /// As an engineer says it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ecdsa => "ECDSA",
            Self::Eddsa => "EdDSA",
            Self::MlDsa => "ML-DSA",
            Self::SlhDsa => "SLH-DSA",
        }
    }
}

/// A certificate chain that a server showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Chain {
    /// The scheme of its CertificateVerify or ServerKeyExchange; absent where the server does
    /// not sign (static RSA), or was not followed so far.
    #[serde(with = "by_name::option", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub scheme: Option<SignatureScheme>,
    /// Its certificates, the end entity first.
    pub certificates: Vec<crate::CertificateFacts>,
    /// Bytes of the Certificate message.
    pub bytes: usize,
}

/// What an ordinary client would get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientOutcome {
    /// The version, by its number on the wire.
    pub version: u16,
    /// The group; absent for static RSA and finite-field Diffie-Hellman.
    #[serde(with = "by_name::option", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub group: Option<NamedGroup>,
    /// The suite.
    #[serde(with = "by_name")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub suite: CipherSuite,
    /// The scheme with which the server proves who it is; absent for static RSA.
    #[serde(with = "by_name::option", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub scheme: Option<SignatureScheme>,
    /// Whether the server asks for another key share first.
    pub has_hello_retry: bool,
    /// Round trips from the ClientHello until the client may send: TCP's own not counted, and
    /// none for a flight that is longer than the initial window.
    pub round_trips: u8,
    /// Bytes of a ClientHello with what is known of this client, record header included; names
    /// that mean nothing and padding, which it may send besides, not counted.
    pub client_hello: usize,
    /// Bytes of all that the server sends until its first flight is complete.
    #[serde(default)]
    pub server_flight: usize,
}

/// The shape in which a ClientHello is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HelloShape {
    /// A small hello of classical groups in one write: the control.
    Classical,
    /// A hello with a hybrid key share in one write.
    HybridInOneWrite,
    /// The same in two TCP segments.
    HybridInTwoSegments,
    /// The same in two TCP segments, the second some time after the first.
    HybridDelayed,
    /// The same in two TLS records.
    HybridInTwoRecords,
    /// A small hello with both groups, and a classical key share only: where the server wants
    /// the hybrid it asks for it.
    HybridByRetryRequest,
    /// A classical hello that padding makes longer than 1,500 bytes (RFC 7685).
    ClassicalAbove1500,
}

impl HelloShape {
    /// All of them, the control first.
    pub const ALL: [Self; 7] = [
        Self::Classical,
        Self::HybridInOneWrite,
        Self::HybridInTwoSegments,
        Self::HybridDelayed,
        Self::HybridInTwoRecords,
        Self::HybridByRetryRequest,
        Self::ClassicalAbove1500,
    ];

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Classical => "classical, small, one write",
            Self::HybridInOneWrite => "hybrid share, one write",
            Self::HybridInTwoSegments => "hybrid share, two TCP segments",
            Self::HybridDelayed => "hybrid share, second segment late",
            Self::HybridInTwoRecords => "hybrid share, two TLS records",
            Self::HybridByRetryRequest => "classical share, hybrid by HelloRetryRequest",
            Self::ClassicalAbove1500 => "classical, padded above 1,500 bytes",
        }
    }
}

/// That a shape was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tolerance {
    /// Bytes of the hello, record headers included.
    pub bytes: usize,
    /// The group that the server chose.
    #[serde(with = "by_name::option", default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub group: Option<NamedGroup>,
}

/// How sessions can be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resumption {
    /// Whether a ticket was taken back: it was tried.
    pub accepted: bool,
    /// Whether the resumption made a fresh key exchange, which keeps forward secrecy.
    pub with_key_exchange: bool,
    /// Seconds that the ticket lives.
    pub lifetime: u32,
    /// Bytes of 0-RTT data that the ticket allows; absent where it allows none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_early_data: Option<u32>,
}

/// What a server wants to see of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientCertificateRequest {
    /// Schemes that it can verify.
    #[serde(with = "by_name::list")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub schemes: Vec<SignatureScheme>,
    /// How many authorities it names.
    pub authorities: usize,
    /// Whether it went on without one; absent where that was not tried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub optional: Option<bool>,
}

/// What was seen of an SSH service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SshService {
    /// Its identification string (RFC 4253 section 4.2), printable characters only.
    pub software: String,
    /// Key exchange methods in the server's order, as they call themselves.
    pub key_exchanges: Vec<String>,
    /// Host key algorithms in the server's order.
    pub host_key_algorithms: Vec<String>,
    /// Ciphers from server to client.
    pub ciphers: Vec<String>,
    /// Host keys that were shown.
    pub host_keys: Vec<Tried<String, HostKey>>,
}

/// One host key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HostKey {
    /// Its algorithm and size.
    pub algorithm: Algorithm,
    /// SHA-256 of the key, in base64 without padding, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
}

/// Named groups are written by name, and so are suites: `serde(with)` reaches no type
/// parameter.
macro_rules! answers_by_name {
    ($module:ident, $offer:ty, $support:ty) => {
        mod $module {
            use serde::{Deserialize, Deserializer, Serialize, Serializer};

            use super::{Answer, Tried, by_name};

            #[derive(Serialize)]
            struct Written<'a> {
                #[serde(with = "by_name")]
                offer: $offer,
                answer: &'a Answer<$support>,
            }

            #[derive(Deserialize)]
            struct Read {
                #[serde(with = "by_name")]
                offer: $offer,
                answer: Answer<$support>,
            }

            pub(super) fn serialize<S: Serializer>(
                answers: &[Tried<$offer, $support>],
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(answers.iter().map(|tried| Written {
                    offer: tried.offer,
                    answer: &tried.answer,
                }))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Vec<Tried<$offer, $support>>, D::Error> {
                let read = Vec::<Read>::deserialize(deserializer)?;
                let tried = |Read { offer, answer }| Tried { offer, answer };
                Ok(read.into_iter().map(tried).collect())
            }
        }
    };
}

answers_by_name!(group_answers, wire::NamedGroup, super::GroupSupport);
answers_by_name!(suite_answers, wire::CipherSuite, super::SuiteSupport);
