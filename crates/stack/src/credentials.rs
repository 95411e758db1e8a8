//! Certificates and keys of both sides of a handshake.

use experiment::Handshake;
use pki::{Cache, Identity, PkiError, Role};

use crate::KeyLog;

/// What each side shows, and what its peer trusts.
#[derive(Debug, Clone)]
pub struct Credentials {
    server: Identity,
    client: Option<Identity>,
    key_log: Option<KeyLog>,
}

impl Credentials {
    /// Takes them from the cache, which makes what it lacks.
    ///
    /// # Errors
    /// When the cache can't be read or written.
    pub fn for_handshake(handshake: &Handshake, cache: &Cache) -> Result<Self, PkiError> {
        let client = handshake
            .client_authentication()
            .map(|chain| cache.identity(chain, Role::Client))
            .transpose()?;
        Ok(Self {
            server: cache.identity(handshake.authentication(), Role::Server)?,
            client,
            key_log: None,
        })
    }

    /// The same, and clients that tell their secrets to `log`: to explain a handshake, not
    /// to measure one. The stacks of rustls and OpenSSL do.
    #[must_use]
    pub fn with_key_log(mut self, log: KeyLog) -> Self {
        self.key_log = Some(log);
        self
    }

    /// The server's chain and key; its root is what clients trust.
    pub const fn server(&self) -> &Identity {
        &self.server
    }

    /// The client's chain and key in mutual TLS; its root is what the server trusts.
    pub const fn client(&self) -> Option<&Identity> {
        self.client.as_ref()
    }

    /// Who is told the client's secrets.
    pub(crate) const fn key_log(&self) -> Option<&KeyLog> {
        self.key_log.as_ref()
    }
}
