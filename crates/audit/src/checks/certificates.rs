//! What certificates and keys show.

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use super::Draft;
use crate::remedies::Wish;
use crate::uses::{place, signature_of};
use crate::{
    Algorithm, Asset, AssetKind, CertificateFacts, Check, Endpoint, Evidence, Profile, Resistance,
    Role, Severity, Subject, TlsService,
};

use Role::Signature;

/// Where a certificate was seen: how its findings are made.
struct Sight<'a> {
    subject: &'a Subject,
    evidence: &'a dyn Fn(String) -> Evidence,
    profile: &'a Profile,
    at: Date,
}

pub(super) fn of_chains(
    endpoint: &Endpoint,
    service: &TlsService,
    profile: &Profile,
    at: Date,
) -> Vec<Draft> {
    let subject = Subject::from(&endpoint.target);
    let here = place(endpoint);
    let evidence = |text: String| Evidence::live(format!("{here}: {text}"));
    let sight = Sight {
        subject: &subject,
        evidence: &evidence,
        profile,
        at,
    };
    let mut drafts = Vec::new();
    for chain in service
        .chains
        .iter()
        .filter_map(|tried| tried.answer.supported())
    {
        for certificate in &chain.certificates {
            drafts.extend(of_certificate(certificate, &sight));
        }
        drafts.extend(mixed(&chain.certificates, &sight));
    }
    drafts
}

pub(super) fn of_asset(asset: &Asset, profile: &Profile, at: Date) -> Vec<Draft> {
    let subject = Subject::from(asset);
    let evidence = |text: String| Evidence::in_file(text, asset.location.clone());
    let sight = Sight {
        subject: &subject,
        evidence: &evidence,
        profile,
        at,
    };
    match &asset.kind {
        AssetKind::Certificate(certificate) => of_certificate(certificate, &sight),
        AssetKind::Key(key) | AssetKind::Request(key) => key
            .algorithm
            .iter()
            .filter_map(|algorithm| small(algorithm, "key", &sight))
            .collect(),
        AssetKind::Store(_) | AssetKind::Settings(_) => Vec::new(),
    }
}

fn of_certificate(certificate: &CertificateFacts, sight: &Sight<'_>) -> Vec<Draft> {
    let name = format!("certificate {}", certificate.subject);
    let found = [
        small(&certificate.key, &name, sight),
        weak_hash(certificate, &name, sight),
        validity(certificate, &name, sight),
    ];
    found.into_iter().flatten().collect()
}

fn small(key: &Algorithm, name: &str, sight: &Sight<'_>) -> Option<Draft> {
    let is_small = match key {
        Algorithm::Rsa(bits) | Algorithm::Dsa(bits) | Algorithm::Dh(bits) => {
            (1..2048).contains(bits)
        }
        _ => false,
    };
    is_small.then(|| {
        let title = format!("{key} is too small against a classical attacker: at least 2048 bits");
        let wish = Wish::Words(
            "Replace the key: ECDSA on P-256, or RSA of 3072 bits, until ML-DSA is understood \
             everywhere."
                .to_owned(),
            Vec::new(),
            Vec::new(),
        );
        Draft::new(
            Check::SmallKey,
            Severity::High,
            sight.subject.clone(),
            title,
            wish,
        )
        .detail(key.to_string())
        .about(Signature, key.clone())
        .seen((sight.evidence)(format!("{name}: {key}")))
    })
}

fn weak_hash(certificate: &CertificateFacts, name: &str, sight: &Sight<'_>) -> Option<Draft> {
    let hash = certificate.signature_hash.as_deref()?;
    let normal = hash.to_ascii_uppercase().replace(['-', '_'], "");
    // A trust anchor's own signature is not verified.
    if !matches!(normal.as_str(), "SHA1" | "MD5" | "MD2") || certificate.is_self_issued {
        return None;
    }
    let title = format!("A certificate is signed over {hash}, for which collisions are known");
    let wish = Wish::Words(
        "Have the certificate issued anew, signed over SHA-256 or longer.".to_owned(),
        Vec::new(),
        Vec::new(),
    );
    Some(
        Draft::new(
            Check::WeakHash,
            Severity::High,
            sight.subject.clone(),
            title,
            wish,
        )
        .detail(certificate.subject.clone())
        .about(Signature, certificate.signature.clone())
        .seen((sight.evidence)(format!(
            "{name}: {} over {hash}",
            certificate.signature
        ))),
    )
}

fn validity(certificate: &CertificateFacts, name: &str, sight: &Sight<'_>) -> Option<Draft> {
    let end = OffsetDateTime::parse(&certificate.not_after, &Rfc3339).ok()?;
    let days = (end.date() - sight.at).whole_days();
    let (severity, title) = if days < 0 {
        (
            Severity::High,
            format!("A certificate has expired on {}", end.date()),
        )
    } else if days <= i64::from(sight.profile.expiry_days) {
        (
            Severity::Medium,
            format!("A certificate expires in {days} days, on {}", end.date()),
        )
    } else {
        return None;
    };
    let wish = Wish::Words(
        "Renew the certificate; a good moment to plan its algorithm too.".to_owned(),
        Vec::new(),
        Vec::new(),
    );
    Some(
        Draft::new(
            Check::CertificateValidity,
            severity,
            sight.subject.clone(),
            title,
            wish,
        )
        .detail(certificate.subject.clone())
        .seen((sight.evidence)(format!(
            "{name}: valid until {}",
            certificate.not_after
        ))),
    )
}

/// A chain in which only some signatures stand against a quantum computer: the weakest decides
/// what an attacker can forge.
fn mixed(certificates: &[CertificateFacts], sight: &Sight<'_>) -> Option<Draft> {
    let mut used: Vec<Algorithm> = certificates
        .iter()
        .map(|certificate| certificate.key.clone())
        .collect();
    let signed = certificates
        .iter()
        .filter(|certificate| !certificate.is_self_issued);
    used.extend(signed.map(|certificate| signature_of(certificate, certificates)));
    let falls = |algorithm: &&Algorithm| algorithm.resistance() == Resistance::Vulnerable;
    let stands = |algorithm: &&Algorithm| {
        matches!(
            algorithm.resistance(),
            Resistance::PostQuantum | Resistance::Hybrid
        )
    };
    let weakest = used.iter().find(falls)?;
    let strongest = used.iter().find(stands)?;
    let title = format!(
        "A chain has {strongest} and {weakest}: a quantum computer forges it where it is weakest"
    );
    let names: Vec<String> = certificates
        .iter()
        .map(|one| {
            format!(
                "{} ({}, signed with {})",
                one.subject, one.key, one.signature
            )
        })
        .collect();
    Some(
        Draft::new(
            Check::MixedChain,
            Severity::Low,
            sight.subject.clone(),
            title,
            Wish::Certificates,
        )
        .about(Signature, weakest.clone())
        .seen((sight.evidence)(format!("chain: {}", names.join(" < ")))),
    )
}
