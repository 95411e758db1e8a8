//! The program as a user runs it.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod ca;
mod common;
mod connecting;
mod list;
mod load;
mod reliability;
mod run;
mod serving;
mod trace;
