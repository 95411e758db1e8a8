//! Every target over its seeds and mutations of them, a bounded number.
#![allow(clippy::unwrap_used)]

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Mutations of each seed.
const ROUNDS: usize = 200;
/// The same where each is a handshake.
const CONVERSATIONS: usize = 20;

#[test]
fn no_target_panics_over_seeds_and_mutations_of_them() {
    for target in fuzz::TARGETS {
        let seeds = fuzz::seeds(target.name);
        assert!(seeds.len() >= 3, "{}: {} seeds", target.name, seeds.len());
        let mut random = StdRng::seed_from_u64(7);
        (target.run)(&[]);
        for seed in &seeds {
            (target.run)(seed);
            let rounds = match target.name {
                "streams" => CONVERSATIONS,
                _ => ROUNDS,
            };
            for _ in 0..rounds {
                (target.run)(&mutated(seed, &seeds, &mut random));
            }
        }
    }
}

/// A few bytes changed, a length blown up, an end cut off, or another seed's middle put in.
fn mutated(seed: &[u8], seeds: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.random_range(1..4) {
        if bytes.is_empty() {
            return bytes;
        }
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..4) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = [0, 0x7f, 0x80, 0xff][random.random_range(0..4)],
            2 => bytes.truncate(at),
            _ => {
                let other = &seeds[random.random_range(0..seeds.len())];
                let from = random.random_range(0..=other.len());
                let to = (from + random.random_range(0..64)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn targets_are_found_by_their_names_alone() {
    for target in fuzz::TARGETS {
        assert_eq!(fuzz::target(target.name).unwrap().name, target.name);
    }
    assert!(fuzz::target("none").is_none());
}
