//! Whether everything in a store fits together.

use std::collections::BTreeSet;

use pki::Certificate;
use rcgen::PublicKeyData;

use crate::files::is_open_to_others;
use crate::log::sha256;
use crate::store::file;
use crate::{Authority, CaError, Fault, Issued, Store};

pub(super) fn check(store: &Store) -> Result<Vec<Fault>, CaError> {
    let mut faults = Faults(Vec::new());
    check_log(store, &mut faults)?;
    let (authorities, issued) = (store.authorities()?, store.issued()?);
    let mut keys = BTreeSet::new();
    for authority in &authorities {
        keys.insert(store.key_path(&authority.key));
        check_authority(store, authority, &mut faults);
    }
    for issued in &issued {
        if issued.has_key {
            keys.insert(store.key_path(&issued.serial));
        }
        check_issued(store, issued, &mut faults);
    }
    let folder = store.key_path("any");
    let folder = folder.parent().unwrap_or(store.folder());
    for entry in std::fs::read_dir(folder).map_err(|error| file("read", folder, error))? {
        let path = entry.map_err(|error| file("read", folder, error))?.path();
        let what = path.display().to_string();
        if !keys.contains(&path) {
            faults.untidy(
                &what,
                "nothing refers to this key: an operation was cut off",
            );
        } else if is_open_to_others(&path).unwrap_or(false) {
            faults.serious(&what, "others than its owner may read this key");
        }
    }
    Ok(faults.0)
}

struct Faults(Vec<Fault>);

impl Faults {
    fn serious(&mut self, what: &str, why: impl ToString) {
        self.push(what, why.to_string(), true);
    }

    fn untidy(&mut self, what: &str, why: impl ToString) {
        self.push(what, why.to_string(), false);
    }

    fn push(&mut self, what: &str, why: String, is_serious: bool) {
        let what = what.to_owned();
        self.0.push(Fault {
            what,
            why,
            is_serious,
        });
    }
}

fn check_log(store: &Store, faults: &mut Faults) -> Result<(), CaError> {
    let mut previous = sha256(&[]);
    for (at, (entry, bytes)) in (1..).zip(store.read()?.log()?) {
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
    }
    Ok(())
}

fn check_authority(store: &Store, authority: &Authority, faults: &mut Faults) {
    let what = format!("authority {}", authority.id);
    let key = match store.key(&authority.key, authority.algorithm) {
        Ok(key) => key.subject_public_key_info(),
        Err(error) => return faults.serious(&what, error),
    };
    let Some(fingerprint) = &authority.fingerprint else {
        return;
    };
    match public_key(store, fingerprint) {
        Ok(certified) if certified == key => {}
        Ok(_) => faults.serious(&what, "its key is not that of its certificate"),
        Err(error) => faults.serious(&what, error),
    }
}

fn check_issued(store: &Store, issued: &Issued, faults: &mut Faults) {
    let what = format!("certificate {}", issued.serial);
    let parsed = store.certificate(&issued.fingerprint).and_then(|der| {
        Certificate::from_der(&der).map_err(|error| CaError::damaged(&what, error))
    });
    match parsed {
        Ok(certificate) if certificate.serial != issued.serial => {
            faults.serious(&what, "its certificate has another serial number");
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
    let fits = store.key(&issued.serial, issued.algorithm).and_then(|key| {
        Ok(public_key(store, &issued.fingerprint)? == key.subject_public_key_info())
    });
    match fits {
        Ok(true) => {}
        Ok(false) => faults.serious(&what, "its key is not that of its certificate"),
        // The key is for a server, which may have a passphrase of its own.
        Err(
            error @ CaError::Key {
                is_passphrase: true,
                ..
            },
        ) => faults.untidy(&what, error),
        Err(error) => faults.serious(&what, error),
    }
}

fn public_key(store: &Store, fingerprint: &str) -> Result<Vec<u8>, CaError> {
    let der = store.certificate(fingerprint)?;
    let what = || format!("certificate {fingerprint}");
    if sha256(&der) != fingerprint {
        return Err(CaError::damaged(what(), "its bytes have another SHA-256"));
    }
    pki::subject_public_key_info(&der).ok_or_else(|| CaError::damaged(what(), "it does not parse"))
}
