//! Traces of published and of live handshakes.

mod broken;
mod explanations;
mod live;
mod published;
mod rendering;
mod vectors;
