//! Servers over TCP with any TLS library behind them.
//!
//! - [`Server`] answers small requests, all alike: for measuring.
//! - [`HttpsServer`] speaks HTTPS/1.1 and HTTP/2: a [`Site`] is files, a page that shows
//!   what was negotiated, or a proxy to a backend.
//!
//! Both hold against clients that are slow, silent or hostile: each has its own task, its
//! time and memory are bounded by [`Limits`], and what became of it is in [`Counters`].

mod counters;
mod echo;
mod files;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod https;
mod idle;
mod life;
mod listener;
mod metrics;
mod offered;
mod proxy;
mod respond;
mod server;
mod session;
mod site;
mod visitor;

pub use counters::{Counters, Event};
pub use echo::echo;
pub use files::Files;
pub use https::{HttpsServer, Trouble};
pub use metrics::{Metrics, MetricsServer};
pub use offered::{Offered, Share};
pub use proxy::{Backend, Proxy};
pub use server::{Limits, ServeMode, Server, ServerError};
pub use site::{Site, method_not_allowed};
pub use visitor::{Transport, Visitor};
