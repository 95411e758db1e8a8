//! A case for whoever connects.

use pki::CertifiedKey;
use rustls_pki_types::CertificateDer;
use stack::Endpoint;
use time::OffsetDateTime;

use super::case::{Case, CaseError};
use super::scene::{Clients, Scene};
use super::workshop::Workshop;

/// A server of a case, and what its clients need.
pub struct Exhibit {
    /// The case.
    pub case: &'static Case,
    /// The server.
    pub endpoint: Box<dyn Endpoint>,
    /// Its library: `openssl`, or `rustls` where OpenSSL refuses to show the certificate.
    pub library: &'static str,
    /// The name or address that clients ask for.
    pub name: String,
    /// What clients trust.
    pub roots: Vec<CertificateDer<'static>>,
    /// Whether clients are to speak TLS 1.2 at most.
    pub is_for_old_clients: bool,
    /// Whether it is for the server to judge its client.
    pub judges_client: bool,
    /// What the client of the case shows, if it shows any.
    pub client_certificate: Option<CertifiedKey>,
}

/// Makes the certificates of a case and a server of it. Where the server is to judge, it is
/// OpenSSL's.
///
/// # Errors
/// When the case can't be set up.
pub fn exhibit(case: &'static Case) -> Result<Exhibit, CaseError> {
    const JUDGING: &str = "openssl";
    let workshop = Workshop::open(OffsetDateTime::now_utc())?;
    let scene = (case.make)(&workshop)?;
    let (library, endpoint) = match &scene {
        Scene::Server(_) => scene.showing(JUDGING)?,
        Scene::Client(_) => (JUDGING, scene.judging(JUDGING)?),
    };
    Ok(match scene {
        Scene::Server(scene) => Exhibit {
            case,
            endpoint,
            library,
            name: scene.name,
            roots: scene.roots,
            is_for_old_clients: scene.clients == Clients::Old,
            judges_client: false,
            client_certificate: None,
        },
        Scene::Client(scene) => Exhibit {
            case,
            endpoint,
            library,
            name: pki::SERVER_NAME.to_owned(),
            roots: scene.roots,
            is_for_old_clients: false,
            judges_client: true,
            client_certificate: scene.shows,
        },
    })
}
