//! Bad input of each kind ends in a clear error and exit code 2 or 3.

use crate::common::{MATRIX, expect, run, write};

#[test]
fn filters_that_name_nothing() {
    for (filter, said) in [
        ("kx=X25519MLKEM769", "X25519MLKEM769"),
        ("auth=rsa-1024", "rsa-1024"),
        ("group=x25519", "unknown axis"),
        ("kx", "AXIS=VALUE"),
        ("client=boringssl", "pqlab list scenarios"),
        (
            "kx=static-rsa,client=rustls,server=openssl",
            "pqlab list scenarios",
        ),
    ] {
        expect(&run(&["run", "--filter", filter]), 2, &[said]);
    }
}

#[test]
fn matrix_files_that_contradict_themselves() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, said) in [
        ("X25519MLKEM768", "X25519MLKEM769", "line 10, column 17"),
        ("\"rustls\"]", "\"rusttls\"]", "line 9, column 11"),
        (
            "measure",
            "version = \"1.2\"\nmeasure",
            "there is no post-quantum TLS 1.2",
        ),
        ("x25519\", \"X25519MLKEM768", "static-rsa", "use an RSA one"),
        ("cpu = 4", "cpu = \"four\"", "line 6"),
        ("title", "titel", "line 1, column 1"),
        ("[[handshake]]", "[[handshake]", "line 8"),
        ("\"cpu\", \"bytes\"", "\"speed\"", "line 12"),
    ] {
        let matrix = write(folder.path(), "matrix.toml", &MATRIX.replacen(from, to, 1));
        expect(
            &run(&["run", matrix.to_str().unwrap()]),
            2,
            &[said, "matrix.toml"],
        );
    }
}

#[test]
fn files_and_folders_that_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    expect(&run(&["run", missing]), 2, &["reading", "missing"]);
    expect(
        &run(&["run", folder.path().to_str().unwrap()]),
        2,
        &["is a folder"],
    );
    expect(&run(&["run", "--resume", missing]), 2, &["holds no run"]);
    expect(&run(&["report", missing]), 2, &["holds no run"]);
    expect(&run(&["compare", missing, missing]), 2, &["holds no run"]);
}

/// A folder below a file can't be made, not even by root.
#[test]
fn folders_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let matrix = write(folder.path(), "matrix.toml", MATRIX);
    let matrix = matrix.to_str().unwrap();
    let out = format!("{matrix}/run");
    expect(
        &run(&["run", matrix, "--out", &out]),
        3,
        &["can't write to", "--out"],
    );
    expect(
        &run(&["run", matrix, "--cache", &out, "--out", "unused"]),
        3,
        &["cache"],
    );
    assert!(!std::path::Path::new("unused").exists());
}

#[test]
fn damaged_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    write(folder.path(), "manifest.json", "{");
    expect(&run(&["report", path]), 2, &["manifest.json is damaged"]);
    write(folder.path(), "manifest.json", "{\"schema\": 99}");
    expect(
        &run(&["report", path]),
        2,
        &["format 99", "use a newer one"],
    );
    write(folder.path(), "manifest.json", "{\"schema\": 1}");
    expect(&run(&["report", path]), 2, &["manifest.json is damaged"]);
}

#[test]
fn arguments_that_make_no_sense() {
    expect(
        &run(&["run", "--quick", "--full"]),
        2,
        &["cannot be used with"],
    );
    expect(
        &run(&["run", "--quick", "--seconds", "0"]),
        2,
        &["more than 0"],
    );
    expect(
        &run(&["run", "--quick", "--seconds", "many"]),
        2,
        &["invalid value"],
    );
    expect(&run(&["compare", "a", "b", "--threshold", "-1"]), 2, &[]);
    expect(&run(&["list", "colours"]), 2, &["possible values"]);
    expect(&run(&["fly"]), 2, &["unrecognized subcommand"]);
}
