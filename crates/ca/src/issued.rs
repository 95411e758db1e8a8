//! Certificates that were issued.

use std::fmt;
use std::str::FromStr;

use pki::Role;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use wire::SignatureAlgorithm;

use crate::{Name, Subject};

/// A certificate that an authority of the store signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its serial number, in upper-case hexadecimal digits; unique in the store.
    pub serial: String,
    /// The authority that signed it.
    pub authority: String,
    /// What it is for.
    pub kind: Kind,
    /// The key that it certifies.
    #[serde(with = "crate::store::text")]
    pub algorithm: SignatureAlgorithm,
    /// Its subject.
    pub subject: Subject,
    /// Its subject alternative names.
    pub names: Vec<Name>,
    /// Valid from.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// Valid until.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// The SHA-256 of the certificate.
    pub fingerprint: String,
    /// SHA-256 of its public key (subjectPublicKeyInfo).
    pub key_sha256: String,
    /// Whether the store has the private key; not for requests from outside.
    pub has_key: bool,
    /// Whether that key is encrypted with the store's passphrase.
    pub is_key_encrypted: bool,
    /// The certificate of the other algorithm for the same names.
    pub twin: Option<String>,
    /// The certificate that it replaces.
    pub renews: Option<String>,
    /// When and why it was revoked.
    pub revocation: Option<Revocation>,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Extended key usage serverAuth.
    Server,
    /// Extended key usage clientAuth.
    Client,
    /// To sign certificates and revocation lists.
    Authority,
}

impl Kind {
    /// `server`, `client` or `authority`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Authority => "authority",
        }
    }
}

impl Kind {
    /// The side of TLS, if it is for one.
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Server => Some(Role::Server),
            Self::Client => Some(Role::Client),
            Self::Authority => None,
        }
    }
}

impl From<Role> for Kind {
    fn from(role: Role) -> Self {
        match role {
            Role::Server => Self::Server,
            Role::Client => Self::Client,
        }
    }
}

/// That a certificate is not to be trusted any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Why.
    pub reason: RevocationReason,
}

/// Why a certificate was revoked (RFC 5280 section 5.3.1), without the reasons that can be
/// taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RevocationReason {
    /// No reason is given.
    Unspecified,
    /// Somebody else has, or may have, the private key.
    KeyCompromise,
    /// The same of an authority's key.
    CaCompromise,
    /// The names are no longer right.
    AffiliationChanged,
    /// Another certificate has taken its place.
    Superseded,
    /// What it was for is gone.
    CessationOfOperation,
    /// The subject may no longer what the certificate says.
    PrivilegeWithdrawn,
}

impl RevocationReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
    ];

    /// As RFC 5280 spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
        }
    }

    /// `None` for an unspecified reason, which is written by leaving it out (RFC 5280
    /// section 5.3.1).
    pub(crate) const fn to_rcgen(self) -> Option<rcgen::RevocationReason> {
        Some(match self {
            Self::Unspecified => return None,
            Self::KeyCompromise => rcgen::RevocationReason::KeyCompromise,
            Self::CaCompromise => rcgen::RevocationReason::CaCompromise,
            Self::AffiliationChanged => rcgen::RevocationReason::AffiliationChanged,
            Self::Superseded => rcgen::RevocationReason::Superseded,
            Self::CessationOfOperation => rcgen::RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => rcgen::RevocationReason::PrivilegeWithdrawn,
        })
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RevocationReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                format!("{text:?} is no reason; there are {names}")
            })
    }
}
