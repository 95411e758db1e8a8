//! Client, server and attacker, set up.

use pki::{CertifiedKey, Role};
use rustls_pki_types::CertificateDer;
use stack::{ClientAuthentication, ClientProfile, Endpoint, Offer, ServerProfile, TlsStack, Trust};
use wire::{NamedGroup, ProtocolVersion};

use super::MitmError;
use super::certificates::Authority;
use crate::library::library;

/// The server's name, which resolves nowhere (RFC 6761 section 6.2).
pub(super) const NAME: &str = "shop.pqlab.test";
/// The name in the client's certificate.
const CLIENT: &str = "alice.pqlab.test";
/// The name of the authority that everybody trusts.
pub(super) const AUTHORITY: &str = "Honest Root CA";

/// Groups that client and server have, the most wanted first.
pub(super) const GROUPS: [NamedGroup; 2] = [NamedGroup::X25519MLKEM768, NamedGroup::X25519];

/// The stacks and the real certificates.
pub(super) struct Parties {
    honest: &'static dyn TlsStack,
    attacker: &'static dyn TlsStack,
    authority: Authority,
    server: CertifiedKey,
}

impl Parties {
    pub(super) fn new(honest: &'static dyn TlsStack) -> Result<Self, MitmError> {
        let authority = Authority::new(AUTHORITY)?;
        Ok(Self {
            honest,
            // The one stack that takes a key whose halves do not belong together.
            attacker: library("openssl").ok_or(MitmError::NoAttacker)?,
            server: authority.issue(NAME, Role::Server)?,
            authority,
        })
    }

    pub(super) fn root(&self) -> CertificateDer<'static> {
        self.authority.certificate()
    }

    /// A client's certificate of the real authority.
    pub(super) fn client_certificate(&self) -> Result<CertifiedKey, MitmError> {
        self.authority.issue(CLIENT, Role::Client)
    }

    /// A client that verifies.
    pub(super) fn client(&self) -> Result<Box<dyn Endpoint>, MitmError> {
        self.client_with(Trust::Verify(vec![self.root()]), None, &GROUPS)
    }

    pub(super) fn client_with(
        &self,
        trust: Trust,
        certificate: Option<CertifiedKey>,
        groups: &[NamedGroup],
    ) -> Result<Box<dyn Endpoint>, MitmError> {
        let profile = client(trust, certificate, groups);
        Ok(self.honest.client(&profile)?)
    }

    pub(super) fn server(&self) -> Result<Box<dyn Endpoint>, MitmError> {
        Ok(self.honest.server(&server(&self.server, None))?)
    }

    /// A server that takes no client without a certificate of the real authority.
    pub(super) fn demanding_server(&self) -> Result<Box<dyn Endpoint>, MitmError> {
        let profile = server(&self.server, Some(self.client_authentication(true)));
        Ok(self.honest.server(&profile)?)
    }

    /// The attacker as the server that it is not.
    pub(super) fn false_server(
        &self,
        shown: &CertifiedKey,
    ) -> Result<Box<dyn Endpoint>, MitmError> {
        Ok(self.attacker.server(&server(shown, None))?)
    }

    /// The same, and it asks for a client certificate.
    pub(super) fn false_demanding_server(
        &self,
        shown: &CertifiedKey,
    ) -> Result<Box<dyn Endpoint>, MitmError> {
        let profile = server(shown, Some(self.client_authentication(false)));
        Ok(self.attacker.server(&profile)?)
    }

    /// The attacker as a client of the server. It has no use for being careful.
    pub(super) fn false_client(
        &self,
        shown: Option<CertifiedKey>,
    ) -> Result<Box<dyn Endpoint>, MitmError> {
        let profile = client(Trust::Unverified, shown, &GROUPS);
        Ok(self.attacker.client(&profile)?)
    }

    fn client_authentication(&self, is_required: bool) -> ClientAuthentication {
        ClientAuthentication {
            roots: vec![self.root()],
            crls: Vec::new(),
            is_required,
        }
    }
}

fn client(trust: Trust, certificate: Option<CertifiedKey>, groups: &[NamedGroup]) -> ClientProfile {
    ClientProfile {
        offer: offer(groups),
        server_name: NAME.to_owned(),
        trust,
        certificate,
        resumes: false,
    }
}

fn server(
    certificate: &CertifiedKey,
    client_authentication: Option<ClientAuthentication>,
) -> ServerProfile {
    ServerProfile {
        offer: offer(&GROUPS),
        certificates: vec![certificate.clone()],
        client_authentication,
        tickets: 0,
    }
}

fn offer(groups: &[NamedGroup]) -> Offer {
    Offer {
        versions: vec![ProtocolVersion::Tls13],
        groups: groups.to_vec(),
        ..Offer::default()
    }
}
