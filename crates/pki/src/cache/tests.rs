use std::collections::HashSet;
use std::thread;

use tempfile::TempDir;
use time::Duration;
use wire::SignatureAlgorithm::{EcdsaP256, EcdsaP384, Ed25519, MlDsa44, Rsa2048};

use super::*;

const CHAIN: ChainAlgorithms = ChainAlgorithms::uniform(EcdsaP256);

fn new_cache() -> (TempDir, Cache) {
    let parent = tempfile::tempdir().unwrap();
    let cache = Cache::open(parent.path().join("deep/pki")).unwrap();
    (parent, cache)
}

/// All that an identity consists of, for comparison.
fn pem(identity: &Identity) -> String {
    identity.chain_pem() + &identity.key_pem() + &identity.root_pem()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The file of a new hierarchy, cut into its heading and six titled blocks.
fn parts(chain: ChainAlgorithms) -> Vec<String> {
    let text = Hierarchy::generate(chain, now()).unwrap().to_pem();
    text.split_inclusive("\n\n").map(str::to_owned).collect()
}

#[test]
fn the_second_call_returns_the_same_bytes() {
    let (_parent, cache) = new_cache();
    let server = cache.identity(CHAIN, Role::Server).unwrap();
    let client = cache.identity(CHAIN, Role::Client).unwrap();
    let reopened = Cache::open(cache.directory.clone()).unwrap();
    assert_eq!(
        pem(&server),
        pem(&reopened.identity(CHAIN, Role::Server).unwrap())
    );
    assert_eq!(
        pem(&client),
        pem(&reopened.identity(CHAIN, Role::Client).unwrap())
    );
    assert_eq!(server.root(), client.root());
    assert_eq!(server.chain()[1], client.chain()[1]);
    assert_ne!(server.key_pem(), client.key_pem());
}

#[test]
fn chains_do_not_share_certificates() {
    let (_parent, cache) = new_cache();
    let other = ChainAlgorithms::mixed(EcdsaP256, EcdsaP256, Ed25519);
    let roots: HashSet<String> = [CHAIN, other]
        .map(|chain| cache.identity(chain, Role::Server).unwrap().root_pem())
        .into();
    assert_eq!(roots.len(), 2);
}

#[test]
fn every_kind_of_damage_is_seen_and_mended() {
    let mine = parts(CHAIN);
    let other = parts(CHAIN);
    assert_eq!(mine.len(), 7, "a heading and six blocks: {mine:?}");
    let (root, server, server_key, client, client_key) = (1, 3, 4, 5, 6);
    let with = |changes: &[(usize, &String)]| {
        let mut parts = mine.clone();
        for &(place, part) in changes {
            parts[place].clone_from(part);
        }
        parts.concat().into_bytes()
    };
    let whole = mine.concat().into_bytes();
    let cases: Vec<(&str, Vec<u8>, Defect)> = vec![
        ("empty", Vec::new(), Defect::Encoding),
        ("binary", vec![0xff; 5000], Defect::Encoding),
        (
            "half of it",
            whole[..whole.len() / 2].to_vec(),
            Defect::Encoding,
        ),
        (
            "its end cut off",
            whole[..whole.len() - 30].to_vec(),
            Defect::Encoding,
        ),
        (
            "a block missing",
            with(&[(client_key, &String::new())]),
            Defect::Encoding,
        ),
        (
            "a block twice",
            [whole.clone(), mine[root].clone().into()].concat(),
            Defect::Encoding,
        ),
        (
            "another profile",
            with(&[(0, &"profile 0\n\n".to_owned())]),
            Defect::Encoding,
        ),
        (
            "a key for a certificate",
            with(&[(server, &mine[server_key])]),
            Defect::Encoding,
        ),
        (
            "no certificate",
            with(&[(server, &block("CERTIFICATE", b"0"))]),
            Defect::Certificate,
        ),
        (
            "no key",
            with(&[(server_key, &block("PRIVATE KEY", b"0"))]),
            Defect::Key,
        ),
        (
            "keys swapped",
            with(&[
                (server_key, &mine[client_key]),
                (client_key, &mine[server_key]),
            ]),
            Defect::Key,
        ),
        (
            "another's key",
            with(&[(server_key, &other[server_key])]),
            Defect::Key,
        ),
        (
            "another's root",
            with(&[(root, &other[root])]),
            Defect::Untrusted,
        ),
        (
            "another's server",
            with(&[(server, &other[server]), (server_key, &other[server_key])]),
            Defect::Untrusted,
        ),
        (
            "roles swapped",
            with(&[
                (server, &mine[client]),
                (server_key, &mine[client_key]),
                (client, &mine[server]),
                (client_key, &mine[server_key]),
            ]),
            Defect::Untrusted,
        ),
        (
            "another intermediate algorithm",
            parts(ChainAlgorithms::mixed(EcdsaP256, EcdsaP384, EcdsaP256))
                .concat()
                .into(),
            Defect::Algorithm,
        ),
        (
            "another root algorithm",
            parts(ChainAlgorithms::mixed(EcdsaP256, EcdsaP256, MlDsa44))
                .concat()
                .into(),
            Defect::Algorithm,
        ),
    ];
    let (_parent, cache) = new_cache();
    fs::write(cache.path(CHAIN), &whole).unwrap();
    assert!(
        cache.read(CHAIN, now()).is_ok(),
        "the undamaged file is good"
    );
    for (name, damaged, defect) in cases {
        fs::write(cache.path(CHAIN), damaged).unwrap();
        assert_eq!(cache.read(CHAIN, now()).err(), Some(defect), "{name}");
        let mended = cache.identity(CHAIN, Role::Server).unwrap();
        let reread = cache
            .read(CHAIN, now())
            .unwrap()
            .into_identity(Role::Server);
        assert_eq!(pem(&mended), pem(&reread), "{name}");
    }
}

fn block(label: &str, contents: &[u8]) -> String {
    format!("block\n{}\n", crate::identity::encode_pem(label, contents))
}

/// Whatever one character of the file turns into, what comes out is either refused or what
/// was written.
#[test]
fn no_changed_character_goes_unnoticed() {
    // Every character of a small file, and a sample of large ones.
    for (algorithm, step) in [(EcdsaP256, 1), (Ed25519, 1), (Rsa2048, 7), (MlDsa44, 23)] {
        let chain = ChainAlgorithms::uniform(algorithm);
        let text = Hierarchy::generate(chain, now()).unwrap().to_pem();
        let ends = text.len().saturating_sub(100)..text.len();
        for place in (0..ends.start).step_by(step).chain(ends) {
            let mut damaged = text.clone().into_bytes();
            damaged[place] = if damaged[place] == b'B' { b'C' } else { b'B' };
            if let Ok(read) = Hierarchy::from_pem(&damaged, chain, now()) {
                assert_eq!(read.to_pem(), text, "{chain}: character {place}");
            }
        }
    }
}

#[test]
fn certificates_are_replaced_a_day_before_they_expire() {
    let (_parent, cache) = new_cache();
    let made = now();
    let at = |time| pem(&cache.identity_at(CHAIN, Role::Server, time).unwrap());
    let first = at(made);
    let last_day = made + Duration::days(364);
    assert_eq!(at(last_day - Duration::hours(1)), first);
    let after = last_day + Duration::hours(1);
    assert_eq!(cache.read(CHAIN, after).err(), Some(Defect::Expired));
    assert_ne!(at(after), first);
    assert!(cache.read(CHAIN, after).is_ok());
}

#[test]
fn certificates_from_the_future_are_replaced() {
    let (_parent, cache) = new_cache();
    let made = now();
    let at = |time| pem(&cache.identity_at(CHAIN, Role::Client, time).unwrap());
    let first = at(made);
    assert_eq!(at(made - Duration::hours(23)), first);
    let set_back = made - Duration::hours(25);
    assert_eq!(cache.read(CHAIN, set_back).err(), Some(Defect::NotYetValid));
    assert_ne!(at(set_back), first);
    assert!(cache.read(CHAIN, set_back).is_ok());
}

#[test]
fn threads_that_ask_at_once_get_the_same_certificates() {
    let (_parent, cache) = new_cache();
    let directory = &cache.directory;
    let found: HashSet<(String, String)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(move || {
                    let cache = Cache::open(directory.clone()).unwrap();
                    [Role::Server, Role::Client]
                        .map(|role| pem(&cache.identity(CHAIN, role).unwrap()))
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap().into())
            .collect()
    });
    assert_eq!(found.len(), 1);
}

#[test]
fn nothing_temporary_is_left_behind() {
    let (_parent, cache) = new_cache();
    cache.identity(CHAIN, Role::Server).unwrap();
    let mut names: Vec<_> = fs::read_dir(&cache.directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["ecdsa-p256.lock", "ecdsa-p256.pem"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_keys() {
    use std::os::unix::fs::PermissionsExt;

    let (_parent, cache) = new_cache();
    cache.identity(CHAIN, Role::Server).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache.path(CHAIN)), 0o600);
    assert_eq!(mode(&cache.directory), 0o700);
    assert_eq!(mode(cache.directory.parent().unwrap()), 0o700);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    for directory in [file.join("pki"), file] {
        let error = Cache::open(directory.clone()).unwrap_err();
        assert!(
            matches!(&error, PkiError::CreateDirectory { directory: named, .. }
            if *named == directory)
        );
        assert!(
            error.to_string().contains(directory.to_str().unwrap()),
            "{error}"
        );
    }
}

#[test]
fn an_entry_that_cannot_be_written_is_named() {
    let (_parent, cache) = new_cache();
    let path = cache.path(CHAIN);
    fs::create_dir(&path).unwrap();
    let error = cache.identity(CHAIN, Role::Server).unwrap_err();
    assert!(matches!(&error, PkiError::WriteEntry { path: named, .. } if *named == path));
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );

    fs::remove_dir_all(&cache.directory).unwrap();
    let error = cache.identity(CHAIN, Role::Server).unwrap_err();
    assert!(matches!(error, PkiError::WriteEntry { .. }), "{error}");
}

#[test]
fn the_default_folder_follows_the_environment() {
    let user_cache = || Some(PathBuf::from("user"));
    let folder =
        |variable: Option<&str>| default_dir(variable.map(OsString::from), user_cache).unwrap();
    assert_eq!(folder(Some("chosen")), Path::new("chosen/pki"));
    assert_eq!(folder(Some("")), Path::new("user/pqlab/pki"));
    assert_eq!(folder(None), Path::new("user/pqlab/pki"));
    assert!(matches!(
        default_dir(None, || None),
        Err(PkiError::NoCacheDirectory)
    ));
}
