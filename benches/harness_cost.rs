//! What pqlab's own harness adds to a handshake: the pair against a bare loop over
//! rustls, written as rustls' documentation has it, in turn within one run.
//!
//! Not a criterion harness: two things measured one after the other would compare the
//! machine's moods. Prints the ratio of handshakes per second with its interval.

use std::sync::Arc;
use std::time::{Duration, Instant};

use experiment::{Flags, Handshake, RatioEstimate, Sample};
use pki::{Cache, Role};
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use stack::NoGauge;
use wire::{ChainAlgorithms, SignatureAlgorithm};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Handshakes of each side of the comparison in one block.
const BURST: usize = 8;

fn main() -> Outcome<()> {
    // `cargo bench -- --test` asks whether it runs at all.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let blocks = if is_test { 3 } else { 1500 };
    for (id, group) in [
        ("1.3/x25519/ecdsa-p256/full", kx_group::X25519),
        (
            "1.3/X25519MLKEM768/ecdsa-p256/full",
            kx_group::X25519MLKEM768,
        ),
    ] {
        let estimate = compare(id.parse()?, group, blocks)?;
        // Rates are the inverse of times: bare over pair in time is pair over bare in rate.
        let ratio = estimate.ratio;
        println!(
            "harness_cost {id}: handshakes per second of the pair over those of the bare loop: \
             {:.3} [{:.3}, {:.3}] over {} blocks",
            1.0 / ratio.value,
            1.0 / ratio.high,
            1.0 / ratio.low,
            estimate.blocks
        );
    }
    Ok(())
}

fn compare(
    handshake: Handshake,
    group: &'static dyn SupportedKxGroup,
    blocks: u32,
) -> Outcome<RatioEstimate> {
    let bare = Bare::new(group)?;
    let stack = stack::by_name(&"rustls".parse()?)?;
    let mut pair = benches::pair(stack, handshake).ok_or("rustls lacks the handshake")?;
    let [mut bare_samples, mut pair_samples] = [Vec::new(), Vec::new()];
    for block in 0..blocks {
        let mut turns = [true, false];
        if block % 2 == 1 {
            turns.reverse();
        }
        for is_bare in turns {
            let mut best = || -> Outcome<Duration> {
                if is_bare {
                    bare.handshake()?;
                } else {
                    pair.handshake(&mut NoGauge)?;
                }
                let start = Instant::now();
                for _ in 0..BURST {
                    if is_bare {
                        bare.handshake()?;
                    } else {
                        pair.handshake(&mut NoGauge)?;
                    }
                }
                Ok(start.elapsed())
            };
            let value = i64::try_from(best()?.as_nanos())?;
            let samples = if is_bare {
                &mut bare_samples
            } else {
                &mut pair_samples
            };
            samples.push(Sample {
                block,
                value,
                flags: Flags::NONE,
            });
        }
    }
    RatioEstimate::paired(&bare_samples, &pair_samples).ok_or_else(|| "no blocks".into())
}

/// Client and server of rustls with nothing around them.
struct Bare {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Bare {
    fn new(group: &'static dyn SupportedKxGroup) -> Outcome<Self> {
        let cache = Cache::open(Cache::default_dir()?)?;
        let chain = ChainAlgorithms::uniform(SignatureAlgorithm::EcdsaP256);
        let identity = cache.identity(chain, Role::Server)?;
        let provider = Arc::new(CryptoProvider {
            kx_groups: vec![group],
            cipher_suites: vec![cipher_suite::TLS13_AES_256_GCM_SHA384],
            ..aws_lc_rs::default_provider()
        });
        let mut roots = RootCertStore::empty();
        roots.add(identity.root().clone())?;
        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.resumption = rustls::client::Resumption::disabled();
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(identity.chain().to_vec(), identity.key().clone_key())?;
        server.send_tls13_tickets = 0;
        server.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
        })
    }

    fn handshake(&self) -> Outcome<()> {
        let name = pki::SERVER_NAME.try_into()?;
        let mut client = ClientConnection::new(self.client.clone(), name)?;
        let mut server = ServerConnection::new(self.server.clone())?;
        let mut wire = Vec::with_capacity(32 * 1024);
        while client.is_handshaking() || server.is_handshaking() {
            while client.wants_write() {
                client.write_tls(&mut wire)?;
            }
            let mut input = wire.as_slice();
            while !input.is_empty() {
                server.read_tls(&mut input)?;
                server.process_new_packets()?;
            }
            wire.clear();
            while server.wants_write() {
                server.write_tls(&mut wire)?;
            }
            let mut input = wire.as_slice();
            while !input.is_empty() {
                client.read_tls(&mut input)?;
                client.process_new_packets()?;
            }
            wire.clear();
        }
        Ok(())
    }
}
