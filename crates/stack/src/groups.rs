//! Groups beside the one that is negotiated.

use experiment::Handshake;
use wire::{NamedGroup, ProtocolVersion, SignatureAlgorithm};

/// The group whose key share a client sends first to provoke a HelloRetryRequest.
pub(crate) fn decoy(group: NamedGroup) -> NamedGroup {
    match group {
        NamedGroup::X25519 => NamedGroup::SECP256R1,
        _ => NamedGroup::X25519,
    }
}

/// In TLS 1.2 the list of groups restricts the curves of ECDSA certificates, too (RFC
/// 8422 section 5.1.1): these must stand in it, last, for no key exchange.
pub(crate) fn certificate_curves(handshake: &Handshake) -> Vec<NamedGroup> {
    let mut curves = Vec::new();
    if handshake.version() == ProtocolVersion::Tls13 {
        return curves;
    }
    for chain in [
        Some(handshake.authentication()),
        handshake.client_authentication(),
    ] {
        let curve = match chain.map(|chain| chain.leaf()) {
            Some(SignatureAlgorithm::EcdsaP256) => NamedGroup::SECP256R1,
            Some(SignatureAlgorithm::EcdsaP384) => NamedGroup::SECP384R1,
            _ => continue,
        };
        if handshake.group() != Some(curve) && !curves.contains(&curve) {
            curves.push(curve);
        }
    }
    curves
}
