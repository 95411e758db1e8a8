//! SSH: what a server offers before anything is encrypted, and the host keys that it shows.
//!
//! A key exchange needs no shared secret for that: the host key stands in the clear in the
//! server's reply (RFC 4253 section 8, RFC 5656 section 4), and there the probe ends. Whether
//! the server holds the private half is not verified.

mod exchange;
mod host_key;
mod packet;
mod session;
#[cfg(test)]
mod tests;

use audit::{Answer, SshService, Tried};

use crate::dial::{Dialer, Stopped};
use session::Session;

/// Kinds of host keys that are asked for, a connection each. Servers have four or five.
const MOST_HOST_KEYS: usize = 12;

pub(crate) async fn scan(dialer: &Dialer) -> Result<SshService, Stopped> {
    let first = Session::begin(dialer).await?;
    let software = first.software.clone();
    let offered = first.offered.clone();
    let mut first = Some(first);
    let mut host_keys = Vec::new();
    let kinds = host_key::one_of_each_kind(&offered.host_keys);
    for algorithm in kinds.into_iter().take(MOST_HOST_KEYS) {
        let session = match first.take() {
            // The first connection has not been used for a key yet.
            Some(session) => Ok(session),
            None => Session::begin(dialer).await,
        };
        let key = match session {
            Ok(session) => session.host_key(algorithm).await,
            Err(stopped) => Err(stopped),
        };
        host_keys.push(Tried {
            offer: algorithm.to_owned(),
            answer: key.map_or_else(Stopped::answer, Answer::Supported),
        });
    }
    if let Some(session) = first {
        session.leave();
    }
    Ok(SshService {
        software,
        key_exchanges: offered.key_exchanges,
        host_key_algorithms: offered.host_keys,
        ciphers: offered.ciphers_to_client,
        host_keys,
    })
}
