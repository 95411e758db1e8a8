use std::io;
use std::path::PathBuf;

use time::OffsetDateTime;

use crate::key::KeyFault;
use crate::{RequestError, SubjectError};

/// Why an operation on the store did not happen. Nothing of it has, then.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// The folder holds no store.
    #[error("{} holds no certificate authority; `pqlab ca init` makes one", folder.display())]
    NoStore {
        /// The folder.
        folder: PathBuf,
    },
    /// A store is to be made where one is.
    #[error("there is a certificate authority in {} already", folder.display())]
    StoreExists {
        /// The folder.
        folder: PathBuf,
    },
    /// A store that a newer program wrote.
    #[error(
        "{} is of format {format}, and this program knows {known}: use a newer one",
        folder.display()
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        format: u64,
        /// The newest format that is known.
        known: u64,
    },
    /// Another process has the store and does not let go.
    #[error(
        "another process {} {}; try again once it has ended",
        if waited.is_zero() { "is using".to_owned() } else { format!("has for {waited:?} been using") },
        folder.display()
    )]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// How long was waited.
        waited: std::time::Duration,
    },
    /// A file or folder can't be read or written.
    #[error("cannot {action} {}: {error}", path.display())]
    File {
        /// What was tried: read, write, make.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// The store's database failed: the disk, or damage.
    #[error("the store's database failed: {0}")]
    Database(Box<redb::Error>),
    /// The store lies where nothing can be written: it can be looked at.
    #[error("{} can't be written, so that the store can only be looked at", folder.display())]
    ReadOnly {
        /// The folder.
        folder: PathBuf,
    },
    /// An entry of the database is not what this program writes.
    #[error("the store is damaged: {what}: {why}; restore it from a backup")]
    Damaged {
        /// Which entry.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// The private key can't be read.
    #[error("the private key {}: {fault}", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why.
        fault: String,
        /// Whether another passphrase could help.
        is_passphrase: bool,
    },
    /// The store's keys are encrypted, and it was opened without the passphrase.
    #[error("the keys of this store are encrypted: give its passphrase")]
    NoPassphrase,
    /// A key is to be encrypted in a store without a passphrase.
    #[error("this store was made without a passphrase, and encrypts no keys")]
    NotEncrypted,
    /// A key can't be encrypted.
    #[error("the key can't be encrypted: {0}")]
    Encrypt(String),
    /// No random numbers can be had.
    #[error("the cryptographic library has no random numbers")]
    Random,
    /// The library made no key or certificate.
    #[error("the library can't make the {what}: {error}")]
    Generate {
        /// What was made.
        what: &'static str,
        /// What the library says.
        error: rcgen::Error,
    },
    /// The clock contradicts the store.
    #[error(
        "this machine's clock says {}, and {what} is of {}: one of the two is wrong. Set \
         the clock right before anything is signed; if it is right, accept it with \
         --accept-clock",
        stamp(now),
        stamp(then)
    )]
    Clock {
        /// What the clock says.
        now: OffsetDateTime,
        /// What it contradicts.
        what: &'static str,
        /// The time of that.
        then: OffsetDateTime,
    },
    /// There is no such authority.
    #[error("there is no authority {id:?} in the store; there are: {known}")]
    UnknownAuthority {
        /// What was asked for.
        id: String,
        /// Those that there are.
        known: String,
    },
    /// An authority's name is taken, or no name.
    #[error("{id:?} can't be an authority's name: {why}")]
    AuthorityId {
        /// The name.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// It is not the authority's turn.
    #[error("the authority {id} is {state}: {hint}")]
    AuthorityState {
        /// The authority.
        id: String,
        /// Its state.
        state: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The authority's own certificate is of the future.
    #[error(
        "the certificate of the authority {id} begins at {}, and this clock says {}",
        stamp(from),
        stamp(now)
    )]
    AuthorityNotYetValid {
        /// The authority.
        id: String,
        /// Its begin.
        from: OffsetDateTime,
        /// What the clock says.
        now: OffsetDateTime,
    },
    /// The authority's own certificate is over.
    #[error(
        "the certificate of the authority {id} ended at {}: `pqlab ca renew {id}` makes another \
         one for the same key, `pqlab ca init --add --id-suffix END` another hierarchy",
        stamp(until)
    )]
    AuthorityExpired {
        /// The authority.
        id: String,
        /// Its end.
        until: OffsetDateTime,
    },
    /// The authority's certificate comes from somewhere else.
    #[error(
        "the certificate of {id} came from outside of the store: have its issuer sign what `pqlab \
         ca get-certificate-authority-csr` gives, and import that"
    )]
    OutsideIssuer {
        /// The authority.
        id: String,
    },
    /// An authority may have no authority below it.
    #[error("the authority {id} may not certify another one: its path length is 0")]
    PathLength {
        /// The issuer.
        id: String,
    },
    /// None of the authorities is fit for an order.
    #[error("no active authority is there to issue certificates; `pqlab ca init` makes one")]
    NoAuthority,
    /// A pair of which one would break at its issuer.
    #[error(
        "there is no active authority for the {algorithm} certificate of the pair: one of the \
         other kind would sign it, and who needs it could not verify that. `pqlab ca init --add \
         --algorithm …` makes one"
    )]
    NoFamily {
        /// The algorithm of the certificate.
        algorithm: wire::SignatureAlgorithm,
    },
    /// A migration that leads nowhere.
    #[error("{id} can't be migrated: {why}")]
    Migration {
        /// The authority.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// Several authorities are fit, and none fits better.
    #[error("several authorities could issue this: {ids}; name one with --authority")]
    WhichAuthority {
        /// Their names.
        ids: String,
    },
    /// A certificate without names serves nobody.
    #[error(
        "a certificate needs at least one subject alternative name, since clients do not look at \
         the common name (RFC 9525 section 2): give one, for a request with --name"
    )]
    NoNames,
    /// A name is outside of what the authority may issue for.
    #[error("the authority {id} may not issue for {name}: it is limited to {permitted}")]
    NotPermitted {
        /// The authority.
        id: String,
        /// The name.
        name: String,
        /// The subtrees that it may issue for.
        permitted: String,
    },
    /// A time of validity that can't be.
    #[error("a certificate can't be valid for {0}")]
    Lifetime(time::Duration),
    /// There is no such certificate.
    #[error("the store has no certificate {0:?}; `pqlab ca list` shows what there is")]
    UnknownCertificate(String),
    /// A name that several certificates have.
    #[error(
        "several certificates are for {name}; take one by its serial number, or by \
         {name}/ALGORITHM: {serials}"
    )]
    WhichCertificate {
        /// The name.
        name: String,
        /// The serial numbers.
        serials: String,
    },
    /// The certificate was revoked already.
    #[error("{serial} was revoked at {}, for the reason {reason}", stamp(at))]
    AlreadyRevoked {
        /// The serial number.
        serial: String,
        /// When.
        at: OffsetDateTime,
        /// Why.
        reason: &'static str,
    },
    /// Another certificate has taken its place already.
    #[error("{serial} has been renewed already, by {by}")]
    AlreadyRenewed {
        /// The serial number.
        serial: String,
        /// That of the new one.
        by: String,
    },
    /// The certificate is a root's, which nobody above it could revoke.
    #[error("{0} is a root: take it out of the trust stores instead")]
    RootRevocation(String),
    /// A key that is not to be certified.
    #[error("the key of the request is not certified: {0}")]
    RefusedKey(&'static str),
    /// The store does not have the private key.
    #[error("the store has no private key for {0}: it was issued for a request from outside")]
    NoKey(String),
    /// A request can't be taken.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A subject can't be read.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// A certificate that was brought from outside does not fit.
    #[error("this is no certificate for the authority {id}: {why}")]
    Import {
        /// The authority.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// A PKCS#12 file can't be made.
    #[error("the PKCS#12 file can't be made: {0}")]
    Pfx(String),
}

/// To the second, in UTC.
fn stamp(time: &OffsetDateTime) -> String {
    let time = time.replace_nanosecond(0).unwrap_or(*time);
    let text = time.format(&time::format_description::well_known::Rfc3339);
    text.unwrap_or_default()
}

impl CaError {
    pub(crate) fn key(path: PathBuf, fault: KeyFault) -> Self {
        Self::Key {
            path,
            fault: fault.to_string(),
            is_passphrase: matches!(fault, KeyFault::NoPassphrase | KeyFault::WrongPassphrase),
        }
    }

    pub(crate) fn damaged(what: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::Damaged {
            what: what.into(),
            why: why.to_string(),
        }
    }
}

/// redb has an error type for each step.
macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for CaError {
            fn from(error: redb::$error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}

from_redb!(
    CommitError,
    DatabaseError,
    StorageError,
    TableError,
    TransactionError
);
