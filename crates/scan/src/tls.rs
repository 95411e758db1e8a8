//! All questions to one TLS service.

use audit::{
    Answer, Cause, GroupPreference, GroupSupport, Protocol, Refusal, Service, SuiteSupport,
    TlsService, Tried,
};
use futures_util::future::join;
use wire::{CipherSuite, NamedGroup, Offer, version_name};

use crate::Depth;
use crate::dial::{Dialer, Stopped};
use crate::handshake::{Outcome, show};
use crate::probe::{Chosen, Reply, alert_answer, ask};
use crate::share::Share;
use crate::shown::{Newest, alpn, chains, session};
use crate::{clients, offers, tolerance};

/// Asks everything that the depth asks for.
pub(crate) async fn scan(dialer: &Dialer, depth: Depth) -> Service {
    let name = dialer.server_name.as_deref();
    let control = match ask(dialer, &control_offer(dialer)).await {
        Ok(reply) => Ok(reply),
        // Once more as an old client: some servers can't read the other hello.
        Err(Stopped::Unknown(first))
            if is_worth_another(first.cause) && dialer.target.protocol != Protocol::Quic =>
        {
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
    dialer
        .each(offers::groups(), async |group| {
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
        })
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
    let mut versions = dialer
        .each(old.iter(), async |version| {
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
        })
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
    dialer
        .each(tried, async |mut tried| {
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
        })
        .await
}
