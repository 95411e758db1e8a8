//! The way between the clouds: it passes bytes on, counts them, and looks for words in them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{ACCEPT_PAUSE, CrossCloudError};

/// A relay of TCP.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transit {
    /// Where it listens, and where what comes in there goes.
    pub(super) routes: Vec<Route>,
    /// What a curious relay would look for.
    pub(super) words: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    pub(super) listen: SocketAddr,
    pub(super) to: SocketAddr,
}

/// What the transit saw of one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relayed {
    /// Bytes from cloud A to cloud B.
    pub up: u64,
    /// Bytes from cloud B to cloud A.
    pub down: u64,
    /// The words that it was to look for and found.
    pub words: BTreeSet<String>,
}

/// Relays until the process ends. The first line that it tells says where it listens, each
/// further one what it saw of a connection that is over.
pub(super) async fn relay(transit: Transit, tell: fn(&str)) -> Result<(), CrossCloudError> {
    let words = Arc::new(transit.words);
    let mut listening = Vec::new();
    let mut accepting = tokio::task::JoinSet::new();
    for Route { listen, to } in transit.routes {
        let failed = |error| CrossCloudError::Listen {
            address: listen,
            error,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        listening.push(listener.local_addr().map_err(failed)?);
        accepting.spawn(accept(listener, to, words.clone(), tell));
    }
    tell(&json!({ "listening": listening }).to_string());
    accepting.join_all().await;
    Ok(())
}

async fn accept(
    listener: TcpListener,
    to: SocketAddr,
    words: Arc<BTreeSet<String>>,
    tell: fn(&str),
) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let words = words.clone();
        tokio::spawn(async move {
            let relayed = connect(socket, to, &words).await;
            tell(&json!({ "relayed": relayed }).to_string());
        });
    }
}

async fn connect(socket: TcpStream, to: SocketAddr, words: &BTreeSet<String>) -> Relayed {
    let Ok(other) = TcpStream::connect(to).await else {
        return Relayed::default();
    };
    let (from_a, to_a) = socket.into_split();
    let (from_b, to_b) = other.into_split();
    let (up, down) = tokio::join!(pass(from_a, to_b, words), pass(from_b, to_a, words));
    Relayed {
        up: up.0,
        down: down.0,
        words: up.1.union(&down.1).cloned().collect(),
    }
}

/// Passes one direction on until its end. Gives the bytes, and the words that were in them.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    words: &BTreeSet<String>,
) -> (u64, BTreeSet<String>) {
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    let mut buffer = vec![0; 16 * 1024];
    // A word may be cut by the boundary of two reads.
    let overlap = words.iter().map(|word| word.len()).max().unwrap_or(0);
    let mut window: Vec<u8> = Vec::new();
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        bytes += count as u64;
        window.extend_from_slice(&buffer[..count]);
        let is_in = |word: &&String| {
            !word.is_empty()
                && window
                    .windows(word.len())
                    .any(|part| part == word.as_bytes())
        };
        seen.extend(words.iter().filter(is_in).cloned());
        window.drain(..window.len().saturating_sub(overlap));
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    // Whoever is there learns that nothing more comes; whoever is not needs no telling.
    let _ = to.shutdown().await;
    (bytes, seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_word_is_found_across_reads_and_every_byte_passed_on() {
        let (mut near, relay_in) = tokio::io::duplex(5);
        let (relay_out, mut far) = tokio::io::duplex(1024);
        let words = BTreeSet::from(["secret-name".to_owned(), "absent".to_owned()]);
        let passing = tokio::spawn(async move { pass(relay_in, relay_out, &words).await });
        let text = b"....secret-name....";
        near.write_all(text).await.unwrap();
        drop(near);
        let mut passed = Vec::new();
        far.read_to_end(&mut passed).await.unwrap();
        assert_eq!(passed, text);
        let (bytes, seen) = passing.await.unwrap();
        assert_eq!(bytes, text.len() as u64);
        assert_eq!(seen, BTreeSet::from(["secret-name".to_owned()]));
    }
}
