//! A chain judged without a connection, by both libraries.

use std::net::IpAddr;
use std::time::SystemTime;

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::{openssl_stack, rustls_stack};

/// What is to be judged, and by what.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// What the peer sent, its end entity first.
    pub chain: &'a [CertificateDer<'static>],
    /// Trust anchors.
    pub roots: &'a [CertificateDer<'static>],
    /// Revocation lists; with any, an end entity whose issuer has no list, or an expired
    /// one, is refused.
    pub crls: &'a [CertificateRevocationListDer<'static>],
    /// What the end entity is to be fit for.
    pub purpose: Purpose<'a>,
    /// When.
    pub at: SystemTime,
}

/// What an end entity is used for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'a> {
    /// To be the server of this name.
    Server(&'a PeerName),
    /// To be a client; names are then for the server to look at.
    Client,
}

/// The name that a client wants of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerName {
    /// A host.
    Dns(String),
    /// An address.
    Ip(IpAddr),
}

impl From<&str> for PeerName {
    fn from(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Dns(text.to_owned()), Self::Ip)
    }
}

/// What one library says of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The library that judged: `rustls` or `openssl`.
    pub library: &'static str,
    /// Why it refuses; `None` if it does not.
    pub refusal: Option<Refusal>,
}

/// Why a library refuses a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In the library's terms: a variant of rustls' `CertificateError`, or the number of
    /// OpenSSL's `X509_V_ERR_…`.
    pub code: String,
    /// In words, the library's own.
    pub text: String,
}

/// What rustls and OpenSSL say of one chain.
pub fn judge(question: &Question<'_>) -> [Judgement; 2] {
    [
        Judgement {
            library: "rustls",
            refusal: rustls_stack::judge(question).err(),
        },
        Judgement {
            library: "openssl",
            refusal: openssl_stack::judge(question).err(),
        },
    ]
}
