//! The program as a user runs it.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod ca;
mod common;
mod connecting;
mod lab_certs;
mod lab_cross_cloud;
mod lab_mitm;
mod list;
mod load;
mod readiness;
mod reliability;
mod run;
mod serving;
mod trace;
