//! What has to be said before TLS begins, for each protocol that begins without it.
//!
//! The answers are in the clear and a stranger may have written them: they are bounded, and
//! nothing may follow the agreement. What came in the clear behind it would be taken for
//! something that TLS protects (CVE-2011-0411, CVE-2021-23222).

mod binary;
mod lines;
#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;

use audit::{Cause, Protocol, Refusal};

use crate::dial::{Came, Dialed, Stopped};
use crate::incoming::garbage;
use binary::{Ldap, Mysql, Postgresql};
use lines::{Dialect, Lines};

/// Bytes that are taken off the socket at once.
const MOST: usize = 4096;
/// Characters of what a peer said that are told.
const MOST_TOLD: usize = 200;

/// Talks until the peer has agreed to begin TLS.
pub(crate) async fn upgrade(protocol: Protocol, dialed: &mut Dialed) -> Result<(), Stopped> {
    let own_name = match dialed.socket.local_addr() {
        // An address literal (RFC 5321 section 4.1.3): it is true on every machine.
        Ok(address) if address.is_ipv6() => format!("[IPv6:{}]", address.ip()),
        Ok(address) => format!("[{}]", address.ip()),
        Err(error) => return Err(Stopped::unknown(Cause::Connect, error.to_string())),
    };
    let Some(mut prelude) = Prelude::of(protocol, own_name) else {
        return Ok(());
    };
    let mut received = Vec::new();
    loop {
        match prelude.step(&mut received)? {
            Step::Begin => return Ok(()),
            Step::Write(bytes) => dialed.write(&bytes).await?,
            Step::Read => {
                if let Came::End = dialed.read(&mut received, MOST).await? {
                    return Err(closed(&received));
                }
            }
        }
    }
}

/// Reads the pieces as a peer's side; for the fuzz target.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzzing<'a>(protocol: Protocol, pieces: impl Iterator<Item = &'a [u8]>) {
    let Some(mut prelude) = Prelude::of(protocol, "[127.0.0.1]".to_owned()) else {
        return;
    };
    let mut received = Vec::new();
    for piece in pieces {
        received.extend_from_slice(piece);
        loop {
            match prelude.step(&mut received) {
                Ok(Step::Write(_)) => {}
                Ok(Step::Read) => break,
                Ok(Step::Begin) | Err(_) => return,
            }
        }
    }
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// More has to come.
    Read,
    /// These bytes have to be sent.
    Write(Vec<u8>),
    /// TLS begins.
    Begin,
}

/// The client's side of what comes before TLS, without a socket.
enum Prelude {
    Lines(Lines),
    Ldap(Ldap),
    Postgresql(Postgresql),
    Mysql(Mysql),
}

impl Prelude {
    /// `None` where TLS, or something else, begins at once. `own_name` is for SMTP.
    fn of(protocol: Protocol, own_name: String) -> Option<Self> {
        Some(match protocol {
            Protocol::Tls | Protocol::Ssh | Protocol::Quic => return None,
            Protocol::Smtp => Self::Lines(Lines::new(Dialect::Smtp { own_name })),
            Protocol::Imap => Self::Lines(Lines::new(Dialect::Imap)),
            Protocol::Pop3 => Self::Lines(Lines::new(Dialect::Pop3)),
            Protocol::Ldap => Self::Ldap(Ldap::default()),
            Protocol::Postgresql => Self::Postgresql(Postgresql::default()),
            Protocol::Mysql => Self::Mysql(Mysql::default()),
        })
    }

    /// Takes off `received` what is understood.
    fn step(&mut self, received: &mut Vec<u8>) -> Result<Step, Stopped> {
        let step = match self {
            Self::Lines(lines) => lines.step(received),
            Self::Ldap(ldap) => ldap.step(received),
            Self::Postgresql(postgresql) => postgresql.step(received),
            Self::Mysql(mysql) => mysql.step(received),
        }?;
        match step {
            Step::Begin if !received.is_empty() => Err(garbage(format!(
                "{} bytes in the clear follow the agreement to begin TLS: {}",
                received.len(),
                told(received)
            ))),
            Step::Write(_) if !received.is_empty() => Err(garbage(format!(
                "the peer says more than it was asked for: {}",
                told(received)
            ))),
            step => Ok(step),
        }
    }
}

fn closed(received: &[u8]) -> Stopped {
    let mut detail = "before TLS could begin".to_owned();
    if !received.is_empty() {
        detail = format!("{detail}, after {}", told(received));
    }
    Stopped::unknown(Cause::Closed, detail)
}

/// The peer has said something about itself or its state, not about TLS.
fn other(said: &str) -> Stopped {
    Stopped::unknown(Cause::Alert, format!("the peer says {said:?}"))
}

fn refused(said: impl Into<String>) -> Stopped {
    Stopped::Refused(Refusal::by_choice(said))
}

/// What a peer said, in quotes, fit for one line of a terminal.
fn told(bytes: &[u8]) -> String {
    format!("{:?}", printable(bytes))
}

fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let plain = |character: char| match character.is_control() {
        true => '\u{fffd}',
        false => character,
    };
    text.trim_end().chars().take(MOST_TOLD).map(plain).collect()
}
