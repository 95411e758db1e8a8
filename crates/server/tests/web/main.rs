//! The HTTPS server and the proxy, with clients of every stack.
#![allow(clippy::unwrap_used)]

mod common;
mod files;
mod https;
mod proxy;
mod transfers;
