//! Folders: order, links, special files, limits.

use std::fs;
use std::path::{Path, PathBuf};

use inventory::{Event, InventoryError, Options, take, walk};

use crate::tool::{Folder, certificate};

const CERTIFICATE: &[u8] = include_bytes!("ml-dsa-65.pem");

fn taken(paths: &[&Path], options: &Options) -> audit::Inventory {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    take(&paths, options, &mut |_| {}).unwrap()
}

#[test]
fn files_are_found_by_content_in_a_fixed_order() {
    let folder = Folder::new();
    fs::create_dir_all(folder.file("b/c")).unwrap();
    for name in ["z.txt", "b/c/a.conf", "a"] {
        fs::write(folder.file(name), CERTIFICATE).unwrap();
    }
    fs::write(folder.file("photo.bin"), [0, 1, 2].repeat(100_000)).unwrap();
    fs::write(folder.file("empty.pem"), "").unwrap();
    let inventory = taken(&[folder.path()], &Options::default());
    let found: Vec<_> = inventory
        .assets
        .iter()
        .map(|asset| asset.location.path.clone())
        .collect();
    let expected = ["a", "b/c/a.conf", "z.txt"].map(|name| folder.file(name).display().to_string());
    assert_eq!(found, expected);
    assert_eq!(inventory.problems, []);
    assert_eq!(inventory.files, 5);
    assert_eq!(certificate(&inventory.assets[0]).bytes, 5636);
    assert_eq!(inventory.paths, [folder.path().display().to_string()]);
    assert!(inventory.taken.ends_with('Z'));
    // What is written is what is read again.
    let json = serde_json::to_string(&inventory).unwrap();
    assert_eq!(
        serde_json::from_str::<audit::Inventory>(&json).unwrap(),
        inventory
    );

    let mut seen = Vec::new();
    let paths = [folder.path().to_path_buf()];
    walk(&paths, &Options::default(), &mut |event| {
        seen.push(match event {
            Event::File(_) => 'f',
            Event::Asset(_) => 'a',
            Event::Problem(_) => 'p',
        });
    })
    .unwrap();
    assert_eq!(seen.iter().collect::<String>(), "fafafffa");
}

#[test]
fn a_path_that_is_not_there_is_an_error_and_one_inside_another_is_walked_once() {
    let folder = Folder::new();
    fs::create_dir(folder.file("inner")).unwrap();
    fs::write(folder.file("inner/a"), CERTIFICATE).unwrap();
    let options = Options::default();
    let twice = taken(
        &[
            &folder.file("inner"),
            folder.path(),
            &folder.file("inner/a"),
        ],
        &options,
    );
    assert_eq!(twice.assets.len(), 1);
    let missing = take(&[folder.file("absent")], &options, &mut |_| {}).unwrap_err();
    assert!(matches!(&missing, InventoryError::Path { path, .. } if path.ends_with("absent")));
    assert!(matches!(
        take(&[], &options, &mut |_| {}),
        Err(InventoryError::NoPath)
    ));
}

#[test]
fn what_is_too_large_is_a_problem_only_if_it_may_hold_something() {
    let folder = Folder::new();
    fs::write(folder.file("a.txt"), CERTIFICATE).unwrap();
    fs::write(folder.file("b.bin"), [0xff, 0, 1].repeat(10_000)).unwrap();
    fs::write(folder.file("c.p12"), [0xff, 0, 1].repeat(10_000)).unwrap();
    let options = Options {
        max_file_bytes: 5000,
        ..Options::default()
    };
    let inventory = taken(&[folder.path()], &options);
    assert_eq!(inventory.assets, []);
    let paths = inventory
        .problems
        .iter()
        .map(|problem| problem.location.path.clone());
    let expected = ["a.txt", "c.p12"].map(|name| folder.file(name).display().to_string());
    assert_eq!(paths.collect::<Vec<_>>(), expected);
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_special_files_not_opened() {
    use std::os::unix::fs::symlink;
    let (folder, outside) = (Folder::new(), Folder::new());
    fs::write(outside.file("secret.pem"), CERTIFICATE).unwrap();
    symlink(outside.file("secret.pem"), folder.file("link.pem")).unwrap();
    symlink(outside.path(), folder.file("folder")).unwrap();
    symlink(folder.path(), folder.file("loop")).unwrap();
    std::os::unix::net::UnixListener::bind(folder.file("socket.pem")).unwrap();
    if folder.run("mkfifo pipe.pem") {
        assert!(folder.file("pipe.pem").exists());
    }
    let inventory = taken(&[folder.path()], &Options::default());
    assert_eq!(
        (
            inventory.files,
            inventory.assets.len(),
            inventory.problems.len()
        ),
        (0, 0, 0)
    );
    // A link that is given is what was meant.
    for name in ["link.pem", "folder"] {
        assert_eq!(
            taken(&[&folder.file(name)], &Options::default())
                .assets
                .len(),
            1,
            "{name}"
        );
    }
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_a_problem() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    fs::write(folder.file("a.pem"), CERTIFICATE).unwrap();
    fs::create_dir(folder.file("b")).unwrap();
    let close = |name: &str, mode| {
        fs::set_permissions(folder.file(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    close("a.pem", 0o000);
    close("b", 0o000);
    if fs::read(folder.file("a.pem")).is_ok() {
        println!("skipped: this user may read everything");
        return;
    }
    let inventory = taken(&[folder.path()], &Options::default());
    close("b", 0o700);
    assert_eq!(inventory.problems.len(), 2);
}
