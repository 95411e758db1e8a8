//! No text makes a reader panic: fixtures cut at every byte, and changed at random.

use std::path::Path;

use super::fixture::FIXTURES;
use crate::Versions;

fn versions() -> Versions {
    let all = [
        "nginx=1.22.1/openssl=3.0.2",
        "haproxy=2.6/openssl=3.5.0",
        "openssh=9.2",
        "java=27",
        "caddy=2.10",
    ];
    all.iter().map(|version| version.parse().unwrap()).collect()
}

fn read(name: &str, bytes: &[u8], versions: &Versions) {
    let text = String::from_utf8_lossy(bytes);
    if let Some((settings, problems)) = super::super::settings(Path::new(name), &text, versions) {
        let lines = u32::try_from(text.lines().count()).unwrap() + 1;
        for directive in settings.iter().flat_map(|one| &one.directives) {
            assert!(
                (1..=lines).contains(&directive.line),
                "{name}: {directive:?}"
            );
        }
        for line in problems.iter().filter_map(|problem| problem.location.line) {
            assert!((1..=lines).contains(&line), "{name}: {problems:?}");
        }
    }
}

#[test]
fn fixtures_cut_at_every_byte_are_read() {
    let versions = versions();
    for (name, text) in FIXTURES {
        for end in 0..text.len() {
            read(name, &text.as_bytes()[..end], &versions);
        }
    }
}

#[test]
fn fixtures_changed_at_random_are_read() {
    let versions = versions();
    // A linear congruential generator (Knuth's MMIX): the same mutations in every run.
    let mut seed: u64 = 20_261_126;
    let mut random = move |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    const BYTES: &[u8] = b"{}[]()\"'`\\;:,=#<>/*?!&|-+ \t\r\n\0$@a1\xff\xc3";
    for (name, text) in FIXTURES {
        for _ in 0..100 {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..=random(8) {
                let at = random(bytes.len());
                match random(3) {
                    0 => bytes[at] = BYTES[random(BYTES.len())],
                    1 => bytes.insert(at, BYTES[random(BYTES.len())]),
                    _ => {
                        let end = (at + random(40)).min(bytes.len());
                        let piece = bytes[at..end].to_vec();
                        let to = random(bytes.len());
                        bytes.splice(to..to, piece);
                    }
                }
            }
            read(name, &bytes, &versions);
        }
    }
}
