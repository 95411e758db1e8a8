//! Whether everything in a store fits together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pki::Certificate;
use rcgen::PublicKeyData;

use super::PART;
use crate::files::is_open_to_others;
use crate::log::sha256;
use crate::store::file;
use crate::{Authority, CaError, Event, Fault, Issued, LogEntry, Store};

pub(super) fn check(store: &Store) -> Result<Vec<Fault>, CaError> {
    let mut faults = Faults(Vec::new());
    let log = check_log(store, &mut faults)?;
    let (authorities, issued) = (store.authorities()?, store.issued()?);
    replay(&log, &authorities, &issued, &mut faults);
    for authority in &authorities {
        check_authority(store, authority, &mut faults);
    }
    for issued in &issued {
        check_issued(store, issued, &mut faults);
    }
    for path in key_files(store)? {
        let what = path.display().to_string();
        if is_open_to_others(&path).unwrap_or(false) {
            faults.serious(&what, "others than its owner may read this key");
        }
    }
    for path in left_over(store, &authorities, &issued)? {
        let what = path.display().to_string();
        faults.untidy(&what, "nothing refers to it: an operation was cut off");
    }
    Ok(faults.0)
}

/// Removes what a killed process left: keys that nothing refers to, and files that never
/// became whole.
pub(super) fn tidy(store: &Store) -> Result<Vec<PathBuf>, CaError> {
    let left = left_over(store, &store.authorities()?, &store.issued()?)?;
    for path in &left {
        std::fs::remove_file(path).map_err(|error| file("remove", path, error))?;
    }
    Ok(left)
}

struct Faults(Vec<Fault>);

impl Faults {
    fn serious(&mut self, what: &str, why: impl ToString) {
        let is_serious = true;
        self.0.push(Fault {
            is_serious,
            ..untidy(what, why)
        });
    }

    fn unseen(&mut self, what: &str, why: impl ToString) {
        let is_unseen = true;
        self.0.push(Fault {
            is_unseen,
            ..untidy(what, why)
        });
    }

    fn untidy(&mut self, what: &str, why: impl ToString) {
        self.0.push(untidy(what, why));
    }
}

fn untidy(what: &str, why: impl ToString) -> Fault {
    Fault {
        what: what.to_owned(),
        why: why.to_string(),
        is_serious: false,
        is_unseen: false,
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, CaError> {
    let failed = |error| file("read", folder, error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        found.push(entry.map_err(failed)?.path());
    }
    found.retain(|path| path.is_file());
    found.sort();
    Ok(found)
}

fn key_files(store: &Store) -> Result<Vec<PathBuf>, CaError> {
    files(&store.folder().join(super::KEYS))
}

fn left_over(
    store: &Store,
    authorities: &[Authority],
    issued: &[Issued],
) -> Result<Vec<PathBuf>, CaError> {
    let with_key = issued.iter().filter(|issued| issued.has_key);
    let mut known: BTreeSet<PathBuf> = with_key.map(|i| store.key_path(&i.serial)).collect();
    known.extend(authorities.iter().map(|a| store.key_path(&a.key)));
    let mut left = key_files(store)?;
    left.retain(|path| !known.contains(path));
    let is_part = |path: &PathBuf| path.to_string_lossy().ends_with(PART);
    left.extend(files(store.folder())?.into_iter().filter(is_part));
    Ok(left)
}

fn check_log(store: &Store, faults: &mut Faults) -> Result<Vec<LogEntry>, CaError> {
    let read = store.read()?;
    let mut previous = sha256(&[]);
    let mut entries = Vec::new();
    for (at, (entry, bytes)) in (1..).zip(read.log()?) {
        let what = format!("entry {at} of the log");
        if entry.sequence != at {
            faults.serious(
                &what,
                format!("it says that it is entry {}", entry.sequence),
            );
        }
        if entry.previous != previous {
            faults.serious(
                &what,
                "the entry before it is not the one that it was written after",
            );
        }
        previous = sha256(&bytes);
        entries.push(entry);
    }
    if !entries.is_empty() && read.log_head()?.as_ref() != Some(&previous) {
        faults.serious(
            "the log",
            "its last entry is not the one that was written last",
        );
    }
    Ok(entries)
}

/// Whether what the log tells is what the store holds, in both directions.
fn replay(log: &[LogEntry], authorities: &[Authority], issued: &[Issued], faults: &mut Faults) {
    let (mut told, mut revoked) = (BTreeMap::new(), BTreeSet::new());
    let mut lists = BTreeMap::new();
    for entry in log {
        match &entry.event {
            Event::Issued {
                serial,
                fingerprint,
                ..
            } => {
                told.insert(serial.as_str(), fingerprint.as_str());
            }
            Event::Revoked { serial, .. } => {
                revoked.insert(serial.as_str());
            }
            Event::CrlSigned {
                authority, number, ..
            } => {
                lists.insert(authority.as_str(), *number);
            }
            _ => {}
        }
    }
    for one in issued {
        let what = format!("certificate {}", one.serial);
        if told.remove(one.serial.as_str()) != Some(one.fingerprint.as_str()) {
            faults.serious(&what, "the log does not tell of it, or of another one");
        }
        if revoked.contains(one.serial.as_str()) != one.revocation.is_some() {
            faults.serious(
                &what,
                "the log and the store differ in whether it is revoked",
            );
        }
    }
    for serial in told.keys() {
        faults.serious(
            &format!("certificate {serial}"),
            "the log tells of it, and it is gone",
        );
    }
    for authority in authorities {
        let number = lists.get(authority.id.as_str()).copied().unwrap_or(0);
        if number != authority.crl_number {
            let what = format!("authority {}", authority.id);
            faults.serious(
                &what,
                format!("its last list was number {number} by the log"),
            );
        }
    }
}

fn check_authority(store: &Store, authority: &Authority, faults: &mut Faults) {
    let what = format!("authority {}", authority.id);
    match store.key(&authority.key, authority.algorithm) {
        Ok(key) if sha256(&key.subject_public_key_info()) == authority.key_sha256 => {}
        Ok(_) => faults.serious(&what, "its key is another one"),
        Err(error) => unreadable(&what, &error, faults),
    }
    let chain = authority
        .outside_chain
        .iter()
        .chain(&authority.outside_root);
    for fingerprint in chain.chain(&authority.fingerprint) {
        if let Err(error) = stored(store, fingerprint) {
            faults.serious(&what, error);
        }
    }
    let Some(fingerprint) = &authority.fingerprint else {
        return;
    };
    match stored(store, fingerprint).map(|der| pki::subject_public_key_info(&der)) {
        Ok(Some(key)) if sha256(&key) == authority.key_sha256 => {}
        Ok(_) => faults.serious(&what, "its key is not that of its certificate"),
        // Told above.
        Err(_) => {}
    }
}

fn check_issued(store: &Store, issued: &Issued, faults: &mut Faults) {
    let what = format!("certificate {}", issued.serial);
    let parsed = stored(store, &issued.fingerprint).and_then(|der| {
        let key = pki::subject_public_key_info(&der).map(|key| sha256(&key));
        let certificate = Certificate::from_der(&der);
        let certificate = certificate.map_err(|error| CaError::damaged(&what, error))?;
        Ok((certificate, key))
    });
    match parsed {
        Ok((certificate, _)) if certificate.serial != issued.serial => {
            faults.serious(&what, "its certificate has another serial number");
        }
        Ok((_, key)) if key.as_ref() != Some(&issued.key_sha256) => {
            faults.serious(&what, "its certificate is for another key");
        }
        Ok(_) => {}
        Err(error) => return faults.serious(&what, error),
    }
    if let Err(error) = store.authority(&issued.authority) {
        faults.serious(&what, error);
    }
    if !issued.has_key {
        return;
    }
    match store.key(&issued.serial, issued.algorithm) {
        Ok(key) if sha256(&key.subject_public_key_info()) == issued.key_sha256 => {}
        Ok(_) => faults.serious(&what, "its key is not that of its certificate"),
        Err(error) => unreadable(&what, &error, faults),
    }
}

/// A key that is encrypted is there, as far as can be told without its passphrase.
fn unreadable(what: &str, error: &CaError, faults: &mut Faults) {
    match error {
        CaError::Key {
            is_passphrase: true,
            ..
        } => faults.unseen(what, error),
        error => faults.serious(what, error),
    }
}

/// A certificate whose bytes are those that were put in.
fn stored(
    store: &Store,
    fingerprint: &str,
) -> Result<rustls_pki_types::CertificateDer<'static>, CaError> {
    let der = store.certificate(fingerprint)?;
    if sha256(&der) != fingerprint {
        let what = format!("certificate {fingerprint}");
        return Err(CaError::damaged(what, "its bytes have another SHA-256"));
    }
    Ok(der)
}
