//! Connections on loopback, and the one request and response that go over them.

use std::io;

use stack::{Endpoint, StackError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use transport::{Buffers, TlsStream, TransportError};

use super::parties::NAME;
use super::{MitmError, Party, Play};
use crate::loopback::pair;

/// What the client wants to keep between itself and the server.
pub(super) const SECRET: &str = "Bearer 8f1c-alice";
/// What the server tells it.
const CONTENT: &str = "Pay 120 EUR to account SHOP-1000.\n";
/// What the attacker looks for, and puts into its place.
const CHANGE: [&str; 2] = ["SHOP-1000", "MALLORY-66"];

/// Longer than both messages; whoever sends more is cut off.
const LONGEST: usize = 4096;

/// Both ends of a TLS connection, and how the handshake ended for each.
pub(super) struct Link {
    pub(super) client: TlsStream<TcpStream>,
    pub(super) server: TlsStream<TcpStream>,
    pub(super) ends: [Result<(), TransportError>; 2],
}

impl Link {
    /// Connects and performs the handshake, as far as both go along.
    pub(super) async fn new(
        client: &dyn Endpoint,
        server: &dyn Endpoint,
    ) -> Result<Self, MitmError> {
        let [near, far] = pair().await?;
        let mut client = over(near, client)?;
        let mut server = over(far, server)?;
        let (client_end, server_end) = tokio::join!(client.connect(), server.accept());
        Ok(Self {
            client,
            server,
            ends: [client_end, server_end],
        })
    }

    /// Fails unless the handshake ended well for both.
    pub(super) fn unattacked(self, client: Party, server: Party) -> Result<Self, MitmError> {
        let Self {
            client: near,
            server: far,
            ends,
        } = self;
        for (party, end) in [client, server].into_iter().zip(ends) {
            end.map_err(|error| MitmError::Connection { party, error })?;
        }
        Ok(Self {
            client: near,
            server: far,
            ends: [Ok(()), Ok(())],
        })
    }
}

/// TLS that has yet to begin.
pub(super) fn over(
    socket: TcpStream,
    endpoint: &dyn Endpoint,
) -> Result<TlsStream<TcpStream>, StackError> {
    Ok(TlsStream::new(
        socket,
        endpoint.connection()?,
        Buffers::default(),
    ))
}

/// The client's request.
pub(super) fn request() -> String {
    format!("GET /invoice HTTP/1.1\r\nHost: {NAME}\r\nAuthorization: {SECRET}\r\n\r\n")
}

/// The server's answer, to whoever knows the secret.
pub(super) fn answer(request: &str) -> String {
    match secret(request) == Some(SECRET) {
        true => response("200 OK", CONTENT),
        false => response("401 Unauthorized", ""),
    }
}

fn response(status: &str, content: &str) -> String {
    let length = content.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{content}"
    )
}

/// What a request authorises itself with.
fn secret(request: &str) -> Option<&str> {
    let mut lines = request.lines();
    lines.find_map(|line| line.strip_prefix("Authorization: "))
}

/// What a response holds.
pub(super) fn content(response: &str) -> String {
    let content = response.split_once("\r\n\r\n");
    content.map_or_else(String::new, |(_, content)| content.trim_end().to_owned())
}

/// Sends a message.
pub(super) async fn say<S: AsyncWrite + Unpin>(stream: &mut S, message: &str) -> io::Result<()> {
    stream.write_all(message.as_bytes()).await?;
    stream.flush().await
}

/// Receives a message: its head, and as much content as the head says.
pub(super) async fn hear<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let mut message = Vec::new();
    let mut buffer = [0; LONGEST];
    while !is_complete(&message) {
        match stream.read(&mut buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => message.extend_from_slice(&buffer[..count]),
        }
        if message.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(String::from_utf8_lossy(&message).into_owned())
}

fn is_complete(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message);
    let Some((head, content)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let mut lines = head.lines();
    let length = lines.find_map(|line| line.strip_prefix("Content-Length: "));
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    content.len() >= length
}

/// Two connections that meet at the attacker.
pub(super) struct Path<S> {
    pub(super) client: S,
    pub(super) from_client: S,
    pub(super) to_server: S,
    pub(super) server: S,
}

/// A request and its response across the attacker, who sees and changes the text.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    path: &mut Path<S>,
    play: &mut Play,
    is_encrypted: bool,
) -> Result<(), MitmError> {
    use Party::{Attacker, Client, Server};
    let request = overhear(&mut path.client, &mut path.from_client, play, is_encrypted).await?;
    say(&mut path.to_server, &request).await?;
    let heard = hear(&mut path.server).await?;
    play.say(
        Attacker,
        Server,
        is_encrypted,
        format!("{}, as it was", summary(&heard)),
    );
    let answer = answer(&heard);
    say(&mut path.server, &answer).await?;
    let answer = hear(&mut path.to_server).await?;
    let sent = content(&answer);
    play.say(Server, Attacker, is_encrypted, summary(&answer));
    play.gain(format!("reads: {sent}"));
    let changed = response("200 OK", &sent.replace(CHANGE[0], CHANGE[1]));
    play.sent = Some(sent);
    say(&mut path.from_client, &changed).await?;
    let received = hear(&mut path.client).await?;
    play.say(Attacker, Client, is_encrypted, summary(&received));
    play.gain(format!("{} has become {}", CHANGE[0], CHANGE[1]));
    play.received = Some(content(&received));
    Ok(())
}

/// The client sends its request to the attacker, who reads the secret in it. Gives the
/// request.
pub(super) async fn overhear<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut S,
    attacker: &mut S,
    play: &mut Play,
    is_encrypted: bool,
) -> Result<String, MitmError> {
    say(client, &request()).await?;
    let heard = hear(attacker).await?;
    play.say(
        Party::Client,
        Party::Attacker,
        is_encrypted,
        summary(&heard),
    );
    play.read = secret(&heard).map(str::to_owned);
    if let Some(secret) = &play.read {
        let what = format!("reads: Authorization: {secret}");
        play.gain(what);
    }
    Ok(heard)
}

/// A message in one line: its first, and its content.
pub(super) fn summary(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    match content(message).as_str() {
        "" => first.to_owned(),
        content => format!("{first}: {content}"),
    }
}
