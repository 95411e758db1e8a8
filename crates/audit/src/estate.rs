//! The estate: scanned endpoints and what files hold, joined by name and port.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Asset, AssetKind, CertificateFacts, Endpoint, Inventory, Location, Settings, Software, Subject,
    SubjectKind, Target, glob,
};

/// Everything that was observed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Estate {
    /// What scans saw.
    pub endpoints: Vec<Endpoint>,
    /// What files hold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inventory: Option<Inventory>,
    /// The text of configuration files by their path, where the caller has it: remedies are
    /// then unified diffs. Not written to reports.
    #[serde(skip)]
    pub texts: BTreeMap<String, String>,
}

/// One scope of a configuration, with the place it was found in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) asset: &'a Asset,
    pub(crate) settings: &'a Settings,
}

impl Estate {
    /// What is in files, in the inventory's order.
    pub(crate) fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.inventory
            .iter()
            .flat_map(|inventory| &inventory.assets)
    }

    /// Every scope of every configuration.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = Scope<'_>> {
        self.assets().filter_map(|asset| match &asset.kind {
            AssetKind::Settings(settings) => Some(Scope { asset, settings }),
            _ => None,
        })
    }

    /// The scope that serves a target: by name and port, then by port, then by name alone.
    /// None where several serve it equally well, since then it can't be told which answers.
    pub(crate) fn scope_of(&self, target: &Target) -> Option<Scope<'_>> {
        let ranked: Vec<(u8, Scope<'_>)> = self
            .scopes()
            .filter_map(|scope| {
                let served = scope.settings.serves.iter();
                Some((
                    served.filter_map(|served| rank(served, target)).max()?,
                    scope,
                ))
            })
            .collect();
        let best = ranked.iter().map(|(rank, _)| *rank).max()?;
        let mut scopes = ranked.iter().filter(|(rank, _)| *rank == best);
        let (_, scope) = scopes.next()?;
        scopes.next().is_none().then_some(*scope)
    }

    /// Scopes whose servers were scanned.
    pub(crate) fn scanned_scopes(&self) -> BTreeSet<Subject> {
        let targets: BTreeSet<&Target> = self.endpoints.iter().map(|one| &one.target).collect();
        targets
            .into_iter()
            .filter_map(|target| Some(self.scope_of(target)?.subject()))
            .collect()
    }

    /// The certificates in files, to be found by what others say of them.
    pub(crate) fn certificates(&self) -> Certificates<'_> {
        let mut certificates = Certificates::default();
        for asset in self.assets() {
            if let AssetKind::Certificate(facts) = &asset.kind {
                let same = certificates.by_fingerprint.entry(&facts.fingerprint);
                same.or_default().push(asset);
                certificates
                    .by_subject
                    .entry(&facts.subject)
                    .or_default()
                    .push(facts);
            }
        }
        certificates
    }
}

/// Certificates in files.
#[derive(Default)]
pub(crate) struct Certificates<'a> {
    by_fingerprint: BTreeMap<&'a str, Vec<&'a Asset>>,
    by_subject: BTreeMap<&'a str, Vec<&'a CertificateFacts>>,
}

impl<'a> Certificates<'a> {
    /// Files that hold the same certificate.
    pub(crate) fn same(&self, certificate: &CertificateFacts) -> &[&'a Asset] {
        let found = self.by_fingerprint.get(certificate.fingerprint.as_str());
        found.map_or(&[], Vec::as_slice)
    }

    /// Certificates of an issuer's name.
    pub(crate) fn issuers(&self, certificate: &CertificateFacts) -> &[&'a CertificateFacts] {
        let found = self.by_subject.get(certificate.issuer.as_str());
        found.map_or(&[], Vec::as_slice)
    }
}

/// How well `host:port`, `*:port` or `host` fits a target; the higher the better.
fn rank(served: &str, target: &Target) -> Option<u8> {
    let (host, port) = match served.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, Some(port.parse::<u16>().ok()?))
        }
        _ => (served, None),
    };
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_ascii_lowercase();
    let name = target.host.to_ascii_lowercase();
    let is_any = matches!(host.as_str(), "*" | "" | "_" | "0.0.0.0" | "::");
    match (port, port == Some(target.port)) {
        (Some(_), false) => None,
        (None, _) if is_any => None,
        (Some(_), true) if is_any => Some(1),
        _ if host == name => Some(4 + u8::from(port.is_some())),
        _ if host.contains('*') && glob::matches(&host, &name) => {
            Some(2 + u8::from(port.is_some()))
        }
        _ => None,
    }
}

impl Scope<'_> {
    /// The scope as a subject.
    pub(crate) fn subject(&self) -> Subject {
        Subject {
            kind: SubjectKind::Settings,
            name: format!("{} ({})", self.asset.location.path, self.settings.scope),
        }
    }

    /// Where a directive of it stands, or where it begins.
    pub(crate) fn location(&self, names: &[&str]) -> Location {
        let directive = self.settings.directives.iter().rev().find(|directive| {
            names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&directive.name))
        });
        Location {
            line: directive
                .map(|directive| directive.line)
                .or(self.asset.location.line),
            ..self.asset.location.clone()
        }
    }
}

impl From<&Target> for Subject {
    fn from(target: &Target) -> Self {
        Self {
            kind: SubjectKind::Endpoint,
            name: target.to_string(),
        }
    }
}

impl From<&Asset> for Subject {
    fn from(asset: &Asset) -> Self {
        let kind = match &asset.kind {
            AssetKind::Certificate(_) | AssetKind::Request(_) => SubjectKind::Certificate,
            AssetKind::Key(_) => SubjectKind::Key,
            AssetKind::Store(_) => SubjectKind::Store,
            AssetKind::Settings(_) => SubjectKind::Settings,
        };
        // The line is left out where an entry tells two apart: lines move.
        let name = match (&asset.kind, &asset.location) {
            (AssetKind::Settings(settings), location) => {
                format!("{} ({})", location.path, settings.scope)
            }
            (
                _,
                Location {
                    entry: Some(entry),
                    path,
                    ..
                },
            ) => format!("{path} ({entry})"),
            (_, location) => location.to_string(),
        };
        Self { kind, name }
    }
}

/// The program and versions behind a subject, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Platform {
    pub(crate) software: Option<Software>,
    pub(crate) version: Option<String>,
    pub(crate) library: Option<String>,
}
