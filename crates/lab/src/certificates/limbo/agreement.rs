//! Who agrees with what is expected.

use std::collections::BTreeMap;
use std::time::SystemTime;

use stack::{Judgement, PeerName, Purpose, Question, judge};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::format::{ExpectedResult, Suite, Testcase, ValidationKind};

use Unjudged::{OutOfScope, Unreadable};

/// What both verifiers said of a suite.
#[derive(Debug, Default)]
pub struct Agreement<'a> {
    /// Cases that were judged, in the order of the file.
    pub verdicts: Vec<Verdict<'a>>,
    /// Cases that are not for a TLS library, and why.
    pub skipped: Vec<(&'a Testcase, &'static str)>,
    /// Cases of which a part can't be read, and which.
    pub unreadable: Vec<(&'a Testcase, &'static str)>,
}

/// Why a case is not judged.
enum Unjudged {
    OutOfScope(&'static str),
    Unreadable(&'static str),
}

/// What both verifiers said of a case.
#[derive(Debug)]
pub struct Verdict<'a> {
    /// The case.
    pub testcase: &'a Testcase,
    /// Of rustls and OpenSSL, in this order.
    pub judgements: [Judgement; 2],
}

/// Cases of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// That were judged.
    pub cases: usize,
    /// That should be accepted.
    pub good: usize,
    /// In which rustls says what is expected.
    pub rustls: usize,
    /// In which OpenSSL says what is expected.
    pub openssl: usize,
    /// In which the two say the same.
    pub same: usize,
}

/// Puts every case to both verifiers. A case without a time is judged at `now`.
pub fn compare(suite: &Suite, now: SystemTime) -> Agreement<'_> {
    let mut agreement = Agreement::default();
    for testcase in &suite.testcases {
        match put(testcase, now) {
            Ok(judgements) => agreement.verdicts.push(Verdict {
                testcase,
                judgements,
            }),
            Err(OutOfScope(reason)) => agreement.skipped.push((testcase, reason)),
            Err(Unreadable(part)) => agreement.unreadable.push((testcase, part)),
        }
    }
    agreement
}

impl Verdict<'_> {
    /// Whether rustls and OpenSSL, in this order, say what is expected.
    pub fn are_as_expected(&self) -> [bool; 2] {
        let is_good = self.testcase.expected_result == ExpectedResult::Success;
        let judgements = self.judgements.each_ref();
        judgements.map(|judgement| judgement.refusal.is_none() == is_good)
    }
}

impl Agreement<'_> {
    /// All that were judged.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        for verdict in &self.verdicts {
            total.add(verdict);
        }
        total
    }

    /// By the first part of the names.
    pub fn by_group(&self) -> BTreeMap<&str, Count> {
        self.by(|testcase| {
            let group = testcase.id.split("::").next();
            group.into_iter().collect()
        })
    }

    /// By feature; a case may have several, or none.
    pub fn by_feature(&self) -> BTreeMap<&str, Count> {
        self.by(|testcase| testcase.features.iter().map(String::as_str).collect())
    }

    /// Cases in which a verifier says something else than is expected.
    pub fn disagreements(&self) -> impl Iterator<Item = &Verdict<'_>> {
        let mut verdicts = self.verdicts.iter();
        std::iter::from_fn(move || verdicts.find(|v| v.are_as_expected() != [true, true]))
    }

    fn by<'a>(&'a self, keys: impl Fn(&'a Testcase) -> Vec<&'a str>) -> BTreeMap<&'a str, Count> {
        let mut counts: BTreeMap<_, Count> = BTreeMap::new();
        for verdict in &self.verdicts {
            for key in keys(verdict.testcase) {
                counts.entry(key).or_default().add(verdict);
            }
        }
        counts
    }
}

impl Count {
    fn add(&mut self, verdict: &Verdict<'_>) {
        let [rustls, openssl] = verdict.are_as_expected();
        self.cases += 1;
        self.good += usize::from(verdict.testcase.expected_result == ExpectedResult::Success);
        self.rustls += usize::from(rustls);
        self.openssl += usize::from(openssl);
        self.same += usize::from(rustls == openssl);
    }
}

/// Puts one case to both, or says why that can't be.
fn put(testcase: &Testcase, now: SystemTime) -> Result<[Judgement; 2], Unjudged> {
    if testcase.max_chain_depth.is_some() {
        return Err(OutOfScope("a limit to the length of chains"));
    }
    if !testcase.signature_algorithms.is_empty() {
        return Err(OutOfScope("a list of signature algorithms"));
    }
    if !testcase.key_usage.is_empty() {
        return Err(OutOfScope("a key usage asked for"));
    }
    let name = peer_name(testcase)?;
    let purpose = match &name {
        Some(name) => Purpose::Server(name),
        None => Purpose::Client,
    };
    let at = match &testcase.validation_time {
        None => now,
        Some(text) => OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| Unreadable("a time that is not of RFC 3339"))?
            .into(),
    };
    let mut chain = certificates(std::slice::from_ref(&testcase.peer_certificate))?;
    chain.extend(certificates(&testcase.untrusted_intermediates)?);
    let roots = certificates(&testcase.trusted_certs)?;
    let crls = pem(&testcase.crls, pki::crls_from_pem)?;
    Ok(judge(&Question {
        chain: &chain,
        roots: &roots,
        crls: &crls,
        purpose,
        at,
    }))
}

/// The name that a server must have; `None` for clients.
fn peer_name(testcase: &Testcase) -> Result<Option<PeerName>, Unjudged> {
    let usages: Vec<&str> = testcase
        .extended_key_usage
        .iter()
        .map(String::as_str)
        .collect();
    match (&testcase.validation_kind, usages.as_slice()) {
        (ValidationKind::Server, [] | ["serverAuth"])
        | (ValidationKind::Client, [] | ["clientAuth"]) => {}
        (ValidationKind::Other(_), _) => return Err(OutOfScope("neither a server nor a client")),
        _ => return Err(OutOfScope("another extended key usage")),
    }
    if testcase.validation_kind == ValidationKind::Client {
        // A TLS library leaves the names of clients to the program.
        return match testcase.expected_peer_names.as_slice() {
            [] => Ok(None),
            _ => Err(OutOfScope("a name wanted of a client")),
        };
    }
    let Some(name) = &testcase.expected_peer_name else {
        return Err(OutOfScope("a server of which no name is wanted"));
    };
    match name.kind.as_str() {
        "DNS" => Ok(Some(PeerName::Dns(name.value.clone()))),
        "IP" => match name.value.parse() {
            Ok(address) => Ok(Some(PeerName::Ip(address))),
            Err(_) => Err(Unreadable("an address that is none")),
        },
        _ => Err(OutOfScope("a name that is neither of DNS nor an address")),
    }
}

fn certificates(
    texts: &[String],
) -> Result<Vec<rustls_pki_types::CertificateDer<'static>>, Unjudged> {
    pem(texts, pki::certificates_from_pem)
}

fn pem<T, E>(
    texts: &[String],
    read: impl Fn(&[u8]) -> Result<Vec<T>, E>,
) -> Result<Vec<T>, Unjudged> {
    let mut found = Vec::new();
    for text in texts {
        found.extend(read(text.as_bytes()).map_err(|_| Unreadable("PEM that can't be read"))?);
    }
    Ok(found)
}
