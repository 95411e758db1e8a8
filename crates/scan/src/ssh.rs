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

/// Reads the pieces as a server's side; for the fuzz target.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzzing<'a>(pieces: impl Iterator<Item = &'a [u8]>) {
    let (mut received, mut is_identified) = (Vec::new(), false);
    for piece in pieces {
        received.extend_from_slice(piece);
        if !is_identified {
            match packet::identification(&mut received) {
                Ok(Some(_)) => is_identified = true,
                Ok(None) => continue,
                Err(_) => return,
            }
        }
        loop {
            match packet::payload(&mut received) {
                Ok(Some(payload)) => {
                    let _ = packet::KexInit::parse(&payload);
                    let _ = host_key::read("ssh-rsa", &payload);
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

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
