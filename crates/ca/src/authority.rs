//! Authorities: roots and intermediates.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use crate::Subject;

/// Something that issues certificates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// Its name within the store.
    pub id: String,
    /// The name of its key's file, without `.pem`.
    pub key: String,
    /// SHA-256 of its public key (subjectPublicKeyInfo).
    pub key_sha256: String,
    /// Its distinguished name.
    pub subject: Subject,
    /// What it signs with.
    #[serde(with = "crate::store::text")]
    pub algorithm: SignatureAlgorithm,
    /// The authority of this store that certifies it; `None` for a root, and for one whose
    /// certificate comes from elsewhere.
    pub issuer: Option<String>,
    /// Whether its certificate comes from an issuer, inside or outside of the store.
    pub is_subordinate: bool,
    /// What it can do.
    pub state: AuthorityState,
    /// How many authorities may stand between it and an end entity.
    pub path_length: Option<u8>,
    /// The DNS subtrees that it may issue for; any, if empty. Mailboxes and URIs are held
    /// against them by their host, and addresses are then not issued for at all.
    pub permitted_dns: Vec<String>,
    /// Where its revocation list is published; stands in what it issues.
    pub crl_url: Option<String>,
    /// The SHA-256 of its certificate, once it has one.
    pub fingerprint: Option<String>,
    /// The certificates above its own that came with it from outside, without the root's.
    pub outside_chain: Vec<String>,
    /// The trust anchor above it, if that is not of this store.
    pub outside_root: Option<String>,
    /// The number of its last revocation list; 0 before the first.
    pub crl_number: u64,
    /// thisUpdate of that list.
    #[serde(with = "time::serde::rfc3339::option")]
    pub crl_at: Option<OffsetDateTime>,
    /// Who else may have certificates issued.
    pub grants: Vec<Grant>,
    /// When its key was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// What an authority can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorityState {
    /// It has a key, but no certificate yet.
    PendingCertificate,
    /// It issues.
    Active,
    /// It issues no certificates any more, but revocation lists.
    Disabled,
    /// Its certificate was revoked: the same, for good.
    Revoked,
}

impl AuthorityState {
    /// In the spelling of cloud services: `PENDING_CERTIFICATE`, `ACTIVE`, `DISABLED`,
    /// `REVOKED`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PendingCertificate => "PENDING_CERTIFICATE",
            Self::Active => "ACTIVE",
            Self::Disabled => "DISABLED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// What a certificate for an authority says of it (RFC 5280 section 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityTemplate {
    /// A root: its own certificate, signed by itself while it waits for one.
    Root,
    /// An authority with so many levels of authorities below it, at most.
    Subordinate {
        /// 0 for one that issues to end entities alone; as many as its issuer may have, if
        /// `None`.
        path_length: Option<u8>,
    },
}

/// A permission for somebody other than the store's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who, such as `acm.amazonaws.com` or a listener.
    pub principal: String,
    /// What: `IssueCertificate`, `GetCertificate`, `ListPermissions`.
    pub actions: Vec<String>,
}

/// An authority to be made.
#[derive(Debug, Clone)]
pub struct NewAuthority {
    /// Its name within the store: letters, digits and hyphens.
    pub id: String,
    /// Its distinguished name.
    pub subject: Subject,
    /// What it is to sign with.
    pub algorithm: SignatureAlgorithm,
    /// The authority above it; `None` for a root.
    pub issuer: Option<String>,
    /// How many authorities may stand between it and an end entity.
    pub path_length: Option<u8>,
    /// The DNS subtrees that it may issue for; any, if empty.
    pub permitted_dns: Vec<String>,
    /// Where its revocation list will be published.
    pub crl_url: Option<String>,
    /// How long; never beyond its issuer. `None` for ten years for a root, five for others.
    pub lifetime: Option<Duration>,
}
