//! A field of targets on loopback, for `scripts/compare-scan`: one port that answers each
//! ClientHello as a TLS 1.3 server with two groups does, and one that takes connections and
//! never says a word. Any address of 127.0.0.0/8 reaches them.
//!
//! Prints both ports; then, for each line on stdin, how many hellos were answered so far.

use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wire::{ClientHello, NamedGroup, plaintext_messages};

const HAS: [NamedGroup; 2] = [NamedGroup::X25519MLKEM768, NamedGroup::X25519];
/// SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

fn main() -> std::io::Result<()> {
    let answered = Arc::new(AtomicU64::new(0));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let counter = Arc::clone(&answered);
    let (speaking, silent) = runtime.block_on(async {
        let speaking = TcpListener::bind("0.0.0.0:0").await?;
        let silent = TcpListener::bind("0.0.0.0:0").await?;
        std::io::Result::Ok((speaking, silent))
    })?;
    println!(
        "{} {}",
        speaking.local_addr()?.port(),
        silent.local_addr()?.port()
    );
    stdout().flush()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::spawn(hold(silent));
            loop {
                if let Ok((socket, _)) = speaking.accept().await {
                    tokio::spawn(speak(socket, Arc::clone(&counter)));
                }
            }
        })
    });
    for line in stdin().lock().lines() {
        line?;
        println!("{}", answered.load(Ordering::Relaxed));
        stdout().flush()?;
    }
    Ok(())
}

async fn hold(listener: TcpListener) {
    let mut held = Vec::new();
    loop {
        if let Ok((socket, _)) = listener.accept().await {
            held.push(socket);
        }
    }
}

async fn speak(mut socket: TcpStream, answered: Arc<AtomicU64>) {
    let mut bytes = Vec::with_capacity(2048);
    let hello = loop {
        let read = tokio::time::timeout(Duration::from_secs(10), socket.read_buf(&mut bytes));
        match read.await {
            Ok(Ok(1..)) => {}
            _ => return,
        }
        let messages = plaintext_messages(&bytes);
        if let Some(message) = messages.ok().and_then(|all| all.into_iter().next())
            && let Ok(hello) = ClientHello::parse(&message.body)
        {
            // The session id stands after version and random, behind its length.
            let length = usize::from(message.body[34]);
            break (hello, message.body[34..35 + length].to_vec());
        }
    };
    let (hello, session_id) = hello;
    let group = HAS.into_iter().find(|group| hello.groups.contains(group));
    let answer = match group {
        Some(group) => retry(group, &session_id),
        None => HANDSHAKE_FAILURE.to_vec(),
    };
    answered.fetch_add(1, Ordering::Relaxed);
    // Whoever has heard enough is gone.
    let _ = socket.write_all(&answer).await;
    let _ = socket.read(&mut [0; 64]).await;
}

/// A HelloRetryRequest for this group.
fn retry(group: NamedGroup, session_id: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(RETRY);
    body.extend(session_id);
    body.extend([0x13, 0x01, 0, 0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2]);
    body.extend(group.0.to_be_bytes());
    let mut message = vec![2, 0, 0, body.len() as u8];
    message.extend(body);
    wire::handshake_records(&message, 0x0303, 1 << 14)
}
