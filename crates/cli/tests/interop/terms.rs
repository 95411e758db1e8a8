//! What a case asks of both sides, and what each side says came of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};
use wire::{ChainAlgorithms, NamedGroup, ProtocolVersion, SignatureAlgorithm};

/// The name in every server certificate of the lab.
pub(crate) const SERVER_NAME: &str = "server.pqlab.test";
/// The name in every client certificate of the lab.
pub(crate) const CLIENT_NAME: &str = "client.pqlab.test";

/// PEM files of a chain without its root, and of its key.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Identity {
    pub(crate) algorithms: Shown<ChainAlgorithms>,
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

/// What a server is to be. The peers that are programs of ours get this as JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ServerTerms {
    pub(crate) version: Shown<ProtocolVersion>,
    pub(crate) groups: Vec<Shown<NamedGroup>>,
    pub(crate) certificates: Vec<Identity>,
    /// Trust anchors of client certificates; with them, clients must have one.
    pub(crate) roots: Option<PathBuf>,
    pub(crate) alpn: Vec<&'static str>,
}

/// What a client is to do. The peers that are programs of ours get this as JSON.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ClientTerms {
    pub(crate) port: u16,
    pub(crate) server_name: &'static str,
    /// What to request.
    pub(crate) path: &'static str,
    pub(crate) version: Shown<ProtocolVersion>,
    pub(crate) groups: Vec<Shown<NamedGroup>>,
    pub(crate) certificate: Option<Identity>,
    pub(crate) roots: PathBuf,
    pub(crate) alpn: Vec<&'static str>,
    /// Connect twice, the second time with a ticket of the first.
    pub(crate) resumes: bool,
}

impl ServerTerms {
    /// The groups' IANA names with this between them.
    pub(crate) fn groups_by(&self, separator: &str) -> String {
        joined(&self.groups, separator)
    }
}

impl ClientTerms {
    /// The groups' IANA names with this between them.
    pub(crate) fn groups_by(&self, separator: &str) -> String {
        joined(&self.groups, separator)
    }
}

fn joined(groups: &[Shown<NamedGroup>], separator: &str) -> String {
    let names: Vec<_> = groups.iter().map(|group| group.0.to_string()).collect();
    names.join(separator)
}

/// Goes into JSON by its `Display`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: std::fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What one side says about the connection.
#[derive(Debug, Clone)]
pub(crate) enum Seen {
    Agreed(View),
    /// There was none; the words are the program's own.
    Refused(String),
    /// It has no word about it: what a server may think of a client that just leaves.
    Unnoticed,
}

/// One side's own account of a connection, in its own spelling; what it does not tell is
/// `None`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct View {
    pub(crate) version: Option<String>,
    pub(crate) group: Option<String>,
    /// The server's key, or the scheme that it signed with.
    pub(crate) authentication: Option<String>,
    /// The other side's subject or name.
    pub(crate) peer: Option<String>,
    pub(crate) alpn: Option<String>,
    /// A client's verdict on the server's chain and name.
    pub(crate) is_trusted: Option<bool>,
    pub(crate) is_resumed: Option<bool>,
    pub(crate) has_hello_retry: Option<bool>,
    /// What a client got for its request.
    pub(crate) body: Option<String>,
}

impl View {
    pub(crate) fn version(&self) -> Option<ProtocolVersion> {
        let version = self.version.as_deref()?;
        [ProtocolVersion::Tls12, ProtocolVersion::Tls13]
            .into_iter()
            .find(|known| version.ends_with(&known.to_string()))
    }

    pub(crate) fn group(&self) -> Option<NamedGroup> {
        let name = self.group.as_deref()?;
        name.parse().ok().or_else(|| {
            Some(match name.to_ascii_lowercase().as_str() {
                "ecdh_x25519" => NamedGroup::X25519,
                "p-256" | "p256" | "prime256v1" | "curvep256" => NamedGroup::SECP256R1,
                _ => return None,
            })
        })
    }

    /// The algorithms of the suite's certificates only: some programs tell no key size.
    pub(crate) fn authentication(&self) -> Option<SignatureAlgorithm> {
        let name = self.authentication.as_deref()?.to_ascii_lowercase();
        // A scheme may have any hash, and in TLS 1.2 any curve (RFC 8446 section 4.2.3).
        const BEGINNINGS: [(&str, SignatureAlgorithm); 6] = [
            ("ecdsa", SignatureAlgorithm::EcdsaP256),
            ("prime256v1", SignatureAlgorithm::EcdsaP256),
            ("rsa", SignatureAlgorithm::Rsa2048),
            ("ed25519", SignatureAlgorithm::Ed25519),
            ("ml-dsa-65", SignatureAlgorithm::MlDsa65),
            ("mldsa65", SignatureAlgorithm::MlDsa65),
        ];
        let found = BEGINNINGS.iter().find(|(begin, _)| name.starts_with(begin));
        found.map(|(_, algorithm)| *algorithm)
    }
}
