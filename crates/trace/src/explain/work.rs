//! Who computes what: the public-key cryptography that a message brings about, with its
//! time where that was measured.

use std::time::Duration;

use experiment::{Phase, Side};
use wire::{ClientHello, GroupKind, NamedGroup};

use super::Context;
use super::findings::kind;
use crate::capture::Flight;
use crate::message::Message;
use crate::reader::Item;
use crate::trace::Work;
use crate::words::enumerate;

pub(super) fn work(item: &Item, context: &Context, flights: &[Flight]) -> Vec<Work> {
    let clock = Clock { item, flights };
    match &item.message {
        Message::ClientHello(hello) => client_hello(hello, clock),
        Message::ServerHello(hello, _) => match hello.key_share {
            Some(share) => server_hello(share.group, clock),
            None => Vec::new(),
        },
        Message::Certificate(_) | Message::CompressedCertificate(_)
            if context.is_static_rsa() && item.sender == Side::Server =>
        {
            vec![clock.timed(Side::Client, Phase::Verify, "verifies the chain")]
        }
        Message::CertificateVerify(verify) => vec![
            clock.timed(
                item.sender,
                Phase::Sign,
                &format!("signs the handshake with {}", verify.scheme),
            ),
            clock.timed(
                item.sender.peer(),
                Phase::Verify,
                "verifies this signature and the chain",
            ),
        ],
        Message::ServerKeyExchange(Some(exchange)) => vec![
            clock.timed(
                Side::Server,
                Phase::GenerateShare,
                &generation(&[exchange.group]),
            ),
            clock.timed(
                Side::Server,
                Phase::Sign,
                &format!("signs it with {}", exchange.signature.scheme),
            ),
            clock.timed(
                Side::Client,
                Phase::Verify,
                "verifies this signature and the chain",
            ),
        ],
        Message::ClientKeyExchange { static_rsa, .. } => key_exchange(*static_rsa, context, clock),
        _ => Vec::new(),
    }
}

fn client_hello(hello: &ClientHello, clock: Clock<'_>) -> Vec<Work> {
    let groups: Vec<NamedGroup> = hello
        .key_shares
        .iter()
        .map(|share| share.group)
        .filter(|group| !wire::is_grease(group.0))
        .collect();
    let mut work = Vec::new();
    if !groups.is_empty() {
        work.push(clock.timed(Side::Client, Phase::GenerateShare, &generation(&groups)));
    }
    if hello.offers_psk {
        work.push(Work {
            side: Side::Client,
            what: "proves with a MAC that it has the ticket's secret".to_owned(),
            time: None,
        });
    }
    work
}

fn server_hello(group: NamedGroup, clock: Clock<'_>) -> Vec<Work> {
    let [server, client] = match (kind(group), group.halves()) {
        (Some(GroupKind::Classical), _) => [
            format!("generates its key pair of {group}, computes the shared secret"),
            "computes the same from its private key".to_owned(),
        ],
        (Some(GroupKind::PostQuantum), _) => [
            format!("encapsulates a secret to the client's {group} key"),
            "decapsulates it".to_owned(),
        ],
        (Some(GroupKind::Hybrid), Some([classical, kem])) => [
            format!("answers in {classical}, encapsulates a second secret to the {kem} key"),
            "computes the one, decapsulates the other, joins both".to_owned(),
        ],
        (Some(GroupKind::Hybrid), None) => [
            format!("answers the classical half of {group}, encapsulates to the other"),
            "computes the one secret, decapsulates the other, joins both".to_owned(),
        ],
        (None, _) => [
            format!("computes the shared secret of {group}"),
            "computes the same".to_owned(),
        ],
    };
    vec![
        clock.timed(Side::Server, Phase::Agree, &server),
        clock.timed(Side::Client, Phase::Agree, &client),
    ]
}

/// TLS 1.2, where the client answers last.
fn key_exchange(static_rsa: bool, context: &Context, clock: Clock<'_>) -> Vec<Work> {
    if static_rsa {
        let work = |side, what: &str| Work {
            side,
            what: what.to_owned(),
            time: None,
        };
        return vec![
            work(
                Side::Client,
                "encrypts a secret to the certificate's RSA key",
            ),
            work(Side::Server, "decrypts it with the private key"),
        ];
    }
    let generation = match context.negotiated.group {
        Some(group) => generation(&[group]),
        None => "generates its key pair".to_owned(),
    };
    vec![
        clock.timed(Side::Client, Phase::GenerateShare, &generation),
        clock.timed(Side::Client, Phase::Agree, "computes the shared secret"),
        clock.timed(Side::Server, Phase::Agree, "computes the same"),
    ]
}

/// Key generation in words: hybrids by their halves. A half that is also offered alone is
/// named once: most clients use one key pair for both.
fn generation(groups: &[NamedGroup]) -> String {
    let mut names: Vec<String> = Vec::new();
    for group in groups {
        let parts = group.halves().map_or_else(|| vec![*group], Vec::from);
        for part in parts {
            let name = part.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    match names.as_slice() {
        [name] => format!("generates a key pair of {name}"),
        names => format!("generates key pairs of {}", enumerate(names)),
    }
}

/// Where the times of a message's computations stand.
#[derive(Clone, Copy)]
struct Clock<'a> {
    item: &'a Item,
    flights: &'a [Flight],
}

impl Clock<'_> {
    /// The sender computes for its flight; the receiver, for the one with which it answers.
    fn timed(self, side: Side, phase: Phase, what: &str) -> Work {
        let from = self.item.flight;
        let flight = self.flights[from..]
            .iter()
            .find(|flight| flight.sender == side);
        Work {
            side,
            what: what.to_owned(),
            time: flight.and_then(|flight| time(flight, phase)),
        }
    }
}

fn time(flight: &Flight, phase: Phase) -> Option<Duration> {
    let times = flight.phases.iter().filter(|(other, _)| *other == phase);
    times.map(|(_, time)| *time).reduce(|a, b| a + b)
}
