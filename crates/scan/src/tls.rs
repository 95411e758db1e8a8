//! All questions to one TLS service.

use audit::{
    Answer, Cause, Chain, ClientCertificateRequest, GroupPreference, GroupSupport, Protocol,
    Refusal, Resumption, Service, SignatureFamily, SuiteSupport, TlsService, Tried,
};
use futures_util::future::{join, join_all};
use wire::{CipherSuite, NamedGroup, Offer, OfferedTicket, version_name};

use crate::Depth;
use crate::dial::{Dialer, Stopped};
use crate::handshake::{Ended, Outcome, Shown, Ticket, show};
use crate::probe::{Chosen, Reply, alert_answer, ask};
use crate::share::Share;
use crate::{clients, offers, tolerance};

/// Asks everything that the depth asks for.
pub(crate) async fn scan(dialer: &Dialer, depth: Depth) -> Service {
    let name = dialer.server_name.as_deref();
    let control = match ask(dialer, &control_offer(dialer)).await {
        Ok(reply) => Ok(reply),
        // Once more as an old client: some servers can't read the other hello.
        Err(Stopped::Unknown(first)) if is_worth_another(first.cause) => {
            match ask(dialer, &offers::legacy(name, offers::TLS12)).await {
                Ok(reply) => Ok(reply),
                Err(_) => Err(Stopped::Unknown(first)),
            }
        }
        Err(stopped) => Err(stopped),
    };
    if let Err(stopped) = control {
        return Service::Unreachable(stopped.into_unknown());
    }
    let groups = groups(dialer).await;
    let order: Vec<NamedGroup> = supported(&groups).collect();
    if depth == Depth::Groups {
        return Service::Tls(Box::new(TlsService {
            groups,
            ..not_asked()
        }));
    }
    let is_quic = dialer.target.protocol == Protocol::Quic;
    let (versions, preference) = join(versions(dialer, &groups), preference(dialer, &order)).await;
    if is_quic {
        return Service::Tls(Box::new(TlsService {
            versions,
            groups,
            preference,
            tls13_suites: suites(dialer, offers::tls13(name)).await,
            ..not_asked()
        }));
    }
    // The server's favourite that can be computed here, so that nothing has to be asked twice.
    let favourites = preference
        .supported()
        .map_or(order, |known| known.order.clone());
    let group = favourites
        .into_iter()
        .find(|group| Share::is_computable(*group));
    let has = |version: u16| {
        let tried = versions.iter().find(|tried| tried.offer == version);
        tried.is_some_and(|tried| tried.answer.is_supported())
    };
    let newest = match (has(offers::TLS13), has(offers::TLS12)) {
        (true, _) => Newest::Tls13(group),
        (false, true) => Newest::Tls12,
        (false, false) if versions.iter().any(|tried| tried.answer.is_supported()) => Newest::Older,
        (false, false) => Newest::None,
    };
    let tls13 = versions.iter().find(|tried| tried.offer == offers::TLS13);
    let is_tls13_unknown = tls13.is_some_and(|tried| tried.answer.is_unknown());
    let suites = join(
        suites(dialer, offers::tls13(name)),
        suites(dialer, offers::legacy(name, offers::TLS12)),
    );
    let (tls13_suites, tls12_suites) = suites.await;
    let shown = join(chains(dialer, newest), clients::outcomes(dialer));
    let (mut chains, clients) = shown.await;
    if is_tls13_unknown {
        // What it refuses in an older version it may have in this one.
        for tried in chains.iter_mut().filter(|tried| tried.answer.is_refused()) {
            tried.answer = Answer::unknown(Cause::NotAsked, "TLS 1.3 is not known to be taken");
        }
    }
    let (tolerance, alpn) = join(tolerance::shapes(dialer), alpn(dialer, newest)).await;
    let (client_certificate, resumption) = session(dialer, newest).await;
    Service::Tls(Box::new(TlsService {
        versions,
        groups,
        preference,
        tls13_suites,
        tls12_suites,
        chains,
        clients,
        tolerance,
        resumption,
        client_certificate,
        alpn,
    }))
}

/// What a handshake can be made with.
#[derive(Clone, Copy)]
enum Newest {
    /// And this group, if one can be computed here.
    Tls13(Option<NamedGroup>),
    Tls12,
    Older,
    /// None is known that it takes.
    None,
}

fn control_offer(dialer: &Dialer) -> Offer {
    let name = dialer.server_name.as_deref();
    match dialer.target.protocol {
        Protocol::Quic => offers::tls13(name),
        _ => offers::everything(name),
    }
}

/// A peer that does not answer in time is asked once: a field of them must not take twice as
/// long.
const fn is_worth_another(cause: Cause) -> bool {
    matches!(cause, Cause::Reset | Cause::Closed | Cause::Garbage)
}

fn not_asked() -> TlsService {
    let nothing = "not part of this scan";
    TlsService {
        versions: Vec::new(),
        groups: Vec::new(),
        preference: Answer::unknown(Cause::NotAsked, nothing),
        tls13_suites: Vec::new(),
        tls12_suites: Vec::new(),
        chains: Vec::new(),
        clients: Vec::new(),
        tolerance: Vec::new(),
        resumption: Answer::unknown(Cause::NotAsked, nothing),
        client_certificate: Answer::unknown(Cause::NotAsked, nothing),
        alpn: Vec::new(),
    }
}

pub(crate) fn supported<Q: Copy, A>(tried: &[Tried<Q, A>]) -> impl Iterator<Item = Q> {
    let supported = tried.iter().filter(|tried| tried.answer.is_supported());
    supported.map(|tried| tried.offer)
}

/// An answer of which a ServerHello is the yes.
fn answer<T>(reply: Result<Reply, Stopped>, yes: impl FnOnce(&Chosen) -> Answer<T>) -> Answer<T> {
    match reply {
        Ok(Reply::Hello(chosen)) => yes(&chosen),
        Ok(Reply::Alert(alert)) => alert_answer(alert),
        Err(stopped) => stopped.answer(),
    }
}

/// Each group alone: a yes is a HelloRetryRequest for it, since no share is sent.
async fn groups(dialer: &Dialer) -> Vec<Tried<NamedGroup, GroupSupport>> {
    let name = dialer.server_name.as_deref();
    join_all(offers::groups().into_iter().map(async |group| {
        let offer = Offer {
            groups: vec![group],
            ..offers::tls13(name)
        };
        let answer = answer(ask(dialer, &offer).await, |chosen| {
            Answer::Supported(GroupSupport {
                by_retry_request: chosen.hello.is_retry_request,
            })
        });
        Tried {
            offer: group,
            answer,
        }
    }))
    .await
}

async fn versions(
    dialer: &Dialer,
    groups: &[Tried<NamedGroup, GroupSupport>],
) -> Vec<Tried<u16, ()>> {
    let name = dialer.server_name.as_deref();
    let old: &[u16] = match dialer.target.protocol {
        // QUIC has no other version than TLS 1.3 (RFC 9001 section 4.2).
        Protocol::Quic => &[],
        _ => &[offers::TLS10, 0x0302, offers::TLS12],
    };
    let mut versions = join_all(old.iter().map(async |version| {
        let offer = offers::legacy(name, *version);
        let answer = answer(ask(dialer, &offer).await, |chosen| {
            match chosen.version == *version {
                true => Answer::Supported(()),
                false => Answer::Refused(Refusal::by_choice(format!(
                    "it chose {}",
                    version_name(chosen.version)
                ))),
            }
        });
        Tried {
            offer: *version,
            answer,
        }
    }))
    .await;
    let any = groups.iter().find(|tried| tried.answer.is_supported());
    let answer = match any {
        Some(_) => Answer::Supported(()),
        None => answer(ask(dialer, &offers::tls13(name)).await, |_| {
            Answer::Supported(())
        }),
    };
    versions.push(Tried {
        offer: offers::TLS13,
        answer,
    });
    versions
}

/// Which group the server takes of those that it has: of all, then of all but the first, and so
/// on; and whether it does the same when the client's order is turned round.
async fn preference(dialer: &Dialer, order: &[NamedGroup]) -> Answer<GroupPreference> {
    if order.is_empty() {
        return Answer::unknown(Cause::NotAsked, "no group of TLS 1.3 is known to be taken");
    }
    let name = dialer.server_name.as_deref();
    let mut left = order.to_vec();
    let mut chosen = Vec::new();
    while left.len() > 1 {
        let offer = Offer {
            groups: left.clone(),
            ..offers::tls13(name)
        };
        match favourite(dialer, &offer).await {
            Ok(group) => {
                left.retain(|other| *other != group);
                chosen.push(group);
            }
            Err(answer) => return answer,
        }
    }
    chosen.append(&mut left);
    let mut server_decides = true;
    if let [first, _, ..] = chosen.as_slice() {
        let offer = Offer {
            groups: chosen.iter().rev().copied().collect(),
            ..offers::tls13(name)
        };
        match favourite(dialer, &offer).await {
            Ok(group) => server_decides = group == *first,
            Err(answer) => return answer,
        }
    }
    Answer::Supported(GroupPreference {
        order: chosen,
        server_decides,
    })
}

async fn favourite(dialer: &Dialer, offer: &Offer) -> Result<NamedGroup, Answer<GroupPreference>> {
    match ask(dialer, offer).await {
        Ok(Reply::Hello(chosen)) => match chosen.hello.key_share {
            Some(share) => Ok(share.group),
            None => Err(Answer::unknown(Cause::Garbage, "a choice without a group")),
        },
        Ok(Reply::Alert(alert)) => Err(Answer::unknown(
            Cause::Alert,
            format!("it refuses several of its own groups at once: {alert}"),
        )),
        Err(stopped) => Err(stopped.answer()),
    }
}

/// Suites by elimination: the server takes one of all, then one of the rest, until it takes
/// none. Its last no is the answer for all that are left.
async fn suites(dialer: &Dialer, mut offer: Offer) -> Vec<Tried<CipherSuite, SuiteSupport>> {
    let mut tried = Vec::new();
    loop {
        let reply = ask(dialer, &offer).await;
        let (suite, version) = match &reply {
            Ok(Reply::Hello(chosen)) => (Some(chosen.hello.cipher_suite), chosen.version),
            _ => (None, 0),
        };
        match suite {
            Some(suite) if offer.versions.contains(&version) => {
                offer.cipher_suites.retain(|other| *other != suite);
                tried.push(Tried {
                    offer: suite,
                    answer: Answer::Supported(SuiteSupport {
                        group: None,
                        dh_bits: None,
                    }),
                });
                if offer.cipher_suites.is_empty() {
                    break;
                }
            }
            _ => {
                let no = answer(reply, |chosen| {
                    let older = version_name(chosen.version);
                    Answer::Refused(Refusal::by_choice(format!("it chose {older}")))
                });
                tried.extend(offer.cipher_suites.iter().map(|suite| Tried {
                    offer: *suite,
                    answer: no.clone(),
                }));
                break;
            }
        }
    }
    detail(dialer, &offer, tried).await
}

/// The group or the prime that comes with ECDHE and DHE suites of TLS 1.2.
async fn detail(
    dialer: &Dialer,
    offer: &Offer,
    tried: Vec<Tried<CipherSuite, SuiteSupport>>,
) -> Vec<Tried<CipherSuite, SuiteSupport>> {
    if offer.versions == [offers::TLS13] {
        return tried;
    }
    join_all(tried.into_iter().map(async |mut tried| {
        let is_ephemeral = tried.offer.to_string().contains("DHE_");
        if let Answer::Supported(support) = &mut tried.answer
            && is_ephemeral
        {
            let offer = Offer {
                cipher_suites: vec![tried.offer],
                ..offer.clone()
            };
            if let Ok(Outcome::Shown(shown)) = show(dialer, offer, &[], None).await {
                support.group = shown.group;
                support.dh_bits = shown.dh_bits;
            }
        }
        tried
    }))
    .await
}

/// A handshake that reads what the server shows, by what is newest there.
async fn look(
    dialer: &Dialer,
    newest: Newest,
    change: impl FnOnce(&mut Offer),
) -> Result<Outcome, Stopped> {
    let name = dialer.server_name.as_deref();
    let (mut offer, group) = match newest {
        Newest::Tls13(group) => (offers::tls13(name), group),
        Newest::Tls12 => (offers::legacy(name, offers::TLS12), None),
        Newest::Older => {
            let mut offer = offers::legacy(name, offers::TLS10);
            offer.versions = vec![offers::TLS10, 0x0302];
            (offer, None)
        }
        Newest::None => {
            let detail = "no version is known to be taken";
            return Err(Stopped::unknown(Cause::NotAsked, detail));
        }
    };
    if let Newest::Tls13(None) = newest {
        let detail = "none of its groups can be computed here";
        return Err(Stopped::unknown(Cause::NotImplemented, detail));
    }
    if let Some(group) = group {
        // The favourite alone: with its share there is no HelloRetryRequest.
        offer.groups = vec![group];
        // CCM can't be decrypted here.
        offer.cipher_suites.retain(|suite| suite.facts().is_some());
    }
    change(&mut offer);
    let shares: Vec<NamedGroup> = group.into_iter().collect();
    show(dialer, offer, &shares, None).await
}

async fn chains(dialer: &Dialer, newest: Newest) -> Vec<Tried<SignatureFamily, Chain>> {
    join_all(SignatureFamily::ALL.into_iter().map(async |family| {
        let answer = match (newest, family) {
            (Newest::Tls13(_) | Newest::None, _) => {
                let looked = look(dialer, newest, |offer| {
                    // Certificates may be signed by any other algorithm.
                    offer.certificate_schemes = offers::schemes();
                    offer.signature_schemes = offers::schemes_of(family);
                });
                chain_answer(looked.await)
            }
            (_, SignatureFamily::MlDsa | SignatureFamily::SlhDsa) => {
                Answer::Refused(Refusal::by_choice("it does not have TLS 1.3"))
            }
            _ => {
                let looked = look(dialer, newest, |offer| {
                    offer
                        .cipher_suites
                        .retain(|suite| has_family(*suite, family));
                    if !offer.signature_schemes.is_empty() {
                        offer.signature_schemes = offers::schemes_of(family);
                    }
                });
                chain_answer(looked.await)
            }
        };
        Tried {
            offer: family,
            answer,
        }
    }))
    .await
}

/// Whether a suite of TLS 1.2 is authenticated by the family.
fn has_family(suite: CipherSuite, family: SignatureFamily) -> bool {
    let name = suite.to_string();
    match family {
        SignatureFamily::Rsa => name.contains("RSA_") || suite.facts().is_none(),
        // EdDSA uses the suites of ECDSA (RFC 8422 section 5.10).
        _ => name.contains("_ECDSA_"),
    }
}

fn chain_answer(outcome: Result<Outcome, Stopped>) -> Answer<Chain> {
    match outcome {
        Ok(Outcome::Alert(alert)) => alert_answer(alert),
        Err(stopped) => stopped.answer(),
        Ok(Outcome::Shown(shown)) => match chain(&shown) {
            Ok(chain) => Answer::Supported(chain),
            Err(detail) => Answer::unknown(Cause::Garbage, detail),
        },
    }
}

fn chain(shown: &Shown) -> Result<Chain, String> {
    let mut certificates = Vec::with_capacity(shown.chain.len());
    for der in &shown.chain {
        certificates.push(inventory::certificate(der).map_err(|error| error.to_string())?);
    }
    match certificates.is_empty() {
        true => Err("it shows no certificate".to_owned()),
        false => Ok(Chain {
            scheme: shown.scheme,
            certificates,
            bytes: shown.chain_bytes,
        }),
    }
}

async fn alpn(dialer: &Dialer, newest: Newest) -> Vec<Tried<String, ()>> {
    join_all(["h2", "http/1.1"].map(async |protocol| {
        let looked = look(dialer, newest, |offer| {
            offer.alpn = vec![protocol.as_bytes().to_vec()];
        });
        let answer = match (looked.await, newest) {
            (Ok(Outcome::Alert(alert)), _) => alert_answer(alert),
            (Err(stopped), _) => stopped.answer(),
            (Ok(Outcome::Shown(_)), Newest::Tls12 | Newest::Older | Newest::None) => {
                Answer::unknown(Cause::NotImplemented, "read in TLS 1.3 only")
            }
            (Ok(Outcome::Shown(shown)), Newest::Tls13(_)) => match &shown.alpn {
                Some(chosen) if chosen == protocol.as_bytes() => Answer::Supported(()),
                Some(_) => Answer::unknown(Cause::Garbage, "it chose what was not offered"),
                None => Answer::Refused(Refusal::by_choice("it went on without one")),
            },
        };
        Tried {
            offer: protocol.to_owned(),
            answer,
        }
    }))
    .await
}

/// Whether a client certificate is asked for, and whether sessions are resumed: one connection
/// tells the first, and brings the ticket for the second.
async fn session(
    dialer: &Dialer,
    newest: Newest,
) -> (Answer<ClientCertificateRequest>, Answer<Resumption>) {
    let unknown = |cause, detail: &str| {
        let detail = detail.to_owned();
        (
            Answer::unknown(cause, detail.clone()),
            Answer::unknown(cause, detail),
        )
    };
    let mut shown = match look(dialer, newest, |_| ()).await {
        Ok(Outcome::Shown(shown)) => shown,
        Ok(Outcome::Alert(alert)) => return unknown(Cause::Alert, &alert.to_string()),
        Err(Stopped::Unknown(why)) => return unknown(why.cause, &why.detail),
        Err(Stopped::Refused(refusal)) => return unknown(Cause::Alert, &refusal.said),
    };
    let Some(session) = shown.session.take() else {
        let detail = "tried in TLS 1.3 only";
        let resumption = Answer::unknown(Cause::NotImplemented, detail);
        return (certificate_request(&shown, None), resumption);
    };
    let ended = session.finish().await;
    let optional = match &ended {
        Ok(Ended::Ticket(_) | Ended::Closed) => Some(true),
        // certificate_required, or what servers say that know no better.
        Ok(Ended::Alert(_) | Ended::HungUp) => Some(false),
        Err(_) => None,
    };
    let resumption = match ended {
        Ok(Ended::Ticket(ticket)) => resume(dialer, &shown, &ticket).await,
        Ok(Ended::Closed) => {
            Answer::Refused(Refusal::by_choice("it closed without having sent a ticket"))
        }
        Ok(Ended::HungUp) => {
            let detail = "it does not go on without a client certificate";
            Answer::unknown(Cause::NotAsked, detail)
        }
        Ok(Ended::Alert(alert)) => {
            let detail = format!("it does not end the handshake: {alert}");
            Answer::unknown(Cause::NotAsked, detail)
        }
        Err(stopped) => stopped.answer(),
    };
    (certificate_request(&shown, optional), resumption)
}

fn certificate_request(shown: &Shown, optional: Option<bool>) -> Answer<ClientCertificateRequest> {
    match &shown.request {
        None => Answer::Refused(Refusal::by_choice("it does not ask for one")),
        Some(request) => Answer::Supported(ClientCertificateRequest {
            schemes: request.signature_schemes.clone(),
            authorities: request.authorities.len(),
            optional,
        }),
    }
}

async fn resume(dialer: &Dialer, before: &Shown, ticket: &Ticket) -> Answer<Resumption> {
    let name = dialer.server_name.as_deref();
    let group = before.group;
    let offer = Offer {
        groups: group.into_iter().collect(),
        cipher_suites: vec![before.chosen.hello.cipher_suite],
        ticket: Some(OfferedTicket {
            identity: ticket.identity.clone(),
            // It is used at once: its age is about zero.
            obfuscated_age: ticket.age_add,
            // No hash of a suite has more than 48 bytes.
            binder_length: ticket.algorithms.secret_length() as u8,
            key_alone: true,
        }),
        ..offers::tls13(name)
    };
    let shares: Vec<NamedGroup> = group.into_iter().collect();
    match show(dialer, offer, &shares, Some(ticket)).await {
        Ok(Outcome::Shown(shown)) => Answer::Supported(Resumption {
            accepted: shown.is_resumed,
            with_key_exchange: shown.group.is_some(),
            lifetime: ticket.lifetime,
            max_early_data: ticket.max_early_data,
        }),
        Ok(Outcome::Alert(alert)) => Answer::unknown(Cause::Alert, alert.to_string()),
        Err(stopped) => stopped.answer(),
    }
}
