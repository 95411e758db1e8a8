//! Client and server over UDP on the loopback interface.

#![allow(clippy::unwrap_used)]

mod common;
mod exchanges;
mod hostile;
mod raw;
mod shutdown;
