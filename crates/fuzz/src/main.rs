//! One target under libFuzzer; `PQLAB_FUZZ_TARGET` names it.
#![no_main]
#![allow(missing_docs)]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

static RUN: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("PQLAB_FUZZ_TARGET").unwrap_or_default();
    let Some(target) = fuzz::target(&name) else {
        let names: Vec<_> = fuzz::TARGETS.iter().map(|target| target.name).collect();
        eprintln!("PQLAB_FUZZ_TARGET is one of {}", names.join(", "));
        std::process::exit(2);
    };
    target.run
});

fuzz_target!(|bytes: &[u8]| RUN(bytes));
