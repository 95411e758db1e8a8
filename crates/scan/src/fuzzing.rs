//! Entrances for the fuzz targets; no part of the interface.

use audit::Protocol;
use wire::Offer;

use crate::incoming::{Incoming, Item};
use crate::probe::Chosen;
use crate::{offers, quic, ssh, starttls};

/// Reads the bytes as what a TLS server sends, as SSH, as QUIC, and as the answers of each
/// protocol before STARTTLS; the first byte says how they are cut.
pub fn read(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else {
        return;
    };
    let pieces = || bytes.chunks(usize::from(*cut).max(1));
    tls(pieces());
    for protocol in Protocol::ALL {
        starttls::fuzzing(protocol, pieces());
    }
    ssh::fuzzing(pieces());
    quic::fuzzing(pieces());
}

fn tls<'a>(pieces: impl Iterator<Item = &'a [u8]>) {
    const MOST: usize = 1 << 16;
    let offer: Offer = offers::everything(Some("server.example.test"));
    let mut incoming = Incoming::new(MOST);
    for piece in pieces {
        incoming.room().0.extend_from_slice(piece);
        if incoming.came(piece.len()).is_err() {
            return;
        }
        loop {
            match incoming.next() {
                Ok(Some(Item::Message(_, message))) => {
                    assert!(message.len() <= MOST, "more than was sent");
                    let _ = Chosen::read(message, &offer);
                }
                Ok(Some(Item::Alert(_))) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}
