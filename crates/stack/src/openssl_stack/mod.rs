//! OpenSSL, through the `openssl` crate.

mod connection;
mod endpoint;
mod ffi;
mod judge;
mod profile;

use experiment::{Handshake, KeyExchange, Library, Side, StackName};
use wire::{CipherSuite, NamedGroup, ProtocolVersion};

pub(crate) use judge::judge;

use crate::{
    ClientProfile, Credentials, Endpoint, PhaseTiming, ServerProfile, StackError, TlsStack,
    Unsupported,
};

/// The OpenSSL that this binary is linked with.
pub(crate) struct OpenSsl;

/// OpenSSL 3.5 and later have these, under these names.
const GROUPS: &[NamedGroup] = &[
    NamedGroup::X25519,
    NamedGroup::SECP256R1,
    NamedGroup::SECP384R1,
    NamedGroup::X25519MLKEM768,
    NamedGroup::SECP256R1MLKEM768,
    NamedGroup::SECP384R1MLKEM1024,
    NamedGroup::MLKEM512,
    NamedGroup::MLKEM768,
    NamedGroup::MLKEM1024,
];

fn lacks(side: Side, handshake: &Handshake) -> Option<String> {
    if let KeyExchange::Group(group) = handshake.key_exchange()
        && !GROUPS.contains(&group)
    {
        return Some(format!("OpenSSL has no group {group}"));
    }
    let is_tls12_resumption =
        handshake.version() == ProtocolVersion::Tls12 && handshake.kind().is_resumption();
    if side == Side::Server && is_tls12_resumption && handshake.tickets() > 0 {
        return Some("OpenSSL does not renew a fresh ticket in a TLS 1.2 resumption".to_owned());
    }
    None
}

impl TlsStack for OpenSsl {
    fn name(&self) -> StackName {
        // The literal is of lower-case letters alone, which every name may have.
        "openssl".parse().unwrap_or_else(|_| unreachable!())
    }

    fn library(&self) -> Library {
        Library {
            name: "openssl".to_owned(),
            version: openssl::version::version().to_owned(),
            caveat: Some(
                "this build has no 64-bit P-384 code: P-384 is about ten times slower than \
                 elsewhere"
                    .to_owned(),
            ),
        }
    }

    fn supports(&self, side: Side, handshake: &Handshake) -> Result<(), Unsupported> {
        match lacks(side, handshake) {
            Some(reason) => Err(Unsupported {
                stack: self.name(),
                side,
                reason,
            }),
            None => Ok(()),
        }
    }

    fn endpoint(
        &self,
        side: Side,
        handshake: &Handshake,
        credentials: &Credentials,
        _: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError> {
        match side {
            Side::Client => endpoint::client(handshake, credentials),
            Side::Server => endpoint::server(handshake, credentials),
        }
    }

    fn server(&self, profile: &ServerProfile) -> Result<Box<dyn Endpoint>, StackError> {
        profile::server(profile)
    }

    fn client(&self, profile: &ClientProfile) -> Result<Box<dyn Endpoint>, StackError> {
        profile::client(profile)
    }
}

/// A cipher suite by OpenSSL's name.
fn openssl_name(suite: CipherSuite) -> &'static str {
    // An unknown suite is refused by OpenSSL itself, with the empty name in its error.
    suite.facts().map_or("", |facts| facts.openssl_name)
}
