//! A private certificate authority: hierarchies of any signature algorithm, made when
//! they are first asked for and kept in a [`Cache`].
//!
//! A hierarchy is a root, one intermediate, and under it a server's and a client's end
//! entity, so that both sides of mutual TLS trust one root. Certificates of different
//! algorithms carry the same extensions, names and validity: their sizes differ by keys
//! and signatures alone.
//!
//! The keys of root and intermediate are dropped as soon as the end entities are signed;
//! nothing on disk can issue another certificate.
//!
//! What is not in here: TLS, certificate signing requests, revocation, and publicly
//! trusted certificates. The names lie under `.test` (RFC 6761 section 6.2) and resolve
//! nowhere.
//!
//! ```
//! use pki::{Cache, Role};
//! use wire::{ChainAlgorithms, SignatureAlgorithm};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let directory = directory.path().join("pki");
//! let cache = Cache::open(directory)?;
//! let chain = ChainAlgorithms::uniform(SignatureAlgorithm::MlDsa65);
//! let server = cache.identity(chain, Role::Server)?;
//! let client = cache.identity(chain, Role::Client)?;
//! assert_eq!(server.root(), client.root());
//! assert_eq!(server.chain().len(), 2);
//! # Ok(())
//! # }
//! ```

mod cache;
mod certificate;
mod certified_key;
mod error;
mod hierarchy;
mod identity;
mod key;
mod profile;

pub use cache::Cache;
pub use certificate::{
    Algorithm, Certificate, NotACertificate, distinguished_name, distinguished_name_from_der,
    escape, ip_address, is_signed_by, subject_public_key_info,
};
pub use certified_key::{CertifiedKey, certificate_pem, certificates_from_pem, crls_from_pem};
pub use error::PkiError;
pub use identity::{Identity, Role, encode_pem};
pub use key::{Key, PublicKey};
pub use profile::{CLIENT_NAME, SERVER_NAME, blank_params, permit, serial_number};
