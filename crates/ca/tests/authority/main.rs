//! Authorities, certificates, requests and lists, judged by the verifiers of both libraries.
#![allow(clippy::unwrap_used)]

mod authorities;
mod common;
mod exports;
mod hostile;
mod issuing;
mod requests;
