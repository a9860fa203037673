//! From an HTTP request to a packet for the store and an answer for the phone.

use std::borrow::Cow;

use serde_json::json;

use super::{
    body::{Body, Depth},
    identity::{Envelope, Rule, is_generic},
    message::Message,
    secretbox::{self, Key},
};
use crate::{
    model::{
        Direction, Group, Identity, NewPacket, NewReply, Problem, Protocol, Report, Sender, Severity, Timestamp,
        Verdict,
    },
    wire::Line,
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
    let envelope = Envelope::of(request);
    let mut senders = Senders::default();
    let mut problems = std::mem::take(&mut body.problems);
    let mut reports = Vec::with_capacity(body.messages.len());
    for message in std::mem::take(&mut body.messages) {
        let Some(identity) = senders.of(&envelope, &message, &mut problems) else { continue };
        reports.push(Report { sender: Some(Sender::Identity(identity)), ..message.report });
    }
    if senders.first.is_none() {
        // Nothing in it tells who sent it, but the request may: an empty body, an unreadable one.
        senders.first = envelope.sender(None, &body.kind, None);
    }
    let sender = senders.first.as_ref().map(|(identity, _)| Sender::Identity(identity.clone()));
    for report in &mut reports {
        if report.sender == sender {
            report.sender = None;
        }
    }
    let (status, reply) = match (body.accepted, key) {
        (true, Some(key)) if body.decrypted => (200, secretbox::seal(key, b"[]")),
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
        context: Some(context(request, senders.first.as_ref().map(|(_, rule)| *rule))),
        reports,
        replies,
    };
    Exchange { packet, status, reply, problems }
}

/// Who sent the messages of one body.
#[derive(Debug, Default)]
struct Senders {
    /// The packet's own sender: that of the first message that has one.
    first: Option<(Identity, Rule)>,
}

impl Senders {
    /// The sender of a message. Without one it has no history to go to, and that is a problem.
    fn of(&mut self, envelope: &Envelope, message: &Message, problems: &mut Vec<Problem>) -> Option<Identity> {
        let found = envelope.sender(message.topic.as_deref(), &message.kind, message.tid.as_deref());
        let mut problem = |severity, text: String| {
            problems.push(Problem { severity, group: Group::Auth, text, span: message.span.clone() });
        };
        let Some((identity, rule)) = found else {
            let text = "nobody to attribute it to: no topic, no X-Limit-U and X-Limit-D, no ?u= and ?d=, no tid";
            problem(Severity::Error, text.to_owned());
            return None;
        };
        if is_generic(&identity) {
            let text = format!("the sender is called \"{identity}\" as the app comes, so several phones may share it");
            problem(Severity::Note, text);
        }
        self.first.get_or_insert((identity.clone(), rule));
        Some(identity)
    }
}

/// Why it was refused, for whoever tries by hand.
fn refusal(problems: &[Problem]) -> Vec<u8> {
    let why = problems.iter().find(|p| p.severity == Severity::Error).map_or("not understood", |p| p.text.as_str());
    json!({ "error": why }).to_string().into_bytes()
}

/// What the body alone does not tell. Values of other query parameters than `u` and `d` may be secrets and are left out.
fn context(request: &Request<'_>, rule: Option<Rule>) -> String {
    let query = request.query.map(|query| {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some(("u" | "d", _)) => part.to_owned(),
            Some((name, _)) => format!("{name}=…"),
            None => "…".to_owned(),
        });
        parts.collect::<Vec<_>>().join("&")
    });
    let mut context = serde_json::Map::new();
    context.insert("method".to_owned(), json!(request.method));
    context.insert("path".to_owned(), json!(request.path));
    context.insert("identity".to_owned(), json!(rule.map(Rule::as_str)));
    let named = [
        ("query", query.as_deref()),
        ("X-Limit-U", request.limit_user),
        ("X-Limit-D", request.limit_device),
        ("user", request.basic_user),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            context.insert(name.to_owned(), json!(value));
        }
    }
    serde_json::Value::Object(context).to_string()
}
