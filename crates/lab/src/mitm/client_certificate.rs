//! The attacker as a client whose certificate it has seen.

use pki::CertifiedKey;
use stack::Trust;

use super::certificates::with_another_key;
use super::exchange::{Link, overhear};
use super::hello::{Asks, certificate, tell_handshake, tell_refusal};
use super::interception::certify_itself;
use super::parties::{GROUPS, Parties};
use super::{Cause, MitmError, Party, Play, Refusal};

use Party::{Attacker, Client, Server};

pub(super) async fn impersonate(parties: &Parties, play: &mut Play) -> Result<(), MitmError> {
    let shown = certify_itself(play)?;
    let certified = parties.client_certificate()?;
    let client = parties.client_with(Trust::Unverified, Some(certified), &GROUPS)?;
    let server = parties.false_demanding_server(&shown)?;
    let caught = Link::new(&*client, &*server).await?;
    tell_handshake(play, [Client, Attacker], &caught, Asks::Yes, shown.chain());
    let mut caught = caught.unattacked(Client, Attacker)?;
    let stolen = caught.server.peer_chain();
    play.say(
        Client,
        Attacker,
        true,
        format!(
            "Certificate ({}), CertificateVerify, Finished",
            certificate(&stolen)
        ),
    );
    play.gain("keeps the chain; the signature is over this handshake and good for no other");
    overhear(&mut caught.client, &mut caught.server, play, true).await?;

    // RFC 8446 section 4.4.2.4: an empty Certificate is refused where one is required.
    let refusal = attempt(parties, play, None).await?;
    if refusal.is_none_or(|refusal| refusal.cause != Cause::Certificate) {
        let fault = "the server did not refuse a client for having no certificate";
        play.faults.push(fault.to_owned());
    }
    play.note(
        Attacker,
        "takes the client's chain for its own, and signs with a key of its own",
    );
    play.refusal = attempt(parties, play, Some(with_another_key(&stolen)?)).await?;
    Ok(())
}

/// The attacker as a client. Gives the server's refusal, if it refuses.
async fn attempt(
    parties: &Parties,
    play: &mut Play,
    shown: Option<CertifiedKey>,
) -> Result<Option<Refusal>, MitmError> {
    let answer = match &shown {
        Some(shown) => {
            let certificate = certificate(shown.chain());
            format!("Certificate ({certificate}), CertificateVerify, Finished")
        }
        None => "Certificate (none), Finished".to_owned(),
    };
    let client = parties.false_client(shown)?;
    let mut link = Link::new(&*client, &*parties.demanding_server()?).await?;
    tell_handshake(
        play,
        [Attacker, Server],
        &link,
        Asks::Yes,
        &link.client.peer_chain(),
    );
    play.say(Attacker, Server, true, answer);
    let [client_end, server_end] = link.ends;
    let Err(error) = server_end else {
        return Ok(None);
    };
    // A client is done before its certificate has been judged (RFC 8446 section 4.4.2.4).
    let heard = match client_end {
        Ok(()) => link.client.read().await.err(),
        Err(heard) => Some(heard),
    };
    let refusal = Refusal::new(Server, &error, heard.as_ref());
    tell_refusal(play, Attacker, &refusal);
    Ok(Some(refusal))
}
