//! One connection of a server, from its first datagram to its end.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes};
use experiment::Side;
use h3::error::{Code, ConnectionError as HttpError};
use h3::server::{RequestResolver, RequestStream, builder};
use http::{Method, Response};
use quinn::{Connection, ConnectionError, Incoming};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::client::HTTP3;
use crate::event::{Event, Fault, HandshakeFailure};
use crate::server::{Limits, Service};
use crate::session::Session;
use crate::streams::{HttpConnection, Receiving, error_code};
use crate::tap::Tap;

/// What a connection is served with.
pub(crate) struct Served<S> {
    pub(crate) service: Arc<S>,
    pub(crate) tap: Arc<Tap>,
    pub(crate) limits: Limits,
    /// Becomes true when the server ends.
    pub(crate) is_ending: watch::Receiver<bool>,
}

/// Content of a request that is taken, and thrown away, in bytes.
const MAX_CONTENT: usize = 16 * 1024;
/// What frames add to the header and the content of a request, in bytes.
const FRAMES: usize = 1024;
/// Requests of a connection in its whole life. h3 keeps a note of each that does not come to
/// its head, and a client that takes its requests back at once would keep a server busy.
const MAX_REQUESTS: usize = 1000;
/// How long requests of a client that has left may take to find that out.
const PARTING: Duration = Duration::from_millis(500);
/// How long an acknowledgement may wait (RFC 9000 section 18.2, `max_ack_delay`).
const ACKNOWLEDGEMENT: Duration = Duration::from_millis(25);

impl<S: Service> Served<S> {
    /// `unvalidated` is held until the client has shown that it is at its address, which it
    /// has at the end of the handshake.
    pub(crate) async fn run(self, incoming: Incoming, unvalidated: Option<OwnedSemaphorePermit>) {
        let begin = Instant::now();
        let address = incoming.remote_address();
        let id = incoming.orig_dst_cid();
        let handshake = async { incoming.accept()?.await };
        let done = timeout(self.limits.handshake, handshake).await;
        let observation = self.tap.take(address, &id);
        drop(unvalidated);
        let fault = match done {
            Ok(Ok(connection)) => {
                let session = Session::new(&connection, begin.elapsed(), observation);
                return self.converse(&connection, session).await;
            }
            Ok(Err(error)) => Fault::of(&error),
            Err(_) => Some(Fault::Timeout),
        };
        // Without a fault, the server has ended.
        if let Some(fault) = fault {
            self.service.note(Event::Failed(&HandshakeFailure {
                address,
                fault,
                client_hello: observation.and_then(|seen| seen.client_hello),
            }));
        }
    }

    async fn converse(mut self, connection: &Connection, session: Session) {
        let session = Arc::new(session);
        self.service.note(Event::Established(&session));
        let fault = if session.alpn.as_deref() == Some(HTTP3) {
            self.serve_http(connection, &session).await
        } else {
            self.wait(connection).await
        };
        connection.close(error_code(Code::H3_NO_ERROR.value()), b"");
        self.service.note(Event::Closed {
            session: &session,
            fault: fault.as_ref(),
        });
    }

    /// There is nothing to say without HTTP; the client says when it has seen enough.
    async fn wait(&mut self, connection: &Connection) -> Option<Fault> {
        tokio::select! {
            reason = connection.closed() => match reason {
                ConnectionError::ApplicationClosed(_) => None,
                reason => Fault::of(&reason),
            },
            () = until(&mut self.is_ending) => None,
            () = tokio::time::sleep(self.limits.idle) => Some(Fault::Timeout),
        }
    }

    async fn serve_http(
        &mut self,
        connection: &Connection,
        session: &Arc<Session>,
    ) -> Option<Fault> {
        let limits = self.limits;
        let head = usize::try_from(limits.request).unwrap_or(usize::MAX);
        let limit = head.saturating_add(MAX_CONTENT + FRAMES);
        let transport = HttpConnection::new(connection.clone(), Side::Server, limit);
        let mut builder = builder();
        // h3 loses the frame that came while it waits for its stream of grease.
        builder
            .max_field_section_size(limits.request)
            .send_grease(false);
        let built = timeout(limits.idle, builder.build::<_, Bytes>(transport)).await;
        let mut http = match built {
            Ok(Ok(http)) => http,
            Ok(Err(error)) => return why(connection, &error, false),
            Err(_) => return Some(Fault::Timeout),
        };
        let activity = Arc::new(Activity::default());
        let mut requests = JoinSet::new();
        let mut count = 0;
        let mut is_ending = false;
        let mut quiet: Option<Instant> = None;
        let ended = loop {
            // Requests that crossed the GOAWAY are told so, and the client may leave first.
            quiet = match is_ending && requests.is_empty() {
                true => quiet.or_else(|| Some(Instant::now() + linger(connection))),
                false => None,
            };
            let wants_end = count >= MAX_REQUESTS;
            tokio::select! {
                accepted = http.accept() => match accepted {
                    Ok(Some(request)) => {
                        count += 1;
                        let (service, session) = (self.service.clone(), session.clone());
                        let activity = activity.clone();
                        requests.spawn(async move {
                            answer(request, &*service, &session, limits.idle, &activity).await
                        });
                    }
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                },
                Some(done) = requests.join_next() => {
                    self.note_request(done, session, connection);
                }
                () = activity.idle_for(limits.idle) => {
                    // Before the answers under way are dropped: they would pass for whole ones.
                    connection.close(error_code(Code::H3_NO_ERROR.value()), b"");
                    return Some(Fault::Timeout);
                }
                () = until_any(&mut self.is_ending, wants_end), if !is_ending => {
                    is_ending = true;
                    // The identifier is of the first request that is not taken any more
                    // (RFC 9114 section 5.2).
                    let goaway = timeout(linger(connection), http.shutdown(1));
                    if let Ok(Err(error)) = goaway.await {
                        break Err(error);
                    }
                }
                () = at(quiet) => break Ok(()),
            }
        };
        let mut is_cut = false;
        let rest = async {
            while let Some(done) = requests.join_next().await {
                is_cut |= self.note_request(done, session, connection);
            }
        };
        is_cut |= timeout(PARTING, rest).await.is_err();
        match ended {
            Ok(()) => None,
            Err(error) => why(connection, &error, is_cut),
        }
    }

    /// Gives whether a request ended with its connection.
    fn note_request(
        &self,
        done: Result<Result<(), Fault>, JoinError>,
        session: &Arc<Session>,
        connection: &Connection,
    ) -> bool {
        match done {
            Ok(Ok(())) => self.service.note(Event::Answered(session)),
            Ok(Err(_)) if connection.close_reason().is_some() => return true,
            Ok(Err(fault)) => self.service.note(Event::RequestFailed {
                session,
                fault: &fault,
            }),
            Err(error) if error.is_panic() => self.service.note(Event::Panicked),
            Err(_) => {}
        }
        false
    }
}

/// Why a connection has ended. `is_cut` says that a request was under way.
fn why(connection: &Connection, error: &HttpError, is_cut: bool) -> Option<Fault> {
    // What is wrong with the connection says more than what HTTP makes of it.
    match connection.close_reason() {
        // Programs without HTTP's codes say 0.
        Some(ConnectionError::ApplicationClosed(close))
            if !is_cut
                && [0, Code::H3_NO_ERROR.value()].contains(&close.error_code.into_inner()) =>
        {
            None
        }
        // By h3, for what the client did; or the server ends.
        Some(ConnectionError::LocallyClosed) | None => match error {
            HttpError::Local { .. } if !error.is_h3_no_error() => Some(Fault::from(error)),
            _ => None,
        },
        Some(reason) => Fault::of(&reason),
    }
}

/// Answers one request. Each of its two parts has `limit`: its head, and the answer.
async fn answer(
    request: RequestResolver<HttpConnection, Bytes>,
    service: &impl Service,
    session: &Arc<Session>,
    limit: Duration,
    activity: &Activity,
) -> Result<(), Fault> {
    let resolved = timeout(limit, request.resolve_request()).await;
    let (request, stream) = resolved.map_err(|_| Fault::Timeout)??;
    activity.note();
    let (mut sending, mut receiving) = stream.split();
    let is_head = request.method() == Method::HEAD;
    let respond = async {
        let response = service.respond(request, session.clone()).await;
        let (head, body) = response.into_parts();
        sending
            .send_response(Response::from_parts(head, ()))
            .await?;
        if !is_head && !body.is_empty() {
            sending.send_data(body).await?;
        }
        match sending.finish().await {
            // The client has seen enough.
            Err(error) if error.is_h3_no_error() => Ok(()),
            finished => finished,
        }
    };
    let answered = tokio::select! {
        answered = timeout(limit, respond) => answered,
        never = discard(&mut receiving) => match never {},
    };
    // Nobody needs the rest (RFC 9114 section 4.1).
    receiving.stop_sending(Code::H3_NO_ERROR);
    activity.note();
    match answered {
        Ok(answered) => Ok(answered?),
        Err(_) => {
            // An answer that only stops would pass for a whole one.
            sending.stop_stream(Code::H3_REQUEST_CANCELLED);
            Err(Fault::Timeout)
        }
    }
}

/// Takes the content of a request, for clients that send it before they read. Never ends.
async fn discard(stream: &mut RequestStream<Receiving, Bytes>) -> Infallible {
    let mut content = 0;
    while content < MAX_CONTENT
        && let Ok(Some(data)) = stream.recv_data().await
    {
        content += data.remaining();
    }
    pending().await
}

/// When the last request was whole, or answered. Each is bounded from then on, so that
/// none is under way once it was longer ago than that.
struct Activity(Mutex<Instant>);

impl Default for Activity {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Activity {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends once there was nothing for a time.
    async fn idle_for(&self, limit: Duration) {
        loop {
            let deadline = self.last() + limit;
            if deadline <= Instant::now() {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}

/// Three times what it takes to find that a packet was lost (RFC 9002 section 6.2.1), about.
fn linger(connection: &Connection) -> Duration {
    (3 * (connection.rtt() + ACKNOWLEDGEMENT)).min(PARTING)
}

async fn until(is_ending: &mut watch::Receiver<bool>) {
    // An error says that the server itself is gone: it ends, too.
    let _ = is_ending.wait_for(|is_ending| *is_ending).await;
}

async fn until_any(is_ending: &mut watch::Receiver<bool>, or: bool) {
    if !or {
        until(is_ending).await;
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
