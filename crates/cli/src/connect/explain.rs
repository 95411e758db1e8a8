//! The same for people.

use std::fmt::Write;

use server::Offered;

use super::findings::{ClientCertificate, Findings, Flight, Negotiated, PostQuantum, RSA, Shown};
use crate::output::escape;

/// Columns of the text.
const WIDTH: usize = 100;
/// Authorities that are shown by name: a server may name each root of its system.
const AUTHORITIES: usize = 4;

/// The whole explanation; every line ends in LF.
pub(super) fn text(findings: &Findings) -> String {
    let mut text = findings.target.clone();
    if let Some(address) = findings.address.as_ref().filter(|a| **a != findings.target) {
        let _ = write!(text, " at {address}");
    }
    if let Some(stack) = &findings.stack {
        let _ = write!(text, ", with {stack}");
    }
    text.push_str("\n\n");
    for sentences in answer(findings) {
        for (at, line) in wrapped(&sentences, WIDTH - 2).into_iter().enumerate() {
            let indent = if at == 0 { "" } else { "  " };
            let _ = writeln!(text, "{indent}{line}");
        }
    }
    for (title, lines) in [
        ("Offered", findings.offered.as_ref().map(offered)),
        ("Chosen", Some(chosen(findings))),
        (
            "Client certificate",
            findings.client_certificate.as_ref().map(client_certificate),
        ),
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

/// What an architect wants to know first: connected, trusted, safe from a quantum computer?
fn answer(findings: &Findings) -> Vec<String> {
    let mut answer = vec![connected(findings)];
    let error = findings.error.as_ref();
    answer.extend(error.and_then(|error| error.hint.clone()));
    match &findings.verdict {
        Some(verdict) if verdict.is_trusted => answer.push("The server is trusted.".to_owned()),
        Some(_) => answer.push(format!(
            "The server is NOT trusted: {}. It was asked nothing.",
            findings.reason()
        )),
        None if findings.negotiated.is_some() => {
            answer.push("The server's chain was not judged.".to_owned());
        }
        None => {}
    }
    if let (Some(negotiated), Some(post_quantum)) = (&findings.negotiated, &findings.post_quantum) {
        answer.push(key_exchange(negotiated, post_quantum));
        answer.push(authentication(negotiated, post_quantum));
    }
    answer
}

fn connected(findings: &Findings) -> String {
    let failed = findings.error.as_ref().filter(|_| !findings.is_stranger());
    let Some(negotiated) = &findings.negotiated else {
        return match failed {
            Some(error) => format!("Not connected: {}.", error.text),
            None => "Not connected.".to_owned(),
        };
    };
    let version = negotiated.version.as_deref().unwrap_or("TLS");
    let over = match findings.transport {
        "quic" => "QUIC",
        _ => "TCP",
    };
    match failed {
        Some(error) => format!(
            "Connected by {version} over {over}, and then failed: {}.",
            error.text
        ),
        None => format!("Connected by {version} over {over}."),
    }
}

fn key_exchange(negotiated: &Negotiated, post_quantum: &PostQuantum) -> String {
    let Some(group) = &negotiated.group else {
        return match negotiated.is_resumed {
            true => session(negotiated),
            false => format!(
                "Key exchange: {RSA}, without forward secrecy. Who records this connection reads \
                 it as soon as the server's key is known, with or without a quantum computer."
            ),
        };
    };
    match (post_quantum.key_exchange, negotiated.nist_category) {
        (true, Some(category)) => format!(
            "Key exchange: post-quantum, {group} ({}, NIST category {category}). Who records this \
             connection today can't read it with a quantum computer.",
            negotiated.group_kind.unwrap_or("unknown"),
        ),
        (true, None) => format!("Key exchange: post-quantum, {group}."),
        (false, _) => format!(
            "Key exchange: classical, {group}. Who records this connection today can read it once \
             there is a quantum computer."
        ),
    }
}

/// A resumption without a key exchange of its own.
fn session(negotiated: &Negotiated) -> String {
    if negotiated.version.as_deref() != Some("TLS 1.2") {
        return "Key exchange: none; the keys rest on the secret of the ticket alone, without \
                forward secrecy (RFC 8446 section 2.2)."
            .to_owned();
    }
    let rests_on = match negotiated.session_key_exchange.as_deref() {
        Some(RSA) => {
            ", here by RSA key transport: who recorded that one reads both as soon as the \
             server's key is known"
                .to_owned()
        }
        Some(group) => format!(
            ", here by {group}, classical: who recorded both can read both once there is a \
             quantum computer"
        ),
        None => String::new(),
    };
    format!(
        "Key exchange: none. A resumed TLS 1.2 session uses the master secret of its first \
         handshake again (RFC 5246 appendix F.1.4): forward secrecy and safety from a quantum \
         computer are those of that handshake{rests_on}. If the session came in a ticket, the \
         server's ticket key opens it as well (RFC 5077)."
    )
}

fn authentication(negotiated: &Negotiated, post_quantum: &PostQuantum) -> String {
    match (post_quantum.authentication, &negotiated.server_scheme) {
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
        (_, None) if negotiated.group.is_none() => {
            "Authentication: classical, by decrypting with the RSA key of the certificate."
                .to_owned()
        }
        (_, None) => "Authentication: the library does not tell the scheme.".to_owned(),
    }
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
    let Some(has_hello_retry) = negotiated.has_hello_retry else {
        // Of what else was chosen nothing is known.
        line(&mut lines, "signature", or_none(&negotiated.server_scheme));
        return lines;
    };
    let group = match (&negotiated.group, negotiated.is_resumed) {
        (Some(group), _) => group,
        (None, true) => "none: that of the session counts",
        (None, false) => RSA,
    };
    line(&mut lines, "key exchange", group);
    line(
        &mut lines,
        "cipher suite",
        or_none(&negotiated.cipher_suite),
    );
    line(&mut lines, "signature", or_none(&negotiated.server_scheme));
    line(&mut lines, "protocol", or_none(&negotiated.alpn));
    let retry = match has_hello_retry {
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

fn client_certificate(asked: &ClientCertificate) -> Lines {
    let mut lines = Lines::new();
    if !asked.is_requested {
        line(&mut lines, "asked for", "no");
        return lines;
    }
    line(&mut lines, "asked for", "yes");
    line(&mut lines, "signatures", asked.signature_schemes.join(", "));
    let mut authorities: Vec<&str> = asked.authorities.iter().map(String::as_str).collect();
    let more = authorities.len().saturating_sub(AUTHORITIES);
    authorities.truncate(AUTHORITIES);
    let authorities = match (authorities.as_slice(), more) {
        ([], _) => "none named".to_owned(),
        (names, 0) => names.join("; "),
        (names, more) => format!("{}; and {more} more", names.join("; ")),
    };
    line(&mut lines, "authorities", authorities);
    let sent = match (&asked.subject, asked.is_sent) {
        (Some(subject), true) => format!("yes: {subject}"),
        (None, true) => "yes".to_owned(),
        (_, false) => "no".to_owned(),
    };
    line(&mut lines, "sent", sent);
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
    let wire = &findings.wire;
    if wire.bytes_sent + wire.bytes_received == 0 {
        return lines;
    }
    let flights: Vec<String> = wire.flights.iter().map(flight).collect();
    if !flights.is_empty() {
        line(&mut lines, "flights", flights.join(", then "));
    }
    let included = match findings.transport {
        "quic" => "request and response",
        _ => "record headers",
    };
    line(
        &mut lines,
        "bytes",
        format!(
            "{} sent, {} received, {included} included",
            wire.bytes_sent, wire.bytes_received
        ),
    );
    if let Some(quic) = &findings.quic {
        line(
            &mut lines,
            "datagrams",
            format!(
                "{} sent, {} received; {} Initial packets before the server's first word",
                quic.datagrams_sent, quic.datagrams_received, quic.first_flight_initials
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
                quic.bytes_sent_before_validation, quic.bytes_allowed_before_validation
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
    let times = &findings.times;
    let handshake = match findings.transport {
        "quic" => "QUIC",
        _ => "TLS",
    };
    for (label, time) in [
        ("name", times.resolve_us),
        ("TCP", times.connect_us),
        (handshake, times.handshake_us),
        ("first byte", times.first_byte_us),
    ] {
        if let Some(time) = time {
            line(&mut lines, label, format!("{:.3} ms", time as f64 / 1000.0));
        }
    }
    lines
}

/// Breaks at blanks; a word that is longer than a line stays whole. What peers wrote is in
/// here, and nowhere else.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in escape(text).split(' ') {
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
