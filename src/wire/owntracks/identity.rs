//! Who sent a message: the first name that is present, from the strongest to the weakest (contract.md §4).

use super::Request;
use crate::model::Identity;

/// Endings that a topic has for messages other than locations (owntracks.md §3).
const SUFFIXES: [&str; 10] =
    ["/event", "/waypoint", "/waypoints", "/step", "/beacon", "/dump", "/status", "/request", "/info", "/cmd"];

/// Names under which several phones may report, because they come with the app.
const GENERIC: [&str; 4] = ["user/device", "owntracks/user/device", "owntracks/http", "na"];

/// Where a name was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `topic` of the message, a known suffix cut off.
    Topic,
    /// `X-Limit-U` and `X-Limit-D`.
    Headers,
    /// `u` and `d` of the query.
    Query,
    /// The user of HTTP Basic, with the device that headers or query name.
    Basic,
    /// `tid` of the message.
    Tid,
}

impl Rule {
    /// The word in a packet's context.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Headers => "headers",
            Self::Query => "query",
            Self::Basic => "basic",
            Self::Tid => "tid",
        }
    }
}

/// The names that a request carries outside its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    headers: Option<Identity>,
    query: Option<Identity>,
    basic: Option<Identity>,
}

impl Envelope {
    pub(super) fn of(request: &Request<'_>) -> Self {
        let header_device = request.limit_device.filter(|d| !d.is_empty());
        let query_user = query_value(request.query, "u");
        let query_device = query_value(request.query, "d");
        let device = header_device.or(query_device.as_deref());
        Self {
            headers: pair(request.limit_user, header_device),
            query: pair(query_user.as_deref(), query_device.as_deref()),
            basic: pair(request.basic_user, device),
        }
    }

    /// Every name, strongest first.
    pub(super) fn names(self) -> Vec<Identity> {
        [self.headers, self.query, self.basic].into_iter().flatten().collect()
    }

    /// The sender of a message with this topic and tid.
    pub(super) fn sender(&self, topic: Option<&str>, kind: &str, tid: Option<&str>) -> Option<(Identity, Rule)> {
        let topic = topic.and_then(|t| Identity::new(without_suffix(t, kind))).map(|i| (i, Rule::Topic));
        topic
            .or_else(|| Some((self.headers.clone()?, Rule::Headers)))
            .or_else(|| Some((self.query.clone()?, Rule::Query)))
            .or_else(|| Some((self.basic.clone()?, Rule::Basic)))
            .or_else(|| Some((Identity::new(tid?)?, Rule::Tid)))
    }
}

/// The identity that a message carries itself.
pub(super) fn in_body(topic: Option<&str>, kind: &str, tid: Option<&str>) -> Option<String> {
    Envelope::default().sender(topic, kind, tid).map(|(identity, _)| identity.to_string())
}

/// True where several phones may share the name.
pub(super) fn is_generic(identity: &Identity) -> bool {
    GENERIC.contains(&identity.as_str())
}

/// The topic of the device itself.
///
/// A location has no suffix of its own, so a device that is called `owntracks/jane/event` keeps its name there.
fn without_suffix<'t>(topic: &'t str, kind: &str) -> &'t str {
    let cut = SUFFIXES.iter().find_map(|suffix| topic.strip_suffix(suffix)).filter(|rest| !rest.is_empty());
    match cut {
        Some(rest) if kind != "location" || rest.matches('/').count() >= 2 => rest,
        Some(_) | None => topic,
    }
}

fn pair(user: Option<&str>, device: Option<&str>) -> Option<Identity> {
    let (user, device) = (user.filter(|u| !u.is_empty())?, device.filter(|d| !d.is_empty())?);
    Identity::new(format!("{user}/{device}"))
}

/// The first value of a query parameter, with `%41` and `+` decoded. Broken escapes stay as they are.
fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    query?.split('&').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        (key == name).then(|| decoded(value))
    })
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'%', [high, low, beyond @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
                bytes.push(digit(*high) << 4 | digit(*low));
                rest = beyond;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
