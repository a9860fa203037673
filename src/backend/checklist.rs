//! How far the pairing of a phone has come: what has arrived, what failed, and what to change on the phone.

use super::phones::PhoneUrl;
use crate::{
    ingest::{App, Outcome, Visit},
    model::{DeviceOverview, Identity, Login, StoredFix, Timestamp},
};

/// Other senders that are named as candidates.
const MOST_STRANGERS: usize = 5;

/// What is looked for, in the order it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Checked {
    Connection,
    Credentials,
    Identity,
    Encryption,
    FirstPosition,
}

impl Checked {
    /// For a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Connection => "Connection",
            Self::Credentials => "User and password",
            Self::Identity => "Identity",
            Self::Encryption => "Encryption",
            Self::FirstPosition => "First position",
        }
    }
}

/// How it stands with one of them. Texts are sentences without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckState {
    /// Nothing yet; the text says what would help.
    Waiting(String),
    Done {
        at: Timestamp,
        text: String,
    },
    /// `cure`: what to change on the phone, or here.
    Failed {
        at: Timestamp,
        why: String,
        cure: String,
    },
    /// Not asked for.
    NotNeeded(String),
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckStep {
    pub what: Checked,
    pub state: CheckState,
}

/// How far the pairing of a phone has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneChecklist {
    /// One of each [`Checked`], in its order.
    pub steps: Vec<CheckStep>,
    /// Others that called lately, newest first: perhaps the phone says another name.
    pub strangers: Vec<(Identity, Timestamp)>,
}

/// What the store knows of the phone.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) overview: DeviceOverview,
    /// Its identity and the names that were attached to it.
    pub(super) names: Vec<Identity>,
    pub(super) logins: Vec<Login>,
    pub(super) has_key: bool,
    /// Kept messages that nobody can read.
    pub(super) closed: u64,
    pub(super) first: Option<StoredFix>,
}

/// Puts the list together.
pub(super) fn of(ground: &Ground, visits: &[Visit], urls: &[PhoneUrl]) -> PhoneChecklist {
    let id = ground.overview.device.id;
    let users: Vec<&str> = ground.logins.iter().map(|l| l.user.as_str()).collect();
    let is_user = |v: &Visit| v.user.as_deref().is_some_and(|u| users.iter().any(|own| own.eq_ignore_ascii_case(u)));
    let is_own = |v: &Visit| v.device == Some(id) || v.names.iter().any(|name| ground.names.contains(name));
    let (mut own, mut others) = (Vec::new(), Vec::new());
    // Newest first.
    for visit in visits.iter().rev() {
        if is_own(visit) || is_user(visit) { own.push(visit) } else { others.push(visit) }
    }
    let steps = [
        (Checked::Connection, connection(ground, &own, &others, urls)),
        (Checked::Credentials, credentials(ground, &own)),
        (Checked::Identity, identity(ground, &own, &others)),
        (Checked::Encryption, encryption(ground, &own)),
        (Checked::FirstPosition, first_position(ground, &own)),
    ];
    let mut strangers: Vec<(Identity, Timestamp)> = Vec::new();
    for visit in &others {
        if let Some(name) = visit.names.first()
            && strangers.len() < MOST_STRANGERS
            && !strangers.iter().any(|(known, _)| known == name)
        {
            strangers.push((name.clone(), visit.at));
        }
    }
    let steps = steps.into_iter().map(|(what, state)| CheckStep { what, state }).collect();
    PhoneChecklist { steps, strangers }
}

fn connection(ground: &Ground, own: &[&Visit], others: &[&Visit], urls: &[PhoneUrl]) -> CheckState {
    let call = own.first().map(|visit| (visit.at, came(visit), Some(visit.peer.to_canonical())));
    let call = call.or_else(|| Some((ground.overview.device.last_heard?, "it has called".to_owned(), None)));
    // Nobody can say who it was that did not get as far as a request.
    let failed = others.iter().find_map(|v| match &v.outcome {
        Outcome::NoHandshake(why) => Some((v, why, format!("{} came to the port of HTTPS, but {why}", from(v)))),
        _ => None,
    });
    match (call, failed) {
        (Some((at, text, by)), Some((visit, _, why))) if visit.at > at && by != Some(visit.peer.to_canonical()) => {
            return CheckState::Done { at, text: format!("{text}; since then {why}") };
        }
        (Some((at, text, _)), failed) if failed.as_ref().is_none_or(|(visit, _, _)| visit.at <= at) => {
            return CheckState::Done { at, text };
        }
        (_, Some((visit, why, text))) => {
            return CheckState::Failed { at: visit.at, why: text, cure: why.cure().to_owned() };
        }
        (_, None) => {}
    }
    if urls.is_empty() {
        let text = "nothing listens for phones; turn on the OwnTracks receiver";
        return CheckState::Waiting(text.to_owned());
    }
    if !urls.iter().any(|url| url.from_network) {
        let text = "the receiver listens on this computer only; open it to the network";
        return CheckState::Waiting(text.to_owned());
    }
    let text = "nothing has come yet; is the phone in the same network, the mode HTTP, the address right, the port open in the firewall?";
    CheckState::Waiting(text.to_owned())
}

fn came(visit: &Visit) -> String {
    let app = match visit.app {
        App::Android => "the Android app",
        App::IPhone => "the iPhone app",
        App::Other => "a client",
    };
    let how = if visit.secure { "HTTPS" } else { "HTTP" };
    format!("{app} came from {} over {how}", from(visit))
}

fn from(visit: &Visit) -> String {
    // A socket of IPv6 shows IPv4 in another dress.
    let peer = visit.peer.to_canonical();
    if peer.is_loopback() { "this computer".to_owned() } else { peer.to_string() }
}

fn credentials(ground: &Ground, own: &[&Visit]) -> CheckState {
    for visit in own {
        let failed = |why: &str, cure: String| CheckState::Failed { at: visit.at, why: why.to_owned(), cure };
        let user = ground.logins.first().map_or("the user name", |login| login.user.as_str());
        match &visit.outcome {
            Outcome::WrongCredentials { given: false } => {
                let cure =
                    format!("Set user name ({user}) and password in the app; on an iPhone turn on authentication, too");
                return failed("it came without user name and password", cure);
            }
            Outcome::WrongCredentials { given: true } => {
                let cure = format!("Type the password again, with the user name {user}; upper and lower case matter");
                return failed("user name or password are wrong", cure);
            }
            Outcome::NotTheirs => {
                let cure = format!("Use the user name {user}, or give this user a password of its own here");
                return failed("it signed in as somebody else, who may not report as this phone", cure);
            }
            Outcome::Taken { .. } | Outcome::Closed { .. } | Outcome::Unknown if !ground.logins.is_empty() => {
                return CheckState::Done { at: visit.at, text: "right".to_owned() };
            }
            Outcome::Taken { .. }
            | Outcome::Closed { .. }
            | Outcome::Unknown
            | Outcome::Refused { .. }
            | Outcome::NoHandshake(_) => {}
        }
    }
    if ground.logins.is_empty() {
        CheckState::NotNeeded("no password is set".to_owned())
    } else {
        CheckState::Waiting("they are checked with the first message".to_owned())
    }
}

fn identity(ground: &Ground, own: &[&Visit], others: &[&Visit]) -> CheckState {
    let device = &ground.overview.device;
    let hit = own.iter().find(|v| v.device == Some(device.id));
    // Signed in as this phone's user, but called something else.
    let miss = own.iter().find(|v| v.device.is_some_and(|d| d != device.id) || v.outcome == Outcome::Unknown);
    let newer = |a: &Visit, b: Option<&&&Visit>| b.is_none_or(|b| a.at > b.at);
    if let Some(visit) = miss.filter(|v| newer(v, hit.as_ref()))
        && let Some(name) = visit.names.first().filter(|name| !ground.names.contains(name))
    {
        return CheckState::Failed {
            at: visit.at,
            why: format!("it calls itself {name}"),
            cure: format!(
                "Set user and device in the app so that they make {}, or say here that both are the same",
                device.identity
            ),
        };
    }
    if let Some(visit) = hit {
        let name = visit.names.first().unwrap_or(&device.identity);
        return CheckState::Done { at: visit.at, text: format!("it calls itself {name}") };
    }
    if let Some(at) = device.last_heard {
        return CheckState::Done { at, text: format!("it called itself {}", device.identity) };
    }
    let candidate = others.iter().find_map(|v| Some((v.names.first()?, v.at)));
    match candidate {
        Some((name, _)) => CheckState::Waiting(format!("somebody called {name} has come; is that this phone?")),
        None => CheckState::Waiting(format!("it is to call itself {}", device.identity)),
    }
}

fn encryption(ground: &Ground, own: &[&Visit]) -> CheckState {
    let fits = "Type the key again on the phone, or set the one that it uses here; what is kept is opened then";
    for visit in own {
        let failed =
            |why: &str, cure: &str| CheckState::Failed { at: visit.at, why: why.to_owned(), cure: cure.to_owned() };
        match &visit.outcome {
            Outcome::Closed { has_key: true } => return failed("its messages do not fit the key", fits),
            Outcome::Closed { has_key: false } => {
                return failed(
                    "it encrypts, and no key is set",
                    "Set the key that the phone uses; what is kept is opened then",
                );
            }
            Outcome::Taken { decrypted: true, .. } => {
                return CheckState::Done { at: visit.at, text: "its messages are opened".to_owned() };
            }
            Outcome::Taken { decrypted: false, .. } if ground.has_key => {
                return failed("it does not encrypt", "Type the key into the app, under encryption");
            }
            Outcome::Taken { .. }
            | Outcome::WrongCredentials { .. }
            | Outcome::NotTheirs
            | Outcome::Unknown
            | Outcome::Refused { .. }
            | Outcome::NoHandshake(_) => {}
        }
    }
    if let Some(at) = ground.overview.device.last_heard.filter(|_| ground.closed > 0) {
        let why = format!("{} of its messages are kept and cannot be read", ground.closed);
        return CheckState::Failed { at, why, cure: fits.to_owned() };
    }
    if ground.has_key {
        CheckState::Waiting("it is checked with the first message".to_owned())
    } else {
        CheckState::NotNeeded("no key is set".to_owned())
    }
}

fn first_position(ground: &Ground, own: &[&Visit]) -> CheckState {
    if let Some(fix) = &ground.first {
        return CheckState::Done { at: fix.received, text: format!("measured at {}", fix.fix.at) };
    }
    let talks = own.iter().find(|v| matches!(v.outcome, Outcome::Taken { .. }));
    CheckState::Waiting(match talks {
        Some(_) => {
            "messages come, but none with a position; press publish in the app, and let it use the location always"
                .to_owned()
        }
        None => "press publish in the app".to_owned(),
    })
}
