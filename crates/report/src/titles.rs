//! What a comparison comes to, in the few words of a chart's title.

use experiment::{Metric, Scenario, Side};
use wire::{NamedGroup, SignatureAlgorithm};

use crate::Dataset;
use crate::answer::{loopback_contrast, negated};
use crate::number;
use crate::view::{self, Contrast, Verdict};

/// `of` says what is counted. The verb of the side before is not said again.
fn change(contrast: Contrast, side: Side, of: &str, before: Option<Verdict>) -> String {
    let difference = contrast.difference;
    let unit = number::interval_unit(difference);
    let (verb, size) = match contrast.verdict {
        Verdict::More => ("adds", number::sized(difference, unit)),
        Verdict::Less => ("saves", number::sized(negated(difference), unit)),
        Verdict::Same => return format!("makes no measurable difference on the {side}"),
    };
    if before == Some(contrast.verdict) {
        format!("{size}{of} on the {side}")
    } else {
        format!("{verb} {size}{of} on the {side}")
    }
}

/// The change of both sides in few words.
pub(crate) fn both_sides(run: &Dataset<'_>, from: &Scenario, to: &Scenario) -> Option<String> {
    let of = format!(" of {} per handshake", view::cost_name(run, from));
    let server = view::cost_contrast(run, from, to, Side::Server)?;
    let client = view::cost_contrast(run, from, to, Side::Client)?;
    if server.verdict == Verdict::Same && client.verdict == Verdict::Same {
        return Some("makes no measurable difference to either side".to_owned());
    }
    let client_of = if server.verdict == Verdict::Same {
        of.as_str()
    } else {
        ""
    };
    Some(format!(
        "{} and {}",
        change(server, Side::Server, &of, None),
        change(client, Side::Client, client_of, Some(server.verdict))
    ))
}

/// What the hybrid adds, as the title of a chart.
pub(crate) fn hybrid(run: &Dataset<'_>) -> Option<String> {
    let reference = view::reference(run)?;
    let classical = view::with_group(&reference, NamedGroup::X25519)?;
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768)?;
    Some(format!(
        "Hybrid X25519MLKEM768 {}",
        both_sides(run, &classical, &hybrid)?
    ))
}

/// What an ML-DSA certificate adds, as the title of a chart.
pub(crate) fn certificate(run: &Dataset<'_>) -> Option<String> {
    let reference = view::reference(run)?;
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768);
    let chain = view::chain_title(reference.handshake().authentication());
    hybrid.into_iter().chain([reference]).find_map(|base| {
        let signed = view::with_certificate(&base, SignatureAlgorithm::MlDsa65)?;
        Some(format!(
            "ML-DSA-65 instead of {chain} {}",
            both_sides(run, &base, &signed)?
        ))
    })
}

/// How much longer a client waits, as the title of a chart.
pub(crate) fn latency(run: &Dataset<'_>) -> Option<String> {
    let reference = view::reference(run).or_else(|| {
        view::handshakes(run, Metric::HandshakeLatency)
            .first()
            .map(|s| (*s).clone())
    })?;
    let classical = view::with_group(&reference, NamedGroup::X25519)?;
    let hybrid = view::with_group(&reference, NamedGroup::X25519MLKEM768)?;
    let contrast = loopback_contrast(run, &classical, &hybrid)?;
    let unit = number::interval_unit(contrast.difference);
    let size = |interval| number::sized(interval, unit);
    Some(match contrast.verdict {
        Verdict::More => format!(
            "Over loopback, the median client waits {} longer with X25519MLKEM768 than X25519",
            size(contrast.difference)
        ),
        Verdict::Less => format!(
            "Over loopback, the median client waits {} less with X25519MLKEM768 than X25519",
            size(negated(contrast.difference))
        ),
        Verdict::Same => "Over loopback, X25519MLKEM768 makes no measurable difference to the \
                          client’s wait"
            .to_owned(),
    })
}
