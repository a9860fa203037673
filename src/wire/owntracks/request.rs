//! From an HTTP request to a packet for the store and an answer for the phone.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    body::{self, Body, Depth},
    dissection,
    identity::{Envelope, Rule, is_generic},
    secretbox::{self, Key, NONCE_BYTES},
};
use crate::{
    model::{
        Direction, Group, Identity, NewPacket, NewReply, Problem, Protocol, Report, Sender, Severity, Timestamp,
        Verdict,
    },
    wire::{Dissection, Line},
};

/// A request as the HTTP layer understood it, credentials already checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// What stands behind the `?`, as it was sent.
    pub query: Option<&'a str>,
    /// `X-Limit-U`.
    pub limit_user: Option<&'a str>,
    /// `X-Limit-D`.
    pub limit_device: Option<&'a str>,
    /// The user of HTTP Basic; never the password.
    pub basic_user: Option<&'a str>,
    pub body: &'a [u8],
}

/// A packet to be kept, and what to answer once it is.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Kept in any case, also when the answer is 400.
    pub packet: NewPacket,
    /// 200 for every message, 400 for what no app sends. The policy about unknown senders is not applied here.
    pub status: u16,
    /// A JSON array, or the encrypted object around it; with 400 a JSON object that says why.
    pub reply: Vec<u8>,
    /// What was found wrong, for the log and the device list.
    pub problems: Vec<Problem>,
}

/// A request as it was read, before anything is answered.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Kept in any case. Without replies.
    pub packet: NewPacket,
    /// False for what no app sends: 400.
    pub accepted: bool,
    /// It came encrypted and was opened, so the answer must be encrypted, too.
    pub decrypted: bool,
    /// It came encrypted and nobody could open it.
    pub closed: bool,
    pub problems: Vec<Problem>,
}

/// Reads a request. `key` belongs to whoever sent it; without one an encrypted message is kept closed.
pub fn receive(line: &Line, request: &Request<'_>, key: Option<&Key<'_>>, now: Timestamp) -> Exchange {
    let incoming = read(line, request, key.map(|k| k.secret), now);
    let Incoming { mut packet, accepted, decrypted, problems, .. } = incoming;
    let sealing = key.filter(|_| decrypted).and_then(|key| Some((key.secret, key.nonce?)));
    let (status, reply) = if accepted { (200, answer(&[], sealing)) } else { (400, refusal(&problems)) };
    if accepted {
        packet.replies.push(NewReply { kind: Cow::Borrowed("reply"), bytes: reply.clone() });
    }
    Exchange { packet, status, reply, problems }
}

/// The body of a 200: a JSON array of messages, inside an encrypted one where `seal` says with which secret and nonce.
pub fn answer(messages: &[Value], seal: Option<(&str, [u8; NONCE_BYTES])>) -> Vec<u8> {
    let plain = serde_json::to_vec(messages).expect("JSON always serialises");
    match seal {
        Some((secret, nonce)) => secretbox::seal(secret, &nonce, &plain),
        None => plain,
    }
}

/// The names that a request carries outside its body, strongest first: all there is to find the key of an encrypted one.
pub fn called(request: &Request<'_>) -> Vec<Identity> {
    Envelope::of(request).names()
}

/// Everybody that a packet is from: its own sender and those of the messages in it.
pub fn claims(packet: &NewPacket) -> Vec<Identity> {
    let mut claims = Vec::new();
    for sender in packet.sender.iter().chain(packet.reports.iter().filter_map(|r| r.sender.as_ref())) {
        if let Sender::Identity(identity) = sender
            && !claims.contains(identity)
        {
            claims.push(identity.clone());
        }
    }
    claims
}

/// Which of these secrets opens an encrypted body; `None` where it is not encrypted or none does.
pub fn fitting<'s>(body: &[u8], secrets: impl IntoIterator<Item = &'s str>) -> Option<&'s str> {
    let data = body::sealed_data(body)?;
    secrets.into_iter().find(|secret| secretbox::open(secret, &data).is_ok())
}

/// Reads a kept encrypted packet with a secret that was not known when it came; `None` where it does not fit.
pub fn reopen(bytes: &[u8], context: Option<&str>, secret: &str, received: Timestamp) -> Option<NewPacket> {
    let incoming = again(bytes, context, Some(secret), received);
    incoming.decrypted.then_some(incoming.packet)
}

/// Reads a kept packet as it would come in now.
pub fn reread(bytes: &[u8], context: Option<&str>, secret: Option<&str>, received: Timestamp) -> NewPacket {
    again(bytes, context, secret, received).packet
}

fn again(bytes: &[u8], context: Option<&str>, secret: Option<&str>, received: Timestamp) -> Incoming {
    let kept = context.and_then(|c| serde_json::from_str::<Context<'_>>(c).ok()).unwrap_or_default();
    let line = Line { peer: "".into(), connection: 0 };
    read(&line, &Request { body: bytes, ..kept.request() }, secret, received)
}

/// Reads a request; `secret` opens it where it is encrypted.
pub fn read(line: &Line, request: &Request<'_>, secret: Option<&str>, now: Timestamp) -> Incoming {
    let mut body = Body::read(request.body, secret, now, Depth::Reports);
    let Attributed { first, reports } = attribute(&mut body, &Envelope::of(request));
    let sender = first.as_ref().map(|(identity, _)| Sender::Identity(identity.clone()));
    let problems = body.problems;
    let closed = body.kind == "encrypted";
    let packet = NewPacket {
        protocol: Protocol::OwnTracks,
        direction: Direction::In,
        received: now,
        peer: line.peer.clone(),
        connection: line.connection,
        sender,
        kind: body.kind,
        verdict: Verdict::of(&problems),
        bytes: request.body.to_vec(),
        context: Some(context(request, first.as_ref().map(|(_, rule)| *rule))),
        reports,
        replies: Vec::new(),
        answers: None,
    };
    Incoming { packet, accepted: body.accepted, decrypted: body.decrypted, closed, problems }
}

/// Explains a body that is kept, as it was understood when it came: `context` is [`NewPacket::context`] of its packet, and
/// what it tells about the sender counts as it did then.
pub fn dissect_kept(bytes: &[u8], context: Option<&str>, secret: Option<&str>, received: Timestamp) -> Dissection {
    let context = context.and_then(|c| serde_json::from_str::<Context<'_>>(c).ok()).unwrap_or_default();
    let request = context.request();
    let mut body = Body::read(bytes, secret, received, Depth::Fields);
    let Attributed { first, reports } = attribute(&mut body, &Envelope::of(&request));
    let device = first.map(|(identity, _)| identity.to_string());
    Dissection { device, reports, ..dissection(body) }
}

/// The reports of a body, each with its sender.
struct Attributed {
    /// The packet's own sender: that of the first message that has one.
    first: Option<(Identity, Rule)>,
    reports: Vec<Report>,
}

/// Finds the sender of each message. One without has no history to go to: that is a problem, and its report is left out.
fn attribute(body: &mut Body, envelope: &Envelope) -> Attributed {
    let mut first: Option<(Identity, Rule)> = None;
    let mut reports = Vec::with_capacity(body.messages.len());
    for message in std::mem::take(&mut body.messages) {
        let found = envelope.sender(message.topic.as_deref(), &message.kind, message.tid.as_deref());
        let mut problem = |severity, text: String| {
            body.problems.push(Problem { severity, group: Group::Auth, text, span: message.span.clone() });
        };
        let Some((identity, rule)) = found else {
            let text = "nobody to attribute it to: no topic, no X-Limit-U and X-Limit-D, no ?u= and ?d=, no tid";
            problem(Severity::Error, text.to_owned());
            continue;
        };
        if is_generic(&identity) {
            let text = format!("the sender is called \"{identity}\" as the app comes, so several phones may share it");
            problem(Severity::Note, text);
        }
        let (own, _) = first.get_or_insert_with(|| (identity.clone(), rule));
        let sender = (*own != identity).then_some(Sender::Identity(identity));
        reports.push(Report { sender, ..message.report });
    }
    // Where nothing in it tells who sent it, the request may: an empty body, an unreadable one.
    let first = first.or_else(|| envelope.sender(None, &body.kind, None));
    Attributed { first, reports }
}

/// Why it was refused, for whoever tries by hand.
pub fn refusal(problems: &[Problem]) -> Vec<u8> {
    let why = problems.iter().find(|p| p.severity == Severity::Error).map_or("not understood", |p| p.text.as_str());
    json!({ "error": why }).to_string().into_bytes()
}

/// What the body alone does not tell, as it is kept beside the packet.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Context<'a> {
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(borrow, default)]
    path: Cow<'a, str>,
    /// Values of other parameters than `u` and `d` may be secrets and are left out.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    query: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "X-Limit-U", skip_serializing_if = "Option::is_none")]
    limit_user: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "X-Limit-D", skip_serializing_if = "Option::is_none")]
    limit_device: Option<Cow<'a, str>>,
    /// The user of HTTP Basic.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    /// Where the sender's name was found.
    #[serde(default, skip_deserializing)]
    identity: Option<&'static str>,
}

impl Context<'_> {
    /// What it tells about the sender, as a request.
    fn request(&self) -> Request<'_> {
        Request {
            query: self.query.as_deref(),
            limit_user: self.limit_user.as_deref(),
            limit_device: self.limit_device.as_deref(),
            basic_user: self.user.as_deref(),
            ..Request::default()
        }
    }
}

fn context(request: &Request<'_>, rule: Option<Rule>) -> String {
    let query = request.query.map(|query| {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some(("u" | "d", _)) => part.to_owned(),
            Some((name, _)) => format!("{name}=…"),
            None => "…".to_owned(),
        });
        Cow::Owned(parts.collect::<Vec<_>>().join("&"))
    });
    let context = Context {
        method: request.method.into(),
        path: request.path.into(),
        query,
        limit_user: request.limit_user.map(Cow::from),
        limit_device: request.limit_device.map(Cow::from),
        user: request.basic_user.map(Cow::from),
        identity: rule.map(Rule::as_str),
    };
    serde_json::to_string(&context).expect("texts always serialise")
}
