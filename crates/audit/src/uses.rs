//! From an estate to every use of an algorithm in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::estate::{Certificates, Scope};
use crate::{
    Algorithm, Answer, Asset, AssetKind, CertificateFacts, Chain, Curve, Endpoint, Estate,
    Evidence, KeyFacts, KeyForm, Location, Manner, NotObserved, Role, Service, SshService, Subject,
    TlsService, Tried, Usage,
};

use Role::{KeyEstablishment, Signature};

/// What is in use, and questions that have no answer and are about no one algorithm.
#[derive(Default)]
pub(crate) struct Uses {
    /// One for each subject, role, algorithm, manner and reason.
    pub(crate) uses: Vec<Usage>,
    pub(crate) unanswered: Vec<NotObserved>,
    at: BTreeMap<UseKey, usize>,
}

type UseKey = (Subject, Option<Role>, Algorithm, Manner, Option<String>);

/// Everything that is in use in an estate, in the order of subjects.
pub(crate) fn uses(estate: &Estate) -> Uses {
    let mut uses = Uses::default();
    let certificates = estate.certificates();
    let scanned = estate.scanned_scopes();
    for endpoint in &estate.endpoints {
        uses.add_endpoint(endpoint, estate, &certificates);
    }
    for asset in estate.assets() {
        uses.add_asset(asset, &scanned, &certificates);
    }
    uses.uses.sort_by(|one, other| {
        let key = |usage: &Usage| {
            (
                usage.subject.clone(),
                usage.role,
                usage.algorithm.clone(),
                usage.manner,
                usage.not_observed.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    uses.at.clear();
    uses
}

/// Where an endpoint was seen: its address, or the target where it has none.
pub(crate) fn place(endpoint: &Endpoint) -> String {
    match endpoint.address {
        Some(address) => address.to_string(),
        None => endpoint.target.to_string(),
    }
}

/// The key with which a certificate was signed, where its issuer is among those that are known.
pub(crate) fn signature_of<'a>(
    certificate: &CertificateFacts,
    known: impl IntoIterator<Item = &'a CertificateFacts>,
) -> Algorithm {
    // An ECDSA signature names its hash, and not its curve (RFC 5758 section 3.2).
    let is_ecdsa = match &certificate.signature {
        Algorithm::Ec(_) => true,
        Algorithm::Other(name) => name.to_ascii_lowercase().starts_with("ecdsa"),
        _ => false,
    };
    let has_no_size =
        is_ecdsa || matches!(certificate.signature, Algorithm::Rsa(0) | Algorithm::Dsa(0));
    let is_same_kind = |key: &Algorithm| match key {
        Algorithm::Ec(_) => is_ecdsa,
        key => std::mem::discriminant(key) == std::mem::discriminant(&certificate.signature),
    };
    let mut issuers = known
        .into_iter()
        .filter(|other| other.subject == certificate.issuer && is_same_kind(&other.key));
    match (has_no_size, issuers.next()) {
        (true, Some(issuer)) => issuer.key.clone(),
        _ => certificate.signature.clone(),
    }
}

impl Uses {
    fn add(
        &mut self,
        subject: &Subject,
        role: Option<Role>,
        algorithm: Algorithm,
        manner: Manner,
        evidence: Vec<Evidence>,
    ) {
        self.add_as(subject, role, algorithm, manner, None, evidence);
    }

    fn add_as(
        &mut self,
        subject: &Subject,
        role: Option<Role>,
        algorithm: Algorithm,
        manner: Manner,
        not_observed: Option<String>,
        evidence: Vec<Evidence>,
    ) {
        let key = (
            subject.clone(),
            role,
            algorithm.clone(),
            manner,
            not_observed.clone(),
        );
        match self.at.get(&key) {
            Some(index) => {
                let known = &mut self.uses[*index].evidence;
                known.extend(evidence);
                known.sort();
                known.dedup();
            }
            None => {
                self.at.insert(key, self.uses.len());
                self.uses.push(Usage {
                    subject: subject.clone(),
                    role,
                    algorithm,
                    manner,
                    not_observed,
                    evidence,
                });
            }
        }
    }

    fn ask_in_vain(&mut self, subject: &Subject, question: &str, role: Option<Role>, why: String) {
        self.unanswered.push(NotObserved {
            subject: subject.clone(),
            question: question.to_owned(),
            role,
            algorithm: None,
            reason: why,
            rules: Vec::new(),
        });
    }

    fn add_endpoint(
        &mut self,
        endpoint: &Endpoint,
        estate: &Estate,
        certificates: &Certificates<'_>,
    ) {
        let subject = Subject::from(&endpoint.target);
        match &endpoint.service {
            Service::Tls(service) => {
                let seen = Seen {
                    place: place(endpoint),
                    scope: estate.scope_of(&endpoint.target),
                    certificates,
                };
                self.add_groups(&subject, service, &seen);
                self.add_suites(&subject, service, &seen);
                for tried in &service.chains {
                    self.add_chain(&subject, tried, &seen);
                }
            }
            Service::Ssh(service) => self.add_ssh(&subject, service, &place(endpoint)),
            Service::Unreachable(unknown) => {
                let why = format!("{}: {unknown}", place(endpoint));
                self.ask_in_vain(&subject, "connection", None, why);
            }
        }
    }

    fn add_groups(&mut self, subject: &Subject, service: &TlsService, seen: &Seen<'_>) {
        let preferred = match &service.preference {
            Answer::Supported(preference) if preference.server_decides => {
                preference.order.first().copied()
            }
            Answer::Unknown(unknown) => {
                let why = format!("{}: {unknown}", seen.place);
                self.ask_in_vain(subject, "group preference", Some(KeyEstablishment), why);
                None
            }
            _ => None,
        };
        for tried in &service.groups {
            let group = tried.offer;
            let algorithm = Algorithm::of_group(group);
            match &tried.answer {
                Answer::Supported(support) => {
                    let manner = match Some(group) == preferred {
                        true => Manner::Preferred,
                        false => Manner::Accepted,
                    };
                    let how = match support.by_retry_request {
                        true => "HelloRetryRequest",
                        false => "ServerHello",
                    };
                    let text = format!("{}: {group} is taken in TLS 1.3, by {how}", seen.place);
                    let mut evidence = vec![Evidence::live(text)];
                    evidence.extend(seen.configured(&algorithm));
                    self.add(subject, Some(KeyEstablishment), algorithm, manner, evidence);
                }
                Answer::Refused(_) => {}
                Answer::Unknown(unknown) => {
                    let why = format!("{}: {unknown}", seen.place);
                    let role = Some(KeyEstablishment);
                    let manner = Manner::Accepted;
                    self.add_as(subject, role, algorithm, manner, Some(why), Vec::new());
                }
            }
        }
    }

    fn add_suites(&mut self, subject: &Subject, service: &TlsService, seen: &Seen<'_>) {
        let suites = service.tls13_suites.iter().chain(&service.tls12_suites);
        for Tried { offer, answer } in suites {
            let Answer::Supported(support) = answer else {
                // A suite of unknown answer tells nothing that a rule asks for: what counts is
                // what is taken.
                continue;
            };
            let text = format!("{}: {offer} is taken", seen.place);
            let evidence = || vec![Evidence::live(text.clone())];
            let name = Algorithm::Other(offer.to_string());
            self.add(subject, None, name, Manner::Accepted, evidence());
            let algorithm = match (support.group, support.dh_bits) {
                _ if offer.facts().is_some_and(|facts| facts.static_rsa) => rsa_key(service),
                (Some(group), _) => Algorithm::of_group(group),
                (None, Some(bits)) => Algorithm::Dh(bits),
                (None, None) => continue,
            };
            let role = Some(KeyEstablishment);
            self.add(subject, role, algorithm, Manner::Accepted, evidence());
        }
    }

    fn add_chain(
        &mut self,
        subject: &Subject,
        tried: &Tried<crate::SignatureFamily, Chain>,
        seen: &Seen<'_>,
    ) {
        let family = tried.offer.title();
        let chain = match &tried.answer {
            Answer::Supported(chain) => chain,
            Answer::Refused(_) => return,
            Answer::Unknown(unknown) => {
                let question = format!("certificates for {family} clients");
                let why = format!("{}: {unknown}", seen.place);
                return self.ask_in_vain(subject, &question, Some(Signature), why);
            }
        };
        let role = Some(Signature);
        if let Some(scheme) = chain.scheme {
            let algorithm = match (Algorithm::of_scheme(scheme), chain.certificates.first()) {
                (Algorithm::Rsa(0), Some(leaf)) => leaf.key.clone(),
                (algorithm, _) => algorithm,
            };
            let text = format!("{}: signs with {scheme} for {family} clients", seen.place);
            let evidence = vec![Evidence::live(text)];
            self.add(
                subject,
                role,
                algorithm,
                Manner::HandshakeSignature,
                evidence,
            );
        }
        for certificate in &chain.certificates {
            let text = format!("{}: certificate {}", seen.place, certificate.subject);
            let mut evidence = vec![Evidence::live(text)];
            evidence.extend(seen.in_files(certificate));
            let key = certificate.key.clone();
            self.add(subject, role, key, Manner::CertificateKey, evidence.clone());
            // A trust anchor's own signature proves nothing, and is not verified.
            if !certificate.is_self_issued {
                let signature = signature_of(certificate, &chain.certificates);
                self.add(
                    subject,
                    role,
                    signature,
                    Manner::CertificateSignature,
                    evidence,
                );
            }
        }
    }

    fn add_ssh(&mut self, subject: &Subject, service: &SshService, place: &str) {
        for (index, method) in service.key_exchanges.iter().enumerate() {
            let Some(algorithm) = Algorithm::of_ssh_key_exchange(method) else {
                continue;
            };
            // RFC 4253 section 7.1: the client's order decides, so a server's first is only
            // its wish.
            let text = format!("{place}: {method} is number {} of its list", index + 1);
            let evidence = vec![Evidence::live(text)];
            self.add(
                subject,
                Some(KeyEstablishment),
                algorithm,
                Manner::Accepted,
                evidence,
            );
        }
        for tried in &service.host_keys {
            match &tried.answer {
                Answer::Supported(key) => {
                    let text = format!("{place}: host key SHA256:{}", key.fingerprint);
                    let evidence = vec![Evidence::live(text)];
                    let algorithm = key.algorithm.clone();
                    self.add(
                        subject,
                        Some(Signature),
                        algorithm,
                        Manner::HostKey,
                        evidence,
                    );
                }
                Answer::Refused(_) => {}
                Answer::Unknown(unknown) => {
                    let question = format!("host key {}", tried.offer);
                    let why = format!("{place}: {unknown}");
                    self.ask_in_vain(subject, &question, Some(Signature), why);
                }
            }
        }
    }

    fn add_asset(
        &mut self,
        asset: &Asset,
        scanned: &BTreeSet<Subject>,
        certificates: &Certificates<'_>,
    ) {
        let subject = Subject::from(asset);
        let here = |text: String| vec![Evidence::in_file(text, asset.location.clone())];
        match &asset.kind {
            AssetKind::Certificate(certificate) => {
                let evidence = here(format!("certificate {}", certificate.subject));
                let key = certificate.key.clone();
                self.add(
                    &subject,
                    Some(Signature),
                    key,
                    Manner::CertificateKey,
                    evidence.clone(),
                );
                if !certificate.is_self_issued {
                    let issuers = certificates.issuers(certificate).iter().copied();
                    let signature = signature_of(certificate, issuers);
                    let manner = Manner::CertificateSignature;
                    self.add(&subject, Some(Signature), signature, manner, evidence);
                }
            }
            AssetKind::Request(key) | AssetKind::Key(key) => self.add_key(&subject, key, asset),
            // What could be read of its content stands beside it.
            AssetKind::Store(_) => {}
            AssetKind::Settings(settings) => {
                let scope = Scope { asset, settings };
                // Where a scan asked, its answer counts; the configuration is evidence there.
                if scanned.contains(&subject) {
                    return;
                }
                for algorithm in &settings.key_exchanges {
                    let role = Some(KeyEstablishment);
                    let evidence = vec![configured(scope, algorithm)];
                    self.add(
                        &subject,
                        role,
                        algorithm.clone(),
                        Manner::Configured,
                        evidence,
                    );
                }
                if settings.static_rsa == Some(true) {
                    let text = "its cipher suites have static RSA key transport".to_owned();
                    let location = scope.location(crate::directives::CIPHERS);
                    let evidence = vec![Evidence::in_file(text, location)];
                    let role = Some(KeyEstablishment);
                    self.add(
                        &subject,
                        role,
                        Algorithm::Rsa(0),
                        Manner::Configured,
                        evidence,
                    );
                }
            }
        }
    }

    fn add_key(&mut self, subject: &Subject, key: &KeyFacts, asset: &Asset) {
        if key.form == KeyForm::Symmetric {
            return;
        }
        let what = match key.is_private {
            true => "private key",
            false => "public key",
        };
        let Some(algorithm) = &key.algorithm else {
            let why = format!(
                "{}: the {what} is encrypted and does not say",
                asset.location
            );
            return self.ask_in_vain(subject, "algorithm of the key", None, why);
        };
        let roles: Vec<Role> = match key.uses.is_empty() {
            false => key
                .uses
                .iter()
                .map(|key_use| Role::from(*key_use))
                .collect(),
            true => vec![role_of(algorithm)],
        };
        for role in roles {
            let owner = key
                .owner
                .as_deref()
                .map_or(String::new(), |owner| format!(" of {owner}"));
            let text = format!("{what}{owner}");
            let evidence = vec![Evidence::in_file(text, asset.location.clone())];
            self.add(
                subject,
                Some(role),
                algorithm.clone(),
                Manner::KeyFile,
                evidence,
            );
        }
    }
}

/// What was seen at one address, beside the files that explain it.
struct Seen<'a> {
    place: String,
    scope: Option<Scope<'a>>,
    certificates: &'a Certificates<'a>,
}

impl Seen<'_> {
    fn configured(&self, algorithm: &Algorithm) -> Option<Evidence> {
        let scope = self.scope?;
        let is_there = scope.settings.key_exchanges.contains(algorithm);
        is_there.then(|| configured(scope, algorithm))
    }

    fn in_files(&self, certificate: &CertificateFacts) -> Vec<Evidence> {
        let same = self.certificates.same(certificate).iter();
        let evidence =
            |asset: &&Asset| Evidence::in_file("the same certificate", asset.location.clone());
        same.map(evidence).collect()
    }
}

fn configured(scope: Scope<'_>, algorithm: &Algorithm) -> Evidence {
    let settings = scope.settings;
    let location: Location = scope.location(crate::directives::KEY_EXCHANGE);
    let text = match settings.key_exchanges_by_default {
        true => format!("{algorithm} is a default of {}", settings.software.title()),
        false => format!("{algorithm} is configured in {}", settings.scope),
    };
    Evidence::in_file(text, location)
}

/// The RSA key of a server that has static RSA suites, its size where it was seen.
pub(crate) fn rsa_key(service: &TlsService) -> Algorithm {
    let chains = service
        .chains
        .iter()
        .filter_map(|tried| tried.answer.supported());
    let leaves = chains.filter_map(|chain| chain.certificates.first());
    let mut keys = leaves
        .map(|leaf| &leaf.key)
        .filter(|key| matches!(key, Algorithm::Rsa(_)));
    keys.next().cloned().unwrap_or(Algorithm::Rsa(0))
}

/// The role of a key whose holder names none: key establishment only where nothing else can
/// be done with it.
fn role_of(algorithm: &Algorithm) -> Role {
    match algorithm {
        Algorithm::Ec(Curve::X25519 | Curve::X448) | Algorithm::MlKem(_) | Algorithm::Dh(_) => {
            KeyEstablishment
        }
        Algorithm::Hybrid(one, _) => role_of(one),
        _ => Signature,
    }
}
