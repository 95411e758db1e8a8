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
    assert_eq!(lab.store.check().unwrap(), []);
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

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "no folder").unwrap();
    let error = Store::create(&path.join("store"), None).unwrap_err();
    assert!(error.to_string().contains("store"), "{error}");
    assert!(matches!(error, CaError::File { .. }), "{error}");
}
