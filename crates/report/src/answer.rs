//! The answer in words: each sentence holds two measured scenarios against each other.

use experiment::{
    HandshakeKind, Interval, KeyExchange, Metric, NetworkName, Scenario, Side, StackName,
};
use serde::Serialize;
use wire::{NamedGroup, SignatureAlgorithm};

use crate::Dataset;
use crate::number::{self, NBSP};
use crate::view::{self, Contrast, Verdict};

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What it is about, in a few words.
    pub(crate) subject: String,
    /// The finding, as whole sentences.
    pub(crate) text: String,
}

/// One side of two scenarios.
pub(crate) struct Comparison {
    pub(crate) label: String,
    pub(crate) contrast: Contrast,
}

/// A change that an architect can make, between two measured scenarios.
struct Move {
    subject: &'static str,
    /// `X25519 to X25519MLKEM768`, in a few words for a chart.
    short: String,
    /// The beginning of a sentence: `Moving from … to … (…)`.
    phrase: String,
    /// Whether it is worth a sentence, beside its line in the chart.
    is_finding: bool,
    from: Scenario,
    to: Scenario,
}

/// All findings that the run has the data for.
pub(crate) fn findings(run: &Dataset<'_>) -> Vec<Finding> {
    let moves = moves(run);
    let details = moves
        .iter()
        .filter(|step| step.is_finding)
        .filter_map(|step| {
            let mut text = cost_sentence(run, step)?;
            let further = [
                bytes(run, step),
                hello(run, step),
                window(run, step),
                waiting(run, step),
            ];
            for sentence in further.into_iter().flatten() {
                text.push(' ');
                text.push_str(&sentence);
            }
            Some(Finding {
                subject: step.subject.to_owned(),
                text,
            })
        });
    in_short(run)
        .into_iter()
        .chain(details)
        .chain(noise_floor(run))
        .collect()
}

/// The costs of every change, side by side: what the chart of noise shows.
pub(crate) fn comparisons(run: &Dataset<'_>) -> Vec<Comparison> {
    moves(run)
        .iter()
        .flat_map(|step| {
            [Side::Server, Side::Client].into_iter().filter_map(|side| {
                let metric = view::cost_metric(run, &step.from, side)?;
                let contrast = view::contrast(run, &step.from, &step.to, &[metric])?;
                Some(Comparison {
                    label: format!("{}, {side}", step.short),
                    contrast,
                })
            })
        })
        .collect()
}

fn moves(run: &Dataset<'_>) -> Vec<Move> {
    let Some(reference) = view::reference(run) else {
        return Vec::new();
    };
    let all = view::costed(run);
    let classical = view::with_group(&reference, NamedGroup::X25519);
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768);
    let pure = view::with_group(&reference, NamedGroup::MLKEM768);
    let mut moves = Vec::new();
    let mut add =
        |subject, short: String, phrase: String, from: Option<Scenario>, to: Option<Scenario>| {
            if let (Some(from), Some(to)) = (from, to)
                && all.contains(&&from)
                && all.contains(&&to)
            {
                moves.push(Move {
                    subject,
                    short,
                    phrase,
                    is_finding: !["ML-DSA-44 certificates", "ML-DSA-87 certificates"]
                        .contains(&subject),
                    from,
                    to,
                });
            }
        };
    let chain = view::chain_title(reference.handshake().authentication());
    let stacks = view::stacks_title(&reference);
    for (subject, to, name) in [
        ("Hybrid key exchange", &hybrid, "X25519MLKEM768"),
        ("Pure ML-KEM", &pure, "MLKEM768"),
    ] {
        add(
            subject,
            format!("X25519 to {name}"),
            format!(
                "Moving from X25519 to {name} ({chain} certificates, full handshake, {stacks})"
            ),
            classical.clone(),
            to.clone(),
        );
    }
    let base = hybrid
        .clone()
        .filter(|s| all.contains(&s))
        .or_else(|| classical.clone());
    let group = base.as_ref().map_or_else(String::new, |s| {
        view::key_exchange_title(s.handshake().key_exchange())
    });
    for (algorithm, subject) in [
        (SignatureAlgorithm::MlDsa44, "ML-DSA-44 certificates"),
        (SignatureAlgorithm::MlDsa65, "ML-DSA-65 certificates"),
        (SignatureAlgorithm::MlDsa87, "ML-DSA-87 certificates"),
        (SignatureAlgorithm::Rsa2048, "RSA-2048 certificates"),
    ] {
        let title = algorithm.facts().title;
        add(
            subject,
            format!("{chain} to {title}"),
            format!(
                "Moving from {chain} to {title} certificates ({group}, full handshake, {stacks})"
            ),
            base.clone(),
            base.as_ref()
                .and_then(|s| view::with_certificate(s, algorithm)),
        );
    }
    for (from, to) in static_rsa(&all) {
        let handshake = to.handshake();
        add(
            "RSA key transport",
            format!(
                "RSA key transport to {}",
                view::key_exchange_title(handshake.key_exchange())
            ),
            format!(
                "Compared with RSA key transport in TLS 1.2 ({}, {}), TLS 1.3 with {} and {} \
                 certificates",
                view::chain_title(from.handshake().authentication()),
                view::stacks_title(&from),
                view::key_exchange_title(handshake.key_exchange()),
                view::chain_title(handshake.authentication()),
            ),
            Some(from),
            Some(to.clone()),
        );
    }
    for (kind, subject, short, name) in [
        (
            HandshakeKind::Resumed,
            "Resumption",
            "resumed",
            "Resuming a session instead of a full handshake",
        ),
        (
            HandshakeKind::FullWithHelloRetryRequest,
            "HelloRetryRequest",
            "retried",
            "Retrying after a key share for the wrong group",
        ),
    ] {
        add(
            subject,
            format!("full to {short}, {group}"),
            format!("{name} ({group}, {chain} certificates, {stacks})"),
            base.clone(),
            base.as_ref()
                .and_then(|s| Some(s.with_handshake(s.handshake().with_kind(kind)?))),
        );
    }
    if let Some(from) = &base {
        add(
            "Another implementation",
            format!("aws-lc to pqcrypto, {group}"),
            format!(
                "Taking ML-KEM from the pqcrypto family instead of aws-lc ({group}, {chain} \
                 certificates, rustls)"
            ),
            Some(from.clone()).filter(|s| s.client().as_str() == "rustls"),
            "rustls-pqcrypto".parse().ok().map(|stack: StackName| {
                Scenario::new(
                    stack.clone(),
                    stack,
                    *from.handshake(),
                    from.network().clone(),
                )
            }),
        );
    }
    moves
}

/// RSA key transport, and what takes its place in the same stack: the hybrid with the
/// usual certificates, or what comes nearest to it.
fn static_rsa(all: &[&Scenario]) -> Vec<(Scenario, Scenario)> {
    let is_static = |s: &&&Scenario| {
        s.handshake().key_exchange() == KeyExchange::StaticRsa
            && view::is_full(s.handshake())
            && s.handshake().authentication() == SignatureAlgorithm::Rsa2048.into()
            && view::is_one_stack(s)
    };
    let successors = |from: &Scenario| {
        let choices = [
            (NamedGroup::X25519MLKEM768, SignatureAlgorithm::EcdsaP256),
            (NamedGroup::X25519MLKEM768, SignatureAlgorithm::Rsa2048),
        ];
        choices.into_iter().find_map(|(group, algorithm)| {
            all.iter().find(|s| {
                let handshake = s.handshake();
                s.client() == from.client()
                    && s.server() == from.server()
                    && s.network() == from.network()
                    && handshake.group() == Some(group)
                    && handshake.authentication() == algorithm.into()
                    && view::is_full(handshake)
            })
        })
    };
    all.iter()
        .filter(is_static)
        .filter_map(|from| Some(((*from).clone(), (*successors(from)?).clone())))
        .collect()
}

/// `adds 21 µs [18, 24] on the server (× 1.23 [1.19, 1.27])`; for no measurable
/// difference, with what was seen.
fn effect(contrast: Contrast, side: Side, same_verb: bool) -> String {
    let difference = contrast.difference;
    let unit = number::interval_unit(difference);
    let ratio = number::ratio(contrast.ratio);
    let verb = |verb: &str| {
        if same_verb {
            String::new()
        } else {
            format!("{verb} ")
        }
    };
    match contrast.verdict {
        Verdict::More => {
            let size = number::estimate(difference, unit);
            format!("{}{size} on the {side} (×{NBSP}{ratio})", verb("adds"))
        }
        Verdict::Less => {
            let size = number::estimate(negated(difference), unit);
            format!("{}{size} on the {side} (×{NBSP}{ratio})", verb("saves"))
        }
        Verdict::Same => format!(
            "{}no measurable difference on the {side} ({}, ×{NBSP}{ratio})",
            verb("makes"),
            number::estimate(difference, unit)
        ),
    }
}

pub(crate) fn negated(interval: Interval) -> Interval {
    Interval {
        value: -interval.value,
        low: -interval.high,
        high: -interval.low,
    }
}

fn cost_sentence(run: &Dataset<'_>, step: &Move) -> Option<String> {
    let of = |side| view::cost_contrast(run, &step.from, &step.to, side);
    let (server, client) = (of(Side::Server)?, of(Side::Client)?);
    Some(format!(
        "{} {} and {}.",
        step.phrase,
        effect(server, Side::Server, false),
        effect(client, Side::Client, client.verdict == server.verdict),
    ))
}

/// Who sends how many bytes more.
fn bytes(run: &Dataset<'_>, step: &Move) -> Option<String> {
    let (up, down) = byte_difference(run, &step.from, &step.to)?;
    if (up, down) == (0.0, 0.0) {
        return Some("Both sides send as many bytes as before.".to_owned());
    }
    let more = |bytes: f64| match bytes {
        0.0 => "as many bytes as before".to_owned(),
        bytes => {
            let word = if bytes < 0.0 { "fewer" } else { "more" };
            format!("{}{NBSP}bytes {word}", number::count(bytes.abs()))
        }
    };
    Some(format!(
        "The client sends {}, the server {}.",
        more(up),
        more(down)
    ))
}

/// How many more bytes go up and down.
fn byte_difference(run: &Dataset<'_>, from: &Scenario, to: &Scenario) -> Option<(f64, f64)> {
    let sum = |scenario: &Scenario, side| {
        let flights = view::flights(run, scenario, side);
        (!flights.is_empty()).then(|| flights.iter().map(|(_, bytes)| *bytes).sum::<f64>())
    };
    Some((
        sum(to, Side::Client)? - sum(from, Side::Client)?,
        sum(to, Side::Server)? - sum(from, Side::Server)?,
    ))
}

/// What a change does to the client's wait over loopback.
pub(crate) fn loopback_contrast(
    run: &Dataset<'_>,
    from: &Scenario,
    to: &Scenario,
) -> Option<Contrast> {
    let [from, to] = [from, to].map(|scenario| view::over(scenario, NetworkName::loopback()));
    view::contrast(run, &from, &to, &[Metric::HandshakeLatency])
}

fn waiting(run: &Dataset<'_>, step: &Move) -> Option<String> {
    let contrast = loopback_contrast(run, &step.from, &step.to)?;
    let difference = contrast.difference;
    let unit = number::interval_unit(difference);
    Some(match contrast.verdict {
        Verdict::More => format!(
            "Over loopback TCP the client waits {} longer, at the median.",
            number::estimate(difference, unit)
        ),
        Verdict::Less => format!(
            "Over loopback TCP the client waits {} less, at the median.",
            number::estimate(negated(difference), unit)
        ),
        Verdict::Same => {
            "Over loopback TCP there is no measurable difference in the client’s wait.".to_owned()
        }
    })
}

/// That the ClientHello has outgrown one segment.
fn hello(run: &Dataset<'_>, step: &Move) -> Option<String> {
    let first = |scenario| {
        let flights = view::flights(run, scenario, Side::Client);
        flights.first().map(|(_, bytes)| *bytes)
    };
    let (before, after) = (first(&step.from)?, first(&step.to)?);
    (before <= view::SEGMENT && after > view::SEGMENT).then(|| {
        format!(
            "The ClientHello grows from {} to {} bytes, beyond the {} of one TCP segment.",
            number::count(before),
            number::count(after),
            number::count(view::SEGMENT)
        )
    })
}

/// The most that the server sends at once.
fn largest_flight(run: &Dataset<'_>, scenario: &Scenario) -> f64 {
    let flights = view::flights(run, scenario, Side::Server);
    flights
        .into_iter()
        .map(|(_, bytes)| bytes)
        .fold(0.0, f64::max)
}

/// Whether a change makes the server's flight outgrow the initial congestion window.
fn outgrows(run: &Dataset<'_>, from: &Scenario, to: &Scenario) -> bool {
    let [before, after] = [from, to].map(|scenario| largest_flight(run, scenario));
    before > 0.0 && before <= view::INITIAL_WINDOW && after > view::INITIAL_WINDOW
}

/// What a change does to the round trips.
fn window(run: &Dataset<'_>, step: &Move) -> Option<String> {
    if step.to.handshake().kind() == HandshakeKind::FullWithHelloRetryRequest {
        return Some("It takes one more round trip, which is not in these times.".to_owned());
    }
    let [before, after] = [&step.from, &step.to].map(|scenario| largest_flight(run, scenario));
    if before <= 0.0 || after <= before || before > view::INITIAL_WINDOW {
        return None;
    }
    let window = number::count(view::INITIAL_WINDOW);
    let growth = format!(
        "The server’s first flight grows from {} to {} bytes",
        number::count(before),
        number::count(after)
    );
    Some(if outgrows(run, &step.from, &step.to) {
        format!(
            "{growth}, beyond the usual initial congestion window of {window} bytes: on a network \
             with distance that is one more round trip."
        )
    } else {
        format!("{growth} and still fits the usual initial congestion window of {window} bytes.")
    })
}

/// The two changes of a migration in one sentence, and which of them is the larger.
fn in_short(run: &Dataset<'_>) -> Option<Finding> {
    let reference = view::reference(run)?;
    let classical = view::with_group(&reference, NamedGroup::X25519)?;
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768)?;
    let signed = view::with_certificate(&hybrid, SignatureAlgorithm::MlDsa65)?;
    let server = |from, to| {
        let contrast = view::cost_contrast(run, from, to, Side::Server)?;
        (contrast.verdict == Verdict::More).then_some(contrast)
    };
    let (exchange, certificates) = (server(&classical, &hybrid)?, server(&hybrid, &signed)?);
    let which = if certificates.difference.value > exchange.difference.value {
        "the certificates are the larger change"
    } else {
        "the key exchange is the larger change"
    };
    let show = |contrast: Contrast, of: &str, from, to| {
        let difference = contrast.difference;
        let mut parts = vec![format!(
            "{}{of} (×{NBSP}{})",
            number::sized(difference, number::interval_unit(difference)),
            number::value(contrast.ratio)
        )];
        if let Some((up, down)) = byte_difference(run, from, to) {
            parts.push(format!("{}{NBSP}bytes", number::count(up + down)));
        }
        if outgrows(run, from, to) {
            parts.push("a round trip".to_owned());
        }
        joined(&parts)
    };
    let of = format!(" of server {}", view::cost_name(run, &classical));
    Some(Finding {
        subject: "In short".to_owned(),
        text: format!(
            "Per handshake, hybrid key exchange ({}) costs {} more; ML-DSA-65 certificates \
             instead of {} cost {} more: {which}.",
            view::key_exchange_title(hybrid.handshake().key_exchange()),
            show(exchange, &of, &classical, &hybrid),
            view::chain_title(reference.handshake().authentication()),
            show(certificates, "", &hybrid, &signed),
        ),
    })
}

/// `a, b and c`.
fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

fn noise_floor(run: &Dataset<'_>) -> Option<Finding> {
    let reference = view::reference(run)?;
    let floors: Vec<String> = [Side::Server, Side::Client]
        .into_iter()
        .filter_map(|side| {
            let noise = view::noise(run, &[view::cost_metric(run, &reference, side)?])?;
            Some(format!("×{NBSP}{} on the {side}", number::ratio(noise)))
        })
        .collect();
    let text = if floors.is_empty() {
        "The baseline was not measured twice, so this run has no noise floor: small differences \
         deserve no trust."
            .to_owned()
    } else {
        format!(
            "The baseline measured against itself in the same blocks differs by {}; a difference \
             within that is called no measurable difference.",
            floors.join(" and ")
        )
    };
    Some(Finding {
        subject: "Noise floor".to_owned(),
        text,
    })
}
