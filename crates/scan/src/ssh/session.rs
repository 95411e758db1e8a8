//! A connection to an SSH server, up to its host key.

use audit::{Cause, HostKey, Refusal};
use rand::RngExt as _;

use super::exchange::{Method, REPLY};
use super::host_key;
use super::packet::{
    self, DEBUG, DISCONNECT, Fields, IGNORE, KEXINIT, KexInit, UNIMPLEMENTED, printable, put_string,
};
use crate::dial::{Came, Dialed, Dialer, Stopped};
use crate::incoming::garbage;

/// Bytes that are taken off the socket at once.
const AT_ONCE: usize = 4096;
/// Bytes of one connection: an identification, a KEXINIT, a reply, and what is said besides.
const MOST: usize = 128 << 10;
/// RFC 4253 section 4.2.
const IDENTIFICATION: &[u8] = b"SSH-2.0-pqlab\r\n";
/// RFC 4253 section 11.1.
const KEY_EXCHANGE_FAILED: u32 = 3;
const BY_APPLICATION: u32 = 11;

/// A connection on which the server has said what it has.
pub(super) struct Session {
    /// As the server identifies itself.
    pub(super) software: String,
    pub(super) offered: KexInit,
    incoming: Incoming,
}

struct Incoming {
    dialed: Dialed,
    received: Vec<u8>,
    total: usize,
}

impl Session {
    pub(super) async fn begin(dialer: &Dialer) -> Result<Self, Stopped> {
        let mut dialed = dialer.dial().await?;
        // Both sides may begin, and some servers wait.
        dialed.write(IDENTIFICATION).await?;
        let mut incoming = Incoming {
            dialed,
            received: Vec::new(),
            total: 0,
        };
        let software = loop {
            match packet::identification(&mut incoming.received)? {
                Some(software) => break software,
                None => incoming.more("its identification").await?,
            }
        };
        let offered = KexInit::parse(&incoming.message(KEXINIT).await?)?;
        Ok(Self {
            software,
            offered,
            incoming,
        })
    }

    /// Begins a key exchange in which the server shows a host key for this algorithm.
    pub(super) async fn host_key(mut self, algorithm: &str) -> Result<HostKey, Stopped> {
        if !self
            .offered
            .host_keys
            .iter()
            .any(|offered| offered == algorithm)
        {
            return Err(garbage(
                "the server has other algorithms on another connection",
            ));
        }
        let method = Method::among(&self.offered.key_exchanges)?;
        let cookie = rand::rng().random();
        let own = self.offered.answer(method.name, algorithm, cookie);
        let mut packets = packet::packet(&own);
        packets.extend(packet::packet(&method.init()?));
        self.incoming.dialed.write(&packets).await?;
        let reply = self.incoming.message(REPLY).await?;
        let blob = Fields(&reply[1..]).string();
        let blob = blob.ok_or_else(|| garbage("the host key is cut off"))?;
        let key = host_key::read(algorithm, blob);
        self.leave();
        key
    }

    /// Says good-bye, if that is possible at once.
    pub(super) fn leave(self) {
        let mut payload = vec![DISCONNECT];
        payload.extend(BY_APPLICATION.to_be_bytes());
        put_string(&mut payload, b"");
        put_string(&mut payload, b"");
        let _ = self
            .incoming
            .dialed
            .socket
            .try_write(&packet::packet(&payload));
    }
}

impl Incoming {
    /// The payload of the next message, which has this number; what may come at any time is
    /// passed over (RFC 4253 section 11).
    async fn message(&mut self, wanted: u8) -> Result<Vec<u8>, Stopped> {
        loop {
            let Some(payload) = packet::payload(&mut self.received)? else {
                self.more("the next message").await?;
                continue;
            };
            match payload[0] {
                number if number == wanted => return Ok(payload),
                IGNORE | DEBUG => {}
                DISCONNECT => return Err(disconnected(&payload[1..])),
                UNIMPLEMENTED => {
                    let detail = "the server does not know a message that was sent";
                    return Err(Stopped::unknown(Cause::Alert, detail));
                }
                other => {
                    return Err(garbage(format!(
                        "message {other} of SSH in the place of {wanted}"
                    )));
                }
            }
        }
    }

    async fn more(&mut self, what: &str) -> Result<(), Stopped> {
        let before = self.received.len();
        if self.total >= MOST {
            return Err(garbage(format!("{MOST} bytes of SSH without {what}")));
        }
        match self.dialed.read(&mut self.received, AT_ONCE).await? {
            Came::Bytes(_) => {
                self.total += self.received.len() - before;
                Ok(())
            }
            Came::End => {
                let mut detail = format!("before {what}");
                // "Exceeded MaxStartups" and the like.
                if !self.received.is_empty() {
                    detail = format!("{detail}, after {:?}", printable(&self.received));
                }
                Err(Stopped::unknown(Cause::Closed, detail))
            }
        }
    }
}

/// RFC 4253 section 11.1.
fn disconnected(payload: &[u8]) -> Stopped {
    let mut fields = Fields(payload);
    let (code, said) = (fields.u32(), fields.string());
    let (Some(code), Some(said)) = (code, said) else {
        return garbage("a DISCONNECT that is cut off");
    };
    let said = format!("the server disconnects ({code}): {:?}", printable(said));
    match code {
        KEY_EXCHANGE_FAILED => Stopped::Refused(Refusal::by_choice(said)),
        _ => Stopped::unknown(Cause::Alert, said),
    }
}
