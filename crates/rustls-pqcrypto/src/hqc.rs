//! HQC (draft of FIPS 207) from `hqc-kem`.

use hqc_kem::hqc128;
use rustls::Error;
use rustls::crypto::SharedSecret;
use zeroize::Zeroizing;

use crate::INVALID_KEY_SHARE;
use crate::kem::Kem;

#[derive(Debug)]
pub(crate) struct Hqc128;

impl Kem for Hqc128 {
    const ENCAPSULATION_KEY_LEN: usize = hqc128::PUBLIC_KEY_SIZE;
    const CIPHERTEXT_LEN: usize = hqc128::CIPHERTEXT_SIZE;
    type DecapsulationKey = Box<hqc128::DecapsulationKey>;

    fn generate() -> Result<(Vec<u8>, Self::DecapsulationKey), Error> {
        let (encapsulation_key, decapsulation_key) =
            hqc128::generate_key_deterministic(&*random::<32>()?);
        Ok((
            encapsulation_key.as_ref().to_vec(),
            Box::new(decapsulation_key),
        ))
    }

    fn encapsulate(encapsulation_key: &[u8]) -> Result<(Vec<u8>, SharedSecret), Error> {
        let encapsulation_key =
            hqc128::EncapsulationKey::try_from(encapsulation_key).map_err(|_| INVALID_KEY_SHARE)?;
        let message = random::<{ hqc128::MESSAGE_SIZE }>()?;
        let salt = random::<{ hqc128::SALT_SIZE }>()?;
        let (ciphertext, secret) = encapsulation_key
            .encapsulate_deterministic(&*message, &salt)
            .map_err(|error| Error::General(format!("HQC-128 encapsulation: {error}")))?;
        Ok((
            ciphertext.as_ref().to_vec(),
            SharedSecret::from(secret.as_ref()),
        ))
    }

    fn decapsulate(key: Self::DecapsulationKey, ciphertext: &[u8]) -> Result<SharedSecret, Error> {
        let ciphertext = hqc128::Ciphertext::try_from(ciphertext).map_err(|_| INVALID_KEY_SHARE)?;
        Ok(SharedSecret::from(key.decapsulate(&ciphertext).as_ref()))
    }
}

/// Bytes from the operating system, for the library's derandomised functions: its randomised
/// ones have no way to report that the source failed.
fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|_| Error::FailedToGetRandomBytes)?;
    Ok(bytes)
}
