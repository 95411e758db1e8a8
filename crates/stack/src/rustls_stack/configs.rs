//! Configurations of rustls itself, pinned to a scenario's handshake, for protocols that
//! carry TLS in another way than over a stream: QUIC.

use experiment::{Handshake, Side};
use rustls::{ClientConfig, ServerConfig};

use super::{AWS_LC, endpoint};
use crate::{Credentials, PhaseTiming, StackError, TlsStack};

/// A client with the cryptography of aws-lc-rs that offers this handshake alone.
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

/// A server with the cryptography of aws-lc-rs that takes this handshake alone.
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

fn supported(side: Side, handshake: &Handshake) -> Result<(), StackError> {
    AWS_LC
        .supports(side, handshake)
        .map_err(|unsupported| endpoint::refused("the handshake", unsupported))
}
