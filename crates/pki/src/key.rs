//! Private keys, and which algorithm a public key belongs to.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair,
    PqdsaSigningAlgorithm, RsaKeyPair,
};
use rcgen::{KeyPair, PublicKeyData, RsaKeySize, SigningKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use wire::SignatureAlgorithm;
use x509_parser::public_key::PublicKey as ParsedKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// A private key that signs certificates, and can be written and read back.
///
/// rcgen's own `KeyPair` cannot reload an ML-DSA key, and writes Ed25519 keys in PKCS#8
/// version 2, which OpenSSL 3.0 does not read. So every key enters through
/// [`Key::from_pkcs8`], whether generated or read.
pub struct Key {
    signer: Signer,
    pkcs8: PrivatePkcs8KeyDer<'static>,
}

enum Signer {
    Classical(KeyPair),
    MlDsa(PqdsaKeyPair, &'static rcgen::SignatureAlgorithm),
}

impl Key {
    /// Makes a key from the library's random generator. RSA-4096 takes seconds.
    ///
    /// # Errors
    /// When the library fails.
    pub fn generate(algorithm: SignatureAlgorithm) -> Result<Self, rcgen::Error> {
        use SignatureAlgorithm as A;
        let certificate_algorithm = certificate_algorithm(algorithm);
        let rsa = |size| KeyPair::generate_rsa_for(certificate_algorithm, size);
        let key = match algorithm {
            A::Rsa2048 => rsa(RsaKeySize::_2048)?,
            A::Rsa3072 => rsa(RsaKeySize::_3072)?,
            A::Rsa4096 => rsa(RsaKeySize::_4096)?,
            A::EcdsaP256 | A::EcdsaP384 | A::Ed25519 | A::MlDsa44 | A::MlDsa65 | A::MlDsa87 => {
                KeyPair::generate_for(certificate_algorithm)?
            }
        };
        Self::from_pkcs8(algorithm, &key.serialize_der().into())
    }

    /// Reads a key of either version of PKCS#8.
    ///
    /// # Errors
    /// When it is damaged, or of another algorithm.
    pub fn from_pkcs8(
        algorithm: SignatureAlgorithm,
        pkcs8: &PrivatePkcs8KeyDer<'_>,
    ) -> Result<Self, rcgen::Error> {
        let pkcs8 = version_1(algorithm, pkcs8.secret_pkcs8_der())?;
        let certificate_algorithm = certificate_algorithm(algorithm);
        let signer = match ml_dsa(algorithm) {
            Some(ml_dsa) => {
                let key =
                    PqdsaKeyPair::from_pkcs8(ml_dsa, pkcs8.secret_pkcs8_der()).map_err(rejected)?;
                Signer::MlDsa(key, certificate_algorithm)
            }
            // The algorithm is named because rcgen would guess a digest for RSA.
            None => Signer::Classical(KeyPair::from_pkcs8_der_and_sign_algo(
                &pkcs8,
                certificate_algorithm,
            )?),
        };
        Ok(Self { signer, pkcs8 })
    }

    /// The key in its one form: PKCS#8 version 1, an ML-DSA key as its seed alone.
    pub const fn pkcs8(&self) -> &PrivatePkcs8KeyDer<'static> {
        &self.pkcs8
    }

    /// [`Key::pkcs8`], owned.
    pub fn into_pkcs8(self) -> PrivatePkcs8KeyDer<'static> {
        self.pkcs8
    }
}

/// `Debug` does not reveal the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        match &self.signer {
            Signer::Classical(key) => key.der_bytes(),
            Signer::MlDsa(key, _) => key.public_key().as_ref(),
        }
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        match &self.signer {
            Signer::Classical(key) => key.algorithm(),
            Signer::MlDsa(_, algorithm) => algorithm,
        }
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match &self.signer {
            Signer::Classical(key) => key.sign(message),
            Signer::MlDsa(key, _) => {
                let mut signature = vec![0; key.algorithm().signature_len()];
                key.sign(message, &mut signature)
                    .map_err(|_| rcgen::Error::RingUnspecified)?;
                Ok(signature)
            }
        }
    }
}

/// Writes a key anew as PKCS#8 version 1, without attributes, public key or trailing bytes:
/// readers differ in which of those they tolerate.
fn version_1(
    algorithm: SignatureAlgorithm,
    pkcs8: &[u8],
) -> Result<PrivatePkcs8KeyDer<'static>, rcgen::Error> {
    use SignatureAlgorithm as A;
    let ecdsa = |curve| EcdsaKeyPair::from_pkcs8(curve, pkcs8).map(|key| key.to_pkcs8v1());
    let ml_dsa = |set| PqdsaKeyPair::from_pkcs8(set, pkcs8).map(|key| key.to_pkcs8v1());
    let written = match algorithm {
        A::Rsa2048 | A::Rsa3072 | A::Rsa4096 => {
            let written = RsaKeyPair::from_pkcs8(pkcs8).map_err(rejected)?.as_der();
            let der = written.map_err(|_| rcgen::Error::RingUnspecified)?;
            return Ok(der.as_ref().to_vec().into());
        }
        A::EcdsaP256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
        A::EcdsaP384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
        A::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map(|key| key.to_pkcs8v1()),
        A::MlDsa44 => ml_dsa(&ML_DSA_44_SIGNING),
        A::MlDsa65 => ml_dsa(&ML_DSA_65_SIGNING),
        A::MlDsa87 => ml_dsa(&ML_DSA_87_SIGNING),
    };
    let document = written
        .map_err(rejected)?
        .map_err(|_| rcgen::Error::RingUnspecified)?;
    Ok(document.as_ref().to_vec().into())
}

fn rejected(error: KeyRejected) -> rcgen::Error {
    rcgen::Error::RingKeyRejected(error.to_string())
}

/// How a key of this algorithm signs certificates, and names itself in them. Agrees with
/// `SignatureAlgorithmFacts::certificate_scheme`.
fn certificate_algorithm(algorithm: SignatureAlgorithm) -> &'static rcgen::SignatureAlgorithm {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Rsa2048 | A::Rsa3072 | A::Rsa4096 => &rcgen::PKCS_RSA_SHA256,
        A::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        A::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
        A::Ed25519 => &rcgen::PKCS_ED25519,
        A::MlDsa44 => &rcgen::PKCS_ML_DSA_44,
        A::MlDsa65 => &rcgen::PKCS_ML_DSA_65,
        A::MlDsa87 => &rcgen::PKCS_ML_DSA_87,
    }
}

fn ml_dsa(algorithm: SignatureAlgorithm) -> Option<&'static PqdsaSigningAlgorithm> {
    match algorithm {
        SignatureAlgorithm::MlDsa44 => Some(&ML_DSA_44_SIGNING),
        SignatureAlgorithm::MlDsa65 => Some(&ML_DSA_65_SIGNING),
        SignatureAlgorithm::MlDsa87 => Some(&ML_DSA_87_SIGNING),
        _ => None,
    }
}

/// A public key that certificates can be issued for: somebody else has the private one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: SignatureAlgorithm,
    bits: Vec<u8>,
}

impl PublicKey {
    /// Takes the key of a certificate or a request; `None` if it is not of an algorithm of
    /// [`SignatureAlgorithm`].
    pub fn from_spki(key: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        Some(Self {
            algorithm: public_key_algorithm(key)?,
            bits: key.subject_public_key.data.to_vec(),
        })
    }

    /// What it verifies.
    pub const fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        certificate_algorithm(self.algorithm)
    }
}

/// The algorithm and size of a certificate's public key, if it is one of ours.
///
/// Object identifiers: RFC 3279, RFC 5480, RFC 8410, RFC 9881.
pub(crate) fn public_key_algorithm(key: &SubjectPublicKeyInfo<'_>) -> Option<SignatureAlgorithm> {
    use SignatureAlgorithm as A;
    match key.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => {
            let Ok(ParsedKey::RSA(rsa)) = key.parsed() else {
                return None;
            };
            A::ALL
                .into_iter()
                .find(|a| a.rsa_bits().map(usize::from) == Some(rsa.key_size()))
        }
        "1.2.840.10045.2.1" => {
            let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
            match curve.to_id_string().as_str() {
                "1.2.840.10045.3.1.7" => Some(A::EcdsaP256),
                "1.3.132.0.34" => Some(A::EcdsaP384),
                _ => None,
            }
        }
        "1.3.101.112" => Some(A::Ed25519),
        "2.16.840.1.101.3.4.3.17" => Some(A::MlDsa44),
        "2.16.840.1.101.3.4.3.18" => Some(A::MlDsa65),
        "2.16.840.1.101.3.4.3.19" => Some(A::MlDsa87),
        _ => None,
    }
}
