//! Configurations of rustls itself, with the cryptography of aws-lc-rs, for protocols that
//! carry TLS in another way than over a stream: QUIC.

use experiment::{Handshake, Side};
use rustls::{ClientConfig, ServerConfig};

pub use super::watch::{Watch, Watched, watched_client_of};
use super::{AWS_LC, endpoint, profile};
use crate::{ClientProfile, Credentials, PhaseTiming, ServerProfile, StackError, TlsStack};

/// A client that offers this handshake alone.
///
/// # Errors
/// When this stack lacks it, or refuses the credentials.
pub fn client(
    handshake: &Handshake,
    credentials: &Credentials,
) -> Result<ClientConfig, StackError> {
    supported(Side::Client, handshake)?;
    endpoint::client_config(&AWS_LC.setup(Side::Client, handshake, credentials, PhaseTiming::Off))
}

/// A server that takes this handshake alone.
///
/// # Errors
/// When this stack lacks it, or refuses the credentials.
pub fn server(
    handshake: &Handshake,
    credentials: &Credentials,
) -> Result<ServerConfig, StackError> {
    supported(Side::Server, handshake)?;
    endpoint::server_config(&AWS_LC.setup(Side::Server, handshake, credentials, PhaseTiming::Off))
}

/// A client as a profile says, with rustls' own store of tickets.
///
/// # Errors
/// When this stack can't do a part of the profile, or refuses it.
pub fn client_of(profile: &ClientProfile) -> Result<ClientConfig, StackError> {
    profile::client_config(&AWS_LC, profile)
}

/// A server as a profile says.
///
/// # Errors
/// When this stack can't do a part of the profile, or refuses it.
pub fn server_of(profile: &ServerProfile) -> Result<ServerConfig, StackError> {
    profile::server_config(&AWS_LC, profile)
}

fn supported(side: Side, handshake: &Handshake) -> Result<(), StackError> {
    AWS_LC
        .supports(side, handshake)
        .map_err(|unsupported| endpoint::refused("the handshake", unsupported))
}
