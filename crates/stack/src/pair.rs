//! Two stacks and the memory between them.

use experiment::{Handshake, HandshakeKind, KeyExchange, Scenario, Side, StackName};
use wire::{ClientHello, HandshakeType, ProtocolVersion, ServerHello};

use crate::{
    Connection, Credentials, Endpoint, Negotiated, PhaseTiming, StackError, TlsStack, Unsupported,
};

/// A client and a server that perform one kind of handshake again and again.
pub struct Pair {
    handshake: Handshake,
    client: Box<dyn Endpoint>,
    server: Box<dyn Endpoint>,
    /// Buffers of the flights, kept so that the harness does not allocate.
    flights: Vec<Vec<u8>>,
}

/// Told before and after each step of a side, so that it can measure them.
pub trait Gauge {
    /// A side begins to work.
    fn begin(&mut self, side: Side);
    /// It has answered.
    fn end(&mut self, side: Side, stage: Stage);
}

/// The part of a handshake that a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Until both sides may send application data.
    Handshake,
    /// Tickets that the client takes after that.
    Tickets,
}

/// Measures nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoGauge;

impl Gauge for NoGauge {
    fn begin(&mut self, _: Side) {}
    fn end(&mut self, _: Side, _: Stage) {}
}

/// A handshake that is done.
pub struct Established<'p> {
    /// The client's end.
    pub client: Box<dyn Connection>,
    /// The server's end.
    pub server: Box<dyn Connection>,
    /// What went over the wire.
    pub transcript: Transcript<'p>,
}

/// Flights in order: the client begins, then they alternate.
#[derive(Debug, Clone, Copy)]
pub struct Transcript<'p> {
    flights: &'p [Vec<u8>],
}

impl<'p> Transcript<'p> {
    /// Sender and bytes of each flight.
    pub fn flights(&self) -> impl Iterator<Item = (Side, &'p [u8])> + use<'p> {
        let senders = Side::BOTH.into_iter().cycle();
        senders.zip(self.flights.iter().map(Vec::as_slice))
    }
}

/// A handshake went wrong, or was another one than asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// One of the stacks does not have it.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// One side failed.
    #[error("{side}: {error}")]
    Side {
        /// The side that failed.
        side: Side,
        /// What happened.
        error: StackError,
    },
    /// It completed, and is not what the scenario says.
    #[error("{what} should be {expected}, and was {found}")]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// What the scenario says.
        expected: String,
        /// What was negotiated.
        found: String,
    },
}

/// More flights than any TLS handshake has: a loop of two libraries that misunderstand
/// each other ends here.
const MAX_FLIGHTS: usize = 12;

/// What a client says in its first flight where 0-RTT is measured: a request.
pub const EARLY_DATA: &[u8] = b"GET / HTTP/1.1\r\nHost: server.pqlab.test\r\n\r\n";

impl Pair {
    /// Sets up both sides of a scenario; `stack` finds a stack by its name.
    ///
    /// # Errors
    /// When a stack does not support it, or refuses the setup.
    pub fn new<'s>(
        scenario: &Scenario,
        credentials: &Credentials,
        timing: PhaseTiming,
        stack: impl Fn(&StackName) -> Result<&'s dyn TlsStack, Unsupported>,
    ) -> Result<Self, PairError> {
        let endpoint = |side| endpoint(scenario, side, credentials, timing, &stack);
        let (client, server) = (endpoint(Side::Client)?, endpoint(Side::Server)?);
        let flights = (0..MAX_FLIGHTS)
            .map(|_| Vec::with_capacity(32 * 1024))
            .collect();
        Ok(Self {
            handshake: *scenario.handshake(),
            client,
            server,
            flights,
        })
    }

    /// What this pair negotiates.
    pub const fn handshake_description(&self) -> &Handshake {
        &self.handshake
    }

    /// Makes sure that the next handshake has a ticket where it needs one. Not part of
    /// any measurement.
    ///
    /// # Errors
    /// When the full handshake that issues tickets fails.
    pub fn prepare(&mut self) -> Result<(), PairError> {
        if !self.handshake.kind().is_resumption() || self.client.tickets() > 0 {
            return Ok(());
        }
        let make = |side, endpoint: &dyn Endpoint| {
            endpoint
                .issuing_connection()
                .map_err(|error| PairError::Side { side, error })
        };
        let (client, server) = (&*self.client, &*self.server);
        run(
            &mut self.flights,
            || make(Side::Client, client),
            || make(Side::Server, server),
            &mut NoGauge,
        )?;
        Ok(())
    }

    /// Performs one handshake. The gauge is told of each step; making a connection
    /// belongs to its side's first step, since some libraries make their key share then.
    ///
    /// # Errors
    /// When a side fails. What was negotiated is for [`Established::verify`] to check.
    pub fn handshake(&mut self, gauge: &mut impl Gauge) -> Result<Established<'_>, PairError> {
        let make = |side, endpoint: &dyn Endpoint| {
            endpoint
                .connection()
                .map_err(|error| PairError::Side { side, error })
        };
        let (client, server) = (&*self.client, &*self.server);
        let (client, server, used) = run(
            &mut self.flights,
            || make(Side::Client, client),
            || make(Side::Server, server),
            gauge,
        )?;
        let transcript = Transcript {
            flights: &self.flights[..used],
        };
        Ok(Established {
            client,
            server,
            transcript,
        })
    }
}

/// Sets up one side of a scenario; `stack` finds a stack by its name.
///
/// # Errors
/// When the stack does not support it, or refuses the setup.
pub fn endpoint<'s>(
    scenario: &Scenario,
    side: Side,
    credentials: &Credentials,
    timing: PhaseTiming,
    stack: impl Fn(&StackName) -> Result<&'s dyn TlsStack, Unsupported>,
) -> Result<Box<dyn Endpoint>, PairError> {
    let name = match side {
        Side::Client => scenario.client(),
        Side::Server => scenario.server(),
    };
    let (stack, handshake) = (stack(name)?, scenario.handshake());
    stack.supports(side, handshake)?;
    if timing == PhaseTiming::On && !stack.times_phases() {
        let reason = "has no pluggable cryptography that could be timed in place".to_owned();
        let stack = stack.name();
        return Err(Unsupported {
            stack,
            side,
            reason,
        }
        .into());
    }
    stack
        .endpoint(side, handshake, credentials, timing)
        .map_err(|error| PairError::Side { side, error })
}

/// Client, server, and how many flights there were.
type Ends = (Box<dyn Connection>, Box<dyn Connection>, usize);

/// Lets both sides talk until neither has more to say. Gives the connections and the
/// number of flights.
fn run(
    flights: &mut [Vec<u8>],
    client: impl FnOnce() -> Result<Box<dyn Connection>, PairError>,
    server: impl FnOnce() -> Result<Box<dyn Connection>, PairError>,
    gauge: &mut impl Gauge,
) -> Result<Ends, PairError> {
    let fault = |side| move |error| PairError::Side { side, error };
    flights.iter_mut().for_each(Vec::clear);

    gauge.begin(Side::Client);
    let mut client = client()?;
    client
        .advance(&[], &mut flights[0])
        .map_err(fault(Side::Client))?;
    gauge.end(Side::Client, Stage::Handshake);

    gauge.begin(Side::Server);
    let mut server = server()?;
    let (sent, answer) = flights.split_at_mut(1);
    server
        .advance(&sent[0], &mut answer[0])
        .map_err(fault(Side::Server))?;
    gauge.end(Side::Server, Stage::Handshake);

    for turn in 2..flights.len() {
        let is_done = !client.is_handshaking() && !server.is_handshaking();
        let (sent, answer) = flights.split_at_mut(turn);
        let input = &sent[turn - 1];
        if input.is_empty() {
            let stalled = fault(Side::Client)(StackError::Stalled);
            return if is_done {
                Ok((client, server, turn - 1))
            } else {
                Err(stalled)
            };
        }
        let stage = if is_done {
            Stage::Tickets
        } else {
            Stage::Handshake
        };
        let (side, connection) = match turn % 2 {
            0 => (Side::Client, &mut client),
            _ => (Side::Server, &mut server),
        };
        gauge.begin(side);
        connection
            .advance(input, &mut answer[0])
            .map_err(fault(side))?;
        gauge.end(side, stage);
    }
    Err(fault(Side::Client)(StackError::Stalled))
}

impl Established<'_> {
    /// Checks that this was the handshake asked for: by what crossed the wire in the
    /// clear, and by what both libraries say.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn verify(&self, handshake: &Handshake) -> Result<(), PairError> {
        self.transcript.verify(handshake)?;
        for (side, connection) in [(Side::Client, &self.client), (Side::Server, &self.server)] {
            connection.negotiated().verify(side, handshake)?;
        }
        Ok(())
    }
}

impl Established<'_> {
    /// Checks that both sides have the same secrets: that they export the same keying
    /// material (RFC 8446 section 7.5).
    ///
    /// # Errors
    /// When a side exports nothing, or another one.
    pub fn verify_exporters(&self) -> Result<(), PairError> {
        let export = |side, connection: &dyn Connection| {
            let mut material = [0; 32];
            connection
                .export_keying_material("EXPORTER-pqlab", &mut material)
                .map(|()| material)
                .map_err(|error| PairError::Side { side, error })
        };
        let client = export(Side::Client, &*self.client)?;
        if client == export(Side::Server, &*self.server)? {
            return Ok(());
        }
        Err(mismatch(
            "the exported keying material",
            "the same on both sides",
            "different",
        ))
    }
}

impl Transcript<'_> {
    /// Checks the hellos of the transcript against the scenario (RFC 8446 section 4.1).
    fn verify(&self, handshake: &Handshake) -> Result<(), PairError> {
        let mut client_hello = None;
        let mut server_hello = None;
        let mut retry_requests = 0;
        for (_, flight) in self.flights() {
            // Encrypted flights hold no plaintext messages; those are not looked into.
            for message in wire::plaintext_messages(flight).unwrap_or_default() {
                match message.handshake_type {
                    HandshakeType::CLIENT_HELLO => {
                        client_hello = ClientHello::parse(&message.body).ok();
                    }
                    HandshakeType::SERVER_HELLO => {
                        let hello = ServerHello::parse(&message.body).ok();
                        match hello {
                            Some(hello) if hello.is_retry_request => retry_requests += 1,
                            hello => server_hello = hello,
                        }
                    }
                    _ => {}
                }
            }
        }
        let missing = || mismatch("the hellos", "readable", "unreadable");
        let hello = server_hello.ok_or_else(missing)?;
        let client_hello = client_hello.ok_or_else(missing)?;
        let wants_retry = handshake.kind() == HandshakeKind::FullWithHelloRetryRequest;
        expect(
            "the number of HelloRetryRequests",
            u8::from(wants_retry),
            retry_requests,
        )?;
        expect_some(
            "the version on the wire",
            handshake.version(),
            hello.version,
        )?;
        expect(
            "the cipher suite on the wire",
            handshake.cipher_suite(),
            hello.cipher_suite,
        )?;
        if handshake.version() == ProtocolVersion::Tls13 {
            let share = hello.key_share.ok_or_else(missing)?;
            if let Some(group) = handshake.group() {
                expect("the group on the wire", group, share.group)?;
            }
            if let Some(facts) = share.group.facts() {
                let length = usize::from(facts.server_share);
                expect("the server's key share length", length, share.length)?;
            }
            expect(
                "resumption",
                handshake.kind().is_resumption(),
                hello.accepts_psk,
            )?;
            let wants_early_data = handshake.kind() == HandshakeKind::EarlyData;
            expect(
                "the offer of 0-RTT",
                wants_early_data,
                client_hello.early_data,
            )?;
            expect(
                "the number of key shares offered",
                1,
                client_hello.key_shares.len(),
            )?;
        }
        Ok(())
    }
}

impl Negotiated {
    /// Checks what a library says against the scenario; `side` is its own.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn verify(&self, side: Side, handshake: &Handshake) -> Result<(), PairError> {
        expect_some("the version", handshake.version(), self.version)?;
        expect_some(
            "the cipher suite",
            handshake.cipher_suite(),
            self.cipher_suite,
        )?;
        let is_resumption = handshake.kind().is_resumption();
        expect("resumption", is_resumption, self.is_resumed)?;
        match (handshake.key_exchange(), handshake.version()) {
            // A TLS 1.2 resumption has no key exchange of its own.
            (_, ProtocolVersion::Tls12) if is_resumption => {}
            (KeyExchange::Group(group), _) => expect_some("the group", group, self.group)?,
            (KeyExchange::StaticRsa, _) => {}
        }
        let signer = match side {
            Side::Client => Some(handshake.authentication()),
            Side::Server => handshake.client_authentication(),
        };
        // A server need not remember the client's certificate in a ticket; a client does.
        if side == Side::Client || !is_resumption {
            expect(
                "the peer's certificate",
                signer.is_some(),
                self.has_peer_certificate,
            )?;
        }
        if let (Some(chain), Some(scheme), false) = (signer, self.peer_scheme, is_resumption) {
            expect("the signature scheme", chain.leaf().facts().scheme, scheme)?;
        }
        if side == Side::Server && handshake.kind() == HandshakeKind::EarlyData {
            expect(
                "the 0-RTT data taken, in bytes,",
                EARLY_DATA.len(),
                self.early_data,
            )?;
        }
        Ok(())
    }
}

fn expect<T: PartialEq + ToString>(
    what: &'static str,
    expected: T,
    found: T,
) -> Result<(), PairError> {
    if expected == found {
        return Ok(());
    }
    Err(PairError::Mismatch {
        what,
        expected: expected.to_string(),
        found: found.to_string(),
    })
}

fn expect_some<T: PartialEq + ToString>(
    what: &'static str,
    expected: T,
    found: Option<T>,
) -> Result<(), PairError> {
    match found {
        Some(found) => expect(what, expected, found),
        None => Err(mismatch(what, &expected.to_string(), "unknown")),
    }
}

fn mismatch(what: &'static str, expected: &str, found: &str) -> PairError {
    PairError::Mismatch {
        what,
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
