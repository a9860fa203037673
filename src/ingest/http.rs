//! Receives OwnTracks: POST on any path, one message a request, 200 only after the commit.
//!
//! | status | when (protocols/owntracks.md §1.3) |
//! |---|---|
//! | 200 | everything an app may send, even what we cannot use: its bytes are kept |
//! | 400 | what no app sends (not JSON, no object), and an unknown sender under the strict policy |
//! | 401 | credentials are set, and these are not they |
//! | 405 | not a POST |
//! | 413 | over the size cap; the start of the body is kept |
//! | 415 | compressed: no app does it |
//! | 503 | the store could not take it: the phone keeps it and tries again |
//!
//! Never a redirect (iOS refuses it, Android turns the POST into a GET without a body) and never 429 (iOS would lose the message).

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicUsize},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    Site,
    access::{basic_user, text},
    prelude::{Ration, Tape},
    tcp,
};
use crate::{
    model::{Direction, NewPacket, Protocol, Verdict},
    store,
    wire::{Line, owntracks},
};

/// Largest head of a request in bytes, and most header lines.
const HEAD_BYTES: usize = 64 << 10;
const HEADERS: usize = 100;
/// How much of a body that is refused for its size is kept, and how much is read and thrown away so that the phone can hear the
/// answer at all (an answer that meets unread bytes is lost in the reset).
const KEPT_OF_TOO_LARGE: usize = 4096;
const DRAINED_OF_TOO_LARGE: usize = 16 << 20;
/// What a phone should wait after a 503, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// Accepts for ever.
pub(super) async fn accept_all(listener: TcpListener, site: &Site, connections: &Arc<AtomicUsize>) {
    let room = Arc::new(Semaphore::new(site.limits.bodies_in_flight));
    let ration = Arc::<Ration>::default();
    tcp::accept_each(listener, site, connections, move |stream, peer, held, site| {
        let (room, ration) = (Arc::clone(&room), Arc::clone(&ration));
        let tasks = site.tasks.clone();
        tasks.spawn(async move {
            serve(stream, peer, room, &ration, site).await;
            drop(held);
        });
    })
    .await;
}

async fn serve(stream: TcpStream, peer: SocketAddr, room: Arc<Semaphore>, ration: &Ration, site: Site) {
    let stop = site.stop.clone();
    let head = site.limits.http_head;
    let line = Line { peer: peer.to_string().into(), connection: site.new_connection() };
    let (tape, stream) = Tape::on(stream);
    let app = Router::new().fallback(receive).with_state(Desk { line: line.clone(), room, site: site.clone() });
    // Built by hand: axum::serve sets no time-out for the head of a request.
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), tape.heed(TowerToHyperService::new(app)));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
        tape.keep(peer, &line, &error, ration, &site).await;
    }
}

/// What answers the requests of one connection.
#[derive(Clone)]
struct Desk {
    line: Line,
    /// Room for bodies in memory, in bytes, shared by all connections.
    room: Arc<Semaphore>,
    site: Site,
}

async fn receive(State(desk): State<Desk>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        let answer = (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], "OwnTracks receiver: send POST\n");
        return desk
            .refused(&parts, Vec::new(), StatusCode::METHOD_NOT_ALLOWED, "method", answer.into_response())
            .await;
    }
    if !desk.site.access.admits(&parts.headers) {
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"Wayglass\", charset=\"UTF-8\"")];
        let answer = (StatusCode::UNAUTHORIZED, challenge, "wrong or missing user name and password\n");
        return desk
            .refused(&parts, Vec::new(), StatusCode::UNAUTHORIZED, "unauthorized", answer.into_response())
            .await;
    }
    let encoding = text(&parts.headers, "content-encoding").unwrap_or_default();
    let body = match desk.read(&parts.headers, body).await {
        Ok(body) => body,
        Err(Unread::TooLarge(start)) => {
            let answer = (StatusCode::PAYLOAD_TOO_LARGE, "the body is over the limit of 2 MiB\n");
            return desk
                .refused(&parts, start, StatusCode::PAYLOAD_TOO_LARGE, "too large", answer.into_response())
                .await;
        }
        Err(Unread::Slow) => return (StatusCode::REQUEST_TIMEOUT, "the body did not come in time\n").into_response(),
        Err(Unread::Broken) => return (StatusCode::BAD_REQUEST, "the body broke off\n").into_response(),
    };
    if !matches!(encoding, "" | "identity") {
        let answer = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed bodies are not taken\n");
        return desk
            .refused(&parts, body.bytes, StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed", answer.into_response())
            .await;
    }
    desk.take(&parts, body).await
}

/// A body, and its place in memory.
struct Held {
    bytes: Vec<u8>,
    _place: OwnedSemaphorePermit,
}

enum Unread {
    /// Over the cap; this is how it began.
    TooLarge(Vec<u8>),
    Slow,
    Broken,
}

impl Desk {
    /// Reads a body within the cap, in the time it may take.
    async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Held, Unread> {
        let most = self.site.limits.body_bytes;
        let declared = text(headers, "content-length").and_then(|n| n.parse::<u64>().ok());
        let wanted = usize::try_from(declared.unwrap_or(u64::MAX)).unwrap_or(usize::MAX).min(most);
        let place = u32::try_from(wanted.max(1)).unwrap_or(u32::MAX);
        let reading = async {
            let place = Arc::clone(&self.room).acquire_many_owned(place).await.map_err(|_| Unread::Broken)?;
            let mut bytes = Vec::new();
            let mut seen = 0;
            let mut body = body.into_data_stream();
            while let Some(chunk) = next_chunk(&mut body).await {
                let chunk = chunk.map_err(|()| Unread::Broken)?;
                seen += chunk.len();
                if seen <= most {
                    bytes.extend_from_slice(&chunk);
                } else {
                    bytes.truncate(KEPT_OF_TOO_LARGE);
                    bytes.shrink_to_fit();
                    if seen > DRAINED_OF_TOO_LARGE {
                        break;
                    }
                }
            }
            if seen > most { Err(Unread::TooLarge(bytes)) } else { Ok(Held { bytes, _place: place }) }
        };
        timeout(self.site.limits.http_body, reading).await.unwrap_or(Err(Unread::Slow))
    }

    /// Hands a whole body to the protocol, commits what comes out, and answers.
    async fn take(&self, parts: &axum::http::request::Parts, body: Held) -> Response {
        let user = basic_user(&parts.headers);
        let request = owntracks::Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query(),
            limit_user: text(&parts.headers, "x-limit-u"),
            limit_device: text(&parts.headers, "x-limit-d"),
            basic_user: user.as_deref(),
            body: &body.bytes,
        };
        let exchange = owntracks::receive(&self.line, &request, self.site.access.key().as_ref(), (self.site.clock)());
        let status = StatusCode::from_u16(exchange.status).unwrap_or(StatusCode::BAD_REQUEST);
        match self.commit(exchange.packet).await {
            Ok(stored) if stored.refused => {
                let why = "this sender is unknown, and only adopted ones are taken (policy strict)\n";
                (StatusCode::BAD_REQUEST, why).into_response()
            }
            Ok(_) => (status, [(header::CONTENT_TYPE, "application/json")], exchange.reply).into_response(),
            Err(error) => not_stored(&error),
        }
    }

    /// Keeps what was refused, so that it is seen why, and answers.
    async fn refused(
        &self,
        parts: &axum::http::request::Parts,
        bytes: Vec<u8>,
        status: StatusCode,
        kind: &'static str,
        answer: Response,
    ) -> Response {
        let context = serde_json::json!({
            "method": parts.method.as_str(), "path": parts.uri.path(), "status": status.as_u16(), "kept": bytes.len(),
            "declared": text(&parts.headers, "content-length"),
        });
        let packet = NewPacket {
            protocol: Protocol::OwnTracks,
            direction: Direction::In,
            received: (self.site.clock)(),
            peer: Arc::clone(&self.line.peer),
            connection: self.line.connection,
            sender: None,
            kind: kind.into(),
            verdict: Verdict::Error,
            bytes,
            context: Some(context.to_string()),
            reports: Vec::new(),
            replies: Vec::new(),
        };
        match self.commit(packet).await {
            Ok(_) => answer,
            Err(error) => not_stored(&error),
        }
    }

    async fn commit(&self, packet: NewPacket) -> Result<store::Stored, store::Error> {
        self.site.store.append(packet).await?.durable().await
    }
}

fn not_stored(error: &store::Error) -> Response {
    tracing::error!(%error, "a report was not stored");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], format!("{error}\n")).into_response()
}

async fn next_chunk(body: &mut axum::body::BodyDataStream) -> Option<Result<hyper::body::Bytes, ()>> {
    let next = std::future::poll_fn(|cx| hyper::body::Body::poll_frame(std::pin::Pin::new(&mut *body), cx));
    match next.await? {
        Ok(frame) => Some(Ok(frame.into_data().unwrap_or_default())),
        Err(_) => Some(Err(())),
    }
}
