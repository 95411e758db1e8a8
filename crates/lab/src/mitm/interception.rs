//! The attacker ends the client's connection itself, and opens another one to the server.

use pki::{CertifiedKey, Role};
use stack::Trust;

use super::certificates::{Authority, with_another_key};
use super::exchange::{Link, Path, converse};
use super::hello::{Asks, certificate, tell_handshake, tell_refusal};
use super::parties::{AUTHORITY, GROUPS, NAME, Parties};
use super::{MitmError, Party, Play, Refusal, certificates};
use crate::loopback::pair;

use Party::{Attacker, Client, Server};

pub(super) async fn without_tls(play: &mut Play) -> Result<(), MitmError> {
    let [client, from_client] = pair().await?;
    let [to_server, server] = pair().await?;
    let mut path = Path {
        client,
        from_client,
        to_server,
        server,
    };
    converse(&mut path, play, false).await
}

pub(super) async fn of_careless_client(
    parties: &Parties,
    play: &mut Play,
) -> Result<(), MitmError> {
    let shown = certify_itself(play)?;
    intercept(parties, play, Trust::Unverified, &shown).await
}

pub(super) async fn self_signed(parties: &Parties, play: &mut Play) -> Result<(), MitmError> {
    let shown = certify_itself(play)?;
    intercept(parties, play, careful(parties), &shown).await
}

pub(super) async fn by_lookalike(parties: &Parties, play: &mut Play) -> Result<(), MitmError> {
    let shown = Authority::new(AUTHORITY)?.issue(NAME, Role::Server)?;
    let what = format!(
        "makes an authority of its own, calls it {AUTHORITY} as the real one is called, and has \
         it certify {NAME}"
    );
    play.note(Attacker, what);
    intercept(parties, play, careful(parties), &shown).await
}

pub(super) async fn by_trusted_authority(
    parties: &Parties,
    play: &mut Play,
) -> Result<(), MitmError> {
    let authority = Authority::new("Corporate Inspection CA")?;
    let shown = authority.issue(NAME, Role::Server)?;
    let what =
        format!("has an authority that stands among the client's trust anchors certify {NAME}");
    play.note(Attacker, what);
    let anchors = vec![parties.root(), authority.certificate()];
    intercept(parties, play, Trust::Verify(anchors), &shown).await
}

pub(super) async fn with_stolen_chain(parties: &Parties, play: &mut Play) -> Result<(), MitmError> {
    let visit = Link::new(&*parties.false_client(None)?, &*parties.server()?).await?;
    let visit = visit.unattacked(Attacker, Server)?;
    let chain = visit.client.peer_chain();
    play.say(
        Attacker,
        Server,
        false,
        "connects as any client does, to be shown the certificate",
    );
    play.say(
        Server,
        Attacker,
        true,
        format!("Certificate: {}", certificate(&chain)),
    );
    play.gain("keeps the chain; the key never leaves the server");
    let shown = with_another_key(&chain)?;
    play.note(
        Attacker,
        "takes the chain for its own, and signs with a key of its own",
    );
    intercept(parties, play, careful(parties), &shown).await
}

/// The attacker's certificate that nobody else has signed.
pub(super) fn certify_itself(play: &mut Play) -> Result<CertifiedKey, MitmError> {
    let what = format!("makes a certificate for {NAME} and signs it itself");
    play.note(Attacker, what);
    certificates::self_signed(NAME)
}

fn careful(parties: &Parties) -> Trust {
    Trust::Verify(vec![parties.root()])
}

/// The attacker shows a certificate to the client, and goes on if the client does.
async fn intercept(
    parties: &Parties,
    play: &mut Play,
    trust: Trust,
    shown: &CertifiedKey,
) -> Result<(), MitmError> {
    let client = parties.client_with(trust, None, &GROUPS)?;
    let caught = Link::new(&*client, &*parties.false_server(shown)?).await?;
    tell_handshake(play, [Client, Attacker], &caught, Asks::No, shown.chain());
    if let Err(error) = &caught.ends[0] {
        let refusal = Refusal::new(Client, error, caught.ends[1].as_ref().err());
        tell_refusal(play, Attacker, &refusal);
        play.refusal = Some(refusal);
        return Ok(());
    }
    play.say(Client, Attacker, true, "Finished");
    let caught = caught.unattacked(Client, Attacker)?;
    let onward = Link::new(&*parties.false_client(None)?, &*parties.server()?).await?;
    tell_handshake(
        play,
        [Attacker, Server],
        &onward,
        Asks::No,
        &onward.client.peer_chain(),
    );
    play.say(Attacker, Server, true, "Finished");
    let onward = onward.unattacked(Attacker, Server)?;
    let mut path = Path {
        client: caught.client,
        from_client: caught.server,
        to_server: onward.client,
        server: onward.server,
    };
    converse(&mut path, play, true).await
}
