//! Client and server speak with each other, and the attacker sits on the line.

use wire::{Alert, ClientHello, ContentType, GroupKind, NamedGroup, Records, plaintext_messages};

use super::exchange::SECRET;
use super::hello::{replace_group, told};
use super::parties::{GROUPS, Parties};
use super::relay::{Passed, Relayed, relay};
use super::{MitmError, Party, Play, Recording, Refusal};
use crate::cause::words;

use Party::{Attacker, Client, Server};

/// Means nothing (RFC 8701 section 2): servers pass it over.
const GREASE: NamedGroup = NamedGroup(0x2a2a);

/// Records two conversations, one for each key exchange.
pub(super) async fn listen(parties: &Parties, play: &mut Play) -> Result<(), MitmError> {
    for group in GROUPS {
        let trust = stack::Trust::Verify(vec![parties.root()]);
        let client = parties.client_with(trust, None, &[group])?;
        let relayed = relay(&*client, &*parties.server()?, |_| false).await?;
        tell_records(play, &relayed.records);
        let recording: Vec<u8> = relayed
            .records
            .iter()
            .flat_map(|r| r.record.clone())
            .collect();
        if contains(&recording, SECRET) {
            play.read = Some(SECRET.to_owned());
        }
        let (what, recording) = kept(recording.len(), &relayed);
        play.keep(what, recording);
        for (party, end) in [(Client, relayed.received), (Server, relayed.sent)] {
            let text = end.map_err(|error| MitmError::Connection { party, error })?;
            match party {
                Client => play.received = Some(text),
                _ => play.sent = Some(text),
            }
        }
    }
    Ok(())
}

/// What a recording is worth, now and later.
fn kept(bytes: usize, relayed: &Relayed) -> (String, Option<Recording>) {
    let group = relayed.client.negotiated().group;
    let facts = group.and_then(NamedGroup::facts);
    let Some(facts) = facts else {
        return (format!("keeps {bytes} bytes"), None);
    };
    let (later, opens_later) = match facts.kind {
        GroupKind::Classical => (
            "a quantum computer finds the secret from the two shares",
            true,
        ),
        GroupKind::PostQuantum | GroupKind::Hybrid => {
            ("no quantum algorithm is known that finds the secret", false)
        }
    };
    let what = format!(
        "keeps {bytes} bytes; the request is not readable in them. They hold the shares of {}, \
         {} and {} B: {later}",
        facts.name, facts.client_share, facts.server_share
    );
    let recording = Recording {
        group: facts.name,
        bytes,
        opens_later,
    };
    (what, Some(recording))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// Takes the hybrid group out of every ClientHello.
pub(super) async fn downgrade(parties: &Parties, play: &mut Play) -> Result<(), MitmError> {
    let strip = |record: &mut Vec<u8>| {
        replace_group(record, NamedGroup::X25519MLKEM768, GREASE).is_some_and(|places| places > 0)
    };
    let relayed = relay(&*parties.client()?, &*parties.server()?, strip).await?;
    if relayed
        .records
        .first()
        .is_none_or(|record| record.changed.is_none())
    {
        return Err(MitmError::Hello);
    }
    tell_records(play, &relayed.records);
    play.sent = relayed.sent.as_ref().ok().cloned();
    match &relayed.received {
        Ok(text) => play.received = Some(text.clone()),
        Err(error) => {
            let heard = relayed.sent.as_ref().err();
            let refusal = Refusal::new(Client, error, heard);
            play.note(Client, format!("gives up: {}", refusal.words));
            if let Some(heard) = heard {
                play.note(Server, format!("gives up: {}", words(heard)));
            }
            play.refusal = Some(refusal);
        }
    }
    Ok(())
}

/// What the attacker sees pass. Encrypted records of one side in a row count as one act.
fn tell_records(play: &mut Play, records: &[Passed]) {
    let mut rest = records;
    while let Some((first, others)) = rest.split_first() {
        let to = match first.from {
            Client => Server,
            _ => Client,
        };
        let encrypted = rest.iter().take_while(|passed| {
            passed.from == first.from
                && content_type(&passed.record) == Some(ContentType::ApplicationData)
        });
        let lengths: Vec<String> = encrypted.map(|r| r.record.len().to_string()).collect();
        if lengths.is_empty() {
            tell_record(play, first, to);
            rest = others;
        } else {
            let what = match lengths.as_slice() {
                [length] => format!("an encrypted record of {length} B"),
                lengths => format!("encrypted records of {} B", lengths.join(", ")),
            };
            play.say(first.from, to, true, what);
            rest = &rest[lengths.len()..];
        }
    }
}

fn tell_record(play: &mut Play, passed: &Passed, to: Party) {
    match content_type(&passed.record) {
        Some(ContentType::Handshake) => {
            let what = told(&passed.record);
            let Some(changed) = &passed.changed else {
                play.say(passed.from, to, false, what);
                play.gain(read_in_hello(&passed.record));
                return;
            };
            play.say(passed.from, Attacker, false, what);
            play.say(Attacker, to, false, told(changed));
            play.gain("X25519MLKEM768 is gone");
        }
        Some(ContentType::Alert) => {
            let payload = Records::new(&passed.record).next();
            let alert = payload
                .and_then(Result::ok)
                .map(|record| Alert::parse(record.payload));
            if let Some(Ok(alert)) = alert {
                play.say(
                    passed.from,
                    to,
                    false,
                    format!("alert {}", alert.description),
                );
            }
        }
        // ChangeCipherSpec says nothing in TLS 1.3 (RFC 8446 appendix D.4).
        _ => {}
    }
}

/// What a hello gives away.
fn read_in_hello(record: &[u8]) -> String {
    let messages = plaintext_messages(record).unwrap_or_default();
    let hello = messages
        .first()
        .and_then(|m| ClientHello::parse(&m.body).ok());
    match hello.and_then(|hello| hello.server_name) {
        Some(name) => format!(
            "reads: the server's name {}",
            String::from_utf8_lossy(&name)
        ),
        None => "reads: the group".to_owned(),
    }
}

fn content_type(record: &[u8]) -> Option<ContentType> {
    record.first().map(|byte| ContentType::from_byte(*byte))
}
