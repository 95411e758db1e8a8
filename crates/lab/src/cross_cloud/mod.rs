//! Mutual TLS between two clouds, over a transit that knows neither.
//!
//! ```text
//! cloud A                 transit            cloud B
//! function ── mutual TLS ── relay ────────── proxy ── HTTP ── backend
//! ```
//!
//! The function gets certificate and key as a cloud function does: as PKCS#12 in base64, in an
//! environment variable. The proxy is `pqlab proxy`, with trust store and revocation lists; the
//! backend logs the subject that the proxy puts into `X-Amzn-Mtls-Clientcert-Subject`. Node
//! plays the function, nginx and Envoy the proxy, where they are installed.
//!
//! Each part is a process of its own: the program that runs the experiment starts itself again
//! with a [`Role`]. Where it may, it makes a network namespace for each cloud and one for the
//! transit; elsewhere the clouds are addresses of loopback.
//!
//! At its end [`run`] kills every part with its process group, waits for the part, and removes
//! its files. Dropped, it kills as much and waits for nothing. Where this process itself is
//! killed, the kernel kills the parts, if there is setpriv(1). A namespace lives as long as
//! the processes in it.

mod backend;
mod by_hand;
mod credentials;
mod error;
mod function;
mod network;
mod part;
mod peers;
mod report;
mod resolver;
mod role;
mod run;
mod stage;
mod transit;
mod trial;

pub use backend::Request;
pub use error::CrossCloudError;
pub use function::Account;
pub use network::Topology;
pub use report::{Lookup, Outcome, Report, Skipped};
pub use role::{Role, play};
pub use run::{Plan, run};
pub use transit::Relayed;

/// After a failure to accept, most often for want of file descriptors, which others may close.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// The proxy's name. `.internal` is reserved for networks of one's own (ICANN Board
/// resolution 2024.07.29.06): no resolver of the Internet will ever know it.
const PROXY_NAME: &str = "api.cloud-b.internal";
/// Whom the function's certificate speaks for. It stands in the subject alternative name as
/// well: Envoy refuses a client's certificate without one under a name-constrained authority.
const FUNCTION_NAME: &str = "orders.cloud-a.internal";
