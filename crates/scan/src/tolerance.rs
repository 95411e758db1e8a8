//! ClientHellos in shapes that some servers, and what stands before them, can't take
//! (<https://tldr.fail>).

use std::time::Duration;

use audit::{HelloShape, Tolerance, Tried};
use wire::{NamedGroup, Offer};

use crate::dial::Dialer;
use crate::offers;
use crate::probe::{FIRST_ANSWER, Reply, Shape, alert_answer, converse};
use crate::share::Share;

/// Long enough for the first segment to be delivered and read alone.
const SEGMENT_PAUSE: Duration = Duration::from_millis(20);
/// Longer than any network's reordering: a middlebox that waits must wait.
const LATE: Duration = Duration::from_millis(400);
/// Bytes of a segment with Ethernet's MTU are 1,460 at most.
const ABOVE_ONE_SEGMENT: usize = 1_600;

/// Tries each shape once.
pub(crate) async fn shapes(dialer: &Dialer) -> Vec<Tried<HelloShape, Tolerance>> {
    dialer
        .each(HelloShape::ALL, async |shape| {
            let offer = offer(dialer.server_name.as_deref(), shape);
            let message = offer.message();
            let on_the_wire = match shape {
                HelloShape::HybridInTwoSegments => Shape::TwoSegments(SEGMENT_PAUSE),
                HelloShape::HybridDelayed => Shape::TwoSegments(LATE),
                HelloShape::HybridInTwoRecords => Shape::TwoRecords,
                _ => Shape::Whole,
            };
            let headers = match on_the_wire {
                Shape::TwoRecords => 10,
                _ => 5,
            };
            let answer = match converse(dialer, &offer, &message, on_the_wire, FIRST_ANSWER).await {
                Ok((Reply::Hello(chosen), _)) => audit::Answer::Supported(Tolerance {
                    bytes: message.len() + headers,
                    group: chosen.hello.key_share.map(|share| share.group),
                }),
                Ok((Reply::Alert(alert), _)) => alert_answer(alert),
                Err(stopped) => stopped.answer(),
            };
            Tried {
                offer: shape,
                answer,
            }
        })
        .await
}

/// All groups are named in each hybrid shape, so that a server that has any can say yes: only
/// the shape can be at fault then.
fn offer(server_name: Option<&str>, shape: HelloShape) -> Offer {
    let mut offer = offers::everything(server_name);
    let is_classical = matches!(
        shape,
        HelloShape::Classical | HelloShape::ClassicalAbove1500
    );
    if is_classical {
        offer.groups.retain(|group| !group.is_post_quantum());
    }
    let shares: &[NamedGroup] = match shape {
        HelloShape::Classical
        | HelloShape::ClassicalAbove1500
        | HelloShape::HybridByRetryRequest => &[NamedGroup::X25519],
        _ => &[NamedGroup::X25519MLKEM768, NamedGroup::X25519],
    };
    let shares = shares.iter().filter_map(|group| Share::generate(*group));
    offer.key_shares = shares
        .map(|share| (share.group(), share.public().to_vec()))
        .collect();
    if shape == HelloShape::ClassicalAbove1500 {
        offer.padded_to = Some(ABOVE_ONE_SEGMENT);
    }
    offer
}
