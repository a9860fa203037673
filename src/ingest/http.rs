//! Receives OwnTracks: POST on any path, one message a request, 200 only after the commit.
//!
//! | status | when (protocols/owntracks.md §1.3) |
//! |---|---|
//! | 200 | everything an app may send, even what we cannot use: its bytes are kept |
//! | 400 | what no app sends (not JSON, no object), and an unknown sender under the strict policy |
//! | 401 | credentials are set, and these are not they, or those of somebody else |
//! | 405 | not a POST; only the root certificate of HTTPS may be fetched |
//! | 413 | over the size cap; the start of the body is kept |
//! | 415 | compressed: no app does it |
//! | 503 | the store could not take it: the phone keeps it and tries again |
//!
//! Never a redirect (iOS refuses it, Android turns the POST into a GET without a body) and never 429 (iOS would lose the message).

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper::{
    Request,
    body::{Body, Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    Counts, LastPacket, Limits, Site,
    access::{Barred, Basic, Book, Opener, speaks_openly, text},
    handshake::{no_handshake, shake_hands, visited},
    password,
    prelude::{Ration, Tape},
    reply,
    strangers::Guest,
    tcp,
    tls::{ROOT_DER_PATH, ROOT_PEM_PATH},
    visits::{App, NoHandshake, Outcome, Visit},
};
use crate::{
    model::{
        Command, CommandId, CommandState, DeviceId, Direction, Ended, Ender, Identity, Mishap, NewPacket, NewReply,
        PacketId, Protocol, STOPPING, Verdict,
    },
    store::{self, Progress, phones},
    wire::{Line, owntracks},
};

/// Most header lines of a request.
const HEADERS: usize = 100;
/// How much of a body that is refused for its size is kept, and how much is read and thrown away so that the phone can hear the
/// answer at all (an answer that meets unread bytes is lost in the reset).
const KEPT_OF_TOO_LARGE: usize = 4096;
const DRAINED_OF_TOO_LARGE: usize = 16 << 20;
/// What a phone should wait after a 503, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

/// Whose phone it is and which.
const LIMIT_USER: HeaderName = HeaderName::from_static("x-limit-u");
const LIMIT_DEVICE: HeaderName = HeaderName::from_static("x-limit-d");

const JSON: [(HeaderName, HeaderValue); 1] = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];

/// Accepts for ever. `secure`: behind TLS.
pub(super) async fn accept_all(listener: TcpListener, secure: bool, site: &Site, counts: &Counts) {
    let room = Arc::new(Semaphore::new(site.limits.bodies_in_flight));
    let Limits { noise_per_address, noise_per_minute, .. } = *site.limits;
    let ration = Arc::new(Ration::new(noise_per_address, noise_per_minute));
    tcp::accept_each(listener, site, counts, move |stream, peer, held, guest, site| {
        let (room, ration, guest) = (Arc::clone(&room), Arc::clone(&ration), Arc::new(guest));
        let (tasks, tally) = (site.tasks.clone(), Arc::clone(&site.tally));
        tasks.spawn(async move {
            let line = line(peer, &site);
            let connection = line.connection;
            site.ends.made(connection, &line.peer, Some((site.clock)()));
            let last = LastPacket::default();
            let desk = Arc::new(Desk { line, peer, secure, room, guest: Arc::clone(&guest), last, site });
            // In boxes of their own, here and below: a task is as large as the largest that it may ever do, and nearly all only wait.
            let talk = async {
                if secure {
                    match Box::pin(shake_hands(stream, &desk.site)).await {
                        Ok(stream) => Box::pin(serve(stream, &desk, &ration)).await,
                        Err(failed) => {
                            let kept = no_handshake(peer, &desk.line, failed, &ration, &desk.site);
                            if let Some(packet) = Box::pin(kept).await {
                                desk.last.note(packet);
                            }
                            (Ender::Nobody, "no secret connection was made")
                        }
                    }
                } else {
                    Box::pin(serve(stream, &desk, &ration)).await
                }
            };
            let (by, why) = tokio::select! {
                ended = talk => ended,
                () = guest.shown_out() => {
                    tracing::debug!(%peer, "made room");
                    (Ender::Us, "made room for others")
                }
            };
            desk.site.ends.ended(connection, Ended { at: (desk.site.clock)(), by, why: why.into() });
            desk.site.write_end(connection, &desk.last);
            drop(held);
            tally.stir();
        });
    })
    .await;
}

fn line(peer: SocketAddr, site: &Site) -> Line {
    Line { peer: peer.to_string().into(), connection: site.new_connection() }
}

/// Answers requests until the connection ends; who ended it, and why.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    desk: &Arc<Desk>,
    ration: &Ration,
) -> (Ender, &'static str) {
    let Desk { site, peer, secure, line, last, .. } = &**desk;
    let (stop, peer) = (&site.stop, *peer);
    let (tape, stream) = Tape::on(stream, &site.limits);
    let service = service_fn(|request| {
        let desk = Arc::clone(desk);
        Box::pin(async move { Ok::<_, Infallible>(receive(&desk, request).await) })
    });
    // Built by hand: axum::serve sets no time-out for the head of a request, and a router would be made and asked for every one. hyper's own sets a
    // timer for every request; the tape has clocks that cost less.
    let connection = hyper::server::conn::http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(site.limits.head_bytes)
        .max_headers(HEADERS)
        // A script that says no more than its requests still wants their answers.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), tape.heed(service));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if *secure && tape.is_blank() && !stop.is_cancelled() {
        visited(peer, NoHandshake::LeftAtOnce, site);
    }
    let mishap = tape.how_it_ended(&ended);
    site.tally.count(mishap);
    if let Err(error) = &ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
    // A request that nobody answers because we stop is no noise: it comes again.
    if ended.is_err() || !stop.is_cancelled() {
        let kept = Box::pin(tape.keep(peer, line, ended.as_ref().err(), ration, site)).await;
        if let Some(packet) = kept {
            last.note(packet);
        }
    }
    if stop.is_cancelled() { (Ender::Us, STOPPING) } else { told(mishap) }
}

/// How a connection ended, as it is remembered.
fn told(mishap: Mishap) -> (Ender, &'static str) {
    match mishap {
        Mishap::ClosedByPeer => (Ender::Peer, ""),
        Mishap::Silent => (Ender::Us, "no further request in time"),
        Mishap::HeadTooLarge => (Ender::Us, "the head of a request was too large"),
        Mishap::NoRequest => (Ender::Us, "what came was no request"),
        Mishap::AnswerNotRead => (Ender::Us, "it did not read our answers"),
        Mishap::HeadSlow => (Ender::Us, "the head of a request did not come in time"),
        _ => (Ender::Nobody, "it broke"),
    }
}

/// What answers the requests of one connection.
struct Desk {
    line: Line,
    peer: SocketAddr,
    /// The connection is encrypted.
    secure: bool,
    /// Room for bodies in memory, in bytes, shared by all connections.
    room: Arc<Semaphore>,
    guest: Arc<Guest>,
    last: LastPacket,
    site: Site,
}

async fn receive(desk: &Desk, request: Request<Incoming>) -> Response {
    let (parts, body) = request.into_parts();
    if matches!(parts.method, Method::GET | Method::HEAD)
        && let Some(root) = desk.root(parts.uri.path())
    {
        return root;
    }
    if parts.method != Method::POST {
        let answer = (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], "OwnTracks receiver: send POST\n");
        desk.site.tally.count(Mishap::NotPost);
        return desk
            .refused(&parts, Vec::new(), StatusCode::METHOD_NOT_ALLOWED, "method", None, answer.into_response())
            .await;
    }
    let mut book = desk.site.book();
    if desk.site.gate.closed_to(&parts.headers, &book) {
        book = desk.site.newest_book().await;
        if desk.site.gate.closed_to(&parts.headers, &book) {
            let given = parts.headers.contains_key(header::AUTHORIZATION);
            return desk.barred(&parts, &[], Barred::WrongCredentials { given }).await;
        }
    }
    let encoding = text(&parts.headers, header::CONTENT_ENCODING).unwrap_or_default();
    let body = match desk.read(&parts.headers, body).await {
        Ok(body) => body,
        Err(Unread::TooLarge(start)) => {
            desk.site.tally.count(Mishap::TooLarge);
            let answer = (StatusCode::PAYLOAD_TOO_LARGE, "the body is over the limit of 2 MiB\n");
            return desk
                .refused(&parts, start, StatusCode::PAYLOAD_TOO_LARGE, "too large", None, answer.into_response())
                .await;
        }
        Err(Unread::Slow) => {
            desk.site.tally.count(Mishap::BodySlow);
            return (StatusCode::REQUEST_TIMEOUT, "the body did not come in time\n").into_response();
        }
        Err(Unread::Broken) => {
            desk.site.tally.count(Mishap::BodyBroken);
            return (StatusCode::BAD_REQUEST, "the body broke off\n").into_response();
        }
    };
    if !matches!(encoding, "" | "identity") {
        desk.site.tally.count(Mishap::Compressed);
        let answer = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed bodies are not taken\n");
        return desk
            .refused(&parts, body.bytes, StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed", None, answer.into_response())
            .await;
    }
    desk.take(&parts, body, book).await
}

/// What a phone is told in an answer, and what must be noted once it is.
#[derive(Default)]
struct Told<'b> {
    messages: Vec<Value>,
    /// Commands among them, which wait again where the answer cannot be given.
    taken: Vec<Command>,
    /// Commands that this phone must not be sent.
    unfit: Vec<(CommandId, String)>,
    cards: Vec<(DeviceId, u64)>,
    /// Commands that waited or were sent before this message came.
    sent_before: Option<&'b [Command]>,
}

/// The body of an answer; encrypted where the request was. What all phones share a secret for needs no cover while it is empty.
fn sealed(messages: &[Value], opener: Option<&Opener>) -> Vec<u8> {
    let opener = opener.filter(|opener| !opener.shared || !messages.is_empty());
    match opener.map(|opener| (opener, password::random())) {
        None => owntracks::answer(messages, None),
        Some((opener, Some(nonce))) => owntracks::answer(messages, Some((opener.secret.reveal(), nonce))),
        // Without chance nothing can be encrypted, so nothing is told.
        Some((_, None)) => owntracks::answer(&[], None),
    }
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
    async fn read(&self, headers: &HeaderMap, mut body: Incoming) -> Result<Held, Unread> {
        let most = self.site.limits.body_bytes;
        let declared = text(headers, header::CONTENT_LENGTH).and_then(|n| n.parse::<u64>().ok());
        let wanted = usize::try_from(declared.unwrap_or(u64::MAX)).unwrap_or(usize::MAX).min(most);
        let place = u32::try_from(wanted.max(1)).unwrap_or(u32::MAX);
        let reading = async {
            let place = if let Ok(place) = Arc::clone(&self.room).try_acquire_many_owned(place) {
                place
            } else {
                self.site.tally.count(Mishap::BodiesFull);
                Arc::clone(&self.room).acquire_many_owned(place).await.map_err(|_| Unread::Broken)?
            };
            let mut bytes = Vec::new();
            let mut seen = 0;
            // Most bodies come with their heads, and are whole at the first look: to look once more would cost a timer.
            while !body.is_end_stream()
                && let Some(chunk) = next_chunk(&mut body).await
            {
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

    /// The root certificate, where HTTPS has one of its own making and this is where it is.
    fn root(&self, path: &str) -> Option<Response> {
        if !matches!(path, ROOT_DER_PATH | ROOT_PEM_PATH) {
            return None;
        }
        let root = self.site.tls.root_if_there()?;
        let (kind, bytes) = match path {
            ROOT_PEM_PATH => ("application/x-pem-file", root.pem.into_bytes()),
            _ => ("application/x-x509-ca-cert", root.der),
        };
        Some(([(header::CONTENT_TYPE, kind)], bytes).into_response())
    }

    /// Hands a whole body to the protocol, commits what comes out, and answers. Before anybody is turned away it is asked whether they have just
    /// been let in: a phone deletes what it is answered 401 to.
    async fn take(&self, parts: &Parts, body: Held, book: Book) -> Response {
        let mut turned = match self.try_take(parts, &body, &book).await {
            Ok(answer) => return answer,
            Err(turned) => turned,
        };
        let newest = self.site.newest_book().await;
        if !Arc::ptr_eq(&newest, &book) {
            turned = match self.try_take(parts, &body, &newest).await {
                Ok(answer) => return answer,
                Err(turned) => turned,
            };
        }
        let (names, barred) = turned;
        self.barred(parts, &names, barred).await
    }

    async fn try_take(&self, parts: &Parts, body: &Held, book: &Book) -> Result<Response, (Vec<Identity>, Barred)> {
        let given = Basic::of(&parts.headers);
        let request = owntracks::Request {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query(),
            limit_user: text(&parts.headers, LIMIT_USER),
            limit_device: text(&parts.headers, LIMIT_DEVICE),
            basic_user: given.as_ref().map(|basic| basic.user.as_str()),
            body: &body.bytes,
        };
        let gate = &self.site.gate;
        let (opener, has_key) = gate.opener(&request, book);
        let secret = opener.as_ref().map(|opener| opener.secret.reveal());
        let mut incoming = owntracks::read(&self.line, &request, secret, (self.site.clock)());
        let names = owntracks::claims(&incoming.packet);
        let who = gate.sign_in(given.as_ref(), book).await;
        if let Err(barred) = gate.may_report(&who, &names, book) {
            return Err((names, barred));
        }
        if !incoming.accepted {
            self.site.tally.count(Mishap::NotAMessage);
            let why = owntracks::refusal(&incoming.problems);
            let outcome = Outcome::Refused { status: 400, why: "not an OwnTracks message".into() };
            return Ok(match self.commit(incoming.packet).await {
                Ok(_) => {
                    self.visit(parts, &names, None, outcome);
                    (StatusCode::BAD_REQUEST, JSON, why).into_response()
                }
                Err(error) => self.not_stored(&error),
            });
        }
        let told = match names.first().and_then(|name| book.names.get(name)) {
            Some(known) if known.adopted && (incoming.decrypted || speaks_openly(known.device, book)) => {
                self.tell(parts, known.device, book).await
            }
            Some(_) | None => Told::default(),
        };
        let answer = sealed(&told.messages, opener.as_ref().filter(|_| incoming.decrypted));
        incoming.packet.replies.push(NewReply { kind: "reply".into(), bytes: answer.clone() });
        let outcome = match (incoming.closed, incoming.packet.kind.clone()) {
            (true, _) => Outcome::Closed { has_key },
            (false, kind) => {
                let fixes = incoming.packet.reports.iter().filter(|r| r.fix.is_some()).count();
                Outcome::Taken { kind, fixes, decrypted: incoming.decrypted }
            }
        };
        let effects = told.sent_before.map(|sent| reply::effects(sent, &incoming.packet)).unwrap_or_default();
        let heard_out = self.guest.heard_out();
        Ok(match self.commit(incoming.packet).await {
            Ok(stored) if stored.refused => {
                self.site.tally.count(Mishap::SenderRefused);
                self.visit(parts, &names, None, Outcome::Unknown);
                let why = "this sender is unknown, and only adopted ones are taken (policy strict)\n";
                (StatusCode::BAD_REQUEST, why).into_response()
            }
            Ok(stored) => {
                heard_out.stays();
                self.visit(parts, &names, stored.device, outcome);
                self.note(&told, effects, &stored).await;
                if let Some(viewer) = stored.device {
                    self.site.cards.remember(viewer, &told.cards, (self.site.clock)());
                }
                (StatusCode::OK, JSON, answer).into_response()
            }
            Err(error) => {
                self.keep_waiting(&told.taken).await;
                self.not_stored(&error)
            }
        })
    }

    /// What a phone is told beside that its message was taken.
    async fn tell<'b>(&self, parts: &Parts, device: DeviceId, book: &'b Book) -> Told<'b> {
        let now = (self.site.clock)();
        let mut told = Told::default();
        let commands = book.commands.get(&device);
        told.sent_before = commands.map(Vec::as_slice);
        if commands.is_some_and(|all| all.iter().any(|c| c.state == CommandState::Queued)) {
            match self.site.store.take_phone_commands(device, now).answered().await {
                Ok(taken) => {
                    let (messages, unfit) = reply::commands(&taken, App::of(text(&parts.headers, header::USER_AGENT)));
                    told.messages = messages;
                    (told.taken, told.unfit) = (taken, unfit);
                }
                Err(error) => tracing::warn!(%error, "commands to a phone wait on"),
            }
        }
        if let Some(seen) = book.sees.get(&device).cloned() {
            match self.site.reader.read(move |db| phones::friends(db, &seen)).answered().await {
                Ok(seen) => {
                    let friends = reply::friends(device, &seen, &self.site.cards, now);
                    told.messages.splice(0..0, friends.messages);
                    told.cards = friends.cards;
                }
                Err(error) => tracing::warn!(%error, "a phone is not told about its friends"),
            }
        }
        told
    }

    /// Writes down what became of commands.
    async fn note(&self, told: &Told<'_>, effects: Vec<reply::Effect>, stored: &store::Stored) {
        let Some(by) = stored.device else { return };
        let at = (self.site.clock)();
        let store = &self.site.store;
        // The one answer of a request is written right behind it.
        let packet = PacketId(stored.packet.0 + 1);
        let mut notes = Vec::new();
        for command in &told.taken {
            let progress = match told.unfit.iter().find(|(id, _)| *id == command.id) {
                Some((_, why)) => Progress::Failed { why: why.clone() },
                None => Progress::Written { packet },
            };
            notes.push(store.note_command(command.id, progress));
        }
        for reply::Effect { command, progress } in effects {
            let progress = match progress {
                reply::Seen::Done { text, guessed } => {
                    Progress::Answered { by, at, text, guessed, packet: Some(stored.packet) }
                }
                reply::Seen::Refused { why } => Progress::Failed { why },
            };
            notes.push(store.note_command(command, progress));
        }
        for note in notes {
            if let Err(error) = note.answered().await {
                tracing::warn!(%error, "what became of a command is not written down");
            }
        }
    }

    /// What could not be sent is sent with the next answer.
    async fn keep_waiting(&self, taken: &[Command]) {
        for command in taken {
            let back = self.site.store.note_command(command.id, Progress::Returned);
            if let Err(error) = back.answered().await {
                tracing::warn!(%error, "a command to a phone was taken and not sent");
            }
        }
    }

    /// Refuses credentials.
    async fn barred(&self, parts: &Parts, names: &[Identity], barred: Barred) -> Response {
        let (why, outcome) = match barred {
            Barred::WrongCredentials { given } => {
                ("wrong or missing user name and password\n", Outcome::WrongCredentials { given })
            }
            Barred::NotTheirs => ("this user may not report as that device\n", Outcome::NotTheirs),
        };
        self.site.tally.count(Mishap::WrongCredentials);
        self.visit(parts, names, None, outcome);
        let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"Wayglass\", charset=\"UTF-8\"")];
        let answer = (StatusCode::UNAUTHORIZED, challenge, why).into_response();
        self.refused(parts, Vec::new(), StatusCode::UNAUTHORIZED, "unauthorized", Some(why.trim_end()), answer).await
    }

    /// Remembers who came, for whoever pairs a phone.
    fn visit(&self, parts: &Parts, names: &[Identity], device: Option<DeviceId>, outcome: Outcome) {
        self.site.visits.note(Visit {
            at: (self.site.clock)(),
            peer: self.peer.ip(),
            secure: self.secure,
            app: App::of(text(&parts.headers, header::USER_AGENT)),
            user: Basic::of(&parts.headers).map(|basic| basic.user),
            names: names.to_vec(),
            device,
            outcome,
        });
    }

    /// Keeps what was refused, so that it is seen why, and answers. `why`: where the status does not say it all.
    async fn refused(
        &self,
        parts: &Parts,
        bytes: Vec<u8>,
        status: StatusCode,
        kind: &'static str,
        why: Option<&str>,
        answer: Response,
    ) -> Response {
        let context = serde_json::json!({
            "method": parts.method.as_str(), "path": parts.uri.path(), "status": status.as_u16(), "kept": bytes.len(),
            "declared": text(&parts.headers, header::CONTENT_LENGTH), "why": why,
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
            answers: None,
        };
        match self.commit(packet).await {
            Ok(_) => answer,
            Err(error) => self.not_stored(&error),
        }
    }

    fn not_stored(&self, error: &store::Error) -> Response {
        self.site.tally.count(Mishap::NotStored);
        not_stored(error)
    }

    async fn commit(&self, mut packet: NewPacket) -> Result<store::Stored, store::Error> {
        self.site.wary.look(&self.site.clock, &mut packet);
        let stored = self.site.store.append(packet).await?.durable().await?;
        self.last.note(stored.last);
        Ok(stored)
    }
}

fn not_stored(error: &store::Error) -> Response {
    // The store says it aloud, once.
    tracing::debug!(%error, "a report was not stored");
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, RETRY_AFTER)], format!("{error}\n")).into_response()
}

async fn next_chunk(body: &mut Incoming) -> Option<Result<Bytes, ()>> {
    let next = std::future::poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx));
    match next.await? {
        Ok(frame) => Some(Ok(frame.into_data().unwrap_or_default())),
        Err(_) => Some(Err(())),
    }
}
