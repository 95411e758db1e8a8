//! ML-KEM (FIPS 203) from `pqcrypto-mlkem`: the C code of PQClean.

use std::hint::black_box;

use pqcrypto_mlkem::{mlkem512, mlkem768, mlkem1024};
use pqcrypto_traits::kem::{
    Ciphertext as _, PublicKey as _, SecretKey, SharedSecret as PqcryptoSharedSecret,
};
use rustls::Error;
use rustls::crypto::SharedSecret;

use crate::INVALID_KEY_SHARE;
use crate::kem::Kem;

/// One parameter set: the three modules have the same functions over different types.
macro_rules! ml_kem {
    ($name:ident, $parameter_set:ident) => {
        #[derive(Debug)]
        pub(crate) struct $name;

        impl Kem for $name {
            const ENCAPSULATION_KEY_LEN: usize = $parameter_set::public_key_bytes();
            const CIPHERTEXT_LEN: usize = $parameter_set::ciphertext_bytes();
            type DecapsulationKey = DecapsulationKey<$parameter_set::SecretKey>;

            fn generate() -> Result<(Vec<u8>, Self::DecapsulationKey), Error> {
                let (encapsulation_key, decapsulation_key) = $parameter_set::keypair();
                let decapsulation_key = DecapsulationKey(Box::new(decapsulation_key));
                Ok((encapsulation_key.as_bytes().to_vec(), decapsulation_key))
            }

            fn encapsulate(encapsulation_key: &[u8]) -> Result<(Vec<u8>, SharedSecret), Error> {
                if !is_reduced(encapsulation_key) {
                    return Err(INVALID_KEY_SHARE);
                }
                let encapsulation_key = $parameter_set::PublicKey::from_bytes(encapsulation_key)
                    .map_err(|_| INVALID_KEY_SHARE)?;
                let (secret, ciphertext) = $parameter_set::encapsulate(&encapsulation_key);
                Ok((ciphertext.as_bytes().to_vec(), into_rustls(secret)))
            }

            fn decapsulate(
                key: Self::DecapsulationKey,
                ciphertext: &[u8],
            ) -> Result<SharedSecret, Error> {
                let ciphertext = $parameter_set::Ciphertext::from_bytes(ciphertext)
                    .map_err(|_| INVALID_KEY_SHARE)?;
                Ok(into_rustls($parameter_set::decapsulate(
                    &ciphertext,
                    &key.0,
                )))
            }
        }
    };
}

ml_kem!(MlKem512, mlkem512);
ml_kem!(MlKem768, mlkem768);
ml_kem!(MlKem1024, mlkem1024);

/// The modulus check of FIPS 203 section 7.2, which PQClean leaves out: every coefficient of an
/// encoded encapsulation key is less than q.
fn is_reduced(encapsulation_key: &[u8]) -> bool {
    const Q: u16 = 3329;
    const SEED_LEN: usize = 32;
    let Some((coefficients, _seed)) = encapsulation_key.split_last_chunk::<SEED_LEN>() else {
        return false;
    };
    // Two 12-bit coefficients in three bytes, least significant bits first (ByteEncode_12).
    coefficients.chunks_exact(3).all(|bytes| {
        let [low, middle, high] = [bytes[0], bytes[1], bytes[2]].map(u16::from);
        (low | (middle & 0x0f) << 8) < Q && (middle >> 4 | high << 4) < Q
    })
}

/// A secret key that overwrites itself.
///
/// The library's types are `Copy` and clear nothing, so copies that it left on the stack stay.
pub(crate) struct DecapsulationKey<S: SecretKey + Copy>(Box<S>);

impl<S: SecretKey + Copy> Drop for DecapsulationKey<S> {
    fn drop(&mut self) {
        if let Ok(zeros) = S::from_bytes(&vec![0; self.0.as_bytes().len()]) {
            *self.0 = zeros;
            // Without a reader the compiler would remove the store.
            black_box(&self.0);
        }
    }
}

/// Hands the secret to a type that clears itself, and overwrites the library's.
fn into_rustls<S: PqcryptoSharedSecret + Copy>(mut secret: S) -> SharedSecret {
    let shared = SharedSecret::from(secret.as_bytes());
    if let Ok(zeros) = S::from_bytes(&vec![0; secret.as_bytes().len()]) {
        secret = zeros;
        black_box(&secret);
    }
    shared
}
