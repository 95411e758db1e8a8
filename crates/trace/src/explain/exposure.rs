//! What an eavesdropper learns from a message, and what stays secret.

use experiment::Side;
use wire::{ClientHello, ExtensionType, GroupKind, HandshakeType, NamedGroup};

use super::Context;
use super::findings::{classical_key_exchange, kind};
use crate::message::Message;
use crate::reader::Item;
use crate::trace::Protection;
use crate::words::{bytes, enumerate, printable};

#[derive(Default)]
pub(super) struct Exposure {
    pub(super) seen: Vec<String>,
    pub(super) secret: Vec<String>,
}

pub(super) fn exposure(item: &Item, context: &Context) -> Exposure {
    match item.protection {
        Protection::Clear => in_the_clear(item, context),
        protection => Exposure {
            seen: seen_of_encrypted(item, protection),
            secret: vec![secret_of_encrypted(item, context)],
        },
    }
}

fn in_the_clear(item: &Item, context: &Context) -> Exposure {
    match &item.message {
        Message::ClientHello(hello) => client_hello(hello),
        Message::HelloRetryRequest(_) => Exposure {
            seen: vec!["that the client's key share was not the one wanted".to_owned()],
            secret: Vec::new(),
        },
        Message::ServerHello(hello, _) => {
            let mut exposure = Exposure {
                seen: vec!["everything that was chosen".to_owned()],
                secret: Vec::new(),
            };
            if let Some(share) = hello.key_share {
                exposure.seen.push(shares_seen(&[share.group]));
                exposure.secret.push("the shared secret".to_owned());
            }
            exposure
        }
        Message::Certificate(sizes) if sizes.is_empty() => Exposure {
            seen: vec!["that the client has no certificate".to_owned()],
            secret: Vec::new(),
        },
        Message::Certificate(_) | Message::CompressedCertificate(_) => Exposure {
            seen: vec![format!("the whole chain: who the {} is", item.sender)],
            secret: vec!["the private key".to_owned()],
        },
        Message::CertificateRequest(_) => Exposure {
            seen: vec!["that the server asks for a certificate, and whose it trusts".to_owned()],
            secret: Vec::new(),
        },
        Message::CertificateVerify(_) => Exposure {
            seen: vec!["the signature".to_owned()],
            secret: Vec::new(),
        },
        Message::ServerKeyExchange(Some(exchange)) => Exposure {
            seen: vec![
                shares_seen(&[exchange.group]),
                "the signature over it".to_owned(),
            ],
            secret: vec!["the private key".to_owned()],
        },
        Message::ClientKeyExchange {
            static_rsa: true, ..
        } => Exposure {
            seen: vec![
                "the encrypted premaster secret: the server's RSA key opens it, now or in years"
                    .to_owned(),
            ],
            secret: vec!["the premaster secret, as long as the server's key is".to_owned()],
        },
        Message::ClientKeyExchange {
            static_rsa: false, ..
        } => Exposure {
            seen: context
                .negotiated
                .group
                .map(|group| shares_seen(&[group]))
                .into_iter()
                .collect(),
            secret: vec!["the shared secret".to_owned()],
        },
        Message::NewSessionTicket(_) => Exposure {
            seen: vec!["the ticket, by which a resumption is linked to this connection".to_owned()],
            secret: vec!["the session's secret in it, by the server's ticket key".to_owned()],
        },
        Message::Alert(alert) => Exposure {
            seen: vec![format!("why it ends: {}", alert.description)],
            secret: Vec::new(),
        },
        _ => Exposure::default(),
    }
}

fn client_hello(hello: &ClientHello) -> Exposure {
    let mut seen = Vec::new();
    let is_cover = hello
        .extensions
        .contains(&ExtensionType::ENCRYPTED_CLIENT_HELLO);
    match &hello.server_name {
        Some(name) if is_cover => seen.push(format!(
            "a server name, {}, that may be a cover for the encrypted one",
            printable(name)
        )),
        Some(name) => seen.push(format!("the server's name, {}", printable(name))),
        None => {}
    }
    if !hello.alpn.is_empty() {
        seen.push("the application protocols offered".to_owned());
    }
    seen.push("what the client supports: enough to tell which software it is".to_owned());
    let groups: Vec<NamedGroup> = hello
        .key_shares
        .iter()
        .map(|share| share.group)
        .filter(|group| !wire::is_grease(group.0))
        .collect();
    let mut secret = Vec::new();
    if !groups.is_empty() {
        seen.push(shares_seen(&groups));
        secret.push("the private keys of the key shares".to_owned());
    }
    if hello.offers_psk {
        seen.push("the ticket; used twice, it links the connections".to_owned());
        secret.push("the ticket's contents".to_owned());
    }
    if is_cover {
        secret.push("the hello proper (encrypted_client_hello)".to_owned());
    }
    Exposure { seen, secret }
}

/// The public keys, and what a quantum computer makes of them.
fn shares_seen(groups: &[NamedGroup]) -> String {
    let falling: Vec<String> = groups
        .iter()
        .filter(|group| kind(**group) == Some(GroupKind::Classical))
        .map(NamedGroup::to_string)
        .collect();
    let keys = match groups {
        [_] => "the public key",
        _ => "the public keys",
    };
    match falling.as_slice() {
        [] => keys.to_owned(),
        names => format!(
            "{keys}; from that of {} a quantum computer finds the private key",
            enumerate(names)
        ),
    }
}

fn seen_of_encrypted(item: &Item, protection: Protection) -> Vec<String> {
    let shows_type = protection == Protection::Tls12;
    let mut seen = Vec::new();
    match item.records {
        // It shares the record of the message before it.
        0 => seen.push("nothing apart: it shares the record of the message before".to_owned()),
        count => {
            let records = match count {
                1 => "a record".to_owned(),
                count => format!("{count} records"),
            };
            let length = bytes(item.bytes + item.overhead);
            seen.push(match (shows_type, count) {
                (true, 1) => format!("{records} of {length}, and its type"),
                (true, _) => format!("{records} of {length}, and their type"),
                // Other messages may stand in it.
                (false, 1) => "a record, its length, not what is in it".to_owned(),
                (false, _) => format!("{records}, their lengths, not what is in them"),
            });
        }
    }
    if matches!(
        item.message,
        Message::Certificate(_) | Message::CompressedCertificate(_)
    ) {
        seen.push("that record's length hints at the algorithm of the certificates".to_owned());
    }
    seen
}

fn secret_of_encrypted(item: &Item, context: &Context) -> String {
    let what = match &item.message {
        Message::EncryptedExtensions(answer) => match answer.alpn {
            Some(_) => "the application protocol chosen",
            None => "the answers to the client's extensions",
        },
        Message::Certificate(_) | Message::CompressedCertificate(_) => match item.sender {
            Side::Server => "who the server is, beyond the name asked for",
            Side::Client => "who the client is",
        },
        Message::CertificateRequest(_) => "that a client certificate is asked for",
        Message::CertificateVerify(_) => "the signature and its scheme",
        Message::NewSessionTicket(_) => "the ticket, until it is used",
        Message::Handshake(HandshakeType::FINISHED) => "the MAC",
        Message::Alert(_) => "which alert it is",
        Message::ApplicationData => "the data",
        Message::Unreadable => "what is in them",
        _ => "its content",
    };
    match (item.protection, classical_key_exchange(context)) {
        (Protection::EarlyData, _) => format!("{what}, as long as the ticket's secret is"),
        (_, Some(name)) => format!("{what}, until a quantum computer solves {name}"),
        _ => what.to_owned(),
    }
}
