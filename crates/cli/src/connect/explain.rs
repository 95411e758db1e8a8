//! The same for people.

use std::fmt::Write;

use server::Offered;

use super::findings::{Findings, Flight, Shown};

/// Columns of the text.
const WIDTH: usize = 100;

/// The whole explanation; every line ends in LF.
pub(super) fn text(findings: &Findings) -> String {
    let at = match findings.target == findings.address {
        true => String::new(),
        false => format!(" at {}", findings.address),
    };
    let mut text = format!("{}{at}, with {}\n\n", findings.target, findings.stack);
    for sentences in answer(findings) {
        for (at, line) in wrapped(&sentences, WIDTH - 2).into_iter().enumerate() {
            let indent = if at == 0 { "" } else { "  " };
            let _ = writeln!(text, "{indent}{line}");
        }
    }
    for (title, lines) in [
        ("Offered", findings.offered.as_ref().map(offered)),
        ("Chosen", Some(chosen(findings))),
        ("Certificates", Some(certificates(findings))),
        ("On the wire", Some(wire(findings))),
        ("Time", Some(times(findings))),
    ] {
        let lines = lines.unwrap_or_default();
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{title}");
        let width = lines
            .iter()
            .map(|(label, _)| label.len())
            .max()
            .unwrap_or(0);
        for (label, value) in lines {
            for (at, part) in wrapped(&value, WIDTH - 4 - width).into_iter().enumerate() {
                let label = if at == 0 { label.as_str() } else { "" };
                let _ = writeln!(text, "  {label:width$}  {part}");
            }
        }
    }
    text
}

type Lines = Vec<(String, String)>;

fn line(lines: &mut Lines, label: &str, value: impl Into<String>) {
    lines.push((label.to_owned(), value.into()));
}

/// What an architect wants to know first.
fn answer(findings: &Findings) -> Vec<String> {
    let mut answer = Vec::new();
    if let Some(failure) = &findings.failure {
        answer.push(format!("The connection failed: {failure}."));
    }
    let (Some(negotiated), Some(post_quantum)) = (&findings.negotiated, &findings.post_quantum)
    else {
        return answer;
    };
    let group = negotiated.group.as_deref().unwrap_or("RSA key transport");
    answer.push(
        match (post_quantum.key_exchange, negotiated.nist_category) {
            (true, Some(category)) => format!(
                "Key exchange: post-quantum, {group} ({}, NIST category {category}). Who records \
             this connection today can't read it with a quantum computer.",
                negotiated.group_kind.unwrap_or("unknown"),
            ),
            (true, None) => format!("Key exchange: post-quantum, {group}."),
            (false, _) if negotiated.group.is_none() && negotiated.is_resumed => {
                "Key exchange: none; a resumption in TLS 1.2 uses the secret of the session before."
                    .to_owned()
            }
            (false, _) if negotiated.group.is_none() => format!(
                "Key exchange: {group}, without forward secrecy. Who records this connection reads \
             it as soon as the server's key is known, with or without a quantum computer."
            ),
            (false, _) => format!(
                "Key exchange: classical, {group}. Who records this connection today can read it \
             once there is a quantum computer."
            ),
        },
    );
    answer.push(match (post_quantum.authentication, &negotiated.scheme) {
        (Some(true), Some(scheme)) if post_quantum.chain == Some(true) => {
            format!("Authentication: post-quantum, {scheme}, and so is the whole chain.")
        }
        (Some(true), Some(scheme)) => format!(
            "Authentication: {scheme} in the handshake is post-quantum; the chain behind it is \
             not."
        ),
        (_, Some(scheme)) => format!(
            "Authentication: classical, {scheme}. It can't be forged before there is a quantum \
             computer: less urgent than key exchange."
        ),
        (_, None) if negotiated.is_resumed => {
            "Authentication: by the session that was resumed.".to_owned()
        }
        (Some(is_post_quantum), None) => format!(
            "Authentication: {}, by the server's key; QUIC encrypts the signature itself.",
            if is_post_quantum {
                "post-quantum"
            } else {
                "classical"
            }
        ),
        (None, None) if negotiated.group.is_none() => {
            "Authentication: classical, by decrypting with the RSA key of the certificate."
                .to_owned()
        }
        (None, None) => "Authentication: the library does not tell the scheme.".to_owned(),
    });
    match &findings.verdict {
        Some(verdict) if verdict.is_trusted => answer.push("The server is trusted.".to_owned()),
        Some(verdict) => answer.push(format!(
            "The server is NOT trusted: {}.",
            verdict.reason.as_deref().unwrap_or("no reason given")
        )),
        None => answer.push("The server's chain was not judged.".to_owned()),
    }
    answer
}

fn offered(offered: &Offered) -> Lines {
    let mut lines = Lines::new();
    if let Some(name) = &offered.server_name {
        line(&mut lines, "server name", name);
    }
    let versions = match offered.versions.as_slice() {
        [] => "TLS 1.2".to_owned(),
        versions => versions.join(", "),
    };
    line(&mut lines, "versions", versions);
    line(&mut lines, "groups", offered.groups.join(", "));
    let shares = offered.key_shares.iter();
    let shares: Vec<String> = shares
        .map(|share| format!("{} ({} bytes)", share.group, share.bytes))
        .collect();
    if !shares.is_empty() {
        line(&mut lines, "key shares", shares.join(", "));
    }
    line(
        &mut lines,
        "signatures",
        offered.signature_schemes.join(", "),
    );
    line(
        &mut lines,
        "cipher suites",
        offered.cipher_suites.join(", "),
    );
    if !offered.alpn.is_empty() {
        line(&mut lines, "protocols", offered.alpn.join(", "));
    }
    lines
}

fn chosen(findings: &Findings) -> Lines {
    let mut lines = Lines::new();
    let Some(negotiated) = &findings.negotiated else {
        return lines;
    };
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    line(&mut lines, "version", or_none(&negotiated.version));
    let group = match (&negotiated.group, negotiated.is_resumed) {
        (Some(group), _) => group,
        (None, true) => "none",
        (None, false) => "RSA key transport",
    };
    line(&mut lines, "key exchange", group);
    line(
        &mut lines,
        "cipher suite",
        or_none(&negotiated.cipher_suite),
    );
    let signature = match findings.transport {
        "quic" => "encrypted: QUIC shows it to nobody".to_owned(),
        _ => or_none(&negotiated.scheme),
    };
    line(&mut lines, "signature", signature);
    line(&mut lines, "protocol", or_none(&negotiated.alpn));
    let retry = match negotiated.has_hello_retry {
        true => "yes: the first key share was for a group that the server does not take",
        false => "no",
    };
    line(&mut lines, "HelloRetryRequest", retry);
    let resumed = if negotiated.is_resumed { "yes" } else { "no" };
    line(&mut lines, "resumed", resumed);
    if let Some(response) = &findings.response {
        line(&mut lines, "response", &response.status_line);
    }
    lines
}

fn certificates(findings: &Findings) -> Lines {
    let describe = |shown: &Shown| {
        let names = match shown.names.as_slice() {
            [] => String::new(),
            names => format!("; for {}", names.join(", ")),
        };
        format!(
            "{}{names}; key {}; signed with {} by {}; until {}; {} bytes",
            shown.subject,
            shown.key,
            shown.signature,
            shown.issuer,
            shown.not_after.get(..10).unwrap_or(&shown.not_after),
            shown.bytes
        )
    };
    let numbered = findings.certificates.iter().enumerate();
    numbered
        .map(|(at, shown)| ((at + 1).to_string(), describe(shown)))
        .collect()
}

fn wire(findings: &Findings) -> Lines {
    let mut lines = Lines::new();
    let flights: Vec<String> = findings.bytes.flights.iter().map(flight).collect();
    if !flights.is_empty() {
        line(&mut lines, "flights", flights.join(", then "));
    }
    line(
        &mut lines,
        "bytes",
        format!(
            "{} sent, {} received, {} included",
            findings.bytes.sent,
            findings.bytes.received,
            match findings.transport {
                "quic" => "request and response",
                _ => "record headers",
            }
        ),
    );
    if let Some(quic) = &findings.quic {
        line(
            &mut lines,
            "datagrams",
            format!(
                "{} sent, {} received; {} Initial packets before the server's first word",
                quic.sent, quic.received, quic.first_flight_initials
            ),
        );
        let limit = match quic.is_limit_exhausted {
            true => "the server had to wait there if it had more to say",
            false => "the limit held nothing back",
        };
        line(
            &mut lines,
            "amplification",
            format!(
                "{} of {} bytes allowed before the client's address was validated: {limit}",
                quic.sent_before_validation, quic.allowed_before_validation
            ),
        );
        let retry = if quic.has_retry { "yes" } else { "no" };
        line(&mut lines, "Retry", retry);
    }
    if let Some(trips) = &findings.round_trips {
        let window = match trips.fits_initial_window {
            true => "the server's flight fits an initial window of ten segments",
            false => {
                "the server's flight is longer than an initial window of ten segments: at least \
                 one round trip more on a real network"
            }
        };
        line(
            &mut lines,
            "round trips",
            format!("{} for TCP, {} for TLS; {window}", trips.tcp, trips.tls),
        );
    }
    lines
}

fn flight(flight: &Flight) -> String {
    let plural = if flight.segments == 1 { "" } else { "s" };
    format!(
        "{} {} bytes ({} segment{plural})",
        flight.sender, flight.bytes, flight.segments
    )
}

fn times(findings: &Findings) -> Lines {
    let mut lines = Lines::new();
    let times = &findings.timings_us;
    for (label, time) in [
        ("name", Some(times.resolve)),
        (
            "TCP",
            (findings.transport == "tcp").then_some(times.connect),
        ),
        (
            if findings.quic.is_some() {
                "QUIC"
            } else {
                "TLS"
            },
            times.handshake,
        ),
        ("first byte", times.first_byte),
    ] {
        if let Some(time) = time {
            line(&mut lines, label, format!("{:.3} ms", time as f64 / 1000.0));
        }
    }
    lines
}

/// Breaks at blanks; a word that is longer than a line stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(last) = lines.last_mut() else {
            break;
        };
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
