use std::io;
use std::path::PathBuf;

use wire::ChainAlgorithms;

/// Why no certificates could be had.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// There is no place for the cache: the home folder is unknown.
    #[error(
        "no folder for cached certificates: the home folder is unknown; set PQLAB_CACHE to a \
         folder that can be written"
    )]
    NoCacheDirectory,
    /// The cache's folder does not exist and cannot be made.
    #[error(
        "cannot make the certificate cache {}: {error}; set PQLAB_CACHE to a folder that can be \
         written",
        directory.display()
    )]
    CreateDirectory {
        /// The folder of the cache.
        directory: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The cache's folder cannot be listed.
    #[error("cannot read the certificate cache {}: {error}", directory.display())]
    ReadDirectory {
        /// The folder of the cache.
        directory: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// An entry of the cache cannot be locked or written.
    #[error(
        "cannot write {} into the certificate cache: {error}; check the rights of its folder and \
         the space on its disk, or set PQLAB_CACHE to another folder",
        path.display()
    )]
    WriteEntry {
        /// The file that was to be written.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The cryptographic library failed to make a key or a certificate.
    #[error(
        "cannot generate the {certificate} certificate of chain {chain}: {error}; the input \
         cannot cause this, so please report it with the platform it happened on"
    )]
    Generate {
        /// Which certificate of the hierarchy: root, intermediate, server or client.
        certificate: &'static str,
        /// The algorithms of the chain.
        chain: ChainAlgorithms,
        /// What the library said.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A PEM file does not hold what it should.
    #[error("no {what} can be read: {error}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// What is wrong.
        error: rustls_pki_types::pem::Error,
    },
}
