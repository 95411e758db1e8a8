//! What the attacker has and does, and what is to come of it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{Cause, Party};

/// A way to attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// There is no TLS.
    PlainHttp,
    /// The client takes any certificate.
    NoVerification,
    /// The client verifies, and the attacker has certified itself.
    SelfSigned,
    /// The attacker's authority bears the name of the real one.
    LookalikeAuthority,
    /// The attacker shows the server's own chain, and lacks its key.
    StolenCertificate,
    /// The attacker only listens.
    Eavesdropper,
    /// The attacker takes the hybrid group out of the ClientHello.
    Downgrade,
    /// The server asks for the client's certificate.
    ClientCertificate,
    /// The client trusts an authority that the attacker has.
    TrustedAuthority,
}

/// What a scene ends with, where the libraries do as they should.
pub(super) struct Expected {
    pub(super) is_read: bool,
    pub(super) is_changed: bool,
    /// Who refuses, and for one of which causes.
    pub(super) refusal: Option<(Party, &'static [Cause])>,
}

/// What is said of a scene.
struct Facts {
    name: &'static str,
    title: &'static str,
    reason: &'static str,
    reference: &'static str,
}

impl Scene {
    /// All of them, in the order in which they build upon each other.
    pub const ALL: [Self; 9] = [
        Self::PlainHttp,
        Self::NoVerification,
        Self::SelfSigned,
        Self::LookalikeAuthority,
        Self::StolenCertificate,
        Self::Eavesdropper,
        Self::Downgrade,
        Self::ClientCertificate,
        Self::TrustedAuthority,
    ];

    /// Its name in arguments.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// What it is about.
    pub fn title(self) -> &'static str {
        self.facts().title
    }

    /// Why it ends as it does, in plain words.
    pub fn reason(self) -> &'static str {
        self.facts().reason
    }

    /// Where the standards say so.
    pub fn reference(self) -> &'static str {
        self.facts().reference
    }

    pub(super) fn expected(self) -> Expected {
        let refused = |party, causes| Expected {
            is_read: false,
            is_changed: false,
            refusal: Some((party, causes)),
        };
        match self {
            Self::PlainHttp | Self::NoVerification | Self::TrustedAuthority => Expected {
                is_read: true,
                is_changed: true,
                refusal: None,
            },
            Self::SelfSigned => refused(Party::Client, &[Cause::Certificate]),
            // Key identifiers keep OpenSSL from trying the real authority's key: to it the
            // issuer is missing. webpki goes by the name, and finds a bad signature.
            Self::LookalikeAuthority => refused(
                Party::Client,
                &[Cause::Certificate, Cause::CryptographicCheck],
            ),
            Self::StolenCertificate | Self::Downgrade => {
                refused(Party::Client, &[Cause::CryptographicCheck])
            }
            Self::Eavesdropper => Expected {
                is_read: false,
                is_changed: false,
                refusal: None,
            },
            // The client is careless here: it is the server that is not deceived.
            Self::ClientCertificate => Expected {
                is_read: true,
                ..refused(Party::Server, &[Cause::CryptographicCheck])
            },
        }
    }

    fn facts(self) -> Facts {
        match self {
            Self::PlainHttp => Facts {
                name: "plain-http",
                title: "There is no TLS",
                reason: "Nothing tells the client who answers, and nothing shows that bytes were \
                         read or changed on the way.",
                reference: "RFC 9112 sections 11.3 and 11.4",
            },
            Self::NoVerification => Facts {
                name: "no-verification",
                title: "TLS, but the client takes any certificate",
                reason: "Both connections are encrypted and flawless. The client's ends at the \
                         attacker, and it never asked who that is: encryption without \
                         authentication keeps a secret with whoever is at the other end.",
                reference: "RFC 8446 appendix C.2",
            },
            Self::SelfSigned => Facts {
                name: "self-signed",
                title: "The client verifies; the attacker certified itself",
                reason: "Anybody can write the server's name into a certificate. The client wants \
                         it signed by an authority that it trusts, and here nobody but the \
                         attacker has signed.",
                reference: "RFC 5280 section 6.1",
            },
            Self::LookalikeAuthority => Facts {
                name: "lookalike-ca",
                title: "An authority with the name of the real one",
                reason: "A trust anchor is a name and a public key. The name is easily copied; \
                         the signature was made with another key, and the anchor's key does not \
                         verify it.",
                reference: "RFC 5280 section 6.1.1 (d)",
            },
            Self::StolenCertificate => Facts {
                name: "stolen-certificate",
                title: "The server's own certificate, without its key",
                reason: "Certificates are public: every client is shown them. The chain is \
                         accepted, but CertificateVerify has to sign this very handshake with \
                         the key in the certificate, and only the server has that.",
                reference: "RFC 8446 section 4.4.3",
            },
            Self::Eavesdropper => Facts {
                name: "eavesdropper",
                title: "An attacker who only listens, and keeps everything",
                reason: "Names, groups and lengths are in the clear, content is not. What was \
                         recorded stays: x25519 rests on discrete logarithms, which a quantum \
                         computer finds, so that it opens the second recording from the two \
                         shares in it. X25519MLKEM768 holds as long as either of its halves does, \
                         and no quantum algorithm is known that breaks ML-KEM.",
                reference: "RFC 8446 appendix E.1; FIPS 203",
            },
            Self::Downgrade => Facts {
                name: "downgrade",
                title: "The attacker takes the hybrid group out of the ClientHello",
                reason: "Both sides now agree on x25519, but not on what was said before: the \
                         keys are derived from a hash of all messages, and the hashes differ. \
                         The client can't decrypt the server's first encrypted record, and \
                         Finished would not match either.",
                reference: "RFC 8446 sections 4.4.4 and 7.1",
            },
            Self::ClientCertificate => Facts {
                name: "client-certificate",
                title: "The server asks for a client certificate",
                reason: "The client is careless and loses its request. But the server wants to \
                         see the client's certificate and a signature over its own handshake. \
                         What the client signed covers its handshake with the attacker, and can't \
                         be passed on; a signature of the attacker's is of the wrong key.",
                reference: "RFC 8446 sections 4.4.3 and 4.4.2.4",
            },
            Self::TrustedAuthority => Facts {
                name: "trusted-ca",
                title: "The client trusts an authority that the attacker has",
                reason: "The client verifies and all is well: any authority among its trust \
                         anchors can certify any name. Whose they are decides, be it a company's \
                         inspecting proxy or an authority that was broken into.",
                reference: "RFC 5280 section 6.1",
            },
        }
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// There is no scene of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no scene; there are {}", Scene::ALL.map(Scene::name).join(", "))]
pub struct UnknownScene {
    name: String,
}

impl FromStr for Scene {
    type Err = UnknownScene;

    fn from_str(name: &str) -> Result<Self, UnknownScene> {
        let mut all = Self::ALL.into_iter();
        all.find(|scene| scene.name() == name)
            .ok_or_else(|| UnknownScene {
                name: name.to_owned(),
            })
    }
}

impl Serialize for Scene {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
