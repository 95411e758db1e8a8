//! Certificates made for the occasion.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{CertificateParams, KeyPair, RsaKeySize, SignatureAlgorithm};

/// A self-signed certificate for `localhost`, and its key.
pub(crate) struct Identity {
    pub(crate) certificate: Vec<u8>,
    /// PKCS #8.
    pub(crate) key: Vec<u8>,
}

impl Identity {
    pub(crate) fn new(algorithm: &'static SignatureAlgorithm) -> Self {
        Self::of(&KeyPair::generate_for(algorithm).unwrap())
    }

    pub(crate) fn ecdsa() -> Self {
        Self::new(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    pub(crate) fn rsa() -> Self {
        let algorithm = &rcgen::PKCS_RSA_SHA256;
        Self::of(&KeyPair::generate_rsa_for(algorithm, RsaKeySize::_2048).unwrap())
    }

    fn of(key: &KeyPair) -> Self {
        let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        Self {
            certificate: parameters.self_signed(key).unwrap().der().to_vec(),
            key: key.serialize_der(),
        }
    }

    /// Writes both in PEM, and tells where.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> Files {
        let write = |end: &str, label: &str, der: &[u8]| {
            let path = folder.join(format!("{name}.{end}"));
            std::fs::write(&path, pem(label, der)).unwrap();
            path
        };
        Files {
            certificate: write("crt", "CERTIFICATE", &self.certificate),
            key: write("key", "PRIVATE KEY", &self.key),
        }
    }
}

/// An [`Identity`] in two files.
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let body = lines.join("\n");
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}
