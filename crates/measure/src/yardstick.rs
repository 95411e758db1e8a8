//! A fixed piece of work that tells how fast the machine is at this moment.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Words of the table that is walked: 32 KiB, about a first-level cache.
const WORDS: usize = 4096;
/// Steps of the walk; about 100 µs on a machine of 2023.
const STEPS: usize = 60_000;

/// Multiplications, additions and dependent loads: no library, no allocation, the same
/// in every version of pqlab. **Changing it makes old runs incomparable.**
pub(crate) struct Yardstick {
    table: Vec<u64>,
}

impl Yardstick {
    pub(crate) fn new() -> Self {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let table = (0..WORDS)
            .map(|_| {
                // xorshift64 (Marsaglia 2003): any fixed sequence does.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state
            })
            .collect();
        Self { table }
    }

    /// Does the work once.
    pub(crate) fn time(&self) -> Duration {
        let start = Instant::now();
        let mut sum = 1_u64;
        for _ in 0..STEPS {
            let word = self.table[sum as usize % WORDS];
            sum = sum.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(word) ^ (sum >> 29);
        }
        black_box(sum);
        start.elapsed()
    }
}
