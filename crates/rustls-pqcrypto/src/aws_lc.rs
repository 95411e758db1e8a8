//! The two ML-KEM groups that rustls' own aws-lc-rs provider lacks.
//!
//! **No pqcrypto here:** all of the cryptography in this module is AWS-LC's. With these, the
//! aws-lc-rs provider has every group of draft-ietf-tls-mlkem and RFC 10024.

use aws_lc_rs::kem;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::crypto::{SharedSecret, SupportedKxGroup};
use rustls::{Error, NamedGroup};

use crate::hybrid::Hybrid;
use crate::kem::{Kem, KemGroup};
use crate::{INVALID_KEY_SHARE, SECP384R1MLKEM1024_LAYOUT, SECP384R1MLKEM1024_NAME};

/// ML-KEM-512 (0x0200) from `aws_lc_rs::kem`.
pub static AWS_LC_MLKEM512: &dyn SupportedKxGroup =
    &KemGroup::<MlKem512>::new(NamedGroup::MLKEM512);

/// SecP384r1MLKEM1024 (0x11ED, RFC 10024): rustls' P-384 and ML-KEM-1024 groups put together.
pub static AWS_LC_SECP384R1MLKEM1024: &dyn SupportedKxGroup = &Hybrid::new(
    SECP384R1MLKEM1024_NAME,
    kx_group::SECP384R1,
    kx_group::MLKEM1024,
    SECP384R1MLKEM1024_LAYOUT,
);

#[derive(Debug)]
struct MlKem512;

impl Kem for MlKem512 {
    const ENCAPSULATION_KEY_LEN: usize = 800;
    const CIPHERTEXT_LEN: usize = 768;
    type DecapsulationKey = kem::DecapsulationKey;

    fn generate() -> Result<(Vec<u8>, Self::DecapsulationKey), Error> {
        let failed = |_| Error::General("AWS-LC could not make an ML-KEM-512 key".into());
        let decapsulation_key =
            kem::DecapsulationKey::generate(&kem::ML_KEM_512).map_err(failed)?;
        let encapsulation_key = decapsulation_key
            .encapsulation_key()
            .and_then(|key| key.key_bytes())
            .map_err(failed)?;
        Ok((encapsulation_key.as_ref().to_vec(), decapsulation_key))
    }

    fn encapsulate(encapsulation_key: &[u8]) -> Result<(Vec<u8>, SharedSecret), Error> {
        let encapsulation_key = kem::EncapsulationKey::new(&kem::ML_KEM_512, encapsulation_key)
            .map_err(|_| INVALID_KEY_SHARE)?;
        let (ciphertext, secret) = encapsulation_key
            .encapsulate()
            .map_err(|_| INVALID_KEY_SHARE)?;
        Ok((
            ciphertext.as_ref().to_vec(),
            SharedSecret::from(secret.as_ref()),
        ))
    }

    fn decapsulate(key: Self::DecapsulationKey, ciphertext: &[u8]) -> Result<SharedSecret, Error> {
        let secret = key
            .decapsulate(ciphertext.into())
            .map_err(|_| INVALID_KEY_SHARE)?;
        Ok(SharedSecret::from(secret.as_ref()))
    }
}
