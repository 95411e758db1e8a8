//! What a client offers.

use serde::Serialize;
use wire::{ClientHello, NamedGroup, SignatureScheme};

/// What a client offers, for programs to read. The names of fields stay.
#[derive(Debug, Serialize)]
pub struct Offered {
    /// The name that it asks for (RFC 6066 section 3).
    pub server_name: Option<String>,
    /// `supported_versions`, the most wanted first; empty where TLS 1.3 is not offered.
    pub versions: Vec<String>,
    /// Cipher suites, the most wanted first.
    pub cipher_suites: Vec<String>,
    /// Named groups, the most wanted first.
    pub groups: Vec<String>,
    /// Key shares.
    pub key_shares: Vec<Share>,
    /// Signature schemes, the most wanted first.
    pub signature_schemes: Vec<String>,
    /// Application protocols, the most wanted first.
    pub alpn: Vec<String>,
    /// Whether a post-quantum or hybrid group is among the groups.
    pub post_quantum_group: bool,
    /// Whether ML-DSA is among the schemes.
    pub ml_dsa: bool,
}

/// A key share that a client sent with its first ClientHello.
#[derive(Debug, Serialize)]
pub struct Share {
    /// The group.
    pub group: String,
    /// Its length.
    pub bytes: usize,
}

impl From<&ClientHello> for Offered {
    fn from(hello: &ClientHello) -> Self {
        let is_pq_group = |group: &NamedGroup| group.is_post_quantum();
        let is_ml_dsa =
            |scheme: &SignatureScheme| scheme.facts().is_some_and(|facts| facts.post_quantum);
        let share = |share: &wire::KeyShare| Share {
            group: share.group.label(),
            bytes: share.length,
        };
        Self {
            server_name: hello.server_name.as_deref().map(lossy),
            versions: hello
                .versions
                .iter()
                .map(|v| wire::version_name(*v))
                .collect(),
            cipher_suites: hello.cipher_suites.iter().map(|s| s.label()).collect(),
            groups: hello.groups.iter().map(|g| g.label()).collect(),
            key_shares: hello.key_shares.iter().map(share).collect(),
            signature_schemes: hello.signature_schemes.iter().map(|s| s.label()).collect(),
            alpn: hello.alpn.iter().map(lossy).collect(),
            post_quantum_group: hello.groups.iter().any(is_pq_group),
            ml_dsa: hello.signature_schemes.iter().any(is_ml_dsa),
        }
    }
}

pub(crate) fn lossy(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}
