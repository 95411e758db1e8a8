//! A process that is killed before any of its writes.

use std::path::Path;

use super::*;
use redb::ReadableTable;

use crate::{NewAuthority, Order, RevocationReason};

const NOW: i64 = 1_800_000_000;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

fn new_authority(id: &str, issuer: Option<&str>) -> NewAuthority {
    NewAuthority {
        id: id.to_owned(),
        subject: format!("CN={id}").parse().unwrap(),
        algorithm: SignatureAlgorithm::Ed25519,
        issuer: issuer.map(str::to_owned),
        path_length: issuer.map(|_| 0),
        permitted_dns: Vec::new(),
        crl_url: None,
        lifetime: None,
    }
}

fn order(algorithm: SignatureAlgorithm) -> Order {
    Order {
        authority: Some("issuing".to_owned()),
        role: pki::Role::Server,
        algorithm,
        names: vec!["a.test".parse().unwrap()],
        subject: None,
        lifetime: None,
        encrypts_key: false,
    }
}

/// What a store says of itself, and what lies in its folder of keys and is referred to.
fn state(store: &Store) -> String {
    format!(
        "{:?}\n{:?}\n{:?}",
        store.authorities().unwrap(),
        store.issued().unwrap(),
        store.log().unwrap()
    )
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join(KEYS)).unwrap();
    std::fs::copy(from.join(DATABASE), to.join(DATABASE)).unwrap();
    for entry in std::fs::read_dir(from.join(KEYS)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(KEYS).join(path.file_name().unwrap())).unwrap();
    }
}

fn open(folder: &Path, fuse: Fuse) -> Result<Store, CaError> {
    Store::open_with(folder, Duration::ZERO, None, fuse)
}

/// Runs an operation again and again, each time cut off one write later, until it comes
/// through; gives the number of places at which it was cut.
fn cut_everywhere(base: &Path, work: impl Fn(&Store) -> Result<(), CaError>) -> i64 {
    let before = state(&open(base, Fuse::default()).unwrap());
    for writes in 0.. {
        let folder = tempfile::tempdir().unwrap();
        copy(base, folder.path());
        let fuse = Fuse::after(writes);
        let done = open(folder.path(), fuse).and_then(|store| work(&store));
        // What a killed process leaves; a key of its own it can't remove any more, but here
        // it may have.
        let store = open(folder.path(), Fuse::default()).unwrap();
        let faults = store.check().unwrap();
        assert!(
            faults.iter().all(|fault| !fault.is_serious),
            "cut before write {writes}: {faults:?}"
        );
        match done {
            Ok(()) => {
                assert_ne!(state(&store), before);
                return writes;
            }
            // A commit whose last write failed may have happened: the caller must look.
            Err(_) if state(&store) == before => {}
            Err(_) => assert!(store.log().unwrap().len() > before.matches("sequence").count()),
        }
        // It can go on.
        work(&store).unwrap();
    }
    unreachable!("the numbers have an end")
}

#[test]
fn a_store_is_consistent_wherever_an_operation_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path();
    drop(Store::create(base, None).unwrap());
    let mut cuts = cut_everywhere(base, |store| {
        store.create_authority(&new_authority("root", None), now())?;
        Ok(())
    });
    let store = open(base, Fuse::default()).unwrap();
    store
        .create_authority(&new_authority("root", None), now())
        .unwrap();
    drop(store);
    cuts += cut_everywhere(base, |store| {
        store.create_authority(&new_authority("issuing", Some("root")), now())?;
        Ok(())
    });
    let store = open(base, Fuse::default()).unwrap();
    store
        .create_authority(&new_authority("issuing", Some("root")), now())
        .unwrap();
    let ed25519 = order(SignatureAlgorithm::Ed25519);
    let serial = store.issue(&ed25519, now()).unwrap().serial;
    drop(store);
    cuts += cut_everywhere(base, |store| {
        let pair = [ed25519.clone(), order(SignatureAlgorithm::MlDsa44)];
        store.issue_pair(&pair, now())?;
        Ok(())
    });
    cuts += cut_everywhere(base, |store| {
        store.renew(&serial, None, now())?;
        Ok(())
    });
    cuts += cut_everywhere(base, |store| {
        store.renew_authority("issuing", None, now())?;
        Ok(())
    });
    cuts += cut_everywhere(base, |store| {
        match store.revoke(&serial, RevocationReason::KeyCompromise, now()) {
            // Cut off after it had happened.
            Ok(_) | Err(CaError::AlreadyRevoked { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    });
    cuts += cut_everywhere(base, |store| {
        store.crl("issuing", time::Duration::days(7), now())?;
        Ok(())
    });
    assert!(cuts > 30, "{cuts} places are too few to be all");
}

#[test]
fn a_store_that_was_cut_off_in_its_making_is_none_or_whole() {
    for writes in 0.. {
        let folder = tempfile::tempdir().unwrap();
        let made = Store::create_with(folder.path(), None, Fuse::after(writes));
        let is_made = made.is_ok();
        drop(made);
        match open(folder.path(), Fuse::default()) {
            Ok(store) => assert!(store.authorities().unwrap().is_empty()),
            Err(CaError::NoStore { .. }) => {
                Store::create(folder.path(), None).unwrap();
            }
            Err(error) => panic!("cut before write {writes}: {error}"),
        }
        if is_made {
            assert!(writes > 5, "{writes} places are too few to be all");
            return;
        }
    }
}

#[test]
fn one_process_has_the_store_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path(), None).unwrap();
    let error = open(folder.path(), Fuse::default()).unwrap_err();
    assert!(matches!(error, CaError::Busy { .. }), "{error}");
    drop(store);
    assert!(open(folder.path(), Fuse::default()).is_ok());
}

#[test]
fn a_changed_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(folder.path(), None).unwrap();
    for id in ["a", "b"] {
        store
            .create_authority(&new_authority(id, None), now())
            .unwrap();
    }
    assert_eq!(store.check().unwrap(), []);
    let transaction = store.database.begin_write().unwrap();
    {
        let mut log = transaction.open_table(LOG).unwrap();
        let first = log.get(1).unwrap().unwrap().value().to_vec();
        let changed = String::from_utf8(first).unwrap().replace("\"a\"", "\"x\"");
        log.insert(1, changed.as_bytes()).unwrap();
    }
    transaction.commit().unwrap();
    let faults = store.check().unwrap();
    assert!(
        faults[0].is_serious && faults[0].what.contains("entry 2"),
        "{faults:?}"
    );
}
