//! The verdict of the verifiers that rustls brings.

use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, Error, RootCertStore};

use super::AWS_LC;
use crate::judge::{PeerName, Purpose, Question, Refusal};

pub(crate) fn judge(question: &Question<'_>) -> Result<(), Refusal> {
    let Some((end_entity, intermediates)) = question.chain.split_first() else {
        return Err(refusal(&Error::NoCertificatesPresented));
    };
    let mut roots = RootCertStore::empty();
    for root in question.roots {
        roots.add(root.clone()).map_err(|error| refusal(&error))?;
    }
    let (roots, provider) = (Arc::new(roots), Arc::new(AWS_LC.provider()));
    let crls = question.crls.iter().cloned();
    let since = question.at.duration_since(SystemTime::UNIX_EPOCH);
    let now = UnixTime::since_unix_epoch(since.unwrap_or_default());
    match question.purpose {
        Purpose::Server(name) => {
            let mut builder = WebPkiServerVerifier::builder_with_provider(roots, provider);
            if !question.crls.is_empty() {
                builder = builder
                    .with_crls(crls)
                    .only_check_end_entity_revocation()
                    .enforce_revocation_expiration();
            }
            let verifier = builder.build().map_err(|error| set_up(&error))?;
            let name = match name {
                PeerName::Ip(address) => ServerName::from(*address),
                PeerName::Dns(name) => ServerName::try_from(name.as_str())
                    .map_err(|_| refusal(&CertificateError::NotValidForName.into()))?,
            };
            verifier
                .verify_server_cert(end_entity, intermediates, &name, &[], now)
                .map(|_| ())
        }
        Purpose::Client => {
            let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider);
            if !question.crls.is_empty() {
                builder = builder
                    .with_crls(crls)
                    .only_check_end_entity_revocation()
                    .enforce_revocation_expiration();
            }
            let verifier = builder.build().map_err(|error| set_up(&error))?;
            verifier
                .verify_client_cert(end_entity, intermediates, now)
                .map(|_| ())
        }
    }
    .map_err(|error| refusal(&error))
}

/// The verifier itself refuses: no anchor, or a list that it can't read.
fn set_up(error: &dyn std::error::Error) -> Refusal {
    Refusal {
        code: "VerifierBuilderError".to_owned(),
        text: error.to_string(),
    }
}

/// The code is the variant's name, which `Debug` begins with.
fn refusal(error: &Error) -> Refusal {
    let debug = match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => format!("{:?}", other.0),
        Error::InvalidCertificate(error) => format!("{error:?}"),
        other => format!("{other:?}"),
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = debug.find(|c| !is_word(c)).unwrap_or(debug.len());
    Refusal {
        code: debug[..end].to_owned(),
        text: match error {
            Error::InvalidCertificate(error) => error.to_string(),
            other => other.to_string(),
        },
    }
}
