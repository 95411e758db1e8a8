//! OpenPGP keys (RFC 9580, RFC 9980 and what GnuPG writes besides), armored and binary.
//!
//! Only packets of keys, user ids and signatures are looked at, and of these only what tells
//! algorithm and use. A reader of our own, as one that verifies brings every algorithm along
//! and stops at those that it does not know.

mod key;
mod packet;

use audit::{AssetKind, KeyUse};

use crate::findings::{Findings, Place, printable};
use key::Key;
use packet::{Packet, Packets, Tag};

/// Whether bytes begin with a whole packet of a key.
pub(crate) fn is_beginning(bytes: &[u8]) -> bool {
    let first = Packets::of(bytes).next();
    matches!(first, Some(Packet { tag: Tag::PublicKey | Tag::SecretKey, body, .. })
        if key::read(body, false).is_some() || key::read(body, true).is_some())
}

/// Whether bytes begin with a whole packet of any kind that is no key: a message or signature.
pub(crate) fn is_message(bytes: &[u8]) -> bool {
    Packets::of(bytes)
        .next()
        .is_some_and(|packet| packet.tag == Tag::Message)
}

/// Writes the keys of a sequence of packets into findings.
pub(crate) fn read(bytes: &[u8], place: &Place<'_>, findings: &mut Findings) {
    let mut packets = Packets::of(bytes);
    let mut ring = Ring::default();
    for packet in packets.by_ref() {
        match packet.tag {
            Tag::PublicKey => ring.primary(packet.body, false),
            Tag::SecretKey => ring.primary(packet.body, true),
            Tag::PublicSubkey => ring.subkey(packet.body, false),
            Tag::SecretSubkey => ring.subkey(packet.body, true),
            Tag::UserId => ring.user_id(packet.body),
            Tag::Signature => ring.signature(packet.body),
            Tag::Message | Tag::Other => {}
        }
    }
    ring.end_group();
    let is_empty = ring.done.is_empty();
    for key in ring.done {
        findings.asset(place, AssetKind::Key(key.facts()));
    }
    if ring.malformed > 0 {
        let reason = format!("{} OpenPGP key packets are malformed", ring.malformed);
        findings.problem(place, reason);
    } else if !packets.is_at_end() {
        findings.problem(place, "the OpenPGP keys end within a packet");
    } else if is_empty {
        findings.problem(place, "no OpenPGP key is in it");
    }
}

/// The keys so far; those of one primary key share its first user id.
#[derive(Default)]
struct Ring {
    done: Vec<Key>,
    group: Vec<Key>,
    owner: Option<String>,
    malformed: u32,
}

impl Ring {
    fn primary(&mut self, body: &[u8], is_secret: bool) {
        self.end_group();
        self.subkey(body, is_secret);
    }

    fn subkey(&mut self, body: &[u8], is_secret: bool) {
        match key::read(body, is_secret) {
            Some(key) => self.group.push(key),
            None => self.malformed += 1,
        }
    }

    fn user_id(&mut self, body: &[u8]) {
        let text = || printable(&String::from_utf8_lossy(body));
        self.owner.get_or_insert_with(text);
    }

    /// Key flags (RFC 9580 section 5.2.3.29) of self-signatures: of a user id or of the primary
    /// key for the primary key, of a subkey binding for the subkey before it.
    fn signature(&mut self, body: &[u8]) {
        let Some((kind, flags)) = packet::key_flags(body) else {
            return;
        };
        let key = match kind {
            0x10..=0x13 | 0x1f => self.group.first_mut(),
            0x18 => self.group.last_mut(),
            _ => None,
        };
        if let Some(key) = key
            && key.stated.is_none()
        {
            let mut uses = Vec::new();
            if flags & 0x0c != 0 {
                uses.push(KeyUse::KeyEstablishment);
            }
            if flags & 0x23 != 0 {
                uses.push(KeyUse::Signature);
            }
            key.stated = Some(uses);
        }
    }

    fn end_group(&mut self) {
        let owner = self.owner.take();
        for mut key in self.group.drain(..) {
            key.owner.clone_from(&owner);
            self.done.push(key);
        }
    }
}

/// GnuPG's keybox of public keys and certificates (`kbx/keybox-blob.c`).
pub(crate) fn keybox(bytes: &[u8], place: &Place<'_>, findings: &mut Findings) {
    let mut cursor = crate::cursor::Cursor(bytes);
    let mut number = 0_u32;
    while !cursor.is_empty() {
        number = number.saturating_add(1);
        let mut ahead = cursor;
        let length = ahead.u32().and_then(|length| usize::try_from(length).ok());
        let blob = length
            .filter(|length| *length >= 16)
            .and_then(|length| cursor.take(length));
        let Some(blob) = blob else {
            return findings.problem(place, "the keybox ends within an entry");
        };
        let number_at = |at: usize| {
            let bytes = blob.get(at..at + 4)?;
            usize::try_from(crate::cursor::Cursor(bytes).u32()?).ok()
        };
        let content = || {
            let (at, length) = (number_at(8)?, number_at(12)?);
            blob.get(at..at.checked_add(length)?)
        };
        let place = place.in_entry(number.to_string());
        match (blob[4], content()) {
            (2, Some(keys)) => read(keys, &place, findings),
            (3, Some(certificate)) => findings.certificate(&place, certificate),
            (2 | 3, None) => findings.problem(&place, "the entry of the keybox is malformed"),
            _ => {}
        }
    }
}

pub(crate) fn is_keybox(bytes: &[u8]) -> bool {
    bytes.get(8..12) == Some(b"KBXf")
}
