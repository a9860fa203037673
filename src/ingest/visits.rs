//! The last requests of phones, in memory: what came and what became of it, for whoever pairs one.

use std::{
    borrow::Cow,
    collections::VecDeque,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::model::{DeviceId, Identity, Timestamp};

/// Which app speaks, by its User-Agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum App {
    Android,
    IPhone,
    /// A script, or an app that does not say.
    Other,
}

/// One request, or a handshake that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub at: Timestamp,
    pub peer: IpAddr,
    /// Over HTTPS.
    pub secure: bool,
    pub app: App,
    /// The user of HTTP Basic.
    pub user: Option<String>,
    /// Whom it claimed to be, strongest first; empty where it did not say.
    pub names: Vec<Identity>,
    /// Whose it was.
    pub device: Option<DeviceId>,
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Kept and answered; `decrypted`: it came encrypted and was opened.
    Taken { kind: Cow<'static, str>, fixes: usize, decrypted: bool },
    /// Kept and answered, but nobody can read it: `has_key` says that a key is set and does not fit.
    Closed { has_key: bool },
    /// 401: `given` says that there were credentials, and wrong ones.
    WrongCredentials { given: bool },
    /// 401: right credentials, but of somebody else.
    NotTheirs,
    /// 400: unknown under the strict policy.
    Unknown,
    /// Another refusal, with its status.
    Refused { status: u16, why: Cow<'static, str> },
    /// It came to the port of HTTPS, and no request could be made.
    NoHandshake(NoHandshake),
}

/// Why nothing came of a connection to the port of HTTPS. As text it is a sentence about the phone, without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoHandshake {
    #[error("it does not trust the certificate")]
    NotTrusted,
    #[error("it says that the certificate has expired")]
    Expired,
    /// The handshake was whole, but no request followed: so do clients that look at the name last.
    #[error("it hung up once it had seen the certificate, as clients do that do not find their address named in it")]
    LeftAtOnce,
    #[error("it speaks plain HTTP there, not HTTPS")]
    PlainHttp,
    #[error("it does not speak HTTPS")]
    NotTls,
    #[error("it said nothing")]
    Silent,
    #[error("it broke off in the middle of the handshake, as clients do that do not trust the certificate")]
    BrokeOff,
    #[error("the handshake failed: {0}")]
    Other(String),
    /// Nothing is wrong with the phone.
    #[error("the receiver is stopping")]
    Stopping,
    #[error("there is no certificate: {0}")]
    NoCertificate(String),
}

impl NoHandshake {
    /// What to change, a sentence without a full stop.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::NotTrusted | Self::BrokeOff => {
                "Install the root certificate on the phone and trust it; an iPhone wants it switched on, too, under Certificate Trust Settings"
            }
            Self::Expired => "Look at the certificate under HTTPS, and at the phone's clock",
            Self::LeftAtOnce => "Tell the phone an address that the certificate names, and let it trust the root",
            Self::PlainHttp => "Let the address on the phone begin with https://, or use the port of plain HTTP",
            Self::NotTls | Self::Silent | Self::Other(_) => {
                "Set the app's mode to HTTP, and let the address begin with https://"
            }
            Self::Stopping | Self::NoCertificate(_) => "Look at HTTPS under Phones",
        }
    }
}

/// The last visits.
#[derive(Debug)]
pub(crate) struct Visits {
    /// A phone that is paired calls every few seconds at most, so a few hundred are more than anybody reads.
    most: usize,
    last: Mutex<VecDeque<Visit>>,
}

impl Visits {
    /// Remembers so many; 0 none.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, last: Mutex::default() }
    }

    pub(crate) fn note(&self, visit: Visit) {
        let mut visits = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        visits.push_back(visit);
        if visits.len() > self.most {
            visits.pop_front();
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Oldest first.
    pub(crate) fn all(&self) -> Vec<Visit> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl App {
    pub(crate) fn of(user_agent: Option<&str>) -> Self {
        match user_agent {
            Some(agent) if agent.starts_with("Owntracks-Android") => Self::Android,
            Some(agent) if agent.contains("Darwin") || agent.starts_with("OwnTracks/") => Self::IPhone,
            Some(_) | None => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_visits_go_first() {
        let visits = Visits::new(20);
        for n in 0..23 {
            visits.note(Visit {
                at: Timestamp::UNIX_EPOCH,
                peer: IpAddr::from([127, 0, 0, 1]),
                secure: false,
                app: App::of(Some("curl/8")),
                user: None,
                names: Vec::new(),
                device: None,
                outcome: Outcome::Refused { status: n, why: "".into() },
            });
        }
        let all = visits.all();
        assert_eq!(all.len(), 20);
        assert!(matches!(all.first().map(|v| &v.outcome), Some(Outcome::Refused { status: 3, .. })));
    }

    #[test]
    fn apps_are_known_by_their_agents() {
        assert_eq!(App::of(Some("Owntracks-Android/gms/420509001")), App::Android);
        assert_eq!(App::of(Some("OwnTracks/26.3.1 CFNetwork/1490 Darwin/23")), App::IPhone);
        assert_eq!(App::of(None), App::Other);
    }
}
