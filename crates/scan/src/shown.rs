//! What a server shows inside of a handshake: chains, application protocols, its request for a
//! client certificate, and tickets.

use audit::{
    Answer, Cause, Chain, ClientCertificateRequest, Refusal, Resumption, SignatureFamily, Tried,
};
use wire::{CipherSuite, NamedGroup, Offer, OfferedTicket};

use crate::dial::{Dialer, Stopped};
use crate::handshake::{Ended, Outcome, Shown, Ticket, show};
use crate::offers;
use crate::probe::alert_answer;

/// What a handshake can be made with.
#[derive(Clone, Copy)]
pub(crate) enum Newest {
    /// And this group, if one can be computed here.
    Tls13(Option<NamedGroup>),
    Tls12,
    Older,
    /// None is known that it takes.
    None,
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

pub(crate) async fn chains(dialer: &Dialer, newest: Newest) -> Vec<Tried<SignatureFamily, Chain>> {
    dialer
        .each(SignatureFamily::ALL, async |family| {
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
        })
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

pub(crate) async fn alpn(dialer: &Dialer, newest: Newest) -> Vec<Tried<String, ()>> {
    dialer
        .each(["h2", "http/1.1"], async |protocol| {
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
        })
        .await
}

/// Whether a client certificate is asked for, and whether sessions are resumed: one connection
/// tells the first, and brings the ticket for the second.
pub(crate) async fn session(
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
