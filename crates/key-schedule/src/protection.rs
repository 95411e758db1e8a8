//! Record protection: from a traffic secret to plaintext records and back (RFC 8446 sections
//! 5.2, 5.3 and 7.3; RFC 5246 section 6.2.3.3).

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::tls_prf;
use wire::{ContentType, Record};

use crate::expand::expand_label;
use crate::suite::SuiteAlgorithms;

/// The plaintext of one record.
pub struct Opened {
    /// The type of its content, which TLS 1.3 hides from observers.
    pub content_type: ContentType,
    /// The content, without padding.
    pub content: Vec<u8>,
}

/// The keys of one direction, and how many records they have opened.
pub enum RecordKeys {
    /// Of TLS 1.3.
    Tls13(Tls13Keys),
    /// Of TLS 1.2.
    Tls12(Tls12Keys),
}

impl RecordKeys {
    /// The plaintext, or `None` where the record does not authenticate.
    pub fn open(&mut self, record: &Record<'_>) -> Option<Opened> {
        match self {
            Self::Tls13(keys) => keys.open(record),
            Self::Tls12(keys) => keys.open(record),
        }
    }
}

/// The keys of one direction and epoch of TLS 1.3.
pub struct Tls13Keys {
    algorithms: SuiteAlgorithms,
    secret: Vec<u8>,
    key: LessSafeKey,
    iv: [u8; aead::NONCE_LEN],
    sequence: u64,
}

impl Tls13Keys {
    /// `None` where the secret does not have the length of the suite's hash.
    pub fn new(algorithms: SuiteAlgorithms, secret: &[u8]) -> Option<Self> {
        if secret.len() != algorithms.secret_length() {
            return None;
        }
        let expand =
            |label, output: &mut [u8]| expand_label(algorithms.hash, secret, label, &[], output);
        let mut key = [0; 32];
        let key = &mut key[..algorithms.aead.key_len()];
        expand("key", key)?;
        let mut iv = [0; aead::NONCE_LEN];
        expand("iv", &mut iv)?;
        Some(Self {
            algorithms,
            secret: secret.to_vec(),
            key: LessSafeKey::new(UnboundKey::new(algorithms.aead, key).ok()?),
            iv,
            sequence: 0,
        })
    }

    /// The keys after a KeyUpdate (RFC 8446 section 7.2).
    pub fn next_generation(&self) -> Option<Self> {
        let mut secret = vec![0; self.secret.len()];
        let hash = self.algorithms.hash;
        expand_label(hash, &self.secret, "traffic upd", &[], &mut secret)?;
        Self::new(self.algorithms, &secret)
    }

    /// The plaintext, or `None` where the record does not authenticate.
    pub fn open(&mut self, record: &Record<'_>) -> Option<Opened> {
        let mut buffer = record.payload.to_vec();
        // The header as it stands on the wire (RFC 8446 section 5.2).
        let [major, minor] = record.legacy_version.to_be_bytes();
        let [high, low] = u16::try_from(buffer.len()).ok()?.to_be_bytes();
        let header = [record.content_type.byte(), major, minor, high, low];
        let nonce = nonce(self.iv, self.sequence);
        let inner = self
            .key
            .open_in_place(nonce, Aad::from(header), &mut buffer)
            .ok()?;
        self.sequence += 1;
        // Padding is zeros after the type; a record of nothing else is against the
        // protocol (RFC 8446 section 5.4).
        let end = inner.iter().rposition(|byte| *byte != 0)?;
        Some(Opened {
            content_type: ContentType::from_byte(inner[end]),
            content: inner[..end].to_vec(),
        })
    }

    /// A whole record of this content, its header included; `None` where it is too long.
    pub fn seal(&mut self, content_type: ContentType, content: &[u8]) -> Option<Vec<u8>> {
        let mut buffer = content.to_vec();
        buffer.push(content_type.byte());
        let length = u16::try_from(buffer.len() + TAG).ok()?;
        if buffer.len() > (1 << 14) + 1 {
            return None;
        }
        let mut record = vec![ContentType::ApplicationData.byte(), 3, 3];
        record.extend(length.to_be_bytes());
        let header = Aad::from([record[0], 3, 3, record[3], record[4]]);
        let nonce = nonce(self.iv, self.sequence);
        self.key
            .seal_in_place_append_tag(nonce, header, &mut buffer)
            .ok()?;
        self.sequence += 1;
        record.extend(buffer);
        Some(record)
    }
}

/// The keys of one direction of TLS 1.2.
pub struct Tls12Keys {
    key: LessSafeKey,
    iv: Vec<u8>,
    has_explicit_nonce: bool,
    sequence: u64,
}

impl Tls12Keys {
    /// The keys with which the client, or else the server, writes (RFC 5246 section 6.3).
    pub fn new(
        algorithms: SuiteAlgorithms,
        master_secret: &[u8],
        [client_random, server_random]: [[u8; 32]; 2],
        of_client: bool,
    ) -> Option<Self> {
        let key_length = algorithms.aead.key_len();
        let iv_length = match algorithms.has_explicit_nonce {
            true => aead::NONCE_LEN - EXPLICIT_NONCE,
            false => aead::NONCE_LEN,
        };
        let block = tls_prf::Secret::new(algorithms.hash.prf(), master_secret)
            .and_then(|secret| {
                secret.derive_with_seed_concatination(
                    b"key expansion",
                    &server_random,
                    &client_random,
                    2 * (key_length + iv_length),
                )
            })
            .ok()?;
        // AEAD suites have no MAC keys: both keys, then both IVs, the client's first.
        let (keys, ivs) = block.as_ref().split_at(2 * key_length);
        let own = |both: &[u8]| {
            both.chunks_exact(both.len() / 2)
                .nth(usize::from(!of_client))
                .map(<[u8]>::to_vec)
        };
        Some(Self {
            key: LessSafeKey::new(UnboundKey::new(algorithms.aead, &own(keys)?).ok()?),
            iv: own(ivs)?,
            has_explicit_nonce: algorithms.has_explicit_nonce,
            sequence: 0,
        })
    }

    fn open(&mut self, record: &Record<'_>) -> Option<Opened> {
        let (explicit, ciphertext) = match self.has_explicit_nonce {
            true => record.payload.split_at_checked(EXPLICIT_NONCE)?,
            false => (&[][..], record.payload),
        };
        let nonce = match self.has_explicit_nonce {
            true => Nonce::try_assume_unique_for_key(&[&self.iv, explicit].concat()).ok()?,
            // RFC 7905 section 2: as TLS 1.3 does.
            false => nonce(self.iv.as_slice().try_into().ok()?, self.sequence),
        };
        let length = ciphertext.len().checked_sub(TAG)?;
        let mut header = self.sequence.to_be_bytes().to_vec();
        header.push(record.content_type.byte());
        header.extend(record.legacy_version.to_be_bytes());
        header.extend(u16::try_from(length).ok()?.to_be_bytes());
        let mut buffer = ciphertext.to_vec();
        let content = self
            .key
            .open_in_place(nonce, Aad::from(header), &mut buffer)
            .ok()?
            .to_vec();
        self.sequence += 1;
        Some(Opened {
            content_type: record.content_type,
            content,
        })
    }
}

const EXPLICIT_NONCE: usize = 8;
/// The tag of each AEAD here.
const TAG: usize = 16;

/// The sequence number, padded on the left, XORed into the IV (RFC 8446 section 5.3).
fn nonce(mut iv: [u8; aead::NONCE_LEN], sequence: u64) -> Nonce {
    for (byte, number) in iv[4..].iter_mut().zip(sequence.to_be_bytes()) {
        *byte ^= number;
    }
    Nonce::assume_unique_for_key(iv)
}
