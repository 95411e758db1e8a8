//! What an endpoint's key exchange shows.

use wire::NamedGroup;

use super::{Draft, hybrid};
use crate::remedies::Wish;
use crate::uses::{place, rsa_key};
use crate::{
    Algorithm, Answer, Check, Confidence, Endpoint, Evidence, HelloShape, Resistance, Role,
    Severity, Source, SshService, Subject, TlsService, Tolerance, Tried,
};

use Role::KeyEstablishment;

pub(super) fn of_tls(endpoint: &Endpoint, service: &TlsService) -> Vec<Draft> {
    let found = [
        static_rsa(endpoint, service),
        classical(endpoint, service),
        not_preferred(endpoint, service),
        draft_groups(endpoint, service),
        versions(endpoint, service),
        intolerance(endpoint, service),
    ];
    found.into_iter().flatten().collect()
}

fn draft(
    check: Check,
    severity: Severity,
    endpoint: &Endpoint,
    title: impl Into<String>,
    wish: Wish,
) -> Draft {
    Draft::new(
        check,
        severity,
        Subject::from(&endpoint.target),
        title,
        wish,
    )
}

fn static_rsa(endpoint: &Endpoint, service: &TlsService) -> Option<Draft> {
    let suites: Vec<String> = service
        .tls12_suites
        .iter()
        .filter(|tried| tried.answer.is_supported())
        .filter(|tried| tried.offer.facts().is_some_and(|facts| facts.static_rsa))
        .map(|tried| tried.offer.to_string())
        .collect();
    if suites.is_empty() {
        return None;
    }
    let title = "Static RSA key transport is on: the server's private key alone decrypts every \
                 recorded session, without a quantum computer";
    let text = format!("{}: takes {}", place(endpoint), suites.join(", "));
    Some(
        draft(
            Check::StaticRsa,
            Severity::High,
            endpoint,
            title,
            Wish::ForwardSecrecy,
        )
        .about(KeyEstablishment, rsa_key(service))
        .seen(Evidence::live(text)),
    )
}

/// Groups that were taken, in TLS 1.3.
fn taken(service: &TlsService) -> Vec<NamedGroup> {
    let taken = service
        .groups
        .iter()
        .filter(|tried| tried.answer.is_supported());
    taken.map(|tried| tried.offer).collect()
}

fn is_classical(group: NamedGroup) -> bool {
    Algorithm::of_group(group).resistance() == Resistance::Vulnerable
}

/// Whether a group is on in this protocol and stands against a quantum computer, by a standard.
fn is_current(group: NamedGroup) -> bool {
    group.is_post_quantum() && !is_kyber_draft(group)
}

fn is_kyber_draft(group: NamedGroup) -> bool {
    matches!(group.0, 0x6399 | 0x639a)
}

/// Only where all that was asked says no: what is not known is no "no".
fn classical(endpoint: &Endpoint, service: &TlsService) -> Option<Draft> {
    let taken = taken(service);
    let has_tls13 = service
        .versions
        .iter()
        .any(|tried| tried.offer == 0x0304 && tried.answer.is_supported());
    let is_tls12_only = service
        .versions
        .iter()
        .any(|tried| tried.offer == 0x0304 && tried.answer.is_refused());
    let asked: Vec<&Tried<NamedGroup, _>> = service
        .groups
        .iter()
        .filter(|tried| tried.offer.is_post_quantum())
        .collect();
    let all_refused = !asked.is_empty() && asked.iter().all(|tried| tried.answer.is_refused());
    let is_certain = is_tls12_only || (has_tls13 || !taken.is_empty()) && all_refused;
    if taken.iter().any(|group| is_current(*group)) || !is_certain {
        return None;
    }
    let first = match &service.preference {
        Answer::Supported(preference) => preference.order.first().copied(),
        _ => None,
    };
    let group = first.or(taken.iter().copied().find(|group| is_classical(*group)));
    let title = match is_tls12_only {
        true => {
            "Only classical key exchange, since TLS 1.3 is off: what is recorded now can be \
             decrypted by a later quantum computer"
        }
        false => {
            "Only classical key exchange: what is recorded now can be decrypted by a later \
             quantum computer"
        }
    };
    let names: Vec<String> = taken.iter().map(ToString::to_string).collect();
    let text = match names.is_empty() {
        true => format!("{}: TLS 1.3 is refused", place(endpoint)),
        false => format!(
            "{}: takes {}, and refuses {}",
            place(endpoint),
            names.join(", "),
            asked
                .iter()
                .map(|tried| tried.offer.to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    };
    let severity = Severity::Medium;
    let found = draft(
        Check::ClassicalKeyExchange,
        severity,
        endpoint,
        title,
        Wish::Hybrid,
    )
    .seen(Evidence::live(text));
    Some(match group {
        None => found,
        Some(group) => Draft {
            instead: Some(hybrid()),
            ..found.about(KeyEstablishment, Algorithm::of_group(group))
        },
    })
}

/// What ordinary clients get where a hybrid is there.
fn not_preferred(endpoint: &Endpoint, service: &TlsService) -> Option<Draft> {
    let best = taken(service)
        .into_iter()
        .find(|group| is_current(*group))?;
    let place = place(endpoint);
    let mut lost = Vec::new();
    let mut retried = Vec::new();
    if let Answer::Supported(preference) = &service.preference
        && let Some(first) = preference.order.first()
        && is_classical(*first)
        && preference.server_decides
    {
        let text = format!("{place}: prefers {first} to {best}, whatever the client prefers");
        lost.push(Evidence::live(text));
    }
    for Tried { offer, answer } in &service.clients {
        let Answer::Supported(outcome) = answer else {
            continue;
        };
        // A client that offers no hybrid is not the server's matter; one that pays a retry
        // for a hybrid, or for a classical group, is.
        if outcome.has_hello_retry {
            let group = outcome
                .group
                .map_or("another group".to_owned(), |group| group.to_string());
            let text = format!(
                "{place}: {offer} is asked for {group} by a HelloRetryRequest: {} round trips",
                outcome.round_trips
            );
            retried.push(Evidence::live(text));
        }
    }
    let (severity, title) = match (lost.is_empty(), retried.is_empty()) {
        (true, true) => return None,
        (false, _) => (
            Severity::Medium,
            format!("{best} is supported and not preferred: clients get a classical group"),
        ),
        (true, false) => (
            Severity::Low,
            "Some ordinary clients pay a round trip more for the group that the server wants"
                .to_owned(),
        ),
    };
    let wish = match lost.is_empty() {
        false => Wish::Hybrid,
        true => Wish::Words(
            "Accept the cost, or take a group that these clients send a share of.".to_owned(),
            vec![
                "A client sends one or two key shares. Asking for another costs one round trip, \
                 and is what makes the hybrid reach clients that send a classical share only."
                    .to_owned(),
                "Where the group that is asked for is classical or rare, put X25519MLKEM768 and \
                 X25519 first."
                    .to_owned(),
            ],
            Vec::new(),
        ),
    };
    let mut found = draft(Check::HybridNotPreferred, severity, endpoint, title, wish)
        .about(KeyEstablishment, Algorithm::of_group(best));
    found.evidence = lost;
    found.evidence.extend(retried);
    Some(found)
}

fn draft_groups(endpoint: &Endpoint, service: &TlsService) -> Option<Draft> {
    let groups: Vec<NamedGroup> = taken(service)
        .into_iter()
        .filter(|group| is_kyber_draft(*group))
        .collect();
    let first = *groups.first()?;
    let has_current = taken(service).into_iter().any(is_current);
    let (severity, title) = match has_current {
        true => (
            Severity::Low,
            "Groups of Kyber before FIPS 203 are on beside current ones",
        ),
        false => (
            Severity::Medium,
            "The only post-quantum groups are those of Kyber before FIPS 203, which current \
             clients no longer offer",
        ),
    };
    let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
    let text = format!("{}: takes {}", place(endpoint), names.join(", "));
    Some(
        draft(
            Check::ObsoleteDraftGroup,
            severity,
            endpoint,
            title,
            Wish::Hybrid,
        )
        .about(KeyEstablishment, Algorithm::of_group(first))
        .seen(Evidence::live(text)),
    )
}

fn versions(endpoint: &Endpoint, service: &TlsService) -> Option<Draft> {
    let old: Vec<String> = service
        .versions
        .iter()
        .filter(|tried| tried.offer < 0x0303 && tried.answer.is_supported())
        .map(|tried| wire::version_name(tried.offer))
        .collect();
    let has_no_tls13 = service
        .versions
        .iter()
        .any(|tried| tried.offer == 0x0304 && tried.answer.is_refused());
    let (severity, title) = match (old.is_empty(), has_no_tls13) {
        (true, false) => return None,
        (true, true) => (
            Severity::Medium,
            "TLS 1.3 is off: without it there is no post-quantum key exchange".to_owned(),
        ),
        (false, _) => {
            let verb = if old.len() == 1 { "is" } else { "are" };
            (Severity::High, format!("{} {verb} on", old.join(" and ")))
        }
    };
    let all: Vec<String> = service
        .versions
        .iter()
        .filter(|tried| tried.answer.is_supported())
        .map(|tried| wire::version_name(tried.offer))
        .collect();
    let text = format!("{}: takes {}", place(endpoint), all.join(", "));
    Some(
        draft(
            Check::ProtocolVersion,
            severity,
            endpoint,
            title,
            Wish::Versions,
        )
        .seen(Evidence::live(text)),
    )
}

/// Shapes that are not answered where the control is.
fn intolerance(endpoint: &Endpoint, service: &TlsService) -> Option<Draft> {
    let answer = |shape: HelloShape| {
        let mut tried = service
            .tolerance
            .iter()
            .filter(|tried| tried.offer == shape);
        tried.next().map(|tried| &tried.answer)
    };
    let control = answer(HelloShape::Classical)?;
    if !control.is_supported() {
        return None;
    }
    let failing: Vec<&Tried<HelloShape, Tolerance>> = service
        .tolerance
        .iter()
        .filter(|tried| tried.offer != HelloShape::Classical && fails(&tried.answer))
        .collect();
    if failing.is_empty() {
        return None;
    }
    let place = place(endpoint);
    let names: Vec<&str> = failing.iter().map(|tried| tried.offer.title()).collect();
    let title = format!(
        "A ClientHello in this shape is not answered: {}",
        names.join("; ")
    );
    let fails = |shape| failing.iter().any(|tried| tried.offer == shape);
    let takes = |shape| answer(shape).is_some_and(Answer::is_supported);
    let mut steps = Vec::new();
    if fails(HelloShape::ClassicalAbove1500) {
        steps.push(
            "A long ClientHello fails without any post-quantum share in it: it is the size that \
             is not taken, by a firewall, a load balancer or an old TLS stack on the way."
                .to_owned(),
        );
    }
    let needs_whole = [
        HelloShape::HybridInTwoSegments,
        HelloShape::HybridDelayed,
        HelloShape::HybridInTwoRecords,
    ]
    .into_iter()
    .any(fails);
    if needs_whole {
        steps.push(
            "Something on the way wants the whole ClientHello at once. Look for rules that read \
             the server name too early, as HAProxy's SNI rules without a content delay, and for \
             firewalls that inspect TLS."
                .to_owned(),
        );
    }
    if takes(HelloShape::HybridByRetryRequest) && fails(HelloShape::HybridInOneWrite) {
        steps.push(
            "Until it is mended, a small ClientHello works: a classical share, and the hybrid by \
             HelloRetryRequest. It costs one round trip."
                .to_owned(),
        );
    }
    steps.push(
        "Scan again past each device on the way: the first past which it works is not the cause, \
         the one before is."
            .to_owned(),
    );
    let source = Source {
        text: "tldr.fail issue 23 (September 2026: a cloud firewall aborts a ClientHello in two \
               parts and lets HelloRetryRequest through); HAProxy issue 3148"
            .to_owned(),
        confidence: Confidence::SeveralSources,
    };
    let summary = match fails(HelloShape::ClassicalAbove1500) {
        true => {
            "Find what on the way does not take a long ClientHello, and update or reconfigure it."
        }
        false => {
            "Find what stands before the server and needs the ClientHello in one piece, and update \
             or reconfigure it."
        }
    };
    let summary = summary.to_owned();
    let wish = Wish::Words(summary, steps, vec![source]);
    let mut found = draft(
        Check::HelloIntolerance,
        Severity::High,
        endpoint,
        title,
        wish,
    );
    for tried in failing {
        let what = match &tried.answer {
            Answer::Unknown(unknown) => unknown.to_string(),
            Answer::Refused(refusal) => refusal.said.clone(),
            Answer::Supported(_) => continue,
        };
        found = found.seen(Evidence::live(format!(
            "{place}: {}: {what}",
            tried.offer.title()
        )));
    }
    Some(found)
}

/// Silence, a reset and the like, and an alert, where the control shape was answered: here
/// they are the finding. A question that was not put is none.
fn fails(answer: &Answer<Tolerance>) -> bool {
    use crate::Cause::{Alert, Closed, Garbage, Reset, Timeout};
    match answer {
        Answer::Supported(_) => false,
        Answer::Refused(_) => true,
        Answer::Unknown(unknown) => {
            matches!(unknown.cause, Timeout | Reset | Closed | Garbage | Alert)
        }
    }
}

pub(super) fn of_ssh(endpoint: &Endpoint, service: &SshService) -> Vec<Draft> {
    let methods: Vec<(&String, Algorithm)> = service
        .key_exchanges
        .iter()
        .filter_map(|method| Some((method, Algorithm::of_ssh_key_exchange(method)?)))
        .collect();
    let stands = |algorithm: &Algorithm| {
        matches!(
            algorithm.resistance(),
            Resistance::Hybrid | Resistance::PostQuantum
        )
    };
    let (Some((_, first)), false) = (
        methods.first(),
        methods.iter().any(|(_, algorithm)| stands(algorithm)),
    ) else {
        return Vec::new();
    };
    // A method that is not known here may be post-quantum.
    let unknown = |algorithm: &Algorithm| algorithm.resistance() == Resistance::Unknown;
    if methods.iter().any(|(_, algorithm)| unknown(algorithm)) {
        return Vec::new();
    }
    let names: Vec<&str> = methods.iter().map(|(method, _)| method.as_str()).collect();
    let text = format!(
        "{}: {} offers {}",
        place(endpoint),
        service.software,
        names.join(", ")
    );
    let title = "SSH offers no post-quantum key exchange: what is recorded now can be decrypted \
                 by a later quantum computer";
    let found = draft(
        Check::SshKeyExchange,
        Severity::Medium,
        endpoint,
        title,
        Wish::SshHybrid,
    )
    .about(KeyEstablishment, first.clone())
    .seen(Evidence::live(text));
    vec![found]
}
