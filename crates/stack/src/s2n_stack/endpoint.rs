//! Configurations of s2n-tls for one handshake.

use experiment::Side;
use s2n_tls::callbacks::VerifyHostNameCallback;
use s2n_tls::config::{Builder, Config};
use s2n_tls::connection::Builder as _;
use s2n_tls::enums::{ClientAuthType, Mode};
use s2n_tls::error::Error;
use s2n_tls::security::Policy;

use super::connection::MemoryConnection;
use super::refused;
use crate::{Connection, Credentials, Endpoint, StackError};

struct S2nEndpoint {
    side: Side,
    config: Config,
}

pub(super) fn endpoint(
    side: Side,
    policy: &str,
    credentials: &Credentials,
) -> Result<Box<dyn Endpoint>, StackError> {
    let config = match side {
        Side::Client => client(policy, credentials),
        Side::Server => server(policy, credentials),
    };
    let config = config.map_err(|error| refused("the configuration", &error))?;
    Ok(Box::new(S2nEndpoint { side, config }))
}

impl Endpoint for S2nEndpoint {
    fn connection(&self) -> Result<Box<dyn Connection>, StackError> {
        let setup = |error: Error| refused("the connection", &error);
        let connection = match self.side {
            Side::Client => {
                let mut connection = self.config.build_connection(Mode::Client).map_err(setup)?;
                connection
                    .set_server_name(pki::SERVER_NAME)
                    .map_err(setup)?;
                connection
            }
            Side::Server => self.config.build_connection(Mode::Server).map_err(setup)?,
        };
        Ok(Box::new(MemoryConnection::new(connection)?))
    }

    fn issuing_connection(&self) -> Result<Box<dyn Connection>, StackError> {
        Err(StackError::Setup {
            what: "tickets",
            message: "resumption is not supported with s2n-tls".to_owned(),
        })
    }

    fn tickets(&self) -> usize {
        0
    }
}

fn client(policy: &str, credentials: &Credentials) -> Result<Config, Error> {
    let mut builder = builder(policy)?;
    builder.trust_pem(credentials.server().root_pem().as_bytes())?;
    if let Some(own) = credentials.client() {
        builder.load_pem(own.chain_pem().as_bytes(), own.key_pem().as_bytes())?;
        builder.set_client_auth_type(ClientAuthType::Required)?;
    }
    builder.build()
}

fn server(policy: &str, credentials: &Credentials) -> Result<Config, Error> {
    let mut builder = builder(policy)?;
    let own = credentials.server();
    builder.load_pem(own.chain_pem().as_bytes(), own.key_pem().as_bytes())?;
    if let Some(client) = credentials.client() {
        builder.trust_pem(client.root_pem().as_bytes())?;
        builder.set_client_auth_type(ClientAuthType::Required)?;
        builder.set_verify_host_callback(AnyClient)?;
    }
    builder.build()
}

fn builder(policy: &str) -> Result<Builder, Error> {
    let mut builder = Builder::new();
    builder.with_system_certs(false)?;
    builder.set_security_policy(&Policy::from_version(policy)?)?;
    // Otherwise s2n-tls reports an error only after seconds, against timing attacks. The
    // peer here is no attacker, or a test that wants to see the error.
    builder.set_max_blinding_delay(0)?;
    Ok(builder)
}

/// Clients are known by their trust anchor, in every stack. Without this, s2n-tls would
/// look for the server's name in the client's certificate.
struct AnyClient;

impl VerifyHostNameCallback for AnyClient {
    fn verify_host_name(&self, _: &str) -> bool {
        true
    }
}
