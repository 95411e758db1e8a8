//! What is written for other programs holds to their schemas, says only what was seen, and
//! stays valid whatever peers and files call themselves.
#![allow(clippy::unwrap_used)]

mod cbom;
mod estate;
mod findings;
mod hostile;
mod junit;
mod sarif;
mod schemas;
mod tables;
mod whole;

/// Compares with a committed file; with `WRITE_GOLDEN=1` it writes the file instead.
#[track_caller]
fn golden(name: &str, text: &str) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = folder.join("tests/fixtures/output").join(name);
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        text, committed,
        "{name}: see the difference, then run with WRITE_GOLDEN=1"
    );
}
