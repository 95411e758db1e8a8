//! Stores that are damaged, newer or in the way, and clocks that are wrong.

use std::path::Path;
use std::time::Duration;

use ca::{CaError, Kind, Store};
use wire::SignatureAlgorithm as A;

use crate::common::{Lab, PATIENCE, now, order};

fn open(folder: &Path) -> Result<Store, CaError> {
    Store::open(folder, Duration::ZERO, None)
}

#[test]
fn folders_that_hold_no_store_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, CaError::NoStore { .. }), "{error}");
    let error = open(&folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(error, CaError::NoStore { .. }), "{error}");
    drop(Store::create(folder.path(), None).unwrap());
    let error = Store::create(folder.path(), None).unwrap_err();
    assert!(matches!(error, CaError::StoreExists { .. }), "{error}");
}

#[test]
fn a_database_that_is_cut_off_or_garbage_is_an_error_and_stays_as_it_is() {
    let lab = Lab::new(A::Ed25519);
    let Lab { folder, store } = lab;
    drop(store);
    let path = folder.path().join("ca.redb");
    let whole = std::fs::read(&path).unwrap();
    let half = &whole[..whole.len() / 2];
    for bytes in [half, b"garbage", b""] {
        std::fs::write(&path, bytes).unwrap();
        let opened = open(folder.path()).and_then(|store| store.authorities());
        assert!(opened.is_err(), "{} bytes", bytes.len());
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(open(folder.path()).unwrap().check().unwrap(), []);
}

/// What others changed in the file is an error, and no panic.
#[test]
fn a_flipped_byte_anywhere_is_an_error_or_changes_nothing() {
    let Lab { folder, store } = Lab::new(A::Ed25519);
    let whole_log = store.log().unwrap();
    drop(store);
    let path = folder.path().join("ca.redb");
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 200) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(&path, &bytes).unwrap();
        match open(folder.path()).and_then(|store| store.log()) {
            Ok(log) => assert_eq!(log, whole_log, "at {at}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0);
}

#[test]
fn several_that_make_a_store_at_once_make_one() {
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| Store::create(folder.path(), None).map(drop)))
                .collect();
            makers
                .into_iter()
                .map(|maker| maker.join().unwrap())
                .collect()
        });
        assert!(made.iter().any(Result::is_ok), "{made:?}");
        let store = Store::open(folder.path(), PATIENCE, None).unwrap();
        assert_eq!(store.check().unwrap(), []);
    }
}

#[test]
fn what_was_left_over_is_tidied_and_nothing_else() {
    let lab = Lab::new(A::Ed25519);
    let issued = lab
        .store
        .issue(&order(Kind::Server, A::Ed25519, &["a.test"]), now())
        .unwrap();
    let key = lab.store.key_path(&issued.serial);
    let orphan = lab.store.key_path("00");
    std::fs::copy(&key, &orphan).unwrap();
    assert!(lab.store.check().unwrap().iter().all(|f| !f.is_serious));
    assert_eq!(lab.store.tidy().unwrap(), [orphan]);
    assert!(key.is_file());
    assert_eq!(lab.store.check().unwrap(), []);
}

#[test]
fn a_key_that_is_gone_wrong_or_open_to_others_is_found() {
    let lab = Lab::new(A::Ed25519);
    let wanted = order(Kind::Server, A::Ed25519, &["a.test"]);
    let [one, other] = [(); 2].map(|()| lab.store.issue(&wanted, now()).unwrap());
    let path = lab.store.key_path(&one.serial);
    std::fs::copy(lab.store.key_path(&other.serial), &path).unwrap();
    let faults = lab.store.check().unwrap();
    assert!(
        faults[0].is_serious && faults[0].what.contains(&one.serial),
        "{faults:?}"
    );
    std::fs::remove_file(&path).unwrap();
    let faults = lab.store.check().unwrap();
    assert!(
        faults[0].is_serious && faults[0].what.contains(&one.serial),
        "{faults:?}"
    );
    let root = lab.store.authority("root").unwrap();
    let path = lab.store.key_path(&root.key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let faults = lab.store.check().unwrap();
        assert!(
            faults.iter().any(|fault| fault.why.contains("others")),
            "{faults:?}"
        );
    }
}

#[test]
fn a_clock_that_is_behind_signs_nothing() {
    let lab = Lab::new(A::Ed25519);
    let wanted = order(Kind::Server, A::Ed25519, &["a.test"]);
    let past = now() - time::Duration::days(30);
    let error = lab.store.issue(&wanted, past).unwrap_err();
    assert!(matches!(error, CaError::Clock { .. }), "{error}");
    // Synchronised clocks differ a little.
    let nearly = now() - time::Duration::minutes(1);
    assert!(lab.store.issue(&wanted, nearly).is_ok());
    // One that is years ahead is asked about, and so is the right one after it.
    let future = now() + time::Duration::days(3 * 365);
    let error = lab.store.issue(&wanted, future).unwrap_err();
    assert!(matches!(error, CaError::Clock { .. }), "{error}");
    let Lab { folder, store } = lab;
    let store = store.accepting_clock();
    store.issue(&wanted, future).unwrap();
    drop(store);
    let store = open(folder.path()).unwrap();
    assert!(store.issue(&wanted, now()).is_err());
    let store = store.accepting_clock();
    store.issue(&wanted, now()).unwrap();
    assert_eq!(store.check().unwrap(), []);
    let before_this = time::OffsetDateTime::UNIX_EPOCH + time::Duration::days(365);
    let empty = Lab::empty();
    let new = crate::common::new_authority("root", A::Ed25519, None);
    let error = empty.store.create_authority(&new, before_this).unwrap_err();
    assert!(matches!(error, CaError::Clock { .. }), "{error}");
}

#[test]
fn who_waits_gets_the_store_when_it_is_free() {
    let Lab { folder, store } = Lab::new(A::Ed25519);
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, CaError::Busy { .. }), "{error}");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Store::open(folder.path(), PATIENCE, None));
        std::thread::sleep(Duration::from_millis(100));
        drop(store);
        assert!(waiting.join().unwrap().is_ok());
    });
}

/// A backup on a medium that can't be written: looked at, and nothing else.
#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_can_be_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let Lab { folder, store } = Lab::new(A::Ed25519);
    let log = store.log().unwrap();
    drop(store);
    let path = folder.path().join("ca.redb");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        eprintln!("skipped: this user may write whatever the rights say");
        return;
    }
    let store = open(folder.path()).unwrap();
    assert_eq!(store.log().unwrap(), log);
    assert_eq!(store.check().unwrap(), []);
    let wanted = order(Kind::Server, A::Ed25519, &["a.test"]);
    let error = store.issue(&wanted, now()).unwrap_err();
    assert!(matches!(error, CaError::ReadOnly { .. }), "{error}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "no folder").unwrap();
    let error = Store::create(&path.join("store"), None).unwrap_err();
    assert!(error.to_string().contains("store"), "{error}");
    assert!(matches!(error, CaError::File { .. }), "{error}");
}
