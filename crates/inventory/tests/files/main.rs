//! Files as real tools write them, and files that nobody should write.

// Helpers of tests are outside of what clippy knows as tests.
#![allow(clippy::unwrap_used)]

mod malformed;
mod openpgp;
mod ssh;
mod stores;
mod tool;
mod walking;
mod x509;
