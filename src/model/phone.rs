//! What a person set up for phones: passwords, keys, other names, who sees whom, and what waits to be told to them.

use std::{collections::HashMap, fmt};

use super::{Command, DeviceId, Identity, PacketId, Timestamp};

/// Something that no log, export or debug print may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// `None` for an empty one, which would protect nothing.
    pub fn new(secret: impl Into<String>) -> Option<Self> {
        let secret = secret.into();
        (!secret.is_empty()).then_some(Self(secret))
    }

    /// The secret itself, for whoever checks or uses it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Name and face that somebody gave himself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    pub name: Option<String>,
    /// A PNG or JPEG in base64, as the phone sent it.
    pub face: Option<String>,
}

/// The last card of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCard {
    pub card: Card,
    /// The packet that brought it.
    pub packet: PacketId,
}

/// A password: of one device, or of everything that a user posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// As HTTP Basic says it; upper and lower case are alike.
    pub user: String,
    /// `None`: for every device whose identity has this user part.
    pub device: Option<DeviceId>,
    /// Salted hash of the password.
    pub hash: Secret,
}

/// A device under one of its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    pub device: DeviceId,
    pub adopted: bool,
}

/// Everything the receiver asks about a phone, as the store had it after its last commit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PhoneBook {
    pub logins: Vec<Login>,
    pub keys: HashMap<DeviceId, Secret>,
    /// Whom each phone is told about.
    pub sees: HashMap<DeviceId, Vec<DeviceId>>,
    /// Commands that wait to be sent, and those that were sent and not answered yet, oldest first.
    pub commands: HashMap<DeviceId, Vec<Command>>,
    /// Every phone under its identity and the names that were attached to it. Empty as long as nothing above is set.
    pub names: HashMap<Identity, Named>,
}

impl PhoneBook {
    /// True where nothing was set up, so that nobody need be looked up.
    pub fn is_empty(&self) -> bool {
        self.logins.is_empty() && self.keys.is_empty() && self.sees.is_empty() && self.commands.is_empty()
    }

    /// The phone of this name.
    pub fn find(&self, identity: &Identity) -> Option<DeviceId> {
        self.names.get(identity).map(|named| named.device)
    }

    /// Whether this name must come with credentials. As soon as there is any password, everything but a known phone must that has
    /// none; so setting one does not cut off the phones that were paired before.
    pub fn is_guarded(&self, identity: Option<&Identity>) -> bool {
        if self.logins.is_empty() {
            return false;
        }
        let Some(identity) = identity else { return true };
        let named = self.names.get(identity);
        self.logins.iter().any(|login| login.covers(identity, named.map(|n| n.device)))
            || named.is_none_or(|n| !n.adopted)
    }

    /// Whether somebody who signed in as this may report under this name.
    pub fn may_report(&self, login: &Login, identity: &Identity) -> bool {
        let device = self.find(identity);
        if login.covers(identity, device) {
            return true;
        }
        // A name without a user part claims to be nobody; it is only another's where the phone behind it is.
        login.device.is_none()
            && user_part(identity).is_none()
            && device.is_none_or(|device| self.owns(login, device) || !self.is_owned(device))
    }

    /// Whether a phone belongs to whoever signed in as this.
    fn owns(&self, login: &Login, device: DeviceId) -> bool {
        self.names_of(device).any(|name| login.covers(name, Some(device)))
    }

    /// Whether a phone belongs to anybody.
    fn is_owned(&self, device: DeviceId) -> bool {
        self.names_of(device).any(|name| user_part(name).is_some())
            || self.logins.iter().any(|login| login.device == Some(device))
    }

    fn names_of(&self, device: DeviceId) -> impl Iterator<Item = &Identity> {
        self.names.iter().filter(move |(_, named)| named.device == device).map(|(name, _)| name)
    }
}

impl Login {
    /// Whether HTTP Basic names this user.
    pub fn is_user(&self, user: &str) -> bool {
        self.user.to_lowercase() == user.to_lowercase()
    }

    /// True for the login's own phone, or a name with its user part.
    pub fn covers(&self, identity: &Identity, device: Option<DeviceId>) -> bool {
        match self.device {
            Some(own) => device == Some(own),
            None => user_part(identity).is_some_and(|user| self.is_user(user)),
        }
    }
}

/// `jane` of `owntracks/jane/phone` and of `jane/phone`; `None` for a name without a slash.
fn user_part(identity: &Identity) -> Option<&str> {
    identity.as_str().rsplit('/').nth(1)
}

/// What a person set up for one phone, for a list of them. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneRow {
    pub device: DeviceId,
    /// The users whose password counts for this phone alone.
    pub users: Vec<String>,
    pub has_key: bool,
    /// Other names that were attached to it by hand.
    pub also: Vec<Identity>,
    pub sees: Vec<DeviceId>,
    pub card: Option<StoredCard>,
    /// Kept packets that no key has opened yet.
    pub closed: u64,
    /// When the last of those came.
    pub last_closed: Option<Timestamp>,
}

impl PhoneRow {
    /// Of a phone for which nothing is set up.
    pub fn new(device: DeviceId) -> Self {
        Self {
            device,
            users: Vec::new(),
            has_key: false,
            also: Vec::new(),
            sees: Vec::new(),
            card: None,
            closed: 0,
            last_closed: None,
        }
    }
}

/// A kept packet that no key has opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedPacket {
    pub id: PacketId,
    pub device: DeviceId,
    pub received: Timestamp,
    pub bytes: Vec<u8>,
    pub context: Option<String>,
}
