//! A store in a folder that goes away, and what is usually put into it.

use std::time::Duration;

use ca::{Issued, Kind, Name, NewAuthority, Order, Store};
use rustls_pki_types::CertificateRevocationListDer;
use stack::{PeerName, Purpose, Question, judge};
use tempfile::TempDir;
use time::OffsetDateTime;
use wire::SignatureAlgorithm;

/// Long enough for a store that is in use.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Lab {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

impl Lab {
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path(), None).unwrap();
        Self { folder, store }
    }

    /// A root and an authority below it.
    pub(crate) fn new(algorithm: SignatureAlgorithm) -> Self {
        let lab = Self::empty();
        lab.add_hierarchy("", algorithm, &[]);
        lab
    }

    pub(crate) fn add_hierarchy(&self, end: &str, algorithm: SignatureAlgorithm, permit: &[&str]) {
        let root = NewAuthority {
            permitted_dns: permit.iter().map(|domain| (*domain).to_owned()).collect(),
            ..new_authority(&format!("root{end}"), algorithm, None)
        };
        self.store.create_authority(&root, now()).unwrap();
        let issuing = NewAuthority {
            path_length: Some(0),
            ..new_authority(&format!("issuing{end}"), algorithm, Some(&root.id))
        };
        self.store.create_authority(&issuing, now()).unwrap();
    }

    /// What rustls and OpenSSL say, in that order: nothing, or the code of a refusal.
    pub(crate) fn verdicts(
        &self,
        issued: &Issued,
        purpose: Purpose<'_>,
        crls: &[CertificateRevocationListDer<'static>],
    ) -> [Option<String>; 2] {
        self.verdicts_at(issued, purpose, crls, now())
    }

    pub(crate) fn verdicts_at(
        &self,
        issued: &Issued,
        purpose: Purpose<'_>,
        crls: &[CertificateRevocationListDer<'static>],
        at: OffsetDateTime,
    ) -> [Option<String>; 2] {
        judge(&Question {
            chain: &self.store.chain(issued).unwrap(),
            roots: &self.store.roots().unwrap(),
            crls,
            purpose,
            at: at.into(),
        })
        .map(|judgement| judgement.refusal.map(|refusal| refusal.code))
    }

    pub(crate) fn is_server(&self, issued: &Issued, name: &str) -> [Option<String>; 2] {
        self.verdicts(issued, Purpose::Server(&PeerName::from(name)), &[])
    }
}

pub(crate) fn new_authority(
    id: &str,
    algorithm: SignatureAlgorithm,
    issuer: Option<&str>,
) -> NewAuthority {
    NewAuthority {
        id: id.to_owned(),
        subject: format!("CN=Test {id},O=Tests").parse().unwrap(),
        algorithm,
        issuer: issuer.map(str::to_owned),
        path_length: None,
        permitted_dns: Vec::new(),
        crl_url: None,
        lifetime: None,
    }
}

pub(crate) fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

pub(crate) fn order(kind: Kind, algorithm: SignatureAlgorithm, wanted: &[&str]) -> Order {
    Order {
        authority: None,
        role: kind.role().unwrap(),
        algorithm,
        names: names(wanted),
        subject: None,
        lifetime: None,
        encrypts_key: false,
    }
}
