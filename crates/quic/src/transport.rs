//! What both ends of every connection have in common, simulated or real.

use std::sync::Arc;

use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn_proto::{ClientConfig, ServerConfig, TransportConfig};
use rustls::pki_types::ServerName;
use rustls::quic::{ClientConnection, ServerConnection, Version};
use stack::StackError;

use crate::initial::initial_suite;

/// Handshake data that an end keeps while what comes before is missing, in bytes: a chain of
/// ML-DSA-87 certificates is larger than the 16 KiB that QUIC libraries take by default.
const CRYPTO_BUFFER: usize = 1 << 16;

pub(crate) fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport.crypto_buffer_size(CRYPTO_BUFFER);
    transport
}

/// # Errors
/// When TLS is set up in a way that QUIC does not have.
pub(crate) fn client(
    tls: rustls::ClientConfig,
    server_name: ServerName<'static>,
    transport: TransportConfig,
) -> Result<ClientConfig, StackError> {
    let suite = initial_suite().ok_or_else(no_suite)?;
    let tls = Arc::new(tls);
    // Where this fails, quinn would panic when it connects.
    ClientConnection::new(tls.clone(), Version::V1, server_name, Vec::new()).map_err(refused)?;
    let crypto = QuicClientConfig::with_initial(tls, suite).map_err(refused)?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// # Errors
/// When TLS is set up in a way that QUIC does not have.
pub(crate) fn server(
    tls: rustls::ServerConfig,
    transport: TransportConfig,
) -> Result<ServerConfig, StackError> {
    let suite = initial_suite().ok_or_else(no_suite)?;
    let tls = Arc::new(tls);
    // Where this fails, quinn would panic when a client comes.
    ServerConnection::new(tls.clone(), Version::V1, Vec::new()).map_err(refused)?;
    let crypto = QuicServerConfig::with_initial(tls, suite).map_err(refused)?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

fn no_suite() -> StackError {
    refused("the library has no AES-128-GCM for Initial packets")
}

fn refused(error: impl ToString) -> StackError {
    StackError::Setup {
        what: "QUIC",
        message: error.to_string(),
    }
}
