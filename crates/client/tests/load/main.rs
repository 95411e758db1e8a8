//! Load against this workspace's server, and against servers that are slow or wrong.
#![allow(clippy::unwrap_used)]

mod common;
mod delays;
mod failures;
mod limits;
mod loops;
