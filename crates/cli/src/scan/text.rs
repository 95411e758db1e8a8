//! What was seen of an address, for people.

use std::fmt::{Display, Write};

use audit::{
    Answer, CertificateFacts, Endpoint, Service, SignatureFamily, SshService, TlsService, Tried,
};
use wire::{CipherSuite, NamedGroup, version_name};

use crate::output::escape;

/// Columns of the labels.
const WIDTH: usize = 14;

/// A block of lines.
pub(super) fn endpoint(endpoint: &Endpoint) -> String {
    let mut text = endpoint.target.to_string();
    if let Some(address) = &endpoint.address
        && endpoint.target.host.parse() != Ok(address.ip())
    {
        let _ = write!(text, " at {}", address.ip());
    }
    let rows = match &endpoint.service {
        Service::Unreachable(unknown) => {
            vec![("not known", escape(&unknown.to_string()))]
        }
        Service::Tls(service) => tls(service),
        Service::Ssh(service) => ssh(service),
    };
    for (label, value) in rows {
        for (at, line) in value.lines().enumerate() {
            let label = if at == 0 { label } else { "" };
            let _ = write!(text, "\n  {label:WIDTH$}{line}");
        }
    }
    let seconds = endpoint.milliseconds as f64 / 1000.0;
    let _ = write!(
        text,
        "\n  {:WIDTH$}{} in {seconds:.1} s\n",
        "connections", endpoint.probes
    );
    text
}

/// Whether a service does post-quantum key exchange; `None` where that can't be told.
pub(super) fn is_post_quantum(service: &Service) -> Option<bool> {
    match service {
        Service::Unreachable(_) => None,
        Service::Ssh(service) => Some(service.key_exchanges.iter().any(|name| is_pq_ssh(name))),
        Service::Tls(service) => {
            let new = |tried: &&Tried<NamedGroup, _>| tried.offer.is_post_quantum();
            let answers = || service.groups.iter().filter(new);
            if answers().any(|tried| tried.answer.is_supported()) {
                return Some(true);
            }
            // An unknown group could be the one that it has.
            let is_told = answers().all(|tried| tried.answer.is_refused());
            (is_told && !service.groups.is_empty()).then_some(false)
        }
    }
}

fn is_pq_ssh(name: &str) -> bool {
    name.starts_with("mlkem") || name.starts_with("sntrup")
}

fn yes_or_no(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    }
}

fn tls(service: &TlsService) -> Vec<(&'static str, String)> {
    let wrapped = Service::Tls(Box::new(service.clone()));
    let mut rows = vec![
        (
            "post-quantum",
            format!("key exchange: {}", yes_or_no(is_post_quantum(&wrapped))),
        ),
        (
            "versions",
            tried(&service.versions, |version| version_name(*version), ", "),
        ),
        ("groups", groups(service)),
    ];
    if !service.tls13_suites.is_empty() {
        rows.push(("TLS 1.3", suites(&service.tls13_suites)));
    }
    if !service.tls12_suites.is_empty() {
        rows.push(("TLS 1.2", suites(&service.tls12_suites)));
        rows.push(("static RSA", static_rsa(&service.tls12_suites)));
    }
    rows.push(("certificates", chains(service)));
    rows.push(("clients", clients(service)));
    rows.push(("hello shapes", shapes(service)));
    if !matches!(&service.resumption, Answer::Unknown(why) if why.cause == audit::Cause::NotAsked) {
        rows.push(("resumption", resumption(service)));
    }
    if !service.alpn.is_empty() {
        rows.push(("client cert", client_certificate(service)));
        rows.push(("ALPN", tried(&service.alpn, Clone::clone, ", ")));
    }
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

/// What is supported; then what is refused, and what is not known, with reasons.
fn tried<Q, A>(tried: &[Tried<Q, A>], name: impl Fn(&Q) -> String, separator: &str) -> String {
    let names = |wanted: fn(&Answer<A>) -> bool| {
        let of = tried.iter().filter(|tried| wanted(&tried.answer));
        of.map(|tried| name(&tried.offer)).collect::<Vec<_>>()
    };
    let yes = names(Answer::is_supported).join(separator);
    let no = names(Answer::is_refused);
    let mut lines = vec![if yes.is_empty() && !tried.is_empty() {
        "none".to_owned()
    } else {
        yes
    }];
    if !no.is_empty() {
        lines.push(format!("refused: {}", no.join(", ")));
    }
    lines.extend(unknown(tried, &name));
    lines.join("\n")
}

/// A line for each reason, with what it hides.
fn unknown<Q, A>(tried: &[Tried<Q, A>], name: &impl Fn(&Q) -> String) -> Vec<String> {
    let mut by_reason: Vec<(String, Vec<String>)> = Vec::new();
    for Tried { offer, answer } in tried {
        if let Answer::Unknown(why) = answer {
            let reason = escape(&why.to_string());
            match by_reason.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) => names.push(name(offer)),
                None => by_reason.push((reason, vec![name(offer)])),
            }
        }
    }
    let line = |(reason, names): (String, Vec<String>)| {
        format!("not known ({reason}): {}", names.join(", "))
    };
    by_reason.into_iter().map(line).collect()
}

fn groups(service: &TlsService) -> String {
    let name = |group: &NamedGroup| group.to_string();
    let Answer::Supported(preference) = &service.preference else {
        return short(tried(&service.groups, name, ", "), &service.groups);
    };
    let order: Vec<String> = preference.order.iter().map(name).collect();
    let whose = match (order.len(), preference.server_decides) {
        (1, _) => "",
        (_, true) => " (the server's order)",
        (_, false) => " (the client's order counts)",
    };
    let separator = if preference.server_decides {
        " > "
    } else {
        ", "
    };
    let mut text = format!("{}{whose}", order.join(separator));
    let rest: Vec<_> = service
        .groups
        .iter()
        .filter(|one| !one.answer.is_supported())
        .collect();
    let refused = rest.iter().filter(|one| one.answer.is_refused()).count();
    if refused > 0 {
        let _ = write!(text, "\nrefused: {refused} others");
    }
    for line in unknown(&service.groups, &name) {
        let _ = write!(text, "\n{line}");
    }
    text
}

/// The names of what is refused are of no use where nothing else is.
fn short<A>(text: String, tried: &[Tried<NamedGroup, A>]) -> String {
    match tried.iter().all(|one| one.answer.is_refused()) {
        true if !tried.is_empty() => format!("none: all {} are refused", tried.len()),
        _ => text,
    }
}

fn suites<A>(suites: &[Tried<CipherSuite, A>]) -> String {
    let yes: Vec<String> = suites
        .iter()
        .filter(|tried| tried.answer.is_supported())
        .map(|tried| tried.offer.to_string())
        .collect();
    let mut lines: Vec<String> = match yes.is_empty() {
        true => vec!["no suite".to_owned()],
        false => yes.chunks(2).map(|pair| pair.join(", ")).collect(),
    };
    let mut reasons = unknown(suites, &|suite: &CipherSuite| suite.to_string());
    if let [reason] = reasons.as_mut_slice() {
        let end = reason.find("): ").map_or(reason.len(), |at| at + 1);
        reason.truncate(end);
        reason.push_str(": the others");
    }
    lines.extend(reasons);
    lines.join("\n")
}

fn static_rsa<A>(suites: &[Tried<CipherSuite, A>]) -> String {
    let of_rsa = || {
        let is_static = |suite: CipherSuite| suite.facts().is_some_and(|facts| facts.static_rsa);
        suites.iter().filter(move |tried| is_static(tried.offer))
    };
    if of_rsa().any(|tried| tried.answer.is_supported()) {
        return "on: the server's key alone opens what was recorded".to_owned();
    }
    match of_rsa().all(|tried| tried.answer.is_refused()) {
        true => "off".to_owned(),
        false => "not known".to_owned(),
    }
}

fn chains(service: &TlsService) -> String {
    let mut lines = Vec::new();
    for Tried { offer, answer } in &service.chains {
        match answer {
            Answer::Supported(chain) => {
                let keys: Vec<String> = chain
                    .certificates
                    .iter()
                    .map(|one| one.key.to_string())
                    .collect();
                let until = chain.certificates.first().map_or("", |leaf| until(leaf));
                lines.push(format!(
                    "{}: {} ({}, {} bytes, until {until})",
                    offer.title(),
                    keys.join(" < "),
                    chain
                        .scheme
                        .map_or("no signature".to_owned(), |scheme| scheme.to_string()),
                    chain.bytes,
                ));
            }
            Answer::Refused(_) => {}
            Answer::Unknown(why) => {
                lines.push(format!(
                    "{}: not known ({})",
                    offer.title(),
                    escape(&why.to_string())
                ));
            }
        }
    }
    let refused: Vec<&str> = service
        .chains
        .iter()
        .filter(|tried| tried.answer.is_refused())
        .map(|tried| SignatureFamily::title(tried.offer))
        .collect();
    if !refused.is_empty() {
        lines.push(format!("refused: {}", refused.join(", ")));
    }
    lines.join("\n")
}

fn until(certificate: &CertificateFacts) -> &str {
    certificate
        .not_after
        .get(..10)
        .unwrap_or(&certificate.not_after)
}

fn clients(service: &TlsService) -> String {
    let line = |tried: &Tried<String, audit::ClientOutcome>| {
        let what = match &tried.answer {
            Answer::Supported(got) => {
                let group = got
                    .group
                    .map_or("no group".to_owned(), |group| group.to_string());
                let retry = if got.has_hello_retry {
                    " (asked again)"
                } else {
                    ""
                };
                let trips = got.round_trips;
                let s = if trips == 1 { "" } else { "s" };
                format!(
                    "{group:<20} {}, {trips} round trip{s}{retry}, {} bytes up, {} down",
                    version_name(got.version),
                    got.client_hello,
                    got.server_flight
                )
            }
            Answer::Refused(refusal) => format!("no connection: {}", escape(&refusal.said)),
            Answer::Unknown(why) => format!("not known: {}", escape(&why.to_string())),
        };
        format!("{:<12} {what}", tried.offer)
    };
    service
        .clients
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn shapes(service: &TlsService) -> String {
    let all = service.tolerance.len();
    let answered = service
        .tolerance
        .iter()
        .filter(|tried| !tried.answer.is_unknown())
        .count();
    if all == 0 {
        return String::new();
    }
    let mut lines = vec![match answered == all {
        true => format!("all {all} are answered"),
        false => format!("{answered} of {all} are answered"),
    }];
    for Tried { offer, answer } in &service.tolerance {
        if let Answer::Unknown(why) = answer {
            lines.push(format!("{}: {}", offer.title(), escape(&why.to_string())));
        }
    }
    lines.join("\n")
}

fn resumption(service: &TlsService) -> String {
    explained(&service.resumption, |how| {
        let taken = match (how.accepted, how.with_key_exchange) {
            (false, _) => "tickets are issued and not taken back",
            (true, true) => "yes, with a fresh key exchange",
            (true, false) => "yes, without a fresh key exchange: no forward secrecy",
        };
        let early = match how.max_early_data {
            Some(bytes) => format!("; 0-RTT data up to {bytes} bytes"),
            None => String::new(),
        };
        format!("{taken}; tickets live {} s{early}", how.lifetime)
    })
}

fn client_certificate(service: &TlsService) -> String {
    explained(&service.client_certificate, |request| {
        let optional = match request.optional {
            Some(true) => "asked for, and done without",
            Some(false) => "required",
            None => "asked for",
        };
        let post_quantum = request
            .schemes
            .iter()
            .any(|scheme| scheme.facts().is_some_and(|facts| facts.post_quantum));
        let takes = if post_quantum {
            "takes ML-DSA"
        } else {
            "takes no post-quantum ones"
        };
        format!(
            "{optional}; {takes}; names {} authorities",
            request.authorities
        )
    })
}

fn explained<T>(answer: &Answer<T>, yes: impl Fn(&T) -> String) -> String {
    match answer {
        Answer::Supported(how) => yes(how),
        Answer::Refused(refusal) => format!("no: {}", escape(&refusal.said)),
        Answer::Unknown(why) => format!("not known: {}", escape(&why.to_string())),
    }
}

fn ssh(service: &SshService) -> Vec<(&'static str, String)> {
    let wrapped = Service::Ssh(service.clone());
    let list = |names: &[String]| escape(&names.join(", "));
    let keys = service.host_keys.iter().map(|tried| {
        let what = explained(&tried.answer, |key| {
            format!("{} SHA256:{}", shown(&key.algorithm), key.fingerprint)
        });
        format!("{}: {what}", escape(&tried.offer))
    });
    vec![
        (
            "post-quantum",
            format!("key exchange: {}", yes_or_no(is_post_quantum(&wrapped))),
        ),
        ("software", escape(&service.software)),
        ("key exchange", list(&service.key_exchanges)),
        ("host keys", keys.collect::<Vec<_>>().join("\n")),
        ("ciphers", list(&service.ciphers)),
    ]
}

fn shown(value: &impl Display) -> String {
    escape(&value.to_string())
}
