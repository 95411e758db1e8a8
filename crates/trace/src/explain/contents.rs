//! The contents of messages in plain words.

use experiment::Side;
use wire::{
    CertificateVerify, CipherSuite, ClientHello, CompressedCertificate, ExtensionType,
    HandshakeType, NamedGroup, NewSessionTicket, ProtocolVersion, ServerExtensions, ServerHello,
    SignatureScheme,
};

use super::Context;
use crate::message::Message;
use crate::reader::Item;
use crate::trace::Fact;
use crate::words::{bytes, code_points, counted, join, number, printable, version};

pub(super) fn contents(item: &Item, context: &Context) -> Vec<Fact> {
    match &item.message {
        Message::ClientHello(hello) => client_hello(hello),
        Message::HelloRetryRequest(hello) => vec![
            fact("cipher suite", hello.cipher_suite.to_string()),
            fact(
                "asks for",
                match hello.key_share {
                    Some(share) => format!("a key share of {}", share.group),
                    None => "the same hello again, with its cookie".to_owned(),
                },
            ),
        ],
        Message::ServerHello(hello, extensions) => server_hello(hello, extensions),
        Message::EncryptedExtensions(extensions) => server_extensions(extensions),
        Message::Certificate(sizes) => certificate(sizes, item.sender),
        Message::CompressedCertificate(chain) => vec![compressed(chain)],
        Message::CertificateRequest(request) => vec![
            fact("signatures", schemes(&request.signature_schemes)),
            fact(
                "authorities",
                match request.authorities.len() {
                    0 => "none named".to_owned(),
                    count => format!("{count} named"),
                },
            ),
        ],
        Message::CertificateVerify(verify) => vec![signature(verify)],
        Message::ServerKeyExchange(Some(exchange)) => vec![
            fact(
                "public key",
                format!("{} ({})", exchange.group, bytes(exchange.public_key)),
            ),
            signature(&exchange.signature),
        ],
        Message::ServerKeyExchange(None) => vec![fact("public key", "an explicit curve".into())],
        Message::ClientKeyExchange { static_rsa, length } => vec![match static_rsa {
            true => fact(
                "premaster secret",
                format!(
                    "encrypted to the certificate's RSA key ({})",
                    bytes(*length)
                ),
            ),
            false => fact("public key", bytes(*length)),
        }],
        Message::NewSessionTicket(ticket) => new_session_ticket(ticket),
        Message::Handshake(kind) => vec![other_handshake(*kind, &item.body)],
        Message::Alert(alert) => vec![fact("says", alert.description.to_string())],
        Message::ChangeCipherSpec => vec![fact("says", change_cipher_spec(item, context))],
        Message::ApplicationData => {
            vec![fact(
                "data",
                format!("{} in {}", bytes(item.bytes), records(item)),
            )]
        }
        Message::Unreadable => vec![fact("content", format!("unknown, in {}", records(item)))],
    }
}

fn fact(name: &'static str, value: String) -> Fact {
    Fact { name, value }
}

fn records(item: &Item) -> String {
    counted(item.records, "record")
}

fn client_hello(hello: &ClientHello) -> Vec<Fact> {
    let versions = match hello.versions.as_slice() {
        [] => "TLS 1.2 or older".to_owned(),
        versions => join(&versions.iter().map(|v| version(*v)).collect::<Vec<_>>()),
    };
    // No suite, but a signal in the place of one (RFC 5746 section 3.3).
    let suites = code_points(&hello.cipher_suites, |suite: &CipherSuite| suite.0)
        .replace("0x00ff", "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
    let shares: Vec<String> = hello
        .key_shares
        .iter()
        .map(|share| {
            let group = code_points(&[share.group], |group: &NamedGroup| group.0);
            format!("{group} ({})", bytes(share.length))
        })
        .collect();
    let mut facts = vec![fact("versions", versions), fact("cipher suites", suites)];
    let groups = code_points(&hello.groups, |group: &NamedGroup| group.0);
    facts.push(fact("groups", groups));
    if hello
        .versions
        .contains(&ProtocolVersion::Tls13.code_point())
    {
        facts.push(fact("key shares", join(&shares)));
    }
    facts.push(fact("signatures", schemes(&hello.signature_schemes)));
    if let Some(name) = &hello.server_name {
        facts.push(fact("server name", printable(name)));
    }
    if !hello.alpn.is_empty() {
        let protocols: Vec<_> = hello.alpn.iter().map(|name| printable(name)).collect();
        facts.push(fact("protocols", join(&protocols)));
    }
    if hello.offers_psk {
        let identities: Vec<_> = hello.psk_identities.iter().map(|l| bytes(*l)).collect();
        facts.push(fact("pre-shared key", join(&identities)));
    }
    if hello.early_data {
        facts.push(fact("0-RTT", "data follow at once".to_owned()));
    }
    facts.push(fact("extensions", extensions(&hello.extensions)));
    facts
}

fn server_hello(hello: &ServerHello, extensions: &ServerExtensions) -> Vec<Fact> {
    let chosen = match hello.version {
        Some(chosen) => format!("TLS {chosen}"),
        None => "older than TLS 1.2, or unknown".to_owned(),
    };
    let mut facts = vec![
        fact("version", chosen),
        fact("cipher suite", hello.cipher_suite.to_string()),
    ];
    if let Some(share) = hello.key_share {
        let share = format!("{} ({})", share.group, bytes(share.length));
        facts.push(fact("key share", share));
    }
    if hello.accepts_psk {
        facts.push(fact(
            "pre-shared key",
            "taken: the session is resumed".into(),
        ));
    }
    facts.extend(server_extensions(extensions));
    facts
}

fn server_extensions(answer: &ServerExtensions) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(protocol) = &answer.alpn {
        facts.push(fact("protocol", printable(protocol)));
    }
    if answer.accepts_early_data {
        facts.push(fact("0-RTT", "the data are taken".to_owned()));
    }
    facts.push(fact("extensions", extensions(&answer.extensions)));
    facts
}

fn certificate(sizes: &[usize], sender: Side) -> Vec<Fact> {
    if sizes.is_empty() {
        return vec![fact(
            "certificates",
            format!("none: the {sender} has none to show"),
        )];
    }
    let list: Vec<String> = sizes.iter().map(|size| number(*size)).collect();
    let value = match sizes {
        [size] => format!("1, of {}", bytes(*size)),
        _ => format!(
            "{}, of {} bytes, the end entity first",
            sizes.len(),
            list.join(" and ")
        ),
    };
    vec![fact("certificates", value)]
}

fn compressed(chain: &CompressedCertificate) -> Fact {
    let algorithm = match chain.algorithm {
        1 => "zlib",
        2 => "brotli",
        3 => "zstd",
        _ => "an unknown algorithm",
    };
    let sizes = (bytes(chain.compressed), bytes(chain.uncompressed as usize));
    fact(
        "certificates",
        format!("{} by {algorithm}, {} without", sizes.0, sizes.1),
    )
}

fn signature(verify: &CertificateVerify) -> Fact {
    let length = bytes(verify.signature);
    fact("signature", format!("{} ({length})", verify.scheme))
}

fn new_session_ticket(ticket: &NewSessionTicket) -> Vec<Fact> {
    let mut facts = vec![
        fact("ticket", bytes(ticket.ticket)),
        fact("lifetime", counted(ticket.lifetime as usize, "second")),
    ];
    if let Some(limit) = ticket.max_early_data {
        facts.push(fact("0-RTT", format!("{} allowed", bytes(limit as usize))));
    }
    facts
}

fn other_handshake(kind: HandshakeType, body: &[u8]) -> Fact {
    match kind {
        HandshakeType::FINISHED => fact(
            "contents",
            format!("a MAC over the whole handshake ({})", bytes(body.len())),
        ),
        HandshakeType::END_OF_EARLY_DATA => fact("says", "the 0-RTT data end here".to_owned()),
        HandshakeType::SERVER_HELLO_DONE => fact("says", "the client's turn".to_owned()),
        HandshakeType::KEY_UPDATE => fact(
            "says",
            match body {
                [1] => "new keys from here on; the peer is asked for the same".to_owned(),
                _ => "new keys from here on".to_owned(),
            },
        ),
        _ => fact("contents", bytes(body.len())),
    }
}

fn change_cipher_spec(item: &Item, context: &Context) -> String {
    match context.version() {
        Some(ProtocolVersion::Tls13) => {
            "nothing: it makes TLS 1.3 look like 1.2 to middleboxes".to_owned()
        }
        _ => format!("what the {} sends from here on is encrypted", item.sender),
    }
}

fn schemes(schemes: &[SignatureScheme]) -> String {
    code_points(schemes, |scheme: &SignatureScheme| scheme.0)
}

fn extensions(types: &[ExtensionType]) -> String {
    code_points(types, |kind: &ExtensionType| kind.0)
}
