//! Record protection: from a logged secret to plaintext records (RFC 8446 sections 5.2,
//! 5.3 and 7.3; RFC 5246 section 6.2.3.3).

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, tls_prf};
use experiment::Side;
use wire::{CipherSuite, ContentType, Record};

/// The algorithms of a cipher suite that this crate can undo.
#[derive(Clone, Copy)]
pub(crate) struct SuiteAlgorithms {
    aead: &'static aead::Algorithm,
    hash: Hash,
    /// TLS 1.2 with AES-GCM: eight bytes of the nonce stand before the ciphertext
    /// (RFC 5288 section 3).
    has_explicit_nonce: bool,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha384,
}

impl Hash {
    const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    const fn hkdf(self) -> hkdf::Algorithm {
        match self {
            Self::Sha256 => hkdf::HKDF_SHA256,
            Self::Sha384 => hkdf::HKDF_SHA384,
        }
    }

    const fn prf(self) -> &'static tls_prf::Algorithm {
        match self {
            Self::Sha256 => &tls_prf::P_SHA256,
            Self::Sha384 => &tls_prf::P_SHA384,
        }
    }
}

impl SuiteAlgorithms {
    /// `None` where the suite is unknown or no AEAD.
    pub(crate) fn of(suite: CipherSuite) -> Option<Self> {
        let (aead, hash) = match suite.0 {
            0x1301 | 0xc02b | 0xc02f | 0x009c => (&aead::AES_128_GCM, Hash::Sha256),
            0x1302 | 0xc02c | 0xc030 | 0x009d => (&aead::AES_256_GCM, Hash::Sha384),
            0x1303 | 0xcca8 | 0xcca9 => (&aead::CHACHA20_POLY1305, Hash::Sha256),
            _ => return None,
        };
        let is_tls13 = suite.facts().is_some_and(|facts| facts.tls13);
        Some(Self {
            aead,
            hash,
            has_explicit_nonce: !is_tls13 && aead != &aead::CHACHA20_POLY1305,
        })
    }

    /// Bytes of a traffic secret of TLS 1.3.
    pub(crate) const fn secret_length(self) -> usize {
        self.hash.length()
    }
}

/// The plaintext of one record.
pub(crate) struct Opened {
    pub(crate) content_type: ContentType,
    pub(crate) content: Vec<u8>,
}

/// The keys of one direction, and how many records they have opened.
pub(crate) enum RecordKeys {
    Tls13(Tls13Keys),
    Tls12(Tls12Keys),
}

impl RecordKeys {
    /// The plaintext, or `None` where the record does not authenticate.
    pub(crate) fn open(&mut self, record: &Record<'_>) -> Option<Opened> {
        match self {
            Self::Tls13(keys) => keys.open(record),
            Self::Tls12(keys) => keys.open(record),
        }
    }
}

pub(crate) struct Tls13Keys {
    algorithms: SuiteAlgorithms,
    secret: Vec<u8>,
    key: LessSafeKey,
    iv: [u8; aead::NONCE_LEN],
    sequence: u64,
}

impl Tls13Keys {
    /// `None` where the secret does not have the length of the suite's hash.
    pub(crate) fn new(algorithms: SuiteAlgorithms, secret: &[u8]) -> Option<Self> {
        if secret.len() != algorithms.secret_length() {
            return None;
        }
        let expand = |label, output: &mut [u8]| expand(algorithms.hash, secret, label, output);
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
    pub(crate) fn next_generation(&self) -> Option<Self> {
        let mut secret = vec![0; self.secret.len()];
        expand(
            self.algorithms.hash,
            &self.secret,
            "traffic upd",
            &mut secret,
        )?;
        Self::new(self.algorithms, &secret)
    }

    fn open(&mut self, record: &Record<'_>) -> Option<Opened> {
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
}

pub(crate) struct Tls12Keys {
    key: LessSafeKey,
    iv: Vec<u8>,
    has_explicit_nonce: bool,
    sequence: u64,
}

impl Tls12Keys {
    /// The keys with which `sender` writes (RFC 5246 section 6.3).
    pub(crate) fn new(
        algorithms: SuiteAlgorithms,
        master_secret: &[u8],
        [client_random, server_random]: [[u8; 32]; 2],
        sender: Side,
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
                .nth(sender as usize)
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

/// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
fn expand(hash: Hash, secret: &[u8], label: &str, output: &mut [u8]) -> Option<()> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let length = u16::try_from(output.len()).ok()?.to_be_bytes();
    let label = format!("tls13 {label}");
    let label_length = u8::try_from(label.len()).ok()?;
    hkdf::Prk::new_less_safe(hash.hkdf(), secret)
        .expand(
            &[&length, &[label_length], label.as_bytes(), &[0]],
            Length(output.len()),
        )
        .and_then(|key| key.fill(output))
        .ok()
}
