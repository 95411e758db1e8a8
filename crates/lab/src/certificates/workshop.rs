//! An authority, and what it issues: good, unless a case asks for something else.

use pki::{CLIENT_NAME, CertifiedKey, Key, Role, SERVER_NAME};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, SigningKey,
};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use time::{Duration, OffsetDateTime};
use wire::SignatureAlgorithm;

use super::case::CaseError;
use super::forge;
use super::scene::{ClientScene, Clients, Scene, ServerScene};
use crate::issuing::{Validity, blank, end_entity, with_another_key};

pub(super) type Authority<S = Key> = CertifiedIssuer<'static, S>;

/// What most cases are made of: their fault apart, they are alike.
pub(super) const USUAL: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256;

/// A root and an intermediate of one examination.
pub(super) struct Workshop {
    pub(super) now: OffsetDateTime,
    pub(super) root: Authority,
    pub(super) intermediate: Authority,
}

/// A chain of issuers of one algorithm.
pub(super) struct Issuers {
    pub(super) root: Authority,
    pub(super) intermediate: Authority,
}

impl Workshop {
    pub(super) fn open(now: OffsetDateTime) -> Result<Self, CaseError> {
        let Issuers { root, intermediate } = issuers(USUAL, now)?;
        Ok(Self {
            now,
            root,
            intermediate,
        })
    }

    /// Issuers of another algorithm, or of the same names with other keys.
    pub(super) fn other_issuers(
        &self,
        algorithm: SignatureAlgorithm,
    ) -> Result<Issuers, CaseError> {
        issuers(algorithm, self.now)
    }

    pub(super) fn issuer_params(
        &self,
        name: &str,
        path_length: u8,
    ) -> Result<CertificateParams, CaseError> {
        issuer_params(name, path_length, self.now)
    }

    /// A server certificate for [`SERVER_NAME`] without fault.
    pub(super) fn server_params(&self) -> Result<CertificateParams, CaseError> {
        Ok(end_entity(SERVER_NAME, Role::Server, validity(self.now))?)
    }

    /// A client certificate for [`CLIENT_NAME`] without fault.
    pub(super) fn client_params(&self) -> Result<CertificateParams, CaseError> {
        Ok(end_entity(CLIENT_NAME, Role::Client, validity(self.now))?)
    }

    /// An end entity issued for another name, and changed to [`SERVER_NAME`] afterwards.
    pub(super) fn renamed_leaf(
        &self,
        algorithm: SignatureAlgorithm,
        issuer: &Issuer<'_, impl SigningKey>,
    ) -> Result<Leaf, CaseError> {
        let issued_for = "mallet.pqlab.test";
        let mut params = self.server_params()?;
        params.subject_alt_names = vec![dns(issued_for)?];
        let mut leaf = Leaf::issue(&params, algorithm, issuer)?;
        leaf.certificate = forge::renamed(&leaf.certificate, issued_for, SERVER_NAME)?;
        Ok(leaf)
    }

    /// A server with a certificate of the usual intermediate.
    pub(super) fn server(&self, params: &CertificateParams) -> Result<Scene, CaseError> {
        self.server_below(params, &self.intermediate)
    }

    /// A server with a certificate of this intermediate, which it shows as well.
    pub(super) fn server_below(
        &self,
        params: &CertificateParams,
        intermediate: &Authority<impl SigningKey>,
    ) -> Result<Scene, CaseError> {
        let leaf = Leaf::issue(params, USUAL, intermediate)?;
        Ok(self.server_of(leaf.below(&[intermediate.der()])))
    }

    /// A server that shows this to clients of the usual name and root.
    pub(super) fn server_of(&self, shows: CertifiedKey) -> Scene {
        self.server_named(SERVER_NAME, shows)
    }

    /// The same for clients that want this name.
    pub(super) fn server_named(&self, name: &str, shows: CertifiedKey) -> Scene {
        Scene::Server(ServerScene {
            shows: vec![shows],
            name: name.to_owned(),
            roots: vec![self.root.der().clone()],
            clients: Clients::Modern,
        })
    }

    /// A client with a certificate of the usual intermediate, and servers that look it up in
    /// these lists.
    pub(super) fn client(
        &self,
        params: &CertificateParams,
        crls: Vec<CertificateRevocationListDer<'static>>,
    ) -> Result<Scene, CaseError> {
        let leaf = Leaf::issue(params, USUAL, &self.intermediate)?;
        let shows = leaf.below(&[self.intermediate.der()]);
        self.client_of(Some(shows), crls)
    }

    /// A client that shows this to servers of the usual root.
    pub(super) fn client_of(
        &self,
        shows: Option<CertifiedKey>,
        crls: Vec<CertificateRevocationListDer<'static>>,
    ) -> Result<Scene, CaseError> {
        let server = Leaf::issue(&self.server_params()?, USUAL, &self.intermediate)?;
        Ok(Scene::Client(ClientScene {
            shows,
            servers: server.below(&[self.intermediate.der()]),
            roots: vec![self.root.der().clone()],
            crls,
        }))
    }

    /// A revocation list that is current for the week before `next_update`.
    pub(super) fn crl(
        &self,
        issuer: &Issuer<'_, impl SigningKey>,
        revoked: Option<SerialNumber>,
        next_update: OffsetDateTime,
    ) -> Result<CertificateRevocationListDer<'static>, CaseError> {
        let this_update = next_update - Duration::days(7);
        let entry = |serial_number| RevokedCertParams {
            serial_number,
            revocation_time: this_update,
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update,
            next_update,
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.map(entry).into_iter().collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(issuer)?.into())
    }
}

/// An end entity and its key.
pub(super) struct Leaf {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: Key,
}

impl Leaf {
    pub(super) fn issue(
        params: &CertificateParams,
        algorithm: SignatureAlgorithm,
        issuer: &Issuer<'_, impl SigningKey>,
    ) -> Result<Self, CaseError> {
        let key = Key::generate(algorithm)?;
        let certificate = params.signed_by(&key, issuer)?.into();
        Ok(Self { certificate, key })
    }

    /// With the issuers that are shown beside it.
    pub(super) fn below(self, issuers: &[&CertificateDer<'static>]) -> CertifiedKey {
        let mut chain = vec![self.certificate];
        chain.extend(issuers.iter().map(|issuer| (*issuer).clone()));
        CertifiedKey::new(chain, self.key.into_pkcs8().into())
    }

    /// Likewise, of somebody who has another key.
    pub(super) fn stolen_below(
        self,
        issuer: &CertificateDer<'static>,
    ) -> Result<CertifiedKey, CaseError> {
        with_another_key(&[self.certificate, issuer.clone()])?.ok_or(CaseError::Forge("key"))
    }
}

/// An authority below another.
pub(super) fn authority<S: SigningKey>(
    params: CertificateParams,
    key: S,
    issuer: &Issuer<'_, impl SigningKey>,
) -> Result<Authority<S>, CaseError> {
    Ok(CertifiedIssuer::signed_by(params, key, issuer)?)
}

pub(super) fn dns(name: &str) -> Result<SanType, CaseError> {
    Ok(SanType::DnsName(Ia5String::try_from(name)?))
}

fn issuers(algorithm: SignatureAlgorithm, now: OffsetDateTime) -> Result<Issuers, CaseError> {
    let root = issuer_params("pqlab lab root", 2, now)?;
    let root = CertifiedIssuer::self_signed(root, Key::generate(algorithm)?)?;
    let intermediate = issuer_params("pqlab lab intermediate", 0, now)?;
    let intermediate = authority(intermediate, Key::generate(algorithm)?, &root)?;
    Ok(Issuers { root, intermediate })
}

fn issuer_params(
    name: &str,
    path_length: u8,
    now: OffsetDateTime,
) -> Result<CertificateParams, CaseError> {
    let mut params = blank(name, validity(now))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn validity(now: OffsetDateTime) -> Validity {
    [now - Duration::days(1), now + Duration::days(30)]
}
