//! The attacker passes records on between a client and a server that speak with each other.

use std::cell::RefCell;
use std::io;

use stack::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use transport::{TlsStream, TransportError};

use super::exchange::{answer, content, hear, over, request, say};
use super::{MitmError, Party};
use crate::loopback::pair;

const RECORD_HEADER: usize = 5;

/// A record that passed the attacker.
pub(super) struct Passed {
    pub(super) from: Party,
    pub(super) record: Vec<u8>,
    /// What became of it on its way.
    pub(super) changed: Option<Vec<u8>>,
}

/// Does something to a record on its way; says whether it did.
pub(super) type Tamper = fn(&mut Vec<u8>) -> bool;

/// A conversation through the attacker.
pub(super) struct Relayed {
    pub(super) records: Vec<Passed>,
    pub(super) client: TlsStream<TcpStream>,
    /// What the server sent, or why it got no request.
    pub(super) sent: Result<String, TransportError>,
    /// What the client was given, or why it got nothing.
    pub(super) received: Result<String, TransportError>,
}

/// Client and server shake hands and exchange request and response, while `tamper` sees
/// each of the client's records.
pub(super) async fn relay(
    client: &dyn Endpoint,
    server: &dyn Endpoint,
    tamper: Tamper,
) -> Result<Relayed, MitmError> {
    let [near, from_client] = pair().await?;
    let [to_server, far] = pair().await?;
    let mut client = over(near, client)?;
    let mut server = over(far, server)?;
    let records = RefCell::new(Vec::new());
    let (client_in, client_out) = from_client.into_split();
    let (server_in, server_out) = to_server.into_split();
    let (received, sent, there, back) = tokio::join!(
        ask(&mut client),
        respond(&mut server),
        pass_on(Party::Client, client_in, server_out, tamper, &records),
        pass_on(Party::Server, server_in, client_out, |_| false, &records),
    );
    there?;
    back?;
    Ok(Relayed {
        records: records.into_inner(),
        client,
        sent,
        received,
    })
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> Result<String, TransportError> {
    let asked = async {
        stream.connect().await?;
        say(stream, &request()).await?;
        Ok(content(&hear(stream).await?))
    };
    part(asked.await, stream).await
}

async fn respond(stream: &mut TlsStream<TcpStream>) -> Result<String, TransportError> {
    let responded = async {
        stream.accept().await?;
        let answer = answer(&hear(stream).await?);
        say(stream, &answer).await?;
        Ok(content(&answer))
    };
    part(responded.await, stream).await
}

/// Ends a stream so that its last words arrive: close_notify if all went well, otherwise the
/// alert that went before.
async fn part(
    result: Result<String, TransportError>,
    stream: &mut TlsStream<TcpStream>,
) -> Result<String, TransportError> {
    match &result {
        Ok(_) => AsyncWriteExt::shutdown(stream).await?,
        Err(_) => stream.part().await,
    }
    result
}

/// Passes on whole records until there are no more.
async fn pass_on(
    from: Party,
    mut input: OwnedReadHalf,
    mut output: OwnedWriteHalf,
    tamper: Tamper,
    records: &RefCell<Vec<Passed>>,
) -> io::Result<()> {
    while let Some(record) = next_record(&mut input).await? {
        let mut passed = record.clone();
        let changed = tamper(&mut passed).then(|| passed.clone());
        records.borrow_mut().push(Passed {
            from,
            record,
            changed,
        });
        // Whoever has gone needs no more records, and the other one may still have some.
        if output.write_all(&passed).await.is_err() {
            return Ok(());
        }
    }
    let _ = output.shutdown().await;
    Ok(())
}

/// The next record with its header; `None` at the end of the stream, also where that cuts
/// a record off.
async fn next_record(input: &mut OwnedReadHalf) -> io::Result<Option<Vec<u8>>> {
    let mut record = vec![0; RECORD_HEADER];
    if !is_filled(input.read_exact(&mut record).await)? {
        return Ok(None);
    }
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(RECORD_HEADER + length, 0);
    let payload = &mut record[RECORD_HEADER..];
    Ok(is_filled(input.read_exact(payload).await)?.then_some(record))
}

fn is_filled(read: io::Result<usize>) -> io::Result<bool> {
    match read {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Ok(false),
            _ => Err(error),
        },
    }
}
