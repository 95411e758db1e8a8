//! The HTTPS server and the proxy, with clients of every stack.
#![allow(clippy::unwrap_used)]

mod common;
mod https;
mod proxy;
mod transfers;
