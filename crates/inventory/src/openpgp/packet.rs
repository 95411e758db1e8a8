//! Packets and their headers (RFC 9580 section 4).

use crate::cursor::Cursor;

/// The kinds of packets that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    SecretKey,
    SecretSubkey,
    PublicKey,
    PublicSubkey,
    UserId,
    Signature,
    /// What begins an encrypted, compressed or literal message.
    Message,
    Other,
}

pub(super) struct Packet<'a> {
    pub(super) tag: Tag,
    pub(super) body: &'a [u8],
}

/// The packets of a sequence, up to the first that is not whole.
pub(super) struct Packets<'a>(Cursor<'a>);

impl<'a> Packets<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(Cursor(bytes))
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let mut cursor = self.0;
        let first = cursor.u8()?;
        let (number, body) = match first {
            0xc0.. => (first & 0x3f, new_body(&mut cursor)?),
            0x80.. => ((first >> 2) & 0x0f, old_body(first & 3, &mut cursor)?),
            _ => return None,
        };
        self.0 = cursor;
        let tag = match number {
            2 => Tag::Signature,
            5 => Tag::SecretKey,
            6 => Tag::PublicKey,
            7 => Tag::SecretSubkey,
            13 => Tag::UserId,
            14 => Tag::PublicSubkey,
            1 | 3 | 4 | 8 | 9 | 11 | 18 | 20 => Tag::Message,
            _ => Tag::Other,
        };
        Some(Packet { tag, body })
    }
}

/// Section 4.2.1. A body in parts is data, never a key: its first part stands for it.
fn new_body<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = match cursor.u8()? {
        short @ ..192 => usize::from(short),
        first @ 192..224 => {
            let second = cursor.u8()?;
            (usize::from(first) - 192) * 256 + usize::from(second) + 192
        }
        part @ 224..255 => 1 << (part & 0x1f),
        255 => usize::try_from(cursor.u32()?).ok()?,
    };
    cursor.take(length)
}

/// Section 4.2.2.
fn old_body<'a>(length_type: u8, cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let length = match length_type {
        0 => usize::from(cursor.u8()?),
        1 => usize::from(cursor.u16()?),
        2 => usize::try_from(cursor.u32()?).ok()?,
        // Up to the end.
        _ => cursor.0.len(),
    };
    cursor.take(length)
}

/// The type and the first octet of the key flags of a signature (section 5.2.3), if it has any.
pub(super) fn key_flags(body: &[u8]) -> Option<(u8, u8)> {
    let mut cursor = Cursor(body);
    let version = cursor.u8()?;
    let kind = cursor.u8()?;
    // The algorithms of the key and of the hash.
    cursor.take(2)?;
    let length = match version {
        4 | 5 => usize::from(cursor.u16()?),
        6 => usize::try_from(cursor.u32()?).ok()?,
        _ => return None,
    };
    let mut hashed = Cursor(cursor.take(length)?);
    while !hashed.is_empty() {
        let length = match hashed.u8()? {
            short @ ..192 => usize::from(short),
            first @ 192..255 => {
                let second = hashed.u8()?;
                (usize::from(first) - 192) * 256 + usize::from(second) + 192
            }
            255 => usize::try_from(hashed.u32()?).ok()?,
        };
        let mut subpacket = Cursor(hashed.take(length)?);
        // The first bit says that it is critical.
        if subpacket.u8()? & 0x7f == 27 {
            return Some((kind, subpacket.u8()?));
        }
    }
    None
}
