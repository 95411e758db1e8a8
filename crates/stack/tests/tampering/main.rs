//! An attacker in the memory between two honest stacks: whatever it changes, the right
//! side notices, says the right thing, and the handshake does not complete.
#![allow(clippy::unwrap_used)]

mod certificates;
mod data;
mod key_exchange;
mod link;
mod records;
mod surgery;
