//! The risk of each subject, and whether its keys were ever shown.

use std::collections::BTreeMap;

use crate::{
    Algorithm, Estate, Exposure, Manner, Profile, Risk, Role, Service, Subject, SubjectKind, Usage,
};

/// Key establishment and signatures of each subject, apart.
pub(crate) fn risks(estate: &Estate, uses: &[Usage], profile: &Profile) -> Vec<Risk> {
    let mut by_role: BTreeMap<(&Subject, Role), Vec<&Usage>> = BTreeMap::new();
    for usage in uses.iter().filter(|usage| usage.not_observed.is_none()) {
        if let Some(role) = usage.role {
            by_role
                .entry((&usage.subject, role))
                .or_default()
                .push(usage);
        }
    }
    let shown = shown(estate);
    let risk = |((subject, role), uses): (_, Vec<&Usage>)| {
        let algorithms: Vec<&Algorithm> = uses.iter().map(|usage| &usage.algorithm).collect();
        let exposure = exposure(&shown, profile, subject, role, &uses);
        Risk::new(subject, role, &algorithms, exposure, profile)
    };
    by_role.into_iter().filter_map(risk).collect()
}

fn exposure(
    shown_in_files: &BTreeMap<Subject, String>,
    profile: &Profile,
    subject: &Subject,
    role: Role,
    uses: &[&Usage],
) -> Exposure {
    if let Some(published) = profile.last(&subject.name, |one| one.published) {
        let reason = "the profile says so".to_owned();
        return match published {
            true => Exposure::Published(reason),
            false => Exposure::Unpublished(reason),
        };
    }
    let shown = uses.iter().find_map(|usage| match usage.manner {
        Manner::HostKey => Some("the server shows its host key to everyone"),
        Manner::Preferred | Manner::Accepted if role == Role::KeyEstablishment => {
            Some("key shares go over the wire in the clear")
        }
        Manner::HandshakeSignature => Some("it signs handshakes"),
        Manner::CertificateKey | Manner::CertificateSignature
            if subject.kind == SubjectKind::Endpoint =>
        {
            Some("the server shows its certificates to everyone")
        }
        Manner::Configured => Some("key shares go over the wire in the clear"),
        _ => None,
    });
    match (shown, shown_in_files.get(subject)) {
        (Some(reason), _) => Exposure::Published(reason.to_owned()),
        (None, Some(endpoint)) => Exposure::Published(format!("{endpoint} shows it")),
        (None, None) => {
            let reason = "no scan has seen it; a certificate that was ever shown, signed \
                          with or logged is published";
            Exposure::NotKnown(reason.to_owned())
        }
    }
}

/// The endpoints that show certificates of files, by what these are called.
fn shown(estate: &Estate) -> BTreeMap<Subject, String> {
    let certificates = estate.certificates();
    let mut shown = BTreeMap::new();
    for endpoint in &estate.endpoints {
        let Service::Tls(service) = &endpoint.service else {
            continue;
        };
        let chains = service
            .chains
            .iter()
            .filter_map(|tried| tried.answer.supported());
        for certificate in chains.flat_map(|chain| &chain.certificates) {
            for asset in certificates.same(certificate) {
                let by = || endpoint.target.to_string();
                shown.entry(Subject::from(*asset)).or_insert_with(by);
            }
        }
    }
    shown
}
