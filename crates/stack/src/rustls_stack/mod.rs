//! rustls over several cryptographic providers: the same protocol, different primitives.

pub mod configs;
mod connection;
mod endpoint;
mod judge;
mod observed;
mod profile;
mod signer;
mod tickets;
mod timed;
mod verifier;
mod watch;

use std::sync::Arc;

use experiment::{Handshake, HandshakeKind, Library, Side, StackName};
use rustls::SupportedCipherSuite;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::server::ProducesTickets;
use wire::{NamedGroup, ProtocolVersion};

pub(crate) use judge::judge;

use crate::groups::{certificate_curves, decoy};
use crate::{
    ClientProfile, Credentials, Endpoint, PhaseTiming, ServerProfile, StackError, TlsStack,
    Unsupported,
};

/// rustls with one provider.
pub(crate) struct RustlsStack {
    name: &'static str,
    version: &'static str,
    caveat: Option<&'static str>,
    provider: fn() -> CryptoProvider,
    /// Groups beside, or instead of, those of the provider.
    groups: fn(&CryptoProvider) -> Vec<&'static dyn SupportedKxGroup>,
    ticketer: fn() -> Result<Arc<dyn ProducesTickets>, rustls::Error>,
}

/// The libraries that this file names in `library()`; the lock file pins them.
macro_rules! versions {
    ($provider:literal) => {
        concat!("rustls 0.23.46 with ", $provider)
    };
}

pub(crate) static AWS_LC: RustlsStack = RustlsStack {
    name: "rustls",
    version: versions!("aws-lc-rs 1.19.0"),
    caveat: None,
    provider: aws_lc_rs::default_provider,
    groups: |_| {
        let mut groups = aws_lc_rs::ALL_KX_GROUPS.to_vec();
        groups.push(aws_lc_rs::kx_group::SECP256R1MLKEM768);
        groups.push(aws_lc_rs::kx_group::MLKEM768);
        groups.push(aws_lc_rs::kx_group::MLKEM1024);
        groups.push(rustls_pqcrypto::aws_lc::AWS_LC_MLKEM512);
        groups.push(rustls_pqcrypto::aws_lc::AWS_LC_SECP384R1MLKEM1024);
        groups
    },
    ticketer: aws_lc_rs::Ticketer::new,
};

pub(crate) static PQCRYPTO: RustlsStack = RustlsStack {
    name: "rustls-pqcrypto",
    version: versions!("pqcrypto-mlkem 0.1.1, hqc-kem 0.1.0-rc.0, and aws-lc-rs 1.19.0"),
    caveat: Some(
        "the pqcrypto family is unmaintained and has security advisories; HQC is experimental, on \
         a private-use code point: for measuring and for interoperability, not for traffic",
    ),
    provider: aws_lc_rs::default_provider,
    groups: |_| rustls_pqcrypto::ALL.to_vec(),
    ticketer: aws_lc_rs::Ticketer::new,
};

pub(crate) static OPENSSL: RustlsStack = RustlsStack {
    name: "rustls-openssl",
    version: versions!("rustls-openssl 0.4.2 on OpenSSL 3.6.3"),
    caveat: Some("tickets are encrypted by aws-lc-rs: this provider has no ticketer"),
    provider: rustls_openssl::default_provider,
    groups: |provider| {
        let mut groups = provider.kx_groups.clone();
        groups.extend(rustls_openssl::kx_group::ALL_KX_GROUPS);
        groups
    },
    ticketer: aws_lc_rs::Ticketer::new,
};

#[cfg(feature = "graviola")]
pub(crate) static GRAVIOLA: RustlsStack = RustlsStack {
    name: "rustls-graviola",
    version: versions!("rustls-graviola 0.4.0"),
    caveat: None,
    provider: rustls_graviola::default_provider,
    groups: |provider| provider.kx_groups.clone(),
    ticketer: rustls_graviola::Ticketer::new,
};

impl RustlsStack {
    /// The provider as it comes.
    pub(crate) fn provider(&self) -> CryptoProvider {
        (self.provider)()
    }

    pub(crate) fn group(
        &self,
        provider: &CryptoProvider,
        group: NamedGroup,
    ) -> Option<&'static dyn SupportedKxGroup> {
        let code_point = rustls::NamedGroup::from(group.0);
        (self.groups)(provider)
            .into_iter()
            .find(|candidate| candidate.name() == code_point)
    }

    /// A group that stands beside the one negotiated: the provider's own where it has it,
    /// that of aws-lc-rs otherwise.
    fn side_group(
        &self,
        provider: &CryptoProvider,
        group: NamedGroup,
    ) -> Option<&'static dyn SupportedKxGroup> {
        self.group(provider, group)
            .or_else(|| AWS_LC.group(provider, group))
    }

    /// Everything that both sides of a scenario are made from.
    fn setup<'a>(
        &self,
        side: Side,
        handshake: &Handshake,
        credentials: &'a Credentials,
        timing: PhaseTiming,
    ) -> endpoint::Setup<'a> {
        let mut provider = (self.provider)();
        // `supports` found it; asked without, the handshake fails for want of a group.
        let group = handshake
            .group()
            .and_then(|group| self.group(&provider, group));
        let mut groups: Vec<_> = group.into_iter().collect();
        let is_retry = handshake.kind() == HandshakeKind::FullWithHelloRetryRequest;
        if let (Side::Client, true, Some(group)) = (side, is_retry, handshake.group()) {
            groups.splice(0..0, self.side_group(&provider, decoy(group)));
        }
        if side == Side::Client {
            let curves = certificate_curves(handshake).into_iter();
            groups.extend(curves.filter_map(|curve| self.side_group(&provider, curve)));
        }
        if timing == PhaseTiming::On {
            groups = groups
                .into_iter()
                .map(|group| timed::group(side, group))
                .collect();
        }
        provider.kx_groups = groups;
        let suite = handshake.cipher_suite();
        provider
            .cipher_suites
            .retain(|candidate| u16::from(candidate.suite()) == suite.0);
        endpoint::Setup {
            provider: Arc::new(provider),
            handshake: *handshake,
            credentials,
            timing,
            ticketer: self.ticketer,
        }
    }

    fn lacks(&self, side: Side, handshake: &Handshake) -> Option<String> {
        let provider = (self.provider)();
        let Some(group) = handshake.group() else {
            return Some("rustls has no static RSA key transport, by design".to_owned());
        };
        let Some(found) = self.group(&provider, group) else {
            return Some(format!("no key exchange in {group} with this provider"));
        };
        let version = match handshake.version() {
            ProtocolVersion::Tls12 => rustls::ProtocolVersion::TLSv1_2,
            ProtocolVersion::Tls13 => rustls::ProtocolVersion::TLSv1_3,
        };
        if !found.usable_for_version(version) {
            return Some(format!("{group} is for another version of TLS"));
        }
        let name = handshake.cipher_suite();
        let mut suites = provider.cipher_suites.iter();
        let Some(suite) = suites.find(|suite| u16::from(suite.suite()) == name.0) else {
            return Some(format!("no cipher suite {name} with this provider"));
        };
        let leaf = handshake.authentication().leaf().facts().scheme;
        if let SupportedCipherSuite::Tls12(suite) = suite
            && !suite.sign.contains(&leaf.0.into())
        {
            return Some(format!("no {leaf} in {name} with this provider"));
        }
        let verifiable = provider
            .signature_verification_algorithms
            .supported_schemes();
        let chains = [
            Some(handshake.authentication()),
            handshake.client_authentication(),
        ];
        for chain in chains.into_iter().flatten() {
            for scheme in endpoint::schemes(chain) {
                if !verifiable.contains(&scheme) {
                    return Some(format!("no signatures of {scheme:?} with this provider"));
                }
            }
        }
        let is_tls12_resumption =
            handshake.version() == ProtocolVersion::Tls12 && handshake.kind().is_resumption();
        if side == Side::Server && is_tls12_resumption && handshake.tickets() == 0 {
            return Some("rustls renews the ticket in each TLS 1.2 resumption: tickets=1".into());
        }
        None
    }
}

impl TlsStack for RustlsStack {
    fn name(&self) -> StackName {
        // The names above are of lower-case letters and dashes, which every name may have.
        self.name.parse().unwrap_or_else(|_| unreachable!())
    }

    fn times_phases(&self) -> bool {
        true
    }

    fn library(&self) -> Library {
        Library {
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            caveat: self.caveat.map(str::to_owned),
        }
    }

    fn supports(&self, side: Side, handshake: &Handshake) -> Result<(), Unsupported> {
        match self.lacks(side, handshake) {
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
        timing: PhaseTiming,
    ) -> Result<Box<dyn Endpoint>, StackError> {
        let setup = self.setup(side, handshake, credentials, timing);
        match side {
            Side::Client => endpoint::client(&setup),
            Side::Server => endpoint::server(&setup),
        }
    }

    fn server(&self, profile: &ServerProfile) -> Result<Box<dyn Endpoint>, StackError> {
        profile::server(self, profile)
    }

    fn client(&self, profile: &ClientProfile) -> Result<Box<dyn Endpoint>, StackError> {
        profile::client(self, profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions stand in the code because no library tells its own.
    #[test]
    fn the_lock_file_has_these_versions() {
        let lock = include_str!("../../../../Cargo.lock");
        for (stack, packages) in [
            (&AWS_LC, ["rustls", "aws-lc-rs"].as_slice()),
            (&PQCRYPTO, &["pqcrypto-mlkem", "hqc-kem", "aws-lc-rs"]),
            (&OPENSSL, &["rustls-openssl"]),
            #[cfg(feature = "graviola")]
            (&GRAVIOLA, &["rustls-graviola"]),
        ] {
            for package in packages {
                let (_, entry) = lock
                    .split_once(&format!("name = \"{package}\"\nversion = \""))
                    .unwrap();
                let (version, _) = entry.split_once('"').unwrap();
                let named = format!("{package} {version}");
                assert!(stack.version.contains(&named), "{}: {named}", stack.version);
            }
        }
        let openssl = openssl::version::version();
        let (_, linked) = OPENSSL.version.split_once(" on ").unwrap();
        assert!(openssl.starts_with(linked), "{openssl}, not {linked}");
    }
}
