//! What is looked for beside policies, in what an endpoint answered.

mod certificates;
mod key_exchange;
mod settings;

use time::Date;

use crate::remedies::Wish;
use crate::{Algorithm, Check, Estate, Evidence, Profile, Role, Service, Severity, Subject};

/// A finding before policies, risk, remedy and price are added.
pub(crate) struct Draft {
    pub(crate) check: Check,
    pub(crate) severity: Severity,
    pub(crate) subject: Subject,
    /// What tells two findings of one check and subject apart.
    pub(crate) detail: Option<String>,
    pub(crate) role: Option<Role>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) title: String,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) wish: Wish,
    /// What the remedy brings in place of `algorithm`, to be priced.
    pub(crate) instead: Option<Algorithm>,
}

impl Draft {
    /// A finding about a subject as a whole.
    fn new(
        check: Check,
        severity: Severity,
        subject: Subject,
        title: impl Into<String>,
        wish: Wish,
    ) -> Self {
        Self {
            check,
            severity,
            subject,
            detail: None,
            role: None,
            algorithm: None,
            title: title.into(),
            evidence: Vec::new(),
            wish,
            instead: None,
        }
    }

    fn detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    fn about(self, role: Role, algorithm: Algorithm) -> Self {
        Self {
            role: Some(role),
            algorithm: Some(algorithm),
            ..self
        }
    }

    fn seen(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }

    /// Its id, in which two drafts about one thing are one finding.
    pub(crate) fn id(&self) -> String {
        let id = format!("{}/{}", self.subject.name, self.check);
        match &self.detail {
            Some(detail) => format!("{id}/{detail}"),
            None => id,
        }
    }
}

/// The hybrid that remedies bring.
pub(crate) fn hybrid() -> Algorithm {
    Algorithm::of_group(wire::NamedGroup::X25519MLKEM768)
}

/// Everything that is found in an estate without a policy.
pub(crate) fn drafts(estate: &Estate, profile: &Profile, at: Date) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for endpoint in &estate.endpoints {
        match &endpoint.service {
            Service::Tls(service) => {
                drafts.extend(key_exchange::of_tls(endpoint, service));
                drafts.extend(certificates::of_chains(endpoint, service, profile, at));
                if let Some(scope) = estate.scope_of(&endpoint.target) {
                    drafts.extend(settings::beside_answers(endpoint, service, scope));
                }
            }
            Service::Ssh(service) => drafts.extend(key_exchange::of_ssh(endpoint, service)),
            Service::Unreachable(_) => {}
        }
    }
    for asset in estate.assets() {
        drafts.extend(certificates::of_asset(asset, profile, at));
    }
    let scanned = estate.scanned_scopes();
    for scope in estate.scopes() {
        drafts.extend(settings::of_scope(
            scope,
            scanned.contains(&scope.subject()),
        ));
    }
    drafts
}
