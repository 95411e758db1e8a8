//! The hellos: read, told, and changed.

use rustls_pki_types::CertificateDer;
use wire::{
    ClientHello, ExtensionType, HandshakeType, NamedGroup, ServerHello, plaintext_messages,
};

use super::exchange::Link;
use super::{Party, Play, Refusal};

/// Whether a server asks for a client certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    No,
    Yes,
}

/// Tells a handshake up to the end of the server's flight (RFC 8446 section 2). `shown` is
/// the server's chain.
pub(super) fn tell_handshake(
    play: &mut Play,
    [client, server]: [Party; 2],
    link: &Link,
    asks: Asks,
    shown: &[CertificateDer<'static>],
) {
    play.say(client, server, false, told(link.server.peer_hello()));
    play.say(server, client, false, told(link.client.peer_hello()));
    let request = match asks {
        Asks::Yes => "CertificateRequest, ",
        Asks::No => "",
    };
    let certificate = certificate(shown);
    let flight = format!(
        "EncryptedExtensions, {request}Certificate ({certificate}), CertificateVerify, Finished"
    );
    play.say(server, client, true, flight);
}

/// Tells that a side gives up.
pub(super) fn tell_refusal(play: &mut Play, to: Party, refusal: &Refusal) {
    let alert = match &refusal.alert {
        Some(alert) => format!("alert {alert}"),
        None => "breaks off without an alert".to_owned(),
    };
    let what = format!("{alert}, because: {}", refusal.words);
    play.say(refusal.by, to, true, what);
}

/// Whom a chain is for, and who signed it.
pub(super) fn certificate(chain: &[CertificateDer<'static>]) -> String {
    let leaf = chain.first().map(|leaf| pki::Certificate::from_der(leaf));
    match leaf {
        Some(Ok(leaf)) if leaf.subject == leaf.issuer => {
            format!("{}, signed by itself", leaf.subject)
        }
        Some(Ok(leaf)) => format!("{}, signed by {}", leaf.subject, leaf.issuer),
        Some(Err(_)) => "a certificate that can't be read".to_owned(),
        None => "no certificate".to_owned(),
    }
}

/// The hello in a record, in words.
pub(super) fn told(record: &[u8]) -> String {
    let messages = plaintext_messages(record).unwrap_or_default();
    let Some(message) = messages.first() else {
        return "nothing that can be read".to_owned();
    };
    match message.handshake_type {
        HandshakeType::CLIENT_HELLO => match ClientHello::parse(&message.body) {
            Ok(hello) => client_hello(&hello),
            Err(error) => error.to_string(),
        },
        HandshakeType::SERVER_HELLO => match ServerHello::parse(&message.body) {
            Ok(hello) => server_hello(&hello),
            Err(error) => error.to_string(),
        },
        other => other.to_string(),
    }
}

fn client_hello(hello: &ClientHello) -> String {
    let name = hello.server_name.as_deref().unwrap_or_default();
    let name = String::from_utf8_lossy(name);
    let groups = hello.groups.iter().map(|group| group_name(*group));
    let groups: Vec<String> = groups.collect();
    let shares = hello.key_shares.iter();
    let shares: Vec<String> = shares
        .map(|share| format!("{} ({} B)", group_name(share.group), share.length))
        .collect();
    format!(
        "ClientHello: server name {name}; groups {}; key shares {}",
        groups.join(", "),
        shares.join(", ")
    )
}

fn server_hello(hello: &ServerHello) -> String {
    match hello.key_share {
        Some(share) if hello.is_retry_request => {
            format!(
                "HelloRetryRequest: wants a key share of {}",
                group_name(share.group)
            )
        }
        Some(share) => format!(
            "ServerHello: key share {} ({} B)",
            group_name(share.group),
            share.length
        ),
        None => "ServerHello".to_owned(),
    }
}

fn group_name(group: NamedGroup) -> String {
    match wire::is_grease(group.0) {
        true => format!("GREASE 0x{:04X}", group.0),
        false => group.to_string(),
    }
}

/// Puts another number in the place of a group's in supported_groups and key_share of the
/// ClientHello that is a record. All lengths stay as they are. Gives the number of places;
/// `None` where it is no ClientHello.
pub(super) fn replace_group(record: &mut [u8], old: NamedGroup, new: NamedGroup) -> Option<usize> {
    const RECORD_HEADER: usize = 5;
    const MESSAGE_HEADER: usize = 4;
    const VERSION_AND_RANDOM: usize = 2 + 32;
    if *record.get(RECORD_HEADER)? != HandshakeType::CLIENT_HELLO.0 {
        return None;
    }
    let mut at = RECORD_HEADER + MESSAGE_HEADER + VERSION_AND_RANDOM;
    // Session id, cipher suites and compression methods (RFC 8446 section 4.1.2).
    for width in [1, 2, 1] {
        at += width + number(record, at, width)?;
    }
    let end = at + 2 + number(record, at, 2)?;
    at += 2;
    let mut replaced = 0;
    while at < end {
        let kind = number(record, at, 2)?;
        let length = number(record, at + 2, 2)?;
        // Both begin with the length of their list.
        let mut entry = at + 4 + 2;
        at += 4 + length;
        let is_groups = kind == usize::from(ExtensionType::SUPPORTED_GROUPS.0);
        if !is_groups && kind != usize::from(ExtensionType::KEY_SHARE.0) {
            continue;
        }
        while entry < at {
            if number(record, entry, 2)? == usize::from(old.0) {
                record
                    .get_mut(entry..entry + 2)?
                    .copy_from_slice(&new.0.to_be_bytes());
                replaced += 1;
            }
            entry += 2;
            if !is_groups {
                entry += 2 + number(record, entry, 2)?;
            }
        }
    }
    Some(replaced)
}

fn number(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + width)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| (sum << 8) | usize::from(*byte)),
    )
}
