//! Who shows what to whom.

use std::time::SystemTime;

use pki::CertifiedKey;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use stack::{
    ClientAuthentication, ClientProfile, Endpoint, Judgement, Offer, PeerName, Purpose, Question,
    ServerProfile, StackError, TlsStack, Trust, judge,
};
use wire::{NamedGroup, ProtocolVersion};

use super::case::CaseError;
use super::handshake::Judge;
use crate::library::library;

/// One side with certificates, and what the other side needs to judge them.
pub(super) enum Scene {
    Server(ServerScene),
    Client(ClientScene),
}

/// A server, and the clients that judge it.
pub(super) struct ServerScene {
    /// The most wanted first; a second one is for clients that can't verify the first.
    pub(super) shows: Vec<CertifiedKey>,
    /// The name that the clients want.
    pub(super) name: String,
    /// What they trust.
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) clients: Clients,
}

/// What clients can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clients {
    Modern,
    /// They speak TLS 1.2 at most, for which no scheme of ML-DSA is defined.
    Old,
}

/// A client, and the servers that judge it.
pub(super) struct ClientScene {
    pub(super) shows: Option<CertifiedKey>,
    /// What the servers show: it is good.
    pub(super) servers: CertifiedKey,
    /// What both sides trust.
    pub(super) roots: Vec<CertificateDer<'static>>,
    /// Where they look revocations up; empty for not at all.
    pub(super) crls: Vec<CertificateRevocationListDer<'static>>,
}

/// The libraries that show certificates, in the order in which they are asked: each refuses
/// to show some, OpenSSL weak ones, rustls those that it can't read.
const SHOWING: [&str; 2] = ["openssl", "rustls"];

impl Scene {
    pub(super) const fn judge(&self) -> Judge {
        match self {
            Self::Server(_) => Judge::Client,
            Self::Client(_) => Judge::Server,
        }
    }

    /// What both verifiers say of the chain that the judging side gets, if it gets one.
    pub(super) fn judgements(&self) -> Option<[Judgement; 2]> {
        let at = SystemTime::now();
        Some(match self {
            Self::Server(scene) => judge(&Question {
                chain: scene.met()?.chain(),
                roots: &scene.roots,
                crls: &[],
                purpose: Purpose::Server(&PeerName::from(scene.name.as_str())),
                at,
            }),
            Self::Client(scene) => judge(&Question {
                chain: scene.shows.as_ref()?.chain(),
                roots: &scene.roots,
                crls: &scene.crls,
                purpose: Purpose::Client,
                at,
            }),
        })
    }

    /// The side that shows certificates to `judging`: of the same library where the outcome
    /// is that side's decision, otherwise of the first one that is willing to.
    pub(super) fn showing(
        &self,
        judging: &'static str,
    ) -> Result<(&'static str, Box<dyn Endpoint>), CaseError> {
        let libraries = match self {
            Self::Server(scene) if scene.chooses() => vec![judging],
            _ => SHOWING.to_vec(),
        };
        let mut refusals = Vec::new();
        for library in libraries {
            let stack = stack_of(library)?;
            let endpoint = match self {
                Self::Server(scene) => scene.server(stack),
                Self::Client(scene) => scene.client(stack),
            };
            match endpoint {
                Ok(endpoint) => return Ok((library, endpoint)),
                Err(error) => refusals.push(format!("{library}: {error}")),
            }
        }
        Err(CaseError::NobodyShows(refusals.join("; ")))
    }

    /// The side that judges, of this library.
    pub(super) fn judging(&self, library: &'static str) -> Result<Box<dyn Endpoint>, CaseError> {
        let stack = stack_of(library)?;
        Ok(match self {
            Self::Server(scene) => scene.client(stack),
            Self::Client(scene) => scene.server(stack),
        }?)
    }
}

impl ServerScene {
    /// What the clients get: old ones are what the second one is for.
    fn met(&self) -> Option<&CertifiedKey> {
        match self.clients {
            Clients::Modern => self.shows.first(),
            Clients::Old => self.shows.get(1),
        }
    }

    /// Whether it is for the server to find a certificate for its client, or none.
    fn chooses(&self) -> bool {
        self.shows.len() > 1 || self.clients == Clients::Old
    }

    fn server(&self, stack: &dyn TlsStack) -> Result<Box<dyn Endpoint>, StackError> {
        stack.server(&ServerProfile {
            offer: Offer::default(),
            certificates: self.shows.clone(),
            client_authentication: None,
            tickets: 0,
        })
    }

    fn client(&self, stack: &dyn TlsStack) -> Result<Box<dyn Endpoint>, StackError> {
        stack.client(&ClientProfile {
            offer: self.clients.offer(),
            server_name: self.name.clone(),
            trust: Trust::Verify(self.roots.clone()),
            certificate: None,
            resumes: false,
        })
    }
}

impl ClientScene {
    fn server(&self, stack: &dyn TlsStack) -> Result<Box<dyn Endpoint>, StackError> {
        stack.server(&ServerProfile {
            offer: Offer::default(),
            certificates: vec![self.servers.clone()],
            client_authentication: Some(ClientAuthentication {
                roots: self.roots.clone(),
                crls: self.crls.clone(),
                is_required: true,
            }),
            tickets: 0,
        })
    }

    fn client(&self, stack: &dyn TlsStack) -> Result<Box<dyn Endpoint>, StackError> {
        stack.client(&ClientProfile {
            offer: Offer::default(),
            server_name: pki::SERVER_NAME.to_owned(),
            trust: Trust::Verify(self.roots.clone()),
            certificate: self.shows.clone(),
            resumes: false,
        })
    }
}

impl Clients {
    fn offer(self) -> Offer {
        let modern = Offer::default();
        match self {
            Self::Modern => modern,
            Self::Old => Offer {
                versions: vec![ProtocolVersion::Tls12],
                groups: vec![NamedGroup::X25519, NamedGroup::SECP256R1],
                ..modern
            },
        }
    }
}

fn stack_of(name: &'static str) -> Result<&'static dyn TlsStack, CaseError> {
    library(name).ok_or(CaseError::NoStack(name))
}
