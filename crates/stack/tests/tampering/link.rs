//! Two endpoints, and what an attacker between them sees happen.

use experiment::{Handshake, Side, StackName};
use stack::{Connection, Credentials, Endpoint, PhaseTiming, STACKS, StackError};

/// What went wrong, without the words of a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Certificate,
    Cryptography,
    Peer,
    Alert,
    Stalled,
    Other,
}

impl From<&StackError> for Kind {
    fn from(error: &StackError) -> Self {
        match error {
            StackError::Certificate(_) => Self::Certificate,
            StackError::Cryptography(_) => Self::Cryptography,
            StackError::Peer(_) => Self::Peer,
            StackError::Alert(_) => Self::Alert,
            StackError::Stalled => Self::Stalled,
            _ => Self::Other,
        }
    }
}

/// Endpoints of both sides.
pub(crate) struct Link {
    pub(crate) name: String,
    stacks: [StackName; 2],
    pub(crate) client: Box<dyn Endpoint>,
    pub(crate) server: Box<dyn Endpoint>,
}

/// Both ends of a handshake that is done.
pub(crate) struct Ends {
    pub(crate) client: Box<dyn Connection>,
    pub(crate) server: Box<dyn Connection>,
}

/// How a handshake under attack ended.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The side that noticed; in a stall, neither.
    pub(crate) side: Option<Side>,
    pub(crate) error: StackError,
    /// What its peer made of the alert, if it got one.
    pub(crate) echo: Option<StackError>,
    /// Whether the side that noticed may keep it from its peer: see [`MUTE`].
    is_mute: bool,
}

impl Failure {
    pub(crate) fn is(&self, side: Side, kind: Kind) -> bool {
        self.side == Some(side) && Kind::from(&self.error) == kind
    }

    pub(crate) fn is_stall(&self) -> bool {
        self.error == StackError::Stalled
    }

    pub(crate) fn echo(&self) -> Option<Kind> {
        self.echo.as_ref().map(Kind::from)
    }

    /// Whether the peer learned of it by an alert, where its stack sends one.
    pub(crate) fn is_told(&self) -> bool {
        self.echo() == Some(Kind::Alert) || self.is_mute
    }
}

pub(crate) fn cache() -> pki::Cache {
    pki::Cache::open(pki::Cache::default_dir().unwrap()).unwrap()
}

/// Every two stacks that have this handshake.
pub(crate) fn links(id: &str) -> Vec<Link> {
    let handshake: Handshake = id.parse().unwrap();
    let credentials = Credentials::for_handshake(&handshake, &cache()).unwrap();
    links_of((&handshake, &credentials), (&handshake, &credentials))
}

/// Every two stacks where each side has a handshake and credentials of its own.
pub(crate) fn links_of(
    client: (&Handshake, &Credentials),
    server: (&Handshake, &Credentials),
) -> Vec<Link> {
    let mut links = Vec::new();
    for client_stack in STACKS {
        for server_stack in STACKS {
            if client_stack.supports(Side::Client, client.0).is_err()
                || server_stack.supports(Side::Server, server.0).is_err()
            {
                continue;
            }
            let timing = PhaseTiming::Off;
            let stacks = [client_stack.name(), server_stack.name()];
            links.push(Link {
                name: format!("{} -> {}, {}", stacks[0], stacks[1], server.0),
                stacks,
                client: client_stack
                    .endpoint(Side::Client, client.0, client.1, timing)
                    .unwrap(),
                server: server_stack
                    .endpoint(Side::Server, server.0, server.1, timing)
                    .unwrap(),
            });
        }
    }
    assert!(!links.is_empty(), "no stack has {}", server.0);
    links
}

/// Stacks that do not alert the peer of each failure, as every stack should (RFC 8446
/// section 6.2). rustls-openssl's provider calls a bad tag a general error, about which
/// rustls alerts nobody. s2n-tls tells but a few, and closes with a close_notify otherwise.
const MUTE: &[&str] = &["rustls-openssl", "s2n-tls"];

/// More turns than any handshake has.
const MAX_TURNS: usize = 12;

impl Link {
    /// The name of the stack on one side.
    pub(crate) fn stack(&self, side: Side) -> &str {
        self.stacks[side as usize].as_str()
    }

    /// Lets both sides talk, while `tamper` may change each flight on its way: number 0 is
    /// the ClientHello, and then they alternate.
    pub(crate) fn attack(
        &self,
        mut tamper: impl FnMut(usize, &mut Vec<u8>),
    ) -> Result<Ends, Failure> {
        let mut client = self.client.connection().unwrap();
        let mut server = self.server.connection().unwrap();
        let mut input = Vec::new();
        for turn in 0..MAX_TURNS {
            if turn > 0 && input.is_empty() {
                if !client.is_handshaking() && !server.is_handshaking() {
                    return Ok(Ends { client, server });
                }
                return Err(Failure {
                    side: None,
                    error: StackError::Stalled,
                    echo: None,
                    is_mute: false,
                });
            }
            let (side, connection, peer) = match turn % 2 {
                0 => (Side::Client, &mut client, &mut server),
                _ => (Side::Server, &mut server, &mut client),
            };
            let mut output = Vec::new();
            if let Err(error) = connection.advance(&input, &mut output) {
                assert!(
                    connection.is_handshaking(),
                    "{}: {side} says {error} and completes",
                    self.name
                );
                // The alert is not tampered with.
                let echo = peer.advance(&output, &mut Vec::new()).err();
                return Err(Failure {
                    side: Some(side),
                    error,
                    echo,
                    is_mute: MUTE.contains(&self.stack(side)),
                });
            }
            tamper(turn, &mut output);
            input = output;
        }
        panic!("{}: two sides that talk forever", self.name);
    }

    /// [`attack`](Self::attack) on one flight, which must fail.
    pub(crate) fn failure(
        &self,
        flight: usize,
        what: &str,
        tamper: impl Fn(&mut Vec<u8>),
    ) -> Failure {
        let result = self.attack(|turn, bytes| {
            if turn == flight {
                tamper(bytes);
            }
        });
        match result {
            Ok(_) => panic!("{}: completed in spite of: {what}", self.name),
            Err(failure) => failure,
        }
    }

    /// A handshake that nobody tampers with.
    pub(crate) fn complete(&self) -> Ends {
        self.attack(|_, _| {})
            .unwrap_or_else(|failure| panic!("{}: {failure:?}", self.name))
    }
}
