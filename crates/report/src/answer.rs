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
    pub(crate) metric: Metric,
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
    let mut findings: Vec<Finding> = moves(run)
        .iter()
        .filter(|step| step.is_finding)
        .filter_map(|step| {
            let mut text = cost_sentence(run, step)?;
            if let Some(wait) = waiting(run, step) {
                text.push(' ');
                text.push_str(&wait);
            }
            if let Some(window) = window(run, step) {
                text.push(' ');
                text.push_str(&window);
            }
            Some(Finding {
                subject: step.subject.to_owned(),
                text,
            })
        })
        .collect();
    findings.extend(larger_change(run));
    findings.extend(noise_floor(run));
    findings
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
                    metric,
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
                "With {title} instead of {chain} certificates ({group}, {stacks}), the handshake"
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
        (HandshakeKind::Resumed, "Resumption", "resumed", "Resuming"),
        (
            HandshakeKind::FullWithHelloRetryRequest,
            "HelloRetryRequest",
            "retried",
            "A wrong guess of the group (HelloRetryRequest)",
        ),
    ] {
        add(
            subject,
            format!("full to {short}, {group}"),
            format!("{name} instead of a plain full handshake ({group}, {chain}, {stacks})"),
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
                "With ML-KEM from the pqcrypto family instead of aws-lc ({group}, {chain}), a rustls handshake"
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
    let unit = number::time_unit(difference.value);
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

fn negated(interval: Interval) -> Interval {
    Interval {
        value: -interval.value,
        low: -interval.high,
        high: -interval.low,
    }
}

fn cost_sentence(run: &Dataset<'_>, step: &Move) -> Option<String> {
    let of = |side| view::cost_contrast(run, &step.from, &step.to, side);
    let (server, client) = (of(Side::Server)?, of(Side::Client)?);
    let bytes = match byte_difference(run, &step.from, &step.to) {
        Some((0.0, 0.0)) => "; it sends as many bytes".to_owned(),
        Some((up, down)) => format!("; it sends {} and {}", more(up, "up"), more(down, "down")),
        None => String::new(),
    };
    Some(format!(
        "{} {} and {}{bytes}.",
        step.phrase,
        effect(server, Side::Server, false),
        effect(client, Side::Client, client.verdict == server.verdict),
    ))
}

fn more(bytes: f64, direction: &str) -> String {
    if bytes == 0.0 {
        return format!("as many bytes {direction}");
    }
    let word = if bytes < 0.0 { "fewer" } else { "more" };
    format!(
        "{}{NBSP}bytes {word} {direction}",
        number::count(bytes.abs())
    )
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

fn loopback_contrast(run: &Dataset<'_>, from: &Scenario, to: &Scenario) -> Option<Contrast> {
    let [from, to] = [from, to].map(|scenario| view::over(scenario, NetworkName::loopback()));
    view::contrast(run, &from, &to, &[Metric::HandshakeLatency])
}

fn waiting(run: &Dataset<'_>, step: &Move) -> Option<String> {
    let contrast = loopback_contrast(run, &step.from, &step.to)?;
    let difference = contrast.difference;
    let unit = number::time_unit(difference.value);
    Some(match contrast.verdict {
        Verdict::More => format!(
            "Over loopback TCP the client waits {} longer.",
            number::estimate(difference, unit)
        ),
        Verdict::Less => format!(
            "Over loopback TCP the client waits {} less.",
            number::estimate(negated(difference), unit)
        ),
        Verdict::Same => {
            "Over loopback TCP there is no measurable difference in the client’s wait.".to_owned()
        }
    })
}

/// That the server's flight has outgrown the initial congestion window.
fn window(run: &Dataset<'_>, step: &Move) -> Option<String> {
    let largest = |scenario: &Scenario| {
        let flights = view::flights(run, scenario, Side::Server);
        flights
            .into_iter()
            .map(|(_, bytes)| bytes)
            .fold(0.0, f64::max)
    };
    let (before, after) = (largest(&step.from), largest(&step.to));
    (after > view::INITIAL_WINDOW && before <= view::INITIAL_WINDOW).then(|| {
        format!(
            "The server’s first flight grows from {} to {} bytes, beyond the usual initial \
             congestion window of {}: on a real network that is one more round trip.",
            number::count(before),
            number::count(after),
            number::count(view::INITIAL_WINDOW)
        )
    })
}

/// Whether the key exchange or the certificates are the larger change.
fn larger_change(run: &Dataset<'_>) -> Option<Finding> {
    let reference = view::reference(run)?;
    let classical = view::with_group(&reference, NamedGroup::X25519)?;
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768)?;
    let signed = view::with_certificate(&hybrid, SignatureAlgorithm::MlDsa65)?;
    let server = |from, to| {
        let contrast = view::cost_contrast(run, from, to, Side::Server)?;
        (contrast.verdict != Verdict::Same).then_some(contrast.difference)
    };
    let (exchange, certificates) = (server(&classical, &hybrid)?, server(&hybrid, &signed)?);
    let total = |from, to| byte_difference(run, from, to).map(|(up, down)| up + down);
    let which = if certificates.value > exchange.value {
        "The certificates are the larger change"
    } else {
        "The key exchange is the larger change"
    };
    let show = |interval, bytes: Option<f64>| {
        let size = number::sized(interval, number::MICROSECONDS);
        match bytes {
            Some(bytes) => format!("{size} and {}{NBSP}bytes", number::count(bytes)),
            None => size,
        }
    };
    Some(Finding {
        subject: "What weighs more".to_owned(),
        text: format!(
            "{which}: ML-DSA-65 costs the server {} more per handshake, the hybrid key exchange {}.",
            show(certificates, total(&hybrid, &signed)),
            show(exchange, total(&classical, &hybrid)),
        ),
    })
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

fn title_change(contrast: Contrast, side: Side, of: &str) -> String {
    let difference = contrast.difference;
    let unit = number::time_unit(difference.value);
    let size = |interval| number::sized(interval, unit);
    match contrast.verdict {
        Verdict::More => format!("adds {}{of} on the {side}", size(difference)),
        Verdict::Less => format!("saves {}{of} on the {side}", size(negated(difference))),
        Verdict::Same => format!("makes no measurable difference on the {side}"),
    }
}

/// The change of both sides in few words.
pub(crate) fn title(run: &Dataset<'_>, from: &Scenario, to: &Scenario) -> Option<String> {
    let of = format!(" of {}", view::cost_name(run, from));
    let server = view::cost_contrast(run, from, to, Side::Server)?;
    let client = view::cost_contrast(run, from, to, Side::Client)?;
    if server.verdict == Verdict::Same && client.verdict == Verdict::Same {
        return Some("makes no measurable difference to either side".to_owned());
    }
    Some(format!(
        "{} and {}, per handshake",
        title_change(server, Side::Server, &of),
        title_change(client, Side::Client, "")
    ))
}

/// What the hybrid adds, as the title of a chart.
pub(crate) fn hybrid_title(run: &Dataset<'_>) -> Option<String> {
    let reference = view::reference(run)?;
    let classical = view::with_group(&reference, NamedGroup::X25519)?;
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768)?;
    Some(format!(
        "Hybrid X25519MLKEM768 {}",
        title(run, &classical, &hybrid)?
    ))
}

/// What an ML-DSA certificate adds, as the title of a chart.
pub(crate) fn certificate_title(run: &Dataset<'_>) -> Option<String> {
    let reference = view::reference(run)?;
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768);
    let chain = view::chain_title(reference.handshake().authentication());
    hybrid.into_iter().chain([reference]).find_map(|base| {
        let signed = view::with_certificate(&base, SignatureAlgorithm::MlDsa65)?;
        Some(format!(
            "ML-DSA-65 instead of {chain} {}",
            title(run, &base, &signed)?
        ))
    })
}

/// How much longer a client waits, as the title of a chart.
pub(crate) fn latency_title(run: &Dataset<'_>) -> Option<String> {
    let reference = view::reference(run).or_else(|| {
        view::handshakes(run, Metric::HandshakeLatency)
            .first()
            .map(|s| (*s).clone())
    })?;
    let classical = view::with_group(&reference, NamedGroup::X25519)?;
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768)?;
    let contrast = loopback_contrast(run, &classical, &hybrid)?;
    let unit = number::time_unit(contrast.difference.value);
    let size = |interval| number::sized(interval, unit);
    Some(match contrast.verdict {
        Verdict::More => format!(
            "Over loopback, X25519MLKEM768 makes a client wait {} longer than X25519",
            size(contrast.difference)
        ),
        Verdict::Less => format!(
            "Over loopback, X25519MLKEM768 makes a client wait {} less than X25519",
            size(negated(contrast.difference))
        ),
        Verdict::Same => "Over loopback, X25519MLKEM768 makes no measurable difference to the \
                          client’s wait"
            .to_owned(),
    })
}
