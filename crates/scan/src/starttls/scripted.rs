//! Peers for tests that say what they are told to, on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use audit::{Protocol, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::Limits;
use crate::dial::Dialer;
use crate::pace::Pace;

/// One thing that a peer does.
#[derive(Clone)]
pub(crate) enum Act {
    /// Sends it in one write.
    Send(Vec<u8>),
    /// Sends it a byte at a time.
    Drip(Vec<u8>),
    /// Sends it until the other side has gone.
    Forever(Vec<u8>),
    /// Waits for this in what the other side sends.
    Await(Vec<u8>),
    /// Says and does nothing more.
    Stall,
    /// Ends with a reset.
    Reset,
}

impl Act {
    pub(crate) fn send(text: impl AsRef<[u8]>) -> Self {
        Self::Send(text.as_ref().to_vec())
    }

    pub(crate) fn wait(text: impl AsRef<[u8]>) -> Self {
        Self::Await(text.as_ref().to_vec())
    }
}

/// A peer that does these things on every connection, and then closes it.
pub(crate) async fn peer(acts: Vec<Act>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(play(socket, acts.clone()));
        }
    });
    address
}

async fn play(mut socket: TcpStream, acts: Vec<Act>) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    for act in acts {
        match act {
            Act::Send(bytes) => socket.write_all(&bytes).await?,
            Act::Drip(bytes) => {
                for byte in bytes {
                    socket.write_all(&[byte]).await?;
                    tokio::task::yield_now().await;
                }
            }
            Act::Forever(bytes) => loop {
                socket.write_all(&bytes).await?;
            },
            Act::Await(wanted) => {
                let mut received = Vec::new();
                while !received
                    .windows(wanted.len())
                    .any(|window| window == wanted)
                {
                    if socket.read_buf(&mut received).await? == 0 {
                        return Ok(());
                    }
                }
            }
            Act::Stall => sleep(Duration::from_secs(60)).await,
            Act::Reset => {
                return socket.set_zero_linger();
            }
        }
    }
    // What the other side says last must not turn this end into a reset.
    socket.shutdown().await?;
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).await?;
    Ok(())
}

/// Towards this address, with so much time for a connection.
pub(crate) fn dialer(address: SocketAddr, protocol: Protocol, limit: Duration) -> Dialer {
    let limits = Limits {
        rate_per_host: None,
        ..Limits::default()
    };
    Dialer {
        target: Target {
            host: address.ip().to_string(),
            port: address.port(),
            protocol,
        },
        address,
        server_name: None,
        limit,
        pace: Pace::new(limits).towards(address.ip()),
        probes: AtomicU32::new(0),
        at_once: 4,
    }
}
