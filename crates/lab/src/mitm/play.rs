//! What happened in a scene.

use std::fmt;

use serde::Serialize;
use stack::StackError;
use transport::TransportError;

use super::Scene;
use crate::cause::{Cause, words};

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// Wants something of the server.
    Client,
    /// Stands between them.
    Attacker,
    /// Has something for the client.
    Server,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Attacker => "attacker",
            Self::Server => "server",
        })
    }
}

/// Something that a party says to another, or does for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// Who acts.
    pub from: Party,
    /// Whom it is for; the same party where it is for itself. What goes between client and
    /// server has passed the attacker as it was.
    pub to: Party,
    /// Whether it goes over the network encrypted.
    pub is_encrypted: bool,
    /// What is said or done.
    pub what: String,
    /// What the attacker reads of it, or changes in it.
    pub gain: Option<String>,
    /// What the attacker keeps of a whole conversation.
    pub recording: Option<Recording>,
}

/// A conversation that the attacker could not read, and has kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recording {
    /// The group of its key exchange.
    pub group: &'static str,
    /// Bytes of all records.
    pub bytes: usize,
    /// Whether a quantum computer opens it, as far as is known.
    pub opens_later: bool,
}

impl Recording {
    /// What becomes of it, in words, with a sign before them: a tick where it stays closed.
    pub const fn label(&self) -> &'static str {
        match self.opens_later {
            true => "✗ opens later, to whoever has a quantum computer",
            false => "✓ does not open later, as far as is known",
        }
    }
}

/// A scene that was performed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Play {
    /// The scene.
    pub scene: Scene,
    /// The stack of client and server.
    pub stack: String,
    /// Everything in order.
    pub acts: Vec<Act>,
    /// What the client meant for the server alone, as the attacker has read it; `None` if it
    /// has not.
    pub read: Option<String>,
    /// The content that the server sent, if it came to that.
    pub sent: Option<String>,
    /// The content that the client was given.
    pub received: Option<String>,
    /// Who broke it off, and why.
    pub refusal: Option<Refusal>,
    /// What went otherwise than it should on the way, in words.
    pub faults: Vec<String>,
}

/// How far an attack got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The attacker got what it wanted, and nobody noticed.
    Succeeds,
    /// The attacker has read something, and then was refused.
    InPart,
    /// The attacker got nothing.
    Fails,
}

impl Outcome {
    /// In words, with a sign before them: a tick where the attack fails.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Succeeds => "✗ attack succeeds",
            Self::InPart => "✗ attack succeeds in part",
            Self::Fails => "✓ attack fails",
        }
    }
}

/// That a party of the attacked connection broke it off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Who.
    pub by: Party,
    /// Why, in kind.
    pub cause: Cause,
    /// Why, in the library's words.
    pub words: String,
    /// The alert that the other end received, if it could read it: name and number.
    pub alert: Option<String>,
}

impl Play {
    pub(super) const fn new(scene: Scene, stack: String) -> Self {
        Self {
            scene,
            stack,
            acts: Vec::new(),
            read: None,
            sent: None,
            received: None,
            refusal: None,
            faults: Vec::new(),
        }
    }

    /// Whether the client was given other content than the server sent.
    pub fn is_changed(&self) -> bool {
        self.received.is_some() && self.received != self.sent
    }

    /// Whether the attack ended as the standards have it.
    pub fn is_as_expected(&self) -> bool {
        let expected = self.scene.expected();
        let is_refused_so = match (&self.refusal, expected.refusal) {
            (None, None) => true,
            (Some(refusal), Some((party, causes))) => {
                refusal.by == party && causes.contains(&refusal.cause)
            }
            _ => false,
        };
        is_refused_so
            && self.faults.is_empty()
            && self.read.is_some() == expected.is_read
            && self.is_changed() == expected.is_changed
    }

    /// How far the attacker got.
    pub fn outcome(&self) -> Outcome {
        match (&self.refusal, self.read.is_some() || self.is_changed()) {
            (None, true) => Outcome::Succeeds,
            (Some(_), true) => Outcome::InPart,
            (_, false) => Outcome::Fails,
        }
    }

    /// What came of the attack, in one sentence.
    pub fn verdict(&self) -> String {
        match (&self.refusal, &self.read) {
            (Some(refusal), Some(_)) => format!(
                "The attacker has read the request, but the {} refuses it.",
                refusal.by
            ),
            (Some(refusal), None) => format!(
                "The {} refuses: the attacker reads nothing and changes nothing.",
                refusal.by
            ),
            (None, Some(_)) if self.is_changed() => {
                "Nobody notices: the attacker reads the request and changes the response."
                    .to_owned()
            }
            (None, Some(_)) => "Nobody notices: the attacker reads the request.".to_owned(),
            (None, None) => {
                let mut kept: Vec<&Recording> = self.recordings().collect();
                kept.sort_by_key(|recording| !recording.opens_later);
                let later = kept.iter().map(|recording| {
                    let becomes = match recording.opens_later {
                        true => "opens later",
                        false => "stays closed",
                    };
                    format!("what {} protects {becomes}", recording.group)
                });
                let later: Vec<String> = later.collect();
                let now = "Nobody notices, and the attacker reads nothing for now";
                match later.is_empty() {
                    true => format!("{now}."),
                    false => format!("{now}: with a quantum computer, {}.", later.join(", and ")),
                }
            }
        }
    }

    /// What the attacker has kept, in order.
    pub fn recordings(&self) -> impl Iterator<Item = &Recording> {
        self.acts.iter().filter_map(|act| act.recording.as_ref())
    }

    /// Which libraries take part.
    pub fn libraries(&self) -> String {
        let honest = format!("client and server with {}", self.stack);
        match self.scene {
            Scene::PlainHttp => "no TLS library takes part".to_owned(),
            Scene::Eavesdropper | Scene::Downgrade => format!("{honest}, attacker without any"),
            _ => format!("{honest}, attacker with openssl"),
        }
    }

    pub(super) fn say(
        &mut self,
        from: Party,
        to: Party,
        is_encrypted: bool,
        what: impl Into<String>,
    ) {
        self.acts.push(Act {
            from,
            to,
            is_encrypted,
            what: what.into(),
            gain: None,
            recording: None,
        });
    }

    /// Something that a party does for itself.
    pub(super) fn note(&mut self, party: Party, what: impl Into<String>) {
        self.say(party, party, false, what);
    }

    /// What the attacker keeps.
    pub(super) fn keep(&mut self, what: String, recording: Option<Recording>) {
        self.note(Party::Attacker, what);
        if let Some(act) = self.acts.last_mut() {
            act.recording = recording;
        }
    }

    /// What the attacker has of the last act.
    pub(super) fn gain(&mut self, what: impl Into<String>) {
        if let Some(act) = self.acts.last_mut() {
            act.gain = Some(what.into());
        }
    }
}

impl Refusal {
    /// `heard` is what the other end made of it.
    pub(super) fn new(by: Party, error: &TransportError, heard: Option<&TransportError>) -> Self {
        let alert = match heard {
            Some(TransportError::Tls(StackError::Alert(alert))) => Some(alert.to_string()),
            _ => None,
        };
        Self {
            by,
            cause: Cause::of(error),
            words: words(error),
            alert,
        }
    }
}
