//! What a server sends, message by message, however it is cut into records and segments, and
//! within bounds: lengths come from the peer.

use audit::Cause;
use key_schedule::Tls13Keys;
use wire::{Alert, ContentType, HandshakeType, MAX_RECORD, Record, RecordError, Records};

use crate::dial::Stopped;

/// Reads one connection's answer.
pub(crate) struct Incoming {
    /// What has come and is not read yet.
    bytes: Vec<u8>,
    /// The beginning of a handshake message whose end is in the next record.
    partial: Vec<u8>,
    /// Once the server's handshake keys are known.
    keys: Option<Tls13Keys>,
    /// All that has come, in bytes.
    total: usize,
    most: usize,
    empty_records: u32,
}

/// What a server may say.
pub(crate) enum Item {
    /// A whole handshake message, its header included.
    Message(HandshakeType, Vec<u8>),
    Alert(Alert),
}

/// Records without content that are borne: TLS 1.0 servers send a few, others none.
const MOST_EMPTY_RECORDS: u32 = 32;
/// Type and length of a handshake message.
pub(crate) const MESSAGE_HEADER: usize = 4;

impl Incoming {
    /// `most` bytes are read of this connection in all.
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            bytes: Vec::new(),
            partial: Vec::new(),
            keys: None,
            total: 0,
            most,
            empty_records: 0,
        }
    }

    /// Where the next bytes of the socket belong, and how many are wanted.
    pub(crate) fn room(&mut self) -> (&mut Vec<u8>, usize) {
        (&mut self.bytes, MAX_RECORD)
    }

    /// Tells that so many bytes have come.
    pub(crate) fn came(&mut self, count: usize) -> Result<(), Stopped> {
        self.total += count;
        match self.total > self.most {
            true => Err(garbage(format!(
                "more than {} bytes, and no end of it",
                self.most
            ))),
            false => Ok(()),
        }
    }

    /// All that has come, in bytes.
    pub(crate) const fn total(&self) -> usize {
        self.total
    }

    /// What follows is encrypted with these keys.
    pub(crate) fn decrypt_with(&mut self, keys: Tls13Keys) {
        self.keys = Some(keys);
    }

    /// The next message or alert; `None` where more has to come first.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, Stopped> {
        loop {
            if let Some(message) = self.message()? {
                return Ok(Some(message));
            }
            let (content_type, content, length) = match Records::new(&self.bytes).next() {
                None | Some(Err(RecordError::Truncated { .. })) => return Ok(None),
                Some(Err(error)) => return Err(self.not_tls(&error)),
                Some(Ok(record)) => {
                    let length = self.bytes.len() - rest_after(&self.bytes, &record);
                    let (content_type, content) = self.keys.as_mut().map_or_else(
                        || Ok((record.content_type, record.payload.to_vec())),
                        |keys| open(keys, &record),
                    )?;
                    (content_type, content, length)
                }
            };
            self.bytes.drain(..length);
            if content.is_empty() {
                self.empty_records += 1;
                if self.empty_records > MOST_EMPTY_RECORDS {
                    return Err(garbage("one record without content after the other"));
                }
            }
            match content_type {
                ContentType::Handshake => self.partial.extend(content),
                // For middleboxes (RFC 8446 appendix D.4), and before a Finished of TLS 1.2,
                // which nobody waits for here.
                ContentType::ChangeCipherSpec => {}
                ContentType::Alert => {
                    let alert =
                        Alert::parse(&content).map_err(|error| garbage(error.to_string()))?;
                    return Ok(Some(Item::Alert(alert)));
                }
                other => {
                    return Err(garbage(format!("{other:?} in the place of a handshake")));
                }
            }
        }
    }

    fn message(&mut self) -> Result<Option<Item>, Stopped> {
        let [kind, a, b, c, ..] = *self.partial.as_slice() else {
            return Ok(None);
        };
        let length = MESSAGE_HEADER + u32::from_be_bytes([0, a, b, c]) as usize;
        if length > self.most {
            let detail = format!("a handshake message claims {length} bytes");
            return Err(garbage(detail));
        }
        if self.partial.len() < length {
            return Ok(None);
        }
        let rest = self.partial.split_off(length);
        let message = std::mem::replace(&mut self.partial, rest);
        Ok(Some(Item::Message(HandshakeType(kind), message)))
    }

    /// The first bytes tell what it is instead.
    fn not_tls(&self, error: &RecordError) -> Stopped {
        let begin = &self.bytes[..self.bytes.len().min(24)];
        let readable = begin
            .iter()
            .all(|byte| byte.is_ascii_graphic() || b" \r\n\t".contains(byte));
        match readable {
            true => garbage(format!(
                "no TLS: it begins with {:?}",
                String::from_utf8_lossy(begin)
            )),
            false => garbage(error.to_string()),
        }
    }
}

/// Bytes after the record that `bytes` begin with.
fn rest_after(bytes: &[u8], record: &Record<'_>) -> usize {
    bytes.len() - (RECORD_HEADER + record.payload.len())
}

const RECORD_HEADER: usize = 5;

fn open(keys: &mut Tls13Keys, record: &Record<'_>) -> Result<(ContentType, Vec<u8>), Stopped> {
    if record.content_type != ContentType::ApplicationData {
        // An alert of a server that has no keys yet, or a ChangeCipherSpec.
        return Ok((record.content_type, record.payload.to_vec()));
    }
    let opened = keys.open(record);
    let opened = opened.ok_or_else(|| garbage("a record does not decrypt"))?;
    Ok((opened.content_type, opened.content))
}

pub(crate) fn garbage(detail: impl Into<String>) -> Stopped {
    Stopped::unknown(Cause::Garbage, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ServerHelloDone and half of a Certificate, in records of a few bytes.
    fn answer() -> Vec<u8> {
        let messages = [14, 0, 0, 0, 11, 0, 0, 6, 0, 0, 3, 0, 0, 0];
        wire::handshake_records(&messages, 0x0303, 3)
    }

    fn items(pieces: &[&[u8]]) -> Result<Vec<u8>, Stopped> {
        let mut incoming = Incoming::new(1000);
        let mut kinds = Vec::new();
        for piece in pieces {
            incoming.room().0.extend_from_slice(piece);
            incoming.came(piece.len())?;
            while let Some(item) = incoming.next()? {
                kinds.push(match item {
                    Item::Message(kind, _) => kind.0,
                    Item::Alert(alert) => alert.description.0,
                });
            }
        }
        Ok(kinds)
    }

    #[test]
    fn messages_are_whole_wherever_they_are_cut() {
        let answer = answer();
        for at in 0..=answer.len() {
            let (one, other) = answer.split_at(at);
            assert_eq!(items(&[one, other]).unwrap(), [14, 11], "cut at {at}");
        }
        let bytes: Vec<&[u8]> = answer.chunks(1).collect();
        assert_eq!(items(&bytes).unwrap(), [14, 11]);
    }

    #[test]
    fn lies_about_lengths_end_at_once() {
        let huge = [22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff];
        assert!(items(&[&huge]).is_err());
        assert!(items(&[&[22, 3, 3, 0xff, 0xff]]).is_err());
        let empty = [22, 3, 3, 0, 0].repeat(40);
        assert!(items(&[&empty]).is_err());
        let endless = [20, 3, 3, 0, 1, 1].repeat(200);
        assert!(items(&[&endless]).is_err());
    }

    #[test]
    fn what_is_no_tls_is_quoted_if_it_can_be_read() {
        let Err(Stopped::Unknown(unknown)) = items(&[b"HTTP/1.1 400 Bad Request\r\n"]) else {
            panic!("no error");
        };
        assert_eq!(unknown.cause, Cause::Garbage);
        assert!(
            unknown.detail.contains("HTTP/1.1 400"),
            "{}",
            unknown.detail
        );
        assert!(items(&[&[0x80, 1, 2]]).is_err());
    }

    #[test]
    fn alerts_come_through() {
        assert_eq!(items(&[&[21, 3, 3, 0, 2, 2, 40]]).unwrap(), [40]);
        assert!(items(&[&[21, 3, 3, 0, 1, 2]]).is_err());
    }
}
