//! rustls key-exchange groups from the pqcrypto family, and hybrids of any two groups.
//!
//! **For measuring and for testing interoperability, never as a default for traffic.** The
//! pqcrypto crates wrap the C code of PQClean, which is archived and gets no more fixes. RustSec
//! lists them as unmaintained: `pqcrypto-mlkem` (RUSTSEC-2026-0161), `pqcrypto-traits`
//! (RUSTSEC-2026-0162) and `pqcrypto-internals` (RUSTSEC-2026-0163). What they are still good for
//! is a second ML-KEM that shares no code with rustls' own. For traffic use rustls' aws-lc-rs
//! groups, and [`aws_lc`] for the two that rustls lacks.
//!
//! HQC is a draft (FIPS 207), its crate a release candidate, and its code points here are private
//! use (RFC 8446 section 4.2.7): it is experimental in every respect.
//!
//! # Groups
//!
//! The shares and the secret of a hybrid are concatenated in the order of the fourth column.
//! Lengths are in bytes.
//!
//! | group | code point | from | order | client share | server share |
//! |---|---|---|---|---|---|
//! | [`X25519MLKEM768`] | 0x11EC | RFC 10024 | ML-KEM, X25519 | 1216 | 1120 |
//! | [`SECP256R1MLKEM768`] | 0x11EB | RFC 10024 | P-256, ML-KEM | 1249 | 1153 |
//! | [`SECP384R1MLKEM1024`] | 0x11ED | RFC 10024 | P-384, ML-KEM | 1665 | 1665 |
//! | [`MLKEM512`] | 0x0200 | draft-ietf-tls-mlkem | | 800 | 768 |
//! | [`MLKEM768`] | 0x0201 | draft-ietf-tls-mlkem | | 1184 | 1088 |
//! | [`MLKEM1024`] | 0x0202 | draft-ietf-tls-mlkem | | 1568 | 1568 |
//! | [`X25519HQC128`] | 0xFE10 | private use | HQC, X25519 | 2273 | 4465 |
//! | [`HQC128`] | 0xFE11 | private use | | 2241 | 4433 |
//!
//! All are for TLS 1.3 only. The classical halves are rustls' aws-lc-rs groups.
//!
//! ```
//! use rustls::crypto::{CryptoProvider, aws_lc_rs};
//!
//! let provider = CryptoProvider {
//!     kx_groups: vec![rustls_pqcrypto::X25519MLKEM768, aws_lc_rs::kx_group::X25519],
//!     ..aws_lc_rs::default_provider()
//! };
//! # assert_eq!(provider.kx_groups.len(), 2);
//! ```
//!
//! Another KEM is one [`Kem`] implementation and one static [`KemGroup`]; another pair is one
//! static [`Hybrid`].
//!
//! # Errors
//!
//! A share of the wrong length, or one that fails the checks of its algorithm, is
//! `PeerMisbehaved::InvalidKeyShare`. For ML-KEM this includes the modulus check of FIPS 203
//! section 7.2, which PQClean leaves out. An altered ciphertext is no error (implicit rejection):
//! the two sides hold different secrets, and the handshake fails at the first encrypted record.
//!
//! # Limits
//!
//! - Keys are fresh for every key exchange and overwritten afterwards, but the pqcrypto types are
//!   `Copy` and clear nothing: copies on the stack stay.
//! - Without a working random source of the operating system, the pqcrypto groups abort the
//!   process: their C code has no way to report it. The other groups return an error.

pub mod aws_lc;
mod hqc;
mod hybrid;
mod kem;
mod ml_kem;

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::{Error, NamedGroup, PeerMisbehaved};

pub use hybrid::{Hybrid, Layout, Order};
pub use kem::{Kem, KemGroup};

/// Every pqcrypto and HQC group of this crate, hybrids first. Those of [`aws_lc`] are not in it.
pub static ALL: &[&dyn SupportedKxGroup] = &[
    X25519MLKEM768,
    SECP256R1MLKEM768,
    SECP384R1MLKEM1024,
    MLKEM512,
    MLKEM768,
    MLKEM1024,
    X25519HQC128,
    HQC128,
];

/// X25519MLKEM768 (RFC 10024): ML-KEM first.
pub static X25519MLKEM768: &dyn SupportedKxGroup = &Hybrid::new(
    NamedGroup::X25519MLKEM768,
    kx_group::X25519,
    MLKEM768,
    Layout {
        order: Order::KemFirst,
        classical_share: X25519_SHARE,
        kem_client_share: ml_kem::MlKem768::ENCAPSULATION_KEY_LEN,
        kem_server_share: ml_kem::MlKem768::CIPHERTEXT_LEN,
    },
);

/// SecP256r1MLKEM768 (RFC 10024): P-256 first.
pub static SECP256R1MLKEM768: &dyn SupportedKxGroup = &Hybrid::new(
    NamedGroup::secp256r1MLKEM768,
    kx_group::SECP256R1,
    MLKEM768,
    Layout {
        order: Order::ClassicalFirst,
        classical_share: 65,
        kem_client_share: ml_kem::MlKem768::ENCAPSULATION_KEY_LEN,
        kem_server_share: ml_kem::MlKem768::CIPHERTEXT_LEN,
    },
);

/// SecP384r1MLKEM1024 (RFC 10024): P-384 first.
pub static SECP384R1MLKEM1024: &dyn SupportedKxGroup = &Hybrid::new(
    SECP384R1MLKEM1024_NAME,
    kx_group::SECP384R1,
    MLKEM1024,
    SECP384R1MLKEM1024_LAYOUT,
);

/// ML-KEM-512 (FIPS 203) from `pqcrypto-mlkem`.
pub static MLKEM512: &dyn SupportedKxGroup =
    &KemGroup::<ml_kem::MlKem512>::new(NamedGroup::MLKEM512);

/// ML-KEM-768 (FIPS 203) from `pqcrypto-mlkem`.
pub static MLKEM768: &dyn SupportedKxGroup =
    &KemGroup::<ml_kem::MlKem768>::new(NamedGroup::MLKEM768);

/// ML-KEM-1024 (FIPS 203) from `pqcrypto-mlkem`.
pub static MLKEM1024: &dyn SupportedKxGroup =
    &KemGroup::<ml_kem::MlKem1024>::new(NamedGroup::MLKEM1024);

/// HQC-128 with X25519 on a private-use code point. Experimental.
///
/// HQC comes first and X25519 second, in the shares and in the secret, as in [`X25519MLKEM768`].
pub static X25519HQC128: &dyn SupportedKxGroup = &Hybrid::new(
    NamedGroup::Unknown(0xfe10),
    kx_group::X25519,
    HQC128,
    Layout {
        order: Order::KemFirst,
        classical_share: X25519_SHARE,
        kem_client_share: hqc::Hqc128::ENCAPSULATION_KEY_LEN,
        kem_server_share: hqc::Hqc128::CIPHERTEXT_LEN,
    },
);

/// HQC-128 (draft of FIPS 207) from `hqc-kem` on a private-use code point. Experimental.
pub static HQC128: &dyn SupportedKxGroup =
    &KemGroup::<hqc::Hqc128>::new(NamedGroup::Unknown(0xfe11));

const X25519_SHARE: usize = 32;

/// rustls has no name for it yet.
const SECP384R1MLKEM1024_NAME: NamedGroup = NamedGroup::Unknown(0x11ed);

const SECP384R1MLKEM1024_LAYOUT: Layout = Layout {
    order: Order::ClassicalFirst,
    classical_share: 97,
    kem_client_share: ml_kem::MlKem1024::ENCAPSULATION_KEY_LEN,
    kem_server_share: ml_kem::MlKem1024::CIPHERTEXT_LEN,
};

const INVALID_KEY_SHARE: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);
