//! What a handshake is worth against a quantum computer.
//!
//! Every statement follows from `wire`'s facts about what was negotiated: the kind of the
//! group, the scheme's facts, the suite's key exchange.

use experiment::Side;
use wire::{GroupKind, GroupStatus, NamedGroup, ProtocolVersion, SignatureScheme};

use super::Context;
use crate::chain::Chain;
use crate::trace::{EarlyData, Finding, Subject, Verdict};

pub(super) fn findings(context: &Context) -> Vec<Finding> {
    if !context.has_server_hello {
        return Vec::new();
    }
    let negotiated = &context.negotiated;
    let mut findings = vec![confidentiality(context)];
    if let Some(early_data) = negotiated.early_data {
        findings.push(early_data_finding(early_data));
    }
    findings.push(server_authentication(context));
    if let Some(scheme) = negotiated.client_scheme {
        findings.push(signature(context, Side::Client, scheme));
    }
    findings
}

/// What a group rests upon, where it is known.
pub(super) fn kind(group: NamedGroup) -> Option<GroupKind> {
    group.facts().map(|facts| facts.kind)
}

/// The classical key exchange that alone protects this connection, by name.
pub(super) fn classical_key_exchange(context: &Context) -> Option<String> {
    let negotiated = &context.negotiated;
    if context.is_static_rsa() {
        return (!negotiated.is_resumed).then(|| "RSA".to_owned());
    }
    let group = negotiated.group?;
    // A ticket's secret counts as well, and what it rests on is not known here.
    let is_alone = !negotiated.is_resumed && kind(group) == Some(GroupKind::Classical);
    is_alone.then(|| group.to_string())
}

fn confidentiality(context: &Context) -> Finding {
    let (verdict, text) = match (context.version(), context.negotiated.group) {
        (None, _) => (
            Verdict::Falls,
            "The version is older than TLS 1.2, which is broken without a quantum computer."
                .to_owned(),
        ),
        (Some(ProtocolVersion::Tls12), group) => tls12_confidentiality(context, group),
        (Some(ProtocolVersion::Tls13), Some(group)) => {
            group_confidentiality(group, context.negotiated.is_resumed)
        }
        (Some(ProtocolVersion::Tls13), None) => (
            Verdict::Open,
            "There was no fresh key exchange: the keys rest on the ticket's secret alone. They \
             are as good as the session that issued it, and have no forward secrecy."
                .to_owned(),
        ),
    };
    Finding {
        subject: Subject::Confidentiality,
        verdict,
        text,
    }
}

fn tls12_confidentiality(context: &Context, group: Option<NamedGroup>) -> (Verdict, String) {
    let text = match group {
        _ if context.negotiated.is_resumed => {
            "There was no key exchange: a resumed TLS 1.2 session uses the master secret of its \
             first handshake again (RFC 5246 appendix F.1.4). Forward secrecy and safety from a \
             quantum computer are those of that handshake, and TLS 1.2 has no post-quantum one: \
             whoever recorded both opens both later. A ticket's key opens it as well (RFC 5077)."
                .to_owned()
        }
        _ if context.is_static_rsa() => {
            "The client encrypts the secret to the server's RSA key. Whoever gets that key, by \
             theft today or by a quantum computer later, opens every connection recorded \
             under it: no forward secrecy."
                .to_owned()
        }
        Some(group) => format!(
            "The keys rest on {group} alone. Whoever records this connection opens it with a \
             quantum computer later. TLS 1.2 has no post-quantum key exchange."
        ),
        None => "TLS 1.2 has no post-quantum key exchange: whoever records this connection opens \
                 it with a quantum computer later."
            .to_owned(),
    };
    (Verdict::Falls, text)
}

fn group_confidentiality(group: NamedGroup, is_resumed: bool) -> (Verdict, String) {
    let Some(facts) = group.facts() else {
        let text = format!("The group {group} is not known here, nor what it rests upon.");
        return (Verdict::Open, text);
    };
    let (verdict, mut text) = match (facts.kind, is_resumed) {
        (GroupKind::Classical, false) => (
            Verdict::Falls,
            format!(
                "The keys rest on {group} alone. Whoever records this connection today opens it \
                 once a quantum computer solves discrete logarithms."
            ),
        ),
        (GroupKind::Classical, true) => (
            Verdict::Open,
            format!(
                "{group} falls to a quantum computer; the ticket's secret goes into the keys as \
                 well. Recorded, this connection stays closed only if the session that issued \
                 the ticket had a post-quantum key exchange, which the capture does not tell."
            ),
        ),
        (GroupKind::Hybrid, _) => (
            Verdict::Holds,
            match group.halves() {
                Some([classical, kem]) => format!(
                    "The keys rest on {classical} and {kem} together: recorded traffic stays \
                     closed to a quantum computer while {kem} holds, and to all others while \
                     either holds."
                ),
                None => format!(
                    "The keys rest on both halves of {group}: recorded traffic stays closed to \
                     a quantum computer while the KEM holds, and to all others while either \
                     half holds."
                ),
            },
        ),
        (GroupKind::PostQuantum, _) => (
            Verdict::Holds,
            format!(
                "The keys rest on {group}: recorded traffic stays closed to a quantum computer \
                 while it holds. There is no classical half to fall back upon."
            ),
        ),
    };
    match facts.status {
        GroupStatus::Standard | GroupStatus::Draft => {}
        GroupStatus::Obsolete => text.push_str(" The code point is obsolete: replace it."),
        GroupStatus::Experimental => text.push_str(" The code point is for experiments only."),
    }
    (verdict, text)
}

fn early_data_finding(early_data: EarlyData) -> Finding {
    let fate = match early_data {
        EarlyData::Accepted => "The server took them.",
        EarlyData::NotAccepted => "The server did not take them, as far as the capture tells.",
    };
    Finding {
        subject: Subject::EarlyData,
        verdict: Verdict::Open,
        text: format!(
            "{fate} They rest on the ticket's secret alone, whatever the group: as good as the \
             session that issued it, without forward secrecy, and open to replay."
        ),
    }
}

fn server_authentication(context: &Context) -> Finding {
    let subject = Subject::ServerAuthentication;
    let negotiated = &context.negotiated;
    let (verdict, text) = match negotiated.server_scheme {
        Some(scheme) => return signature(context, Side::Server, scheme),
        None if negotiated.is_resumed => (
            Verdict::Open,
            "By the secret of the session, without a certificate: as good as the handshake that \
             began the session.",
        ),
        None if context.is_static_rsa() => (
            Verdict::Falls,
            "By decrypting the premaster secret: whoever has a quantum computer can find the \
             RSA key and pose as the server.",
        ),
        None if context.has_unreadable => (
            Verdict::Open,
            "Encrypted: the capture has no key log that would show the signature.",
        ),
        None => (
            Verdict::Open,
            "The capture shows no signature of the server.",
        ),
    };
    Finding {
        subject,
        verdict,
        text: text.to_owned(),
    }
}

fn signature(context: &Context, side: Side, scheme: SignatureScheme) -> Finding {
    let subject = match side {
        Side::Client => Subject::ClientAuthentication,
        Side::Server => Subject::ServerAuthentication,
    };
    let later = "That endangers connections made once there is one, not those recorded before.";
    let is_post_quantum = scheme.facts().map(|facts| facts.post_quantum);
    let (verdict, text) = match (is_post_quantum, context.chains[side as usize]) {
        (Some(false), _) => (
            Verdict::Falls,
            format!("The {side} signed with {scheme}, which a quantum computer can forge. {later}"),
        ),
        (Some(true), Some(Chain::PostQuantum)) => (
            Verdict::Holds,
            format!(
                "The {side} signed with {scheme}, which a quantum computer can't forge, and \
                 neither can it forge a certificate of the chain. A peer that trusts classical \
                 chains as well can still be shown one of those."
            ),
        ),
        (Some(true), Some(Chain::Classical)) => (
            Verdict::Falls,
            format!(
                "The {side} signed with {scheme}, but a certificate of its chain is signed \
                 classically: a quantum computer can forge one for another key. {later}"
            ),
        ),
        (Some(true), Some(Chain::Unread) | None) => (
            Verdict::Open,
            format!(
                "The {side} signed with {scheme}, which a quantum computer can't forge; the \
                 capture does not tell what the chain above its key rests upon."
            ),
        ),
        (None, _) => (
            Verdict::Open,
            format!("The {side} signed with {scheme}, which is not known here."),
        ),
    };
    Finding {
        subject,
        verdict,
        text,
    }
}
