//! Certificate signing requests (RFC 2986).

use openssl::x509::X509Req;
use pki::{Key, PublicKey};
use rcgen::{CertificateParams, PublicKeyData};
use wire::SignatureAlgorithm;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::{CaError, Name, Passphrase, Subject, key};

/// A request whose sender has proven to have the private key.
#[derive(Debug, Clone)]
pub struct Request {
    /// The subject that it asks for, where this program can write one.
    pub subject: Option<Subject>,
    /// The names that it asks for.
    pub names: Vec<Name>,
    /// What it asks for beyond, which it does not get: extensions by their name or number.
    pub ignored: Vec<String>,
    /// Whether it asks to become an authority.
    pub asks_to_be_authority: bool,
    pub(crate) key: PublicKey,
}

/// Why a request can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No PEM block of a request.
    #[error("there is no certificate request in PEM in it (`-----BEGIN CERTIFICATE REQUEST-----`)")]
    NoPem,
    /// The block is no request.
    #[error("the certificate request is damaged: {0}")]
    Damaged(String),
    /// The signature is not by the key of the request.
    #[error(
        "the request's signature does not verify: its sender has not shown to have the private \
         key, or the request was changed on its way"
    )]
    Signature,
    /// A key that is too short or otherwise weak.
    #[error("the key of the request is weak: {0}")]
    WeakKey(String),
    /// A kind of key that this program does not certify.
    #[error(
        "the key of the request is of a kind that is not certified here: {0}; there are RSA with \
         2048, 3072 or 4096 bits, ECDSA P-256 and P-384, Ed25519, and ML-DSA-44, 65 and 87"
    )]
    UnknownKey(String),
    /// A name that can't stand in a certificate.
    #[error("the request asks for a name that can't be certified: {0}")]
    Name(String),
}

impl Request {
    /// Reads a request in PEM and verifies its signature.
    ///
    /// # Errors
    /// When it is none, is not signed by its own key, or has a key that won't do.
    pub fn from_pem(text: &[u8]) -> Result<Self, RequestError> {
        let blocks = pem::parse_many(text).map_err(|_| RequestError::NoPem)?;
        let block = blocks
            .iter()
            .find(|block| {
                matches!(
                    block.tag(),
                    "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST"
                )
            })
            .ok_or(RequestError::NoPem)?;
        Self::from_der(block.contents())
    }

    /// [`Request::from_pem`] for DER.
    ///
    /// # Errors
    /// As there.
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let damaged = |error: &dyn std::fmt::Display| RequestError::Damaged(error.to_string());
        let request = match X509CertificationRequest::from_der(der) {
            Ok(([], request)) => request,
            Ok(_) => return Err(damaged(&"something follows it")),
            Err(error) => return Err(damaged(&error)),
        };
        let info = &request.certification_request_info;
        let key = certifiable(&info.subject_pki)?;
        prove_possession(der)?;
        let mut found = Self {
            subject: pki::distinguished_name(&info.subject).parse().ok(),
            names: Vec::new(),
            ignored: Vec::new(),
            asks_to_be_authority: false,
            key,
        };
        for extension in request.requested_extensions().into_iter().flatten() {
            match extension {
                ParsedExtension::SubjectAlternativeName(names) => {
                    for name in &names.general_names {
                        found.names.push(to_name(name)?);
                    }
                }
                ParsedExtension::BasicConstraints(constraints) => {
                    found.asks_to_be_authority = constraints.ca;
                    found.ignored.push("basicConstraints".to_owned());
                }
                ParsedExtension::KeyUsage(_) => found.ignored.push("keyUsage".to_owned()),
                ParsedExtension::ExtendedKeyUsage(_) => {
                    found.ignored.push("extendedKeyUsage".to_owned());
                }
                ParsedExtension::UnsupportedExtension { oid } => {
                    found.ignored.push(oid.to_id_string());
                }
                _ => found.ignored.push("another extension".to_owned()),
            }
        }
        Ok(found)
    }

    /// The encoded public key (subjectPublicKeyInfo).
    pub fn public_key_info(&self) -> Vec<u8> {
        self.key.subject_public_key_info()
    }

    /// What it asks to have certified.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.key.signature_algorithm()
    }
}

/// The public exponent below which padding mistakes turn into forgeries; NIST SP 800-56B
/// section 6.2 asks for at least 65537.
const MIN_EXPONENT: u32 = 65_537;

fn certifiable(
    spki: &x509_parser::x509::SubjectPublicKeyInfo<'_>,
) -> Result<PublicKey, RequestError> {
    use x509_parser::public_key::PublicKey as Parsed;
    if let Ok(Parsed::RSA(rsa)) = spki.parsed() {
        let bits = rsa.key_size();
        if bits < 2048 {
            return Err(RequestError::WeakKey(format!("RSA with {bits} bits")));
        }
        let exponent = rsa.try_exponent().unwrap_or(u64::MAX);
        if exponent < MIN_EXPONENT.into() || exponent % 2 == 0 {
            let why = format!("RSA with the exponent {exponent}");
            return Err(RequestError::WeakKey(why));
        }
    }
    PublicKey::from_spki(spki)
        .ok_or_else(|| RequestError::UnknownKey(spki.algorithm.algorithm.to_id_string()))
}

/// By OpenSSL, which knows every signature that a tool may have made.
fn prove_possession(der: &[u8]) -> Result<(), RequestError> {
    let damaged = |error: openssl::error::ErrorStack| RequestError::Damaged(error.to_string());
    let request = X509Req::from_der(der).map_err(damaged)?;
    let key = request.public_key().map_err(damaged)?;
    match request.verify(&key) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(RequestError::Signature),
    }
}

fn to_name(name: &GeneralName<'_>) -> Result<Name, RequestError> {
    let text = match name {
        GeneralName::DNSName(name) => format!("dns:{name}"),
        GeneralName::RFC822Name(name) => format!("email:{name}"),
        GeneralName::URI(name) => format!("uri:{name}"),
        GeneralName::IPAddress(bytes) => {
            let address = pki::ip_address(bytes);
            let address = address.ok_or_else(|| RequestError::Name(format!("{bytes:02x?}")))?;
            return Ok(Name::Ip(address));
        }
        other => return Err(RequestError::Name(format!("{other:?}"))),
    };
    text.parse()
        .map_err(|error: crate::NameError| RequestError::Name(error.to_string()))
}

/// A key and a request for its certificate, made outside of any store.
#[derive(Debug)]
pub struct NewRequest {
    /// The private key in PEM, encrypted if a passphrase was given.
    pub key: Zeroizing<String>,
    /// The request in PEM.
    pub request: String,
}

/// Makes a key, and a request for names that goes to an authority anywhere.
///
/// # Errors
/// Without names, and when the library fails.
pub fn new_request(
    algorithm: SignatureAlgorithm,
    subject: Option<&Subject>,
    names: &[Name],
    passphrase: Option<&Passphrase>,
) -> Result<NewRequest, CaError> {
    let first = names.first().ok_or(CaError::NoNames)?;
    let private =
        Key::generate(algorithm).map_err(|error| CaError::Generate { what: "key", error })?;
    let own = Subject::of_name(first);
    let request = request_pem(&private, subject.unwrap_or(&own), names)?;
    let key = key::to_pem(private.pkcs8(), passphrase)?;
    Ok(NewRequest { key, request })
}

pub(crate) fn request_pem(
    private: &Key,
    subject: &Subject,
    names: &[Name],
) -> Result<String, CaError> {
    let failed = |error| CaError::Generate {
        what: "certificate request",
        error,
    };
    let mut params = CertificateParams::default();
    params.distinguished_name = subject.to_distinguished_name();
    let names: Result<_, _> = names.iter().map(Name::to_san).collect();
    params.subject_alt_names = names.map_err(failed)?;
    let request = params.serialize_request(private).map_err(failed)?;
    Ok(pki::encode_pem("CERTIFICATE REQUEST", request.der()))
}
