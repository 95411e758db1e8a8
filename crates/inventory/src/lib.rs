//! Certificates, keys, stores and configurations in files: the file half of an inventory.
//!
//! Files are recognised by what they hold, not by their names. No password is tried and
//! nothing is decrypted; of a private key only its algorithm and the fingerprint of its public
//! half are told, and no byte of it stands in any value, error or message.

mod certificate;
mod config;
mod contents;
mod cursor;
mod der;
mod findings;
mod fingerprint;
mod jks;
mod key;
mod name;
mod object;
mod oid;
mod openpgp;
mod pem;
mod pkcs12;
mod protection;
mod ssh;
mod versions;
mod walk;

pub use certificate::{CertificateError, certificate};
pub use contents::read;
pub use findings::Findings;
pub use versions::{InstalledVersion, ParseVersionError, Versions};
pub use walk::{Event, InventoryError, Options, take, walk};
