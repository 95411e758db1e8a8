//! Identification strings and unencrypted packets (RFC 4253 sections 4.2, 6 and 7.1).

use crate::dial::Stopped;
use crate::incoming::garbage;

/// Bytes of an identification string, its end included.
const LONGEST_IDENTIFICATION: usize = 255;
/// Bytes of the lines that may stand before it.
const MOST_BEFORE: usize = 16 << 10;
/// Bytes of a packet that every side must take (RFC 4253 section 6.1).
const LONGEST_PACKET: usize = 35_000;
/// Unencrypted packets fill blocks of so many bytes.
const BLOCK: usize = 8;
const LEAST_PADDING: usize = 4;

pub(super) const DISCONNECT: u8 = 1;
pub(super) const IGNORE: u8 = 2;
pub(super) const UNIMPLEMENTED: u8 = 3;
pub(super) const DEBUG: u8 = 4;
pub(super) const KEXINIT: u8 = 20;

/// Takes the identification string off what has come, and the lines before it. `None` until it
/// is whole.
pub(super) fn identification(received: &mut Vec<u8>) -> Result<Option<String>, Stopped> {
    let mut at = 0;
    loop {
        let rest = &received[at..];
        let end = rest.iter().position(|byte| *byte == b'\n');
        let line = &rest[..end.map_or(rest.len(), |end| end + 1)];
        if line.starts_with(b"SSH-") {
            if line.len() > LONGEST_IDENTIFICATION {
                return Err(garbage("an identification of more than 255 bytes"));
            }
            let Some(end) = end else {
                return Ok(None);
            };
            let software = printable(&line[..end]);
            received.drain(..=at + end);
            // 1.99 is 2.0 with a memory of 1 (RFC 4253 section 5.1).
            return match software.starts_with("SSH-2.0-") || software.starts_with("SSH-1.99-") {
                true => Ok(Some(software)),
                false => Err(garbage(format!("not version 2 of SSH: {software:?}"))),
            };
        }
        if received.len() > MOST_BEFORE {
            return Err(garbage(format!(
                "no identification of SSH in {MOST_BEFORE} bytes: {:?}",
                printable(&received[..LONGEST_IDENTIFICATION])
            )));
        }
        match end {
            Some(end) => at += end + 1,
            None => return Ok(None),
        }
    }
}

/// Takes the payload of the next packet off what has come. `None` until it is whole.
pub(super) fn payload(received: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Stopped> {
    let Some((length, rest)) = received.split_first_chunk() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length) as usize;
    if length > LONGEST_PACKET {
        return Err(garbage(format!("a packet of SSH declares {length} bytes")));
    }
    let Some(packet) = rest.get(..length) else {
        return Ok(None);
    };
    let payload = packet.split_first().and_then(|(padding, rest)| {
        let length = rest.len().checked_sub(usize::from(*padding))?;
        rest.get(..length).filter(|payload| !payload.is_empty())
    });
    let payload = payload.ok_or_else(|| garbage("a packet of SSH without a payload"))?;
    let payload = payload.to_vec();
    received.drain(..4 + length);
    Ok(Some(payload))
}

/// A packet with this payload.
pub(super) fn packet(payload: &[u8]) -> Vec<u8> {
    let least = 4 + 1 + payload.len() + LEAST_PADDING;
    let padding = LEAST_PADDING + least.next_multiple_of(BLOCK) - least;
    // What is written here is shorter than a packet may be; the padding is below 12.
    let length = (1 + payload.len() + padding) as u32;
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(padding as u8);
    packet.extend(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// What a side offers (RFC 4253 section 7.1), in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KexInit {
    pub(super) key_exchanges: Vec<String>,
    pub(super) host_keys: Vec<String>,
    pub(super) ciphers_to_server: Vec<String>,
    pub(super) ciphers_to_client: Vec<String>,
    macs: [Vec<String>; 2],
    compressions: [Vec<String>; 2],
    languages: [Vec<String>; 2],
}

impl KexInit {
    /// # Errors
    /// When a list runs past the end, or has what is no name.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, Stopped> {
        let mut fields = Fields(payload);
        let cut = || garbage("the KEXINIT is cut off");
        // The message's number and a cookie.
        fields.take(1 + 16).ok_or_else(cut)?;
        let mut list = || names(fields.string().ok_or_else(cut)?);
        Ok(Self {
            key_exchanges: list()?,
            host_keys: list()?,
            ciphers_to_server: list()?,
            ciphers_to_client: list()?,
            macs: [list()?, list()?],
            compressions: [list()?, list()?],
            languages: [list()?, list()?],
        })
    }

    /// What a client offers that wants this exchange and host key of the side that offers
    /// `self`, and is content with all else.
    pub(super) fn answer(&self, key_exchange: &str, host_key: &str, cookie: [u8; 16]) -> Vec<u8> {
        let mut payload = vec![KEXINIT];
        payload.extend(cookie);
        let one = |name: &str| vec![name.to_owned()];
        let (key_exchange, host_key) = (one(key_exchange), one(host_key));
        let lists = [
            &key_exchange,
            &host_key,
            &self.ciphers_to_server,
            &self.ciphers_to_client,
        ];
        let lists = lists
            .into_iter()
            .chain(&self.macs)
            .chain(&self.compressions);
        for list in lists.chain(&[Vec::new(), Vec::new()]) {
            put_string(&mut payload, list.join(",").as_bytes());
        }
        // No guess was sent along, and four bytes are reserved.
        payload.extend([0; 5]);
        payload
    }
}

/// RFC 4251 section 5.
fn names(list: &[u8]) -> Result<Vec<String>, Stopped> {
    if !list.iter().all(u8::is_ascii_graphic) {
        return Err(garbage(format!(
            "a list of names has {:?}",
            printable(list)
        )));
    }
    let list = String::from_utf8_lossy(list);
    Ok(list
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// A cursor over the types of RFC 4251 section 5.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*bytes))
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(usize::try_from(length).ok()?)
    }
}

/// What is written as a string is shorter than a packet.
pub(super) fn put_string(to: &mut Vec<u8>, string: &[u8]) {
    to.extend((string.len() as u32).to_be_bytes());
    to.extend(string);
}

/// What a peer said, fit for one line of a terminal.
pub(super) fn printable(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(LONGEST_IDENTIFICATION)];
    let text = String::from_utf8_lossy(shown);
    let plain = |character: char| match character.is_control() {
        true => '\u{fffd}',
        false => character,
    };
    text.trim_end().chars().map(plain).collect()
}
