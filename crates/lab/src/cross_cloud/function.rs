//! A function in a cloud: it finds its certificate in the environment and makes one request.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::ClientError;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use pki::CertifiedKey;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use stack::{ClientProfile, Offer, StackError, Trust};
use wire::{NamedGroup, ProtocolVersion};

use super::CrossCloudError;
use super::resolver::Resolver;
use crate::library::library;

/// PKCS#12 in base64: certificate, key and the chain above it.
pub(super) const PFX: &str = "CLIENT_PFX_BASE64";
pub(super) const PASSWORD: &str = "CLIENT_PFX_PASSWORD";
/// The trust anchors of the proxy, in PEM.
pub(super) const ANCHORS: &str = "SERVER_CA_PEM";

/// For all of a request.
const LIMIT: Duration = Duration::from_secs(15);

/// A request to make.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The server's name: looked up, sent as server name, and looked for in its certificate.
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) path: String,
    /// The only group that is offered.
    pub(super) group: String,
    pub(super) resolver: Resolver,
}

/// What a function knows about its request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// What the name meant.
    pub address: Option<String>,
    /// The group that was negotiated; `None` if the function does not know.
    pub group: Option<String>,
    /// The scheme of the proxy's signature, likewise.
    pub proxy_scheme: Option<String>,
    /// The scheme of the function's own signature, likewise.
    pub function_scheme: Option<String>,
    /// Bytes of the handshake that it sent, likewise.
    pub handshake_sent: Option<u64>,
    /// Bytes of the handshake that it received, likewise.
    pub handshake_received: Option<u64>,
    /// The status of the response.
    pub status: Option<u16>,
    /// The alert with which the other side refused, by its IANA number.
    pub alert: Option<u8>,
    /// Whether the function refused the proxy.
    pub is_refusal: bool,
    /// Why there is no response.
    pub error: Option<String>,
}

/// The function's environment.
pub(super) struct Settings {
    pub(super) pfx: Option<String>,
    pub(super) password: String,
    pub(super) anchors: String,
}

impl Settings {
    pub(super) fn from_environment() -> Result<Self, CrossCloudError> {
        let read = |name: &'static str| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(error) => Err(setting(name, error)),
        };
        Ok(Self {
            pfx: read(PFX)?,
            password: read(PASSWORD)?.unwrap_or_default(),
            anchors: read(ANCHORS)?.ok_or_else(|| setting(ANCHORS, "is not set"))?,
        })
    }

    fn anchors(&self) -> Result<Vec<CertificateDer<'static>>, CrossCloudError> {
        pki::certificates_from_pem(self.anchors.as_bytes()).map_err(|error| setting(ANCHORS, error))
    }

    fn identity(&self) -> Result<Option<CertifiedKey>, CrossCloudError> {
        let Some(pfx) = &self.pfx else {
            return Ok(None);
        };
        let der = STANDARD.decode(pfx).map_err(|error| setting(PFX, error))?;
        let opened = KeyStore::from_pkcs12(&der, &self.password, Pkcs12ImportPolicy::Strict)
            .map_err(|error| setting(PFX, error))?;
        let (_, chain) = opened
            .private_key_chain()
            .ok_or_else(|| setting(PFX, "holds no key with a certificate"))?;
        // The root is in the file and not for the wire (RFC 8446 section 4.4.2).
        let sent = chain
            .certs()
            .iter()
            .enumerate()
            .filter(|(at, certificate)| *at == 0 || certificate.subject() != certificate.issuer());
        let chain_pem: String = sent
            .map(|(_, certificate)| pki::certificate_pem(&certificate.as_der().into()))
            .collect();
        let key_pem = pki::encode_pem("PRIVATE KEY", chain.key().as_der());
        CertifiedKey::from_pem(chain_pem.as_bytes(), key_pem.as_bytes())
            .map(Some)
            .map_err(|error| setting(PFX, error))
    }
}

fn setting(name: &'static str, why: impl ToString) -> CrossCloudError {
    CrossCloudError::Setting {
        name,
        why: why.to_string(),
    }
}

/// Makes the request. Whatever comes of it stands in the account.
///
/// # Errors
/// When the settings are not what they should be.
pub(super) async fn call(call: &Call, settings: &Settings) -> Result<Account, CrossCloudError> {
    let group: NamedGroup = call
        .group
        .parse()
        .map_err(|error| tls("the group", error))?;
    let profile = ClientProfile {
        offer: Offer {
            versions: vec![ProtocolVersion::Tls13],
            groups: vec![group],
            ..Offer::default()
        },
        server_name: call.name.clone(),
        trust: Trust::Verify(settings.anchors()?),
        certificate: settings.identity()?,
        resumes: false,
    };
    let stack = library("rustls").ok_or_else(|| tls("the stack", "this build has no rustls"))?;
    let endpoint = stack
        .client(&profile)
        .map_err(|error| tls("the client", error))?;
    let address = match call.resolver.resolve(&call.name).await {
        Ok(addresses) => SocketAddr::new(addresses[0], call.port),
        Err(error) => {
            return Ok(Account {
                error: Some(format!("{}: {error}", call.name)),
                ..Account::default()
            });
        }
    };
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        call.path, call.name
    );
    let inspected = client::inspect(address, &*endpoint, Some(request.as_bytes()), LIMIT).await;
    let mut account = Account {
        address: Some(address.to_string()),
        ..Account::default()
    };
    let failure = match inspected {
        Err(error) => Some(error),
        Ok(inspection) => {
            if let Some(established) = &inspection.established {
                let negotiated = &established.negotiated;
                account.group = negotiated.group.map(|group| group.to_string());
                account.proxy_scheme = negotiated.peer_scheme.map(|scheme| scheme.to_string());
                account.function_scheme = negotiated.own_scheme.map(|scheme| scheme.to_string());
                account.handshake_sent = Some(established.tally.sent);
                account.handshake_received = Some(established.tally.received);
            }
            account.status = inspection
                .response
                .and_then(|response| status(&response.begin));
            inspection.failure
        }
    };
    if let Some(failure) = failure {
        account.alert = match &failure {
            ClientError::Alert { alert, .. } => Some(alert.0),
            _ => None,
        };
        account.is_refusal = matches!(
            &failure,
            ClientError::Verification(StackError::Certificate(_))
        );
        account.error = Some(failure.with_causes());
    }
    Ok(account)
}

fn tls(what: &'static str, error: impl ToString) -> CrossCloudError {
    CrossCloudError::Tls {
        what,
        why: error.to_string(),
    }
}

/// The status of a response that begins like this.
fn status(response: &[u8]) -> Option<u16> {
    let line = response.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pfx: Option<&str>) -> Settings {
        Settings {
            pfx: pfx.map(str::to_owned),
            password: String::new(),
            anchors: String::new(),
        }
    }

    #[test]
    fn settings_that_are_wrong_are_called_by_the_name_of_their_variable() {
        assert!(settings(None).identity().unwrap().is_none());
        for pfx in ["not base64!", "AAAA"] {
            let error = settings(Some(pfx)).identity().unwrap_err().to_string();
            assert!(error.starts_with("CLIENT_PFX_BASE64: "), "{error}");
        }
        let error = settings(None).anchors().unwrap_err().to_string();
        assert!(error.starts_with("SERVER_CA_PEM: "), "{error}");
    }

    #[test]
    fn the_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 204 No Content\r\na: b\r\n"), Some(204));
        assert_eq!(status(b"HTTP/1.1 20"), None);
        assert_eq!(status(b"\xff"), None);
    }
}
