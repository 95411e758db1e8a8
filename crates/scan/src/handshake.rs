//! A handshake as far as a prober needs it: what the server shows in its first flight, which
//! TLS 1.3 encrypts, and whether it lets a session be resumed.
//!
//! Nobody is authenticated here: a chain is read and not verified, and no data are sent.

use std::time::Duration;

use audit::Cause;
use key_schedule::{Secret, SuiteAlgorithms, Tls13Keys, Tls13Schedule, TranscriptHash, finished};
use tokio::time::timeout;
use wire::{
    AlertDescription, CertificateMessage, CertificateRequest, CertificateVerify, ContentType,
    HandshakeType, HelloError, NamedGroup, NewSessionTicket, Offer, ProtocolVersion,
    ServerExtensions, ServerKeyExchange, ServerMaterial, SignatureScheme, TicketMaterial,
    dh_prime_bits, handshake_records,
};

use crate::dial::{Dialer, Stopped};
use crate::incoming::{Item, MESSAGE_HEADER, garbage};
use crate::probe::{Chosen, Conversation, LONGEST, Reply, Shape, converse};
use crate::share::Share;

/// For a whole first flight: chains of SLH-DSA take 150 KB.
const FIRST_FLIGHT: usize = 320 << 10;
/// For a server that asked for a certificate and got none, to hang up in.
const PATIENCE: Duration = Duration::from_secs(1);
const TLS12: u16 = ProtocolVersion::Tls12.code_point();
const TLS13: u16 = ProtocolVersion::Tls13.code_point();
/// The version of the record that carries a second ClientHello (RFC 8446 section 5.1).
const RECORD_OF_SECOND_HELLO: u16 = 0x0303;

/// What a server showed in its first flight.
pub(crate) struct Shown {
    pub(crate) chosen: Chosen,
    /// The group, of TLS 1.3 or of an ECDHE suite of TLS 1.2.
    pub(crate) group: Option<NamedGroup>,
    /// Bits of the prime, for a DHE suite of TLS 1.2.
    pub(crate) dh_bits: Option<u32>,
    pub(crate) has_hello_retry: bool,
    /// Bytes of the first ClientHello, its record header included.
    pub(crate) client_hello: usize,
    /// Bytes of all that the server sent until the end of its first flight.
    pub(crate) flight: usize,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) request: Option<CertificateRequest>,
    /// Certificates in DER, the end entity first.
    pub(crate) chain: Vec<Vec<u8>>,
    /// Bytes of the Certificate message.
    pub(crate) chain_bytes: usize,
    pub(crate) scheme: Option<SignatureScheme>,
    /// Whether the offered ticket was taken.
    pub(crate) is_resumed: bool,
    /// To go on with, in TLS 1.3.
    pub(crate) session: Option<Box<Session>>,
}

/// A handshake of TLS 1.3 in which the client's turn has come.
pub(crate) struct Session {
    conversation: Conversation,
    algorithms: SuiteAlgorithms,
    schedule: Tls13Schedule,
    transcript: TranscriptHash,
    /// The client's handshake traffic secret.
    client: Vec<u8>,
    /// What the server's request for a certificate has to be answered with.
    is_certificate_wanted: bool,
    /// The first one that came.
    ticket: Option<Box<Ticket>>,
}

/// What became of a session after the client's last flight.
pub(crate) enum Ended {
    /// The server issued a ticket.
    Ticket(Box<Ticket>),
    /// It closed in good order without one.
    Closed,
    /// It asked for a certificate, got none, and closed, whether with a ticket or not.
    HungUp,
    Alert(AlertDescription),
}

/// A ticket and what it is worth.
pub(crate) struct Ticket {
    pub(crate) algorithms: SuiteAlgorithms,
    pub(crate) key: Vec<u8>,
    pub(crate) identity: Vec<u8>,
    pub(crate) age_add: u32,
    pub(crate) lifetime: u32,
    pub(crate) max_early_data: Option<u32>,
}

/// What the server said: its first flight, or no.
pub(crate) enum Outcome {
    Shown(Box<Shown>),
    Alert(AlertDescription),
}

/// Offers, with fresh shares for these groups, and reads the server's first flight.
pub(crate) async fn show(
    dialer: &Dialer,
    mut offer: Offer,
    share_groups: &[NamedGroup],
    ticket: Option<&Ticket>,
) -> Result<Outcome, Stopped> {
    let mut shares: Vec<Share> = share_groups
        .iter()
        .filter_map(|group| Share::generate(*group))
        .collect();
    let public = |share: &Share| (share.group(), share.public().to_vec());
    offer.key_shares = shares.iter().map(public).collect();
    let mut hello = bound_message(&offer, ticket, None)?;
    let client_hello = hello.len() + hello.len().div_ceil(LONGEST) * 5;
    let (mut reply, mut conversation) =
        converse(dialer, &offer, &hello, Shape::Whole, FIRST_FLIGHT).await?;
    let mut first_hello = None;
    if let Reply::Hello(chosen) = &reply
        && chosen.hello.is_retry_request
    {
        let material = ServerMaterial::parse(chosen.body()).map_err(broken)?;
        offer.cookie = material.cookie.map(<[u8]>::to_vec);
        // Where it names no group it wants its cookie back, and the shares as they are.
        if let Some(wanted) = chosen.hello.key_share {
            let group = wanted.group;
            let share = Share::generate(group).ok_or_else(|| not_computable(group))?;
            offer.key_shares = vec![public(&share)];
            shares = vec![share];
        }
        let algorithms = algorithms(chosen)?;
        let mut transcript = TranscriptHash::after_retry(algorithms, &hello);
        transcript.add(&chosen.message);
        hello = bound_message(&offer, ticket, Some(&transcript))?;
        let record = handshake_records(&hello, RECORD_OF_SECOND_HELLO, LONGEST);
        conversation.dialed.write(&record).await?;
        reply = conversation.reply(&offer).await?;
        match &reply {
            Reply::Hello(chosen) if chosen.hello.is_retry_request => {
                return Err(garbage("a second HelloRetryRequest"));
            }
            Reply::Hello(chosen) if chosen.version != TLS13 => {
                return Err(garbage("another version after a HelloRetryRequest"));
            }
            _ => {}
        }
        first_hello = Some(transcript);
    }
    let chosen = match reply {
        Reply::Alert(alert) => return Ok(Outcome::Alert(alert)),
        Reply::Hello(chosen) => chosen,
    };
    let shown = Shown {
        group: chosen.hello.key_share.map(|share| share.group),
        dh_bits: None,
        has_hello_retry: first_hello.is_some(),
        client_hello,
        flight: 0,
        alpn: None,
        request: None,
        chain: Vec::new(),
        chain_bytes: 0,
        scheme: None,
        is_resumed: chosen.hello.accepts_psk,
        session: None,
        chosen,
    };
    if shown.chosen.version != TLS13 {
        return legacy(shown, conversation).await;
    }
    let algorithms = algorithms(&shown.chosen)?;
    let mut transcript = first_hello.unwrap_or_else(|| TranscriptHash::new(algorithms));
    transcript.add(&hello);
    transcript.add(&shown.chosen.message);
    let key = ticket
        .filter(|_| shown.is_resumed)
        .map(|ticket| ticket.key.as_slice());
    let shared = shared_secret(&shown.chosen, &shares)?;
    let schedule = Tls13Schedule::new(algorithms, key, shared.as_deref());
    let schedule = schedule.ok_or_else(|| garbage("the suite has no key schedule"))?;
    let session = Session {
        client: derive(&schedule, Secret::ClientHandshake, &transcript)?,
        conversation,
        algorithms,
        schedule,
        transcript,
        is_certificate_wanted: false,
        ticket: None,
    };
    encrypted_flight(shown, session).await
}

/// The ClientHello, with the binder of its ticket (RFC 8446 section 4.2.11.2). `before` is the
/// transcript before it.
fn bound_message(
    offer: &Offer,
    ticket: Option<&Ticket>,
    before: Option<&TranscriptHash>,
) -> Result<Vec<u8>, Stopped> {
    let mut message = offer.message();
    let (Some(ticket), Some(offered)) = (ticket, &offer.ticket) else {
        return Ok(message);
    };
    let covered = message.len() - offered.binders_length();
    let mut transcript = match before {
        Some(before) => before.clone(),
        None => TranscriptHash::new(ticket.algorithms),
    };
    transcript.add(&message[..covered]);
    let binder = Tls13Schedule::new(ticket.algorithms, Some(&ticket.key), None)
        .and_then(|schedule| schedule.resumption_binder(&transcript))
        .ok_or_else(|| garbage("the ticket's key has no binder"))?;
    let start = message.len() - binder.len();
    message[start..].copy_from_slice(&binder);
    Ok(message)
}

fn shared_secret(chosen: &Chosen, shares: &[Share]) -> Result<Option<Vec<u8>>, Stopped> {
    let Some(key_share) = chosen.hello.key_share else {
        return match chosen.hello.accepts_psk {
            true => Ok(None),
            false => Err(garbage("a ServerHello without a key share")),
        };
    };
    let share = shares.iter().find(|share| share.group() == key_share.group);
    let share = share.ok_or_else(|| not_computable(key_share.group))?;
    let material = ServerMaterial::parse(chosen.body()).map_err(broken)?;
    let secret = share.complete(material.key_share);
    secret
        .map(Some)
        .ok_or_else(|| garbage(format!("its share of {} is malformed", key_share.group)))
}

/// TLS 1.3 after ServerHello, until Finished.
async fn encrypted_flight(mut shown: Shown, mut session: Session) -> Result<Outcome, Stopped> {
    let server = derive(
        &session.schedule,
        Secret::ServerHandshake,
        &session.transcript,
    )?;
    session.decrypt_with(&server)?;
    loop {
        let (kind, message) = match session.conversation.next().await? {
            Item::Alert(alert) => return Ok(Outcome::Alert(alert.description)),
            Item::Message(kind, message) => (kind, message),
        };
        let body = &message[MESSAGE_HEADER..];
        match kind {
            HandshakeType::ENCRYPTED_EXTENSIONS => {
                let answer = ServerExtensions::of_encrypted_extensions(body).map_err(broken)?;
                shown.alpn = answer.alpn;
            }
            HandshakeType::FINISHED => {
                // The one proof that what was read is what the server has sent.
                if finished(&server, &session.transcript).as_deref() != Some(body) {
                    return Err(garbage("its Finished does not verify"));
                }
                session.transcript.add(&message);
                break;
            }
            kind => shown.read(kind, body, ProtocolVersion::Tls13)?,
        }
        session.transcript.add(&message);
    }
    session.is_certificate_wanted = shown.request.is_some();
    shown.flight = session.conversation.incoming.total();
    shown.session = Some(Box::new(session));
    Ok(Outcome::Shown(Box::new(shown)))
}

/// TLS 1.2 and older after ServerHello, until ServerHelloDone: all in the clear.
async fn legacy(mut shown: Shown, mut conversation: Conversation) -> Result<Outcome, Stopped> {
    loop {
        let (kind, message) = match conversation.next().await? {
            Item::Alert(alert) => return Ok(Outcome::Alert(alert.description)),
            Item::Message(kind, message) => (kind, message),
        };
        if kind == HandshakeType::SERVER_HELLO_DONE {
            shown.flight = conversation.incoming.total();
            return Ok(Outcome::Shown(Box::new(shown)));
        }
        shown.read(kind, &message[MESSAGE_HEADER..], ProtocolVersion::Tls12)?;
    }
}

impl Shown {
    /// A message that both versions have.
    fn read(
        &mut self,
        kind: HandshakeType,
        body: &[u8],
        version: ProtocolVersion,
    ) -> Result<(), Stopped> {
        match kind {
            HandshakeType::CERTIFICATE => {
                let message = CertificateMessage::parse(body, version).map_err(broken)?;
                let owned = |der: &&[u8]| der.to_vec();
                self.chain = message.certificates.iter().map(owned).collect();
                self.chain_bytes = body.len() + MESSAGE_HEADER;
            }
            // Before TLS 1.2 it has no schemes; what matters is that it came.
            HandshakeType::CERTIFICATE_REQUEST => {
                let request = CertificateRequest::parse(body, version);
                self.request = Some(match self.chosen.version {
                    TLS12 | TLS13 => request.map_err(broken)?,
                    _ => request.unwrap_or_default(),
                });
            }
            HandshakeType::CERTIFICATE_VERIFY => {
                self.scheme = Some(CertificateVerify::parse(body).map_err(broken)?.scheme);
            }
            HandshakeType::SERVER_KEY_EXCHANGE => self.read_key_exchange(body)?,
            // A stapled OCSP response.
            HandshakeType::CERTIFICATE_STATUS => {}
            other => return Err(garbage(format!("{other} in the server's first flight"))),
        }
        Ok(())
    }

    fn read_key_exchange(&mut self, body: &[u8]) -> Result<(), Stopped> {
        let suite = self.chosen.hello.cipher_suite.to_string();
        if suite.contains("_DHE_") {
            self.dh_bits = Some(dh_prime_bits(body).map_err(broken)?);
            return Ok(());
        }
        // Before TLS 1.2 the signature stands there without a scheme: the group comes first.
        match ServerKeyExchange::parse(body) {
            Ok(Some(exchange)) => {
                self.group = Some(exchange.group);
                self.scheme = (self.chosen.version == TLS12).then_some(exchange.signature.scheme);
            }
            Err(error) if self.chosen.version == TLS12 => return Err(broken(error)),
            Ok(None) | Err(_) => {}
        }
        Ok(())
    }
}

impl Session {
    fn decrypt_with(&mut self, secret: &[u8]) -> Result<(), Stopped> {
        let keys = Tls13Keys::new(self.algorithms, secret);
        let keys = keys.ok_or_else(|| garbage("the suite's keys can't be made"))?;
        self.conversation.incoming.decrypt_with(keys);
        Ok(())
    }

    /// Ends the handshake as a client without a certificate, and the connection with it: a
    /// ticket may come before the server closes as well.
    pub(crate) async fn finish(mut self) -> Result<Ended, Stopped> {
        let no_keys = || garbage("the suite's keys can't be made");
        let application = derive(&self.schedule, Secret::ServerApplication, &self.transcript)?;
        let own_application = derive(&self.schedule, Secret::ClientApplication, &self.transcript)?;
        let mut keys = Tls13Keys::new(self.algorithms, &self.client).ok_or_else(no_keys)?;
        let mut flight = Vec::new();
        if self.is_certificate_wanted {
            // An empty context and an empty list (RFC 8446 section 4.4.2).
            let nothing = [HandshakeType::CERTIFICATE.0, 0, 0, 4, 0, 0, 0, 0];
            self.transcript.add(&nothing);
            let sealed = keys.seal(ContentType::Handshake, &nothing);
            flight.extend(sealed.ok_or_else(no_keys)?);
        }
        let verify = finished(&self.client, &self.transcript).ok_or_else(no_keys)?;
        let length = u8::try_from(verify.len()).map_err(|_| no_keys())?;
        let message = [
            &[HandshakeType::FINISHED.0, 0, 0, length],
            verify.as_slice(),
        ]
        .concat();
        let sealed = keys.seal(ContentType::Handshake, &message);
        flight.extend(sealed.ok_or_else(no_keys)?);
        self.transcript.add(&message);
        let mut keys = Tls13Keys::new(self.algorithms, &own_application).ok_or_else(no_keys)?;
        let close = keys.seal(ContentType::Alert, &[1, AlertDescription::CLOSE_NOTIFY.0]);
        let close = close.ok_or_else(no_keys)?;
        self.decrypt_with(&application)?;
        let resumption = derive(&self.schedule, Secret::Resumption, &self.transcript)?;
        if self.is_certificate_wanted {
            // Nobody can be seen to hang up who was told goodbye.
            self.conversation.dialed.write(&flight).await?;
            let ended = timeout(PATIENCE, self.without_certificate(&resumption)).await;
            if let Ok(ended) = ended {
                return ended;
            }
            flight.clear();
        }
        flight.extend(close);
        self.conversation.dialed.write(&flight).await?;
        if let Some(ticket) = self.ticket.take() {
            return Ok(Ended::Ticket(ticket));
        }
        match self.conversation.next().await {
            Ok(Item::Message(HandshakeType::NEW_SESSION_TICKET, message)) => {
                let ticket = self.read_ticket(&resumption, &message[MESSAGE_HEADER..])?;
                Ok(Ended::Ticket(ticket))
            }
            Ok(Item::Message(other, _)) => Err(garbage(format!("{other} after the handshake"))),
            Ok(Item::Alert(alert)) if alert.description == AlertDescription::CLOSE_NOTIFY => {
                Ok(Ended::Closed)
            }
            Ok(Item::Alert(alert)) => Ok(Ended::Alert(alert.description)),
            // It has our close_notify: an end without one of its own is an end.
            Err(Stopped::Unknown(unknown)) if unknown.cause == Cause::Closed => Ok(Ended::Closed),
            Err(stopped) => Err(stopped),
        }
    }

    /// Waits for a server that got no certificate to end the connection.
    async fn without_certificate(&mut self, resumption: &[u8]) -> Result<Ended, Stopped> {
        loop {
            match self.conversation.next().await {
                // It may be issued by a library whose application hangs up then.
                Ok(Item::Message(HandshakeType::NEW_SESSION_TICKET, message)) => {
                    let ticket = self.read_ticket(resumption, &message[MESSAGE_HEADER..])?;
                    self.ticket.get_or_insert(ticket);
                }
                Ok(Item::Message(other, _)) => {
                    return Err(garbage(format!("{other} after the handshake")));
                }
                Ok(Item::Alert(alert)) if alert.description == AlertDescription::CLOSE_NOTIFY => {
                    return Ok(Ended::HungUp);
                }
                Ok(Item::Alert(alert)) => return Ok(Ended::Alert(alert.description)),
                Err(Stopped::Unknown(unknown))
                    if matches!(unknown.cause, Cause::Closed | Cause::Reset) =>
                {
                    return Ok(Ended::HungUp);
                }
                Err(stopped) => return Err(stopped),
            }
        }
    }

    fn read_ticket(&self, resumption: &[u8], body: &[u8]) -> Result<Box<Ticket>, Stopped> {
        let facts = NewSessionTicket::parse(body, ProtocolVersion::Tls13).map_err(broken)?;
        let material = TicketMaterial::parse(body).map_err(broken)?;
        let key = Tls13Schedule::ticket_key(self.algorithms, resumption, material.nonce);
        Ok(Box::new(Ticket {
            algorithms: self.algorithms,
            key: key.ok_or_else(|| garbage("the ticket's key can't be made"))?,
            identity: material.ticket.to_vec(),
            age_add: material.age_add,
            lifetime: facts.lifetime,
            max_early_data: facts.max_early_data,
        }))
    }
}

fn algorithms(chosen: &Chosen) -> Result<SuiteAlgorithms, Stopped> {
    let suite = chosen.hello.cipher_suite;
    SuiteAlgorithms::of(suite).ok_or_else(|| {
        let detail = format!("{suite} can't be decrypted here");
        Stopped::unknown(Cause::NotImplemented, detail)
    })
}

fn derive(
    schedule: &Tls13Schedule,
    secret: Secret,
    transcript: &TranscriptHash,
) -> Result<Vec<u8>, Stopped> {
    let derived = schedule.secret(secret, transcript);
    derived.ok_or_else(|| garbage("the suite's secrets can't be made"))
}

fn not_computable(group: NamedGroup) -> Stopped {
    let detail = format!("{group} can't be computed here");
    Stopped::unknown(Cause::NotImplemented, detail)
}

fn broken(error: HelloError) -> Stopped {
    garbage(error.to_string())
}
