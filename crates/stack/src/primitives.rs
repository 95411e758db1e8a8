//! Cryptographic operations alone, as the stacks call them: through rustls' provider
//! objects, and for RSA key transport through OpenSSL.

use std::time::{Duration, Instant};

use experiment::{PrimitiveOperation, StackName};
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{Signer, Verifier};
use pki::{Cache, Identity, Role};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use wire::{ChainAlgorithms, NamedGroup, SignatureAlgorithm};

use crate::StackError;
use crate::rustls_stack::{self, RustlsStack};

/// A prepared operation: each call performs it once and gives the time of it alone,
/// without the making of fresh inputs.
pub type Operation = Box<dyn FnMut() -> Result<Duration, StackError> + Send>;

/// Libraries whose primitives can be measured.
pub const PROVIDERS: &[&str] = &[
    "aws-lc-rs",
    "pqcrypto",
    "openssl",
    #[cfg(feature = "graviola")]
    "graviola",
];

/// Bytes that a signature covers: what CertificateVerify is computed over with a
/// 48-byte transcript hash (RFC 8446 section 4.4.3).
const SIGNED: [u8; 64 + 33 + 1 + 48] = [0x20; 146];

/// Prepares an operation; keys of certificates come from the cache.
///
/// # Errors
/// When the provider is unknown, or does not have the operation.
pub fn prepare(
    provider: &StackName,
    operation: PrimitiveOperation,
    cache: &Cache,
) -> Result<Operation, StackError> {
    let stack = match provider.as_str() {
        "aws-lc-rs" => &rustls_stack::AWS_LC,
        "pqcrypto" => &rustls_stack::PQCRYPTO,
        "openssl" => &rustls_stack::OPENSSL,
        #[cfg(feature = "graviola")]
        "graviola" => &rustls_stack::GRAVIOLA,
        _ => return Err(lacks(provider, operation)),
    };
    let provider_of = stack.provider();
    let missing = || lacks(provider, operation);
    match operation {
        PrimitiveOperation::GenerateShare(group) => {
            let group = stack.group(&provider_of, group).ok_or_else(missing)?;
            Ok(Box::new(move || timed(|| group.start().map(drop))))
        }
        PrimitiveOperation::Encapsulate(group) => {
            encapsulate(stack, &provider_of, group).ok_or_else(missing)
        }
        PrimitiveOperation::Decapsulate(group) => {
            decapsulate(stack, &provider_of, group).ok_or_else(missing)
        }
        // Its signatures are those of another library, which is measured under its name.
        PrimitiveOperation::Sign(_) | PrimitiveOperation::Verify(_)
            if provider.as_str() == "pqcrypto" =>
        {
            Err(missing())
        }
        // rustls' provider of OpenSSL has no ML-DSA; OpenSSL itself has.
        PrimitiveOperation::Sign(algorithm) if is_ml_dsa_of_openssl(provider, algorithm) => {
            openssl_sign(&identity(algorithm, cache)?)
        }
        PrimitiveOperation::Verify(algorithm) if is_ml_dsa_of_openssl(provider, algorithm) => {
            openssl_verify(&identity(algorithm, cache)?)
        }
        PrimitiveOperation::Sign(algorithm) => {
            let key = identity(algorithm, cache)?;
            sign(&provider_of, algorithm, &key).ok_or_else(missing)
        }
        PrimitiveOperation::Verify(algorithm) => {
            let key = identity(algorithm, cache)?;
            verify(provider_of, algorithm, key).ok_or_else(missing)
        }
        PrimitiveOperation::Encrypt(algorithm) | PrimitiveOperation::Decrypt(algorithm)
            if provider.as_str() == "openssl" && algorithm.rsa_bits().is_some() =>
        {
            let identity = identity(algorithm, cache)?;
            let key = openssl_key(&identity)?.rsa().map_err(failed)?;
            let is_encryption = matches!(operation, PrimitiveOperation::Encrypt(_));
            if is_encryption {
                encrypt(&key)
            } else {
                decrypt(key)
            }
        }
        PrimitiveOperation::Encrypt(_) | PrimitiveOperation::Decrypt(_) => Err(missing()),
    }
}

fn lacks(provider: &StackName, operation: PrimitiveOperation) -> StackError {
    StackError::Setup {
        what: "a primitive",
        message: format!(
            "{provider} does not have {} with {}",
            operation.name(),
            operation.algorithm()
        ),
    }
}

fn failed(error: impl ToString) -> StackError {
    StackError::Library(error.to_string())
}

fn timed<E: ToString>(work: impl FnOnce() -> Result<(), E>) -> Result<Duration, StackError> {
    let start = Instant::now();
    let result = work();
    let elapsed = start.elapsed();
    result.map(|()| elapsed).map_err(failed)
}

fn encapsulate(
    stack: &RustlsStack,
    provider: &CryptoProvider,
    group: NamedGroup,
) -> Option<Operation> {
    let group: &'static dyn SupportedKxGroup = stack.group(provider, group)?;
    Some(Box::new(move || {
        let client = group.start().map_err(failed)?;
        timed(|| group.start_and_complete(client.pub_key()).map(drop))
    }))
}

fn decapsulate(
    stack: &RustlsStack,
    provider: &CryptoProvider,
    group: NamedGroup,
) -> Option<Operation> {
    let group: &'static dyn SupportedKxGroup = stack.group(provider, group)?;
    Some(Box::new(move || {
        let client = group.start().map_err(failed)?;
        let server = group.start_and_complete(client.pub_key()).map_err(failed)?;
        timed(|| client.complete(&server.pub_key).map(drop))
    }))
}

fn identity(algorithm: SignatureAlgorithm, cache: &Cache) -> Result<Identity, StackError> {
    cache
        .identity(ChainAlgorithms::uniform(algorithm), Role::Server)
        .map_err(failed)
}

fn sign(
    provider: &CryptoProvider,
    algorithm: SignatureAlgorithm,
    identity: &Identity,
) -> Option<Operation> {
    let key = provider
        .key_provider
        .load_private_key(identity.key().clone_key())
        .ok()?;
    let signer = key.choose_scheme(&[algorithm.facts().scheme.0.into()])?;
    Some(Box::new(move || timed(|| signer.sign(&SIGNED).map(drop))))
}

fn verify(
    provider: CryptoProvider,
    algorithm: SignatureAlgorithm,
    identity: Identity,
) -> Option<Operation> {
    let key = provider
        .key_provider
        .load_private_key(identity.key().clone_key())
        .ok()?;
    let scheme = algorithm.facts().scheme.0.into();
    let signature = key.choose_scheme(&[scheme])?.sign(&SIGNED).ok()?;
    let mut mapping = provider.signature_verification_algorithms.mapping.iter();
    let verifier = mapping
        .find(|(known, _)| *known == scheme)?
        .1
        .first()
        .copied()?;
    Some(Box::new(move || {
        let certificate = identity
            .chain()
            .first()
            .ok_or_else(|| failed("an empty chain"))?;
        let certificate = webpki::EndEntityCert::try_from(certificate).map_err(failed)?;
        timed(|| certificate.verify_signature(verifier, &SIGNED, &signature))
    }))
}

fn is_ml_dsa_of_openssl(provider: &StackName, algorithm: SignatureAlgorithm) -> bool {
    provider.as_str() == "openssl" && algorithm.facts().post_quantum
}

fn openssl_key(identity: &Identity) -> Result<PKey<Private>, StackError> {
    PKey::private_key_from_der(identity.key().secret_der()).map_err(failed)
}

fn openssl_sign(identity: &Identity) -> Result<Operation, StackError> {
    let key = openssl_key(identity)?;
    Ok(Box::new(move || {
        timed(|| {
            Signer::new_without_digest(&key)
                .and_then(|mut signer| signer.sign_oneshot_to_vec(&SIGNED).map(drop))
        })
    }))
}

fn openssl_verify(identity: &Identity) -> Result<Operation, StackError> {
    let key = openssl_key(identity)?;
    let signature = Signer::new_without_digest(&key)
        .and_then(|mut signer| signer.sign_oneshot_to_vec(&SIGNED))
        .map_err(failed)?;
    Ok(Box::new(move || {
        timed(|| {
            let is_valid = Verifier::new_without_digest(&key)
                .and_then(|mut verifier| verifier.verify_oneshot(&signature, &SIGNED));
            match is_valid {
                Ok(true) => Ok(()),
                Ok(false) => Err("the signature is refused".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
    }))
}

/// What static RSA encrypts: a premaster secret (RFC 5246 section 7.4.7.1).
const PREMASTER: [u8; 48] = [3; 48];

fn encrypt(key: &Rsa<Private>) -> Result<Operation, StackError> {
    let public = Rsa::public_key_from_der(&key.public_key_to_der().map_err(failed)?);
    let public = public.map_err(failed)?;
    let mut ciphertext = vec![0; public.size() as usize];
    Ok(Box::new(move || {
        timed(|| {
            public
                .public_encrypt(&PREMASTER, &mut ciphertext, Padding::PKCS1)
                .map(drop)
        })
    }))
}

fn decrypt(key: Rsa<Private>) -> Result<Operation, StackError> {
    let mut ciphertext = vec![0; key.size() as usize];
    key.public_encrypt(&PREMASTER, &mut ciphertext, Padding::PKCS1)
        .map_err(failed)?;
    let mut plaintext = vec![0; key.size() as usize];
    Ok(Box::new(move || {
        timed(|| {
            key.private_decrypt(&ciphertext, &mut plaintext, Padding::PKCS1)
                .map(drop)
        })
    }))
}
