//! One connection of a server, from its first datagram to its end.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes};
use experiment::Side;
use h3::error::{Code, ConnectionError as HttpError, StreamError};
use h3::quic::{RecvStream, SendStream};
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
        let mut requests = Requests::new(self.service.clone(), session.clone(), limits.idle);
        let mut is_ending = false;
        let ended = loop {
            // Requests that crossed the GOAWAY are told so, and the client may leave first.
            let quiet = requests.quiet_since(is_ending);
            let deadline = quiet.map(|since| since + linger(connection));
            let wants_end = requests.count >= MAX_REQUESTS;
            tokio::select! {
                accepted = http.accept() => match accepted {
                    // GOAWAY named the first one that came after it.
                    Ok(Some(request)) if is_ending => abort(request, Code::H3_REQUEST_REJECTED),
                    Ok(Some(request)) => requests.begin(request),
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                },
                Some(done) = requests.tasks.join_next() => requests.note(done),
                () = requests.activity.idle_for(limits.idle) => {
                    // Before the answers under way are dropped: they would pass for whole ones.
                    connection.close(error_code(Code::H3_NO_ERROR.value()), b"");
                    return Some(Fault::Timeout);
                }
                () = until_any(&mut self.is_ending, wants_end), if !is_ending => {
                    is_ending = true;
                    // Streams come in their order: the identifier is of the first request
                    // that is not taken any more (RFC 9114 section 5.2).
                    let goaway = timeout(linger(connection), http.shutdown(1));
                    if let Ok(Err(error)) = goaway.await {
                        break Err(error);
                    }
                }
                () = at(deadline) => break Ok(()),
            }
        };
        let is_cut = requests.end().await;
        match ended {
            Ok(()) => None,
            Err(error) => why(connection, &error, is_cut),
        }
    }
}

/// The requests of a connection.
struct Requests<S> {
    service: Arc<S>,
    session: Arc<Session>,
    /// Time for each of the two parts of a request: its head, and the answer.
    limit: Duration,
    activity: Arc<Activity>,
    tasks: JoinSet<Result<(), Failure>>,
    /// How many have begun.
    count: usize,
    /// Whether one ended with its connection.
    is_cut: bool,
    /// Since when nothing has been under way, once the connection ends.
    quiet: Option<Instant>,
}

/// Why a request has no answer.
enum Failure {
    Stream(StreamError),
    Timeout,
}

impl<S: Service> Requests<S> {
    fn new(service: Arc<S>, session: Arc<Session>, limit: Duration) -> Self {
        Self {
            service,
            session,
            limit,
            activity: Arc::default(),
            tasks: JoinSet::new(),
            count: 0,
            is_cut: false,
            quiet: None,
        }
    }

    fn begin(&mut self, request: RequestResolver<HttpConnection, Bytes>) {
        self.count += 1;
        let (service, session) = (self.service.clone(), self.session.clone());
        let (limit, activity) = (self.limit, self.activity.clone());
        self.tasks
            .spawn(async move { answer(request, &*service, &session, limit, &activity).await });
    }

    fn quiet_since(&mut self, is_ending: bool) -> Option<Instant> {
        self.quiet = match is_ending && self.tasks.is_empty() {
            true => self.quiet.or_else(|| Some(Instant::now())),
            false => None,
        };
        self.quiet
    }

    /// What is wrong with a connection is told once, when it ends: not of its requests.
    fn note(&mut self, done: Result<Result<(), Failure>, JoinError>) {
        let fault = match done {
            Ok(Ok(())) => return self.service.note(Event::Answered(&self.session)),
            Ok(Err(Failure::Stream(StreamError::ConnectionError(_)))) => {
                self.is_cut = true;
                return;
            }
            Ok(Err(Failure::Stream(error))) => Fault::from(error),
            Ok(Err(Failure::Timeout)) => Fault::Timeout,
            Err(error) if error.is_panic() => return self.service.note(Event::Panicked),
            Err(_) => return,
        };
        self.service.note(Event::RequestFailed {
            session: &self.session,
            fault: &fault,
        });
    }

    /// Has them find out that the connection has ended. Gives whether that cut one off.
    async fn end(mut self) -> bool {
        let rest = async {
            while let Some(done) = self.tasks.join_next().await {
                self.note(done);
            }
        };
        let is_over = timeout(PARTING, rest).await.is_ok();
        self.is_cut || !is_over
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
    mut request: RequestResolver<HttpConnection, Bytes>,
    service: &impl Service,
    session: &Arc<Session>,
    limit: Duration,
    activity: &Activity,
) -> Result<(), Failure> {
    let head = poll_fn(|cx| request.frame_stream.poll_next(cx));
    let Ok(head) = timeout(limit, head).await else {
        // A stream that only ends would pass for an answer (RFC 9114 section 4.1).
        abort(request, Code::H3_REQUEST_CANCELLED);
        return Err(Failure::Timeout);
    };
    let resolved = request.accept_with_frame(head)?;
    let resolved = timeout(limit, resolved.resolve()).await;
    let (request, stream) = resolved.map_err(|_| Failure::Timeout)??;
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
        sending.finish().await
    };
    let answered = tokio::select! {
        answered = timeout(limit, respond) => answered,
        never = discard(&mut receiving) => match never {},
    };
    // Nobody needs the rest (RFC 9114 section 4.1).
    receiving.stop_sending(Code::H3_NO_ERROR);
    activity.note();
    match answered {
        // The client has seen enough.
        Ok(Err(StreamError::RemoteTerminate { code })) if code == Code::H3_NO_ERROR => Ok(()),
        Ok(answered) => Ok(answered?),
        Err(_) => {
            // An answer that only stops would pass for a whole one.
            sending.stop_stream(Code::H3_REQUEST_CANCELLED);
            Err(Failure::Timeout)
        }
    }
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

/// Ends both directions of a request that is not answered.
fn abort(mut request: RequestResolver<HttpConnection, Bytes>, code: Code) {
    let stream = &mut request.frame_stream.stream;
    SendStream::<Bytes>::reset(stream, code.value());
    RecvStream::stop_sending(stream, code.value());
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
