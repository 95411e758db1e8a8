//! Traces of published and of live handshakes.
#![allow(clippy::unwrap_used)]

mod broken;
mod explanations;
mod live;
mod published;
mod rendering;
mod vectors;
