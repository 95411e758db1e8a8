//! Certificate signing requests (RFC 2986).

use openssl::asn1::Asn1Object;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::X509Req;
use pki::{Key, PublicKey};
use rcgen::{CertificateParams, PublicKeyData};
use wire::SignatureAlgorithm;
use x509_parser::asn1_rs::Tag;
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;
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
    /// Something else in the place of a request.
    #[error("this is {0}, not a certificate request")]
    Other(String),
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
    /// A point of a curve in a form that verifiers do not read.
    #[error(
        "the key of the request is a compressed point, which many TLS libraries do not read: have \
         it encoded uncompressed (RFC 5480 section 2.2)"
    )]
    CompressedPoint,
    /// A name that can't stand in a certificate.
    #[error("the request asks for a name that can't be certified: {0}")]
    Name(String),
}

impl Request {
    /// [`Request::from_pem`] or [`Request::from_der`], as it is.
    ///
    /// # Errors
    /// As there.
    pub fn read(bytes: &[u8]) -> Result<Self, RequestError> {
        match bytes.first() {
            // What DER has of these begins with a SEQUENCE (X.690 section 8.9), and PEM with
            // text.
            Some(0x30) => Self::from_der(bytes),
            _ => Self::from_pem(bytes),
        }
    }

    /// Reads a request in PEM and verifies its signature.
    ///
    /// # Errors
    /// When it is none, is not signed by its own key, or has a key that won't do.
    pub fn from_pem(text: &[u8]) -> Result<Self, RequestError> {
        let blocks = pem::parse_many(text).map_err(|_| RequestError::NoPem)?;
        let is_request = |block: &&pem::Pem| {
            matches!(
                block.tag(),
                "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST"
            )
        };
        match (blocks.iter().find(is_request), blocks.first()) {
            (Some(block), _) => Self::from_der(block.contents()),
            (None, Some(other)) => Err(RequestError::Other(labelled(other.tag()))),
            (None, None) => Err(RequestError::NoPem),
        }
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
            Err(error) => {
                return Err(match in_its_place(der) {
                    Some(what) => RequestError::Other(what.to_owned()),
                    None => damaged(&error),
                });
            }
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

/// A private key went where a request should have gone: it must go nowhere.
const PRIVATE_KEY: &str = "a private key, which nobody else needs (`openssl req -new -key` makes a \
                           request of it)";

/// What a block of PEM with this label is (RFC 7468).
fn labelled(label: &str) -> String {
    match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => "a certificate".to_owned(),
        "X509 CRL" => "a revocation list".to_owned(),
        "PUBLIC KEY" => "a public key alone".to_owned(),
        label if label.ends_with("PRIVATE KEY") => PRIVATE_KEY.to_owned(),
        label => format!("PEM of the kind {label:?}"),
    }
}

/// What DER is that is no request, where it is something that is easily taken for one.
fn in_its_place(der: &[u8]) -> Option<&'static str> {
    if X509Certificate::from_der(der).is_ok() {
        return Some("a certificate");
    }
    let is_key = pkcs8::EncryptedPrivateKeyInfoRef::try_from(der).is_ok()
        || PKey::private_key_from_der(der).is_ok();
    is_key.then_some(PRIVATE_KEY)
}

fn certifiable(spki: &SubjectPublicKeyInfo<'_>) -> Result<PublicKey, RequestError> {
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
    let key =
        PublicKey::from_spki(spki).ok_or_else(|| RequestError::UnknownKey(kind_of_key(spki)))?;
    // SEC 1 section 2.3.3: 2 or 3 and one coordinate. Support for it is optional (RFC 5480
    // section 2.2), and Go, Java and ring have none.
    let is_compressed = matches!(spki.subject_public_key.data.first(), Some(2 | 3));
    match key.signature_algorithm() {
        SignatureAlgorithm::EcdsaP256 | SignatureAlgorithm::EcdsaP384 if is_compressed => {
            Err(RequestError::CompressedPoint)
        }
        _ => Ok(key),
    }
}

/// The number of id-ecPublicKey (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";

/// A kind of key by the name of its algorithm or curve, and by its number.
fn kind_of_key(spki: &SubjectPublicKeyInfo<'_>) -> String {
    use x509_parser::public_key::PublicKey as Parsed;
    let number = spki.algorithm.algorithm.to_id_string();
    if let Ok(Parsed::RSA(rsa)) = spki.parsed() {
        return format!("RSA with {} bits", rsa.key_size());
    }
    if number != EC_PUBLIC_KEY {
        return named(&number);
    }
    match &spki.algorithm.parameters {
        Some(curve) if curve.tag() == Tag::Oid => match curve.as_oid() {
            Ok(curve) => format!("ECDSA on {}", named(&curve.to_id_string())),
            Err(_) => "ECDSA on a curve whose name can't be read".to_owned(),
        },
        // RFC 5480 section 2.1.1 wants the name.
        Some(_) => "ECDSA on a curve that is spelt out and not named".to_owned(),
        None => "ECDSA without a curve".to_owned(),
    }
}

/// As OpenSSL calls it, and as NIST does where that is better known.
fn named(number: &str) -> String {
    let nid = Asn1Object::from_str(number).map(|object| object.nid());
    let name = nid.ok().and_then(|nid| match nid {
        Nid::UNDEF => None,
        Nid::SECP521R1 => Some("P-521"),
        Nid::SECP224R1 => Some("P-224"),
        Nid::X9_62_PRIME192V1 => Some("P-192"),
        nid => nid.short_name().ok(),
    });
    match name {
        Some(name) => format!("{name} ({number})"),
        None => number.to_owned(),
    }
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
