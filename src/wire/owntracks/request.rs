//! From an HTTP request to a packet for the store and an answer for the phone.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    body::{Body, Depth},
    dissection,
    identity::{Envelope, Rule, is_generic},
    secretbox::{self, Key},
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

/// Reads a request. `key` belongs to whoever sent it; without one an encrypted message is kept closed.
pub fn receive(line: &Line, request: &Request<'_>, key: Option<&Key<'_>>, now: Timestamp) -> Exchange {
    let mut body = Body::read(request.body, key.map(|k| k.secret), now, Depth::Reports);
    let Attributed { first, reports } = attribute(&mut body, &Envelope::of(request));
    let sender = first.as_ref().map(|(identity, _)| Sender::Identity(identity.clone()));
    let problems = body.problems;
    let sealing = key.filter(|_| body.decrypted).and_then(|key| Some((key.secret, key.nonce?)));
    let (status, reply) = match (body.accepted, sealing) {
        (true, Some((secret, nonce))) => (200, secretbox::seal(secret, &nonce, b"[]")),
        (true, _) => (200, b"[]".to_vec()),
        (false, _) => (400, refusal(&problems)),
    };
    let replies =
        if status == 200 { vec![NewReply { kind: Cow::Borrowed("reply"), bytes: reply.clone() }] } else { Vec::new() };
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
        replies,
    };
    Exchange { packet, status, reply, problems }
}

/// Explains a body that is kept, as it was understood when it came: `context` is [`NewPacket::context`] of its packet, and
/// what it tells about the sender counts as it did then.
pub fn dissect_kept(bytes: &[u8], context: Option<&str>, secret: Option<&str>, received: Timestamp) -> Dissection {
    let context = context.and_then(|c| serde_json::from_str::<Context<'_>>(c).ok()).unwrap_or_default();
    let request = Request {
        query: context.query.as_deref(),
        limit_user: context.limit_user.as_deref(),
        limit_device: context.limit_device.as_deref(),
        basic_user: context.user.as_deref(),
        ..Request::default()
    };
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
fn refusal(problems: &[Problem]) -> Vec<u8> {
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
