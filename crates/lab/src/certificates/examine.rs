//! A case before both libraries.

use stack::Judgement;
use time::OffsetDateTime;

use super::case::{Case, CaseError, Expected, Standard};
use super::handshake::{Handshake, Judge, perform};
use super::workshop::Workshop;
use crate::cause::Cause;

/// What was seen of a case.
#[derive(Debug)]
pub struct Examination {
    /// The case.
    pub case: &'static Case,
    /// What rustls and OpenSSL did, in this order.
    pub outcomes: [Outcome; 2],
}

/// What one library did.
#[derive(Debug)]
pub struct Outcome {
    /// `rustls` or `openssl`.
    pub library: &'static str,
    /// What it is known to do.
    pub expected: Expected,
    /// What its verifier says of the chain without a connection; `None` if no chain is
    /// shown.
    pub judgement: Option<Judgement>,
    /// The library that showed the certificate: this one where the outcome was for the server
    /// to decide, else `openssl`, or `rustls` where OpenSSL refuses to.
    pub shown_by: &'static str,
    /// How the real handshake ended.
    pub handshake: Handshake,
}

impl Examination {
    /// Whether both libraries did what they are known to do.
    pub fn is_as_expected(&self) -> bool {
        let has_scheme = |outcome: &Outcome| {
            let seen = outcome.handshake.scheme.map(|scheme| scheme.to_string());
            self.case.scheme.is_none() || self.case.scheme == seen.as_deref()
        };
        let mut outcomes = self.outcomes.iter();
        outcomes.all(|outcome| outcome.is_as_expected() && has_scheme(outcome))
    }

    /// Whether the libraries differ, from each other or from the standard.
    pub fn differs(&self) -> bool {
        let wanted = self.case.standard == Standard::Accept;
        let mut outcomes = self.outcomes.iter();
        outcomes.any(|outcome| outcome.accepts() != wanted)
    }
}

impl Outcome {
    /// Whether the handshake succeeded.
    pub const fn accepts(&self) -> bool {
        self.handshake.failure.is_none()
    }

    /// The code of the verifier's refusal, if it refuses.
    pub fn code(&self) -> Option<&str> {
        let refusal = self.judgement.as_ref()?.refusal.as_ref()?;
        Some(&refusal.code)
    }

    /// Whether verifier and handshake did what they are known to do, and for one reason.
    pub fn is_as_expected(&self) -> bool {
        match self.expected {
            Expected::Accepts => self.accepts() && self.code().is_none(),
            Expected::Refuses(code) => self.code() == Some(code) && self.is_refused_alike(),
            Expected::Fails(alert) => {
                !self.accepts() && self.code().is_none() && self.handshake.alert == Some(alert)
            }
        }
    }

    /// Whether the handshake failed by the chain, for the reason that the verifier gives. The
    /// two are set up apart.
    fn is_refused_alike(&self) -> bool {
        let judgement = self.judgement.as_ref();
        let refusal = judgement.and_then(|judgement| judgement.refusal.as_ref());
        let (Some(refusal), Some(failure)) = (refusal, &self.handshake.failure) else {
            return false;
        };
        // A signature in the chain that does not verify is a check of its own kind.
        let is_by_chain = match failure.cause {
            Cause::Certificate | Cause::CryptographicCheck => true,
            Cause::Other => false,
        };
        // Up to the time, which differs by a moment.
        let text = refusal.text.split(|c: char| c.is_ascii_digit()).next();
        let reason = text.unwrap_or_default().trim();
        is_by_chain && !reason.is_empty() && failure.words.contains(reason)
    }
}

/// Makes the certificates of a case, has them judged, and has them shown in real handshakes.
/// Needs a tokio runtime with I/O and time.
///
/// # Errors
/// When the case can't be set up. What a library refuses is an outcome.
pub async fn examine(case: &'static Case) -> Result<Examination, CaseError> {
    let workshop = Workshop::open(OffsetDateTime::now_utc())?;
    let scene = (case.make)(&workshop)?;
    let [by_rustls, by_openssl] = match scene.judgements() {
        Some([by_rustls, by_openssl]) => [Some(by_rustls), Some(by_openssl)],
        None => [None, None],
    };
    let outcome = async |library, judgement| {
        let (shown_by, showing) = scene.showing(library)?;
        let judging = scene.judging(library)?;
        let (server, client) = match scene.judge() {
            Judge::Client => (&showing, &judging),
            Judge::Server => (&judging, &showing),
        };
        Ok::<_, CaseError>(Outcome {
            library,
            expected: case.expected(library),
            judgement,
            shown_by,
            handshake: perform(&**server, &**client, scene.judge()).await?,
        })
    };
    Ok(Examination {
        case,
        outcomes: [
            outcome("rustls", by_rustls).await?,
            outcome("openssl", by_openssl).await?,
        ],
    })
}
