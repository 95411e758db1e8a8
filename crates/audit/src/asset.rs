//! What an inventory found in files: certificates, keys, stores and configurations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Algorithm, Role};

/// All that was found under some paths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Inventory {
    /// The paths that were given.
    pub paths: Vec<String>,
    /// When, in RFC 3339.
    pub taken: String,
    /// Files that were opened.
    pub files: u64,
    /// What was found, in the order of the paths.
    pub assets: Vec<Asset>,
    /// Files, or parts of them, that could not be read; nothing is said about these.
    pub problems: Vec<Problem>,
}

/// Something cryptographic in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Asset {
    /// Where it is.
    pub location: Location,
    /// What it is.
    pub kind: AssetKind,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Location {
    /// The file.
    pub path: String,
    /// The line, from 1, in text files.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The alias or number of an entry, in stores that hold several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entry: Option<String>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(entry) = &self.entry {
            write!(f, " ({entry})")?;
        }
        Ok(())
    }
}

/// What could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem {
    /// Where.
    pub location: Location,
    /// What was tried, and what happened.
    pub reason: String,
}

/// The kinds of assets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum AssetKind {
    /// An X.509 certificate.
    Certificate(Box<CertificateFacts>),
    /// A PKCS #10 request.
    Request(KeyFacts),
    /// A key: of TLS, SSH or OpenPGP, public or private.
    Key(KeyFacts),
    /// A keystore; what could be read in it without its password stands beside it as assets
    /// of their own.
    Store(StoreFacts),
    /// The settings of a program.
    Settings(Settings),
}

/// What stands in an X.509 certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CertificateFacts {
    /// The subject, as RFC 4514 writes it.
    pub subject: String,
    /// The issuer, as RFC 4514 writes it.
    pub issuer: String,
    /// The serial number in lower-case hexadecimal.
    pub serial: String,
    /// DNS names and addresses of its subjectAltName.
    pub names: Vec<String>,
    /// The beginning of its validity, in RFC 3339.
    pub not_before: String,
    /// The end of its validity, in RFC 3339.
    pub not_after: String,
    /// Its key.
    pub key: Algorithm,
    /// The algorithm with which its issuer signed: its size is known only where the issuer's
    /// certificate is.
    pub signature: Algorithm,
    /// The signature's hash, where the algorithm leaves it open: `SHA-256`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signature_hash: Option<String>,
    /// Whether it is an authority's.
    pub is_authority: bool,
    /// Whether subject and issuer are one, so that its own signature proves nothing.
    pub is_self_issued: bool,
    /// SHA-256 of its DER, in lower-case hexadecimal.
    pub fingerprint: String,
    /// Bytes of its DER.
    pub bytes: usize,
}

/// What stands in a key, its secret apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyFacts {
    /// What form it has.
    pub form: KeyForm,
    /// Its algorithm; absent where it is encrypted and does not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub algorithm: Option<Algorithm>,
    /// What it is for.
    pub uses: Vec<KeyUse>,
    /// Whether it is a private key.
    pub is_private: bool,
    /// Whether it is encrypted.
    pub is_encrypted: bool,
    /// SHA-256 of the SubjectPublicKeyInfo (X.509) or of the key blob (SSH), or the OpenPGP
    /// fingerprint, in lower-case hexadecimal; absent where it can't be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fingerprint: Option<String>,
    /// A comment, user id or subject beside it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
}

/// Forms of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// PKCS #8, PKCS #1 or SEC 1, and SubjectPublicKeyInfo.
    X509,
    /// OpenSSH's, and what `authorized_keys` and `known_hosts` hold.
    Ssh,
    /// OpenPGP's.
    OpenPgp,
    /// A secret key of a keystore.
    Symmetric,
}

/// What a key is for, as far as its holder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeyUse {
    /// It establishes keys or decrypts.
    KeyEstablishment,
    /// It signs or authenticates.
    Signature,
}

impl From<KeyUse> for Role {
    fn from(key_use: KeyUse) -> Self {
        match key_use {
            KeyUse::KeyEstablishment => Self::KeyEstablishment,
            KeyUse::Signature => Self::Signature,
        }
    }
}

/// What a keystore shows without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StoreFacts {
    /// Its format.
    pub format: StoreFormat,
    /// Entries that hold a private key, where they can be counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub private_keys: Option<u32>,
    /// Certificates in it, where they can be counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub certificates: Option<u32>,
    /// How it is protected, as far as it says: the names of its algorithms.
    pub protection: Vec<String>,
}

/// Formats of keystores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StoreFormat {
    /// PKCS #12 (RFC 7292).
    Pkcs12,
    /// Java's own.
    Jks,
    /// Java's own with better encryption of keys.
    Jceks,
}

/// Programs whose configurations are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Software {
    /// nginx.
    Nginx,
    /// Apache HTTP Server with mod_ssl.
    Apache,
    /// HAProxy.
    Haproxy,
    /// Envoy.
    Envoy,
    /// Caddy.
    Caddy,
    /// openssl.cnf.
    Openssl,
    /// sshd_config and ssh_config.
    Openssh,
    /// postgresql.conf.
    Postgresql,
    /// java.security.
    Java,
}

impl Software {
    /// As it calls itself.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "Apache httpd",
            Self::Haproxy => "HAProxy",
            Self::Envoy => "Envoy",
            Self::Caddy => "Caddy",
            Self::Openssl => "OpenSSL",
            Self::Openssh => "OpenSSH",
            Self::Postgresql => "PostgreSQL",
            Self::Java => "Java",
        }
    }
}

/// What a configuration turns on in one scope: a `server` block, a listener, the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Settings {
    /// Whose configuration it is.
    pub software: Software,
    /// The scope in the program's own words: `server example.test`, `frontend www`, `global`.
    pub scope: String,
    /// Names and ports that it serves, as `host:port`, `*:port` or `host`, so that a scan can
    /// be joined with it.
    pub serves: Vec<String>,
    /// The program's version, where the file or the caller tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The version of its TLS library, where the caller tells: what a default means.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub library: Option<String>,
    /// The directives that matter, as they stand in the file.
    pub directives: Vec<Directive>,
    /// Key exchange in the order of preference, with what follows from defaults of that
    /// library version; empty where neither the file nor a known default says.
    pub key_exchanges: Vec<Algorithm>,
    /// Whether `key_exchanges` is a default rather than what the file says.
    pub key_exchanges_by_default: bool,
    /// Versions as the program spells them: `TLSv1.2`.
    pub versions: Vec<String>,
    /// Cipher suites or the string that selects them, as the file spells them.
    pub suites: Vec<String>,
    /// Whether static RSA key transport is turned on; absent where it can't be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub static_rsa: Option<bool>,
    /// Certificate and key files that it names.
    pub files: Vec<String>,
    /// What is wrong with it, or will not do what it seems to: in words.
    pub remarks: Vec<String>,
}

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Directive {
    /// Where it stands.
    pub line: u32,
    /// Its name.
    pub name: String,
    /// Its value, as it stands there.
    pub value: String,
}
