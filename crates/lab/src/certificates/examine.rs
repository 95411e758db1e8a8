//! A case before both libraries.

use stack::Judgement;
use time::OffsetDateTime;

use super::case::{Case, CaseError, Expected, Standard};
use super::handshake::{Handshake, Judge, perform};
use super::workshop::Workshop;

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
    /// The library that showed the certificate: `openssl`, or `rustls` where OpenSSL refuses to.
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
        self.handshake.refusal.is_none()
    }

    /// The code of the verifier's refusal, if it refuses.
    pub fn code(&self) -> Option<&str> {
        let refusal = self.judgement.as_ref()?.refusal.as_ref()?;
        Some(&refusal.code)
    }

    /// Whether verifier and handshake did what they are known to do.
    pub fn is_as_expected(&self) -> bool {
        match self.expected {
            Expected::Accepts => self.accepts() && self.code().is_none(),
            Expected::Refuses(code) => !self.accepts() && self.code() == Some(code),
            Expected::Fails(alert) => {
                !self.accepts() && self.code().is_none() && self.handshake.alert == Some(alert)
            }
        }
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
    let (shown_by, showing) = scene.showing()?;
    let outcome = async |library, judgement| {
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
