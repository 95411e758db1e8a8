//! Configurations of s2n-tls for one handshake and nothing else.

use experiment::{Handshake, Side};
use s2n_tls::config::{Builder, Config};
use s2n_tls::connection::Builder as _;
use s2n_tls::enums::{ClientAuthType, Mode};
use s2n_tls::error::Error;
use s2n_tls::security::Policy;

use super::connection::MemoryConnection;
use super::refused;
use crate::{Connection, Credentials, Endpoint, StackError};

pub(super) struct S2nEndpoint {
    side: Side,
    config: Config,
}

impl S2nEndpoint {
    pub(super) fn new(
        side: Side,
        handshake: &Handshake,
        credentials: &Credentials,
        policy: &str,
    ) -> Result<Self, StackError> {
        let config = config(side, handshake, credentials, policy)
            .map_err(|error| refused("the configuration", error))?;
        Ok(Self { side, config })
    }
}

impl Endpoint for S2nEndpoint {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let setup = |error| refused("the connection", error);
        let mode = match self.side {
            Side::Client => Mode::Client,
            Side::Server => Mode::Server,
        };
        let mut connection = self.config.build_connection(mode).map_err(setup)?;
        if self.side == Side::Client {
            connection
                .set_server_name(pki::SERVER_NAME)
                .map_err(setup)?;
        }
        Ok(Box::new(MemoryConnection::new(connection)?))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        Err(StackError::Setup {
            what: "tickets",
            message: "this stack has no resumption".to_owned(),
        })
    }

    fn tickets(&self) -> usize {
        0
    }
}

fn config(
    side: Side,
    handshake: &Handshake,
    credentials: &Credentials,
    policy: &str,
) -> Result<Config, Error> {
    let mut builder = Builder::new();
    builder.with_system_certs(false)?;
    builder.set_security_policy(&Policy::from_version(policy)?)?;
    let server = credentials.server();
    let client = credentials
        .client()
        .filter(|_| handshake.client_authentication().is_some());
    let (own, peer) = match side {
        Side::Client => (client, Some(server)),
        Side::Server => (Some(server), client),
    };
    if let Some(own) = own {
        builder.load_pem(own.chain_pem().as_bytes(), own.key_pem().as_bytes())?;
    }
    if let Some(peer) = peer {
        builder.trust_pem(peer.root_pem().as_bytes())?;
    }
    if client.is_some() {
        builder.set_client_auth_type(ClientAuthType::Required)?;
    }
    builder.build()
}
