//! An attacker between client and server: what it reads, what it changes, and who notices.
//!
//! All three are real and on loopback: the client's TCP connection ends at the attacker,
//! which opens another one to the server. Client and server use the stack that is asked
//! for, the attacker uses OpenSSL. Each [`Scene`] gives the attacker different means;
//! [`perform`] plays one and tells what came of it.

mod certificates;
mod client_certificate;
mod error;
mod exchange;
mod hello;
mod interception;
mod parties;
mod picture;
mod play;
mod relay;
mod scene;
mod wiretap;

use std::time::Duration;

use stack::TlsStack;
use tokio::time::timeout;

use parties::Parties;

pub use crate::cause::Cause;
pub use error::MitmError;
pub use picture::picture;
pub use play::{Act, Outcome, Party, Play, Recording, Refusal};
pub use scene::{Scene, UnknownScene};

/// How long a scene may take. It is over within a fraction of a second: this is for a
/// library that hangs.
const LIMIT: Duration = Duration::from_secs(20);

/// Performs a scene with this stack as client and as server.
///
/// It runs on the tokio runtime of the caller, which must have I/O and time enabled.
///
/// # Errors
/// When the stack can't be set up, or a part fails that nobody attacks. An attack that goes
/// otherwise than expected is no error: see [`Play::is_as_expected`].
pub async fn perform(scene: Scene, stack: &'static dyn TlsStack) -> Result<Play, MitmError> {
    let parties = Parties::new(stack)?;
    let mut play = Play::new(scene, stack.name().to_string());
    let played = async {
        let play = &mut play;
        match scene {
            Scene::PlainHttp => interception::without_tls(play).await,
            Scene::NoVerification => interception::of_careless_client(&parties, play).await,
            Scene::SelfSigned => interception::self_signed(&parties, play).await,
            Scene::LookalikeAuthority => interception::by_lookalike(&parties, play).await,
            Scene::StolenCertificate => interception::with_stolen_chain(&parties, play).await,
            Scene::TrustedAuthority => interception::by_trusted_authority(&parties, play).await,
            Scene::Eavesdropper => wiretap::listen(&parties, play).await,
            Scene::Downgrade => wiretap::downgrade(&parties, play).await,
            Scene::ClientCertificate => client_certificate::impersonate(&parties, play).await,
        }
    };
    timeout(LIMIT, played)
        .await
        .map_err(|_| MitmError::Timeout(LIMIT))??;
    Ok(play)
}
