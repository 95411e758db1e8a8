//! The keys of Initial packets, which follow from a connection ID that everyone sees: they keep
//! accidents out, and no attacker (RFC 9001 section 5).

use aws_lc_rs::aead::quic::{self, HeaderProtectionKey};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

/// RFC 9001 section 5.2.
const INITIAL_SALT: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];
/// RFC 9001 section 5.8.
const RETRY_KEY: [u8; 16] = [
    0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e,
];
const RETRY_NONCE: [u8; NONCE_LEN] = [
    0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb,
];
/// Bytes of the AEAD's tag.
pub(super) const TAG: usize = 16;
/// The longest packet number; the sample for its protection begins as if all had this length
/// (RFC 9001 section 5.4.2).
pub(super) const LONGEST_NUMBER: usize = 4;

/// The keys of both sides.
pub(super) struct InitialKeys {
    pub(super) client: Protection,
    pub(super) server: Protection,
}

impl InitialKeys {
    /// From the ID that the client first sends to, or that a Retry has told it.
    pub(super) fn of(destination: &[u8]) -> Option<Self> {
        let secret = Salt::new(HKDF_SHA256, &INITIAL_SALT).extract(destination);
        let side = |label| {
            let secret: [u8; 32] = expand_label(&secret, label)?;
            Protection::of(&Prk::new_less_safe(HKDF_SHA256, &secret))
        };
        Some(Self {
            client: side(b"client in")?,
            server: side(b"server in")?,
        })
    }
}

/// The keys of one side.
pub(super) struct Protection {
    key: LessSafeKey,
    iv: [u8; NONCE_LEN],
    header: HeaderProtectionKey,
}

/// A packet whose tag is right.
pub(super) struct Opened {
    pub(super) number: u64,
    pub(super) frames: Vec<u8>,
}

impl Protection {
    fn of(secret: &Prk) -> Option<Self> {
        let key: [u8; 16] = expand_label(secret, b"quic key")?;
        let header: [u8; 16] = expand_label(secret, b"quic hp")?;
        Some(Self {
            key: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).ok()?),
            iv: expand_label(secret, b"quic iv")?,
            header: HeaderProtectionKey::new(&quic::AES_128, &header).ok()?,
        })
    }

    /// The packet of a long header that ends with a number of four bytes, and frames of at
    /// least as many.
    pub(super) fn seal(&self, header: &[u8], number: u32, mut frames: Vec<u8>) -> Option<Vec<u8>> {
        let nonce = self.nonce(number.into());
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(header), &mut frames)
            .ok()?;
        let mut packet = header.to_vec();
        packet.extend(frames);
        let number_at = header.len().checked_sub(LONGEST_NUMBER)?;
        self.mask(&mut packet, number_at, |_| LONGEST_NUMBER)?;
        Some(packet)
    }

    /// The frames of a packet, whose number is at this place; nothing where it fails its check.
    pub(super) fn open(&self, packet: &[u8], number_at: usize) -> Option<Opened> {
        let mut packet = packet.to_vec();
        let length = self.mask(&mut packet, number_at, |first| usize::from(first & 3) + 1)?;
        let (header, payload) = packet.split_at_mut_checked(number_at + length)?;
        // Initial packets are few: their numbers need no expansion (RFC 9000 appendix A.3).
        let bytes = header[number_at..].iter();
        let number = bytes.fold(0, |number, byte| (number << 8) | u64::from(*byte));
        let aad = Aad::from(&*header);
        let frames = self
            .key
            .open_in_place(self.nonce(number), aad, payload)
            .ok()?;
        Some(Opened {
            number,
            frames: frames.to_vec(),
        })
    }

    /// Puts the header's protection on, or takes it off: the number's length is known by the
    /// first byte when that is bare. Gives that length back.
    fn mask(
        &self,
        packet: &mut [u8],
        number_at: usize,
        length: impl Fn(u8) -> usize,
    ) -> Option<usize> {
        let sample_at = number_at + LONGEST_NUMBER;
        let sample = packet.get(sample_at..sample_at + self.header.algorithm().sample_len())?;
        let [first_mask, number_mask @ ..] = self.header.new_mask(sample).ok()?;
        // Four bits of a long header are protected.
        packet[0] ^= first_mask & 0x0f;
        let length = length(packet[0]);
        for (byte, mask) in packet[number_at..][..length].iter_mut().zip(number_mask) {
            *byte ^= mask;
        }
        Some(length)
    }

    fn nonce(&self, number: u64) -> Nonce {
        let mut nonce = self.iv;
        for (byte, number) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
            *byte ^= number;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Whether a Retry packet, its tag at its end, answers an Initial to this ID
/// (RFC 9001 section 5.8).
pub(super) fn is_retry_to(destination: &[u8], packet: &[u8]) -> bool {
    let check = || {
        let (packet, tag) = packet.split_at_checked(packet.len().checked_sub(TAG)?)?;
        let mut pseudo = vec![u8::try_from(destination.len()).ok()?];
        pseudo.extend(destination);
        pseudo.extend(packet);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &RETRY_KEY).ok()?);
        let nonce = Nonce::assume_unique_for_key(RETRY_NONCE);
        // The tag of nothing is all that there is.
        key.open_in_place(nonce, Aad::from(pseudo), &mut tag.to_vec())
            .ok()?;
        Some(())
    };
    check().is_some()
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label of TLS 1.3 without a context (RFC 8446 section 7.1).
fn expand_label<const N: usize>(secret: &Prk, label: &[u8]) -> Option<[u8; N]> {
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let label_length = [u8::try_from(b"tls13 ".len() + label.len()).ok()?];
    let mut output = [0; N];
    secret
        .expand(&[&length, &label_length, b"tls13 ", label, &[0]], Length(N))
        .and_then(|key| key.fill(&mut output))
        .ok()?;
    Some(output)
}
