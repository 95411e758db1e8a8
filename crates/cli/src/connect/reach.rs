//! A name may have several addresses, and a server may be at one of them alone.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use client::{ClientError, Inspection, inspect_within};
use stack::rustls_config::{Watch, watched_client_of};
use stack::{ClientProfile, Endpoint, StackError};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::arguments::Countdown;

/// No address took a TCP connection.
#[derive(Debug)]
pub(crate) struct Unreached {
    /// The last one that was tried.
    pub(super) address: Option<SocketAddr>,
    error: ClientError,
}

impl From<Unreached> for anyhow::Error {
    fn from(unreached: Unreached) -> Self {
        let error = Self::from(unreached.error);
        match unreached.address {
            Some(address) => error.context(address.to_string()),
            None => error,
        }
    }
}

/// Tries the addresses over TCP in order; the last one's failure counts. While there are
/// others, each has its share of the time to connect: a silent one does not hold them back.
pub(crate) async fn first_that_answers(
    addresses: &[SocketAddr],
    endpoint: &dyn Endpoint,
    request: Option<&[u8]>,
    time: Countdown,
) -> Result<Inspection, Unreached> {
    let none = io::Error::new(io::ErrorKind::NotFound, "no address");
    let mut unreached = Unreached {
        address: None,
        error: ClientError::Connect(none),
    };
    for (place, address) in addresses.iter().enumerate() {
        let left = time.left();
        let share = left / u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
        match inspect_within(*address, endpoint, request, share, left).await {
            Ok(mut inspection) => {
                if let Some(ClientError::Timeout { limit, .. }) = &mut inspection.failure {
                    *limit = time.limit;
                }
                return Ok(inspection);
            }
            Err(error) => {
                let is_silent =
                    matches!(error, ClientError::Connect(_) | ClientError::Timeout { .. });
                unreached = Unreached {
                    address: Some(*address),
                    error,
                };
                if !is_silent {
                    break;
                }
            }
        }
    }
    if let (1, ClientError::Timeout { limit, .. }) = (addresses.len(), &mut unreached.error) {
        *limit = time.limit;
    }
    Err(unreached)
}

/// What became of one address over QUIC.
pub(super) struct QuicAttempt {
    pub(super) address: SocketAddr,
    pub(super) watch: Watch,
    pub(super) result: Result<quic::Exchange, quic::ClientError>,
}

/// When the next address is tried beside those that have not answered yet (RFC 8305 section
/// 5): UDP does not say that nobody is there.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Connects over QUIC to the address that answers first. Where none does, the failure of the
/// first one counts.
///
/// # Errors
/// When the profile can't be carried out. What went wrong later is in the attempt.
pub(super) async fn first_over_quic(
    addresses: &[SocketAddr],
    profile: &ClientProfile,
    path: &str,
    time: Countdown,
) -> Result<Option<QuicAttempt>, StackError> {
    let mut waiting = addresses.iter().copied().enumerate();
    let mut running = JoinSet::new();
    let mut failed: Option<(usize, QuicAttempt)> = None;
    loop {
        if let Some((place, address)) = waiting.next() {
            let (config, watch) = watched_client_of(profile)?;
            let options = quic::ClientOptions {
                limit: time.left(),
                path: path.to_owned(),
                ..quic::ClientOptions::default()
            };
            let name = profile.server_name.clone();
            running.spawn(async move {
                // A stranger is told nothing.
                let is_trusted = || !matches!(watch.watched().verdict, Some(Err(_)));
                let connected =
                    quic::connect_and_ask_if(address, &name, config, &options, is_trusted);
                let result = connected.await;
                let attempt = QuicAttempt {
                    address,
                    watch,
                    result,
                };
                (place, attempt)
            });
        }
        let ended = match waiting.len() {
            0 => running.join_next().await,
            _ => match timeout(ATTEMPT_DELAY, running.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        match ended {
            Some(Ok((_, attempt))) if attempt.is_answer() => return Ok(Some(attempt)),
            Some(Ok((place, attempt))) => {
                if failed.as_ref().is_none_or(|(before, _)| place < *before) {
                    failed = Some((place, attempt));
                }
            }
            Some(Err(lost)) if lost.is_panic() => std::panic::resume_unwind(lost.into_panic()),
            Some(Err(_)) => {}
            None if waiting.len() > 0 => {}
            None => return Ok(failed.map(|(_, attempt)| attempt)),
        }
    }
}

impl QuicAttempt {
    /// Whether a server said something, or nothing will be said anywhere.
    const fn is_answer(&self) -> bool {
        !matches!(
            self.result,
            Err(quic::ClientError::Socket(_)
                | quic::ClientError::Timeout {
                    stage: quic::Stage::Handshake,
                    ..
                })
        )
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use stack::{Offer, Trust};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    fn profile() -> ClientProfile {
        ClientProfile {
            offer: Offer::default(),
            server_name: "localhost".to_owned(),
            trust: Trust::Unverified,
            certificate: None,
            resumes: false,
        }
    }

    #[test]
    fn over_tcp_the_next_address_is_tried() {
        let gone = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = silent.local_addr().unwrap();
        let stack = stack::by_name(&"rustls".parse().unwrap()).unwrap();
        let endpoint = stack.client(&profile()).unwrap();
        let reach = |addresses: &[SocketAddr]| {
            let time = Countdown::new(LIMIT);
            let reached = first_that_answers(addresses, &*endpoint, None, time);
            crate::runtime().unwrap().block_on(reached)
        };
        let seen = reach(&[gone, silent]).unwrap();
        assert_eq!(seen.address, silent);
        // The time that is told is that for everything.
        assert!(
            matches!(
                seen.failure,
                Some(ClientError::Timeout { limit: LIMIT, .. })
            ),
            "{:?}",
            seen.failure
        );
        let unreached = reach(&[gone]).unwrap_err();
        assert_eq!(unreached.address, Some(gone));
        assert!(matches!(unreached.error, ClientError::Connect(_)));
    }

    /// Both are silent, and the time is shared and not doubled.
    #[test]
    fn over_quic_the_failure_of_the_first_address_counts_where_none_answers() {
        let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let addresses = sockets.each_ref().map(|s| s.local_addr().unwrap());
        let time = Countdown::new(Duration::from_millis(600));
        let attempt = crate::runtime().unwrap().block_on(async {
            let profile = profile();
            first_over_quic(&addresses, &profile, "/", time).await
        });
        let attempt = attempt.unwrap().unwrap();
        assert_eq!(attempt.address, addresses[0]);
        assert!(!attempt.is_answer());
        // The second one was asked as well.
        sockets[1].set_read_timeout(Some(LIMIT)).unwrap();
        assert!(sockets[1].recv(&mut [0; 2048]).unwrap() > 0);
    }
}
