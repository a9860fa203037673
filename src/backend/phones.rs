//! OwnTracks phones: pairing one, what it may and must do, whom it sees, what it is told.

use std::collections::BTreeSet;

use qrcode::{Color, EcLevel, QrCode};
use serde_json::json;

use super::checklist::Ground;
pub use super::checklist::{CheckState, CheckStep, Checked, PhoneChecklist};
use super::{Backend, Error, ListenAt, Pending, ReceiverLine, ReceiverStatus, Root, checklist, config};
use crate::{
    ingest,
    model::{
        ClosedPacket, Command, Device, DeviceId, Identity, MOST_PHONE_COMMAND_BYTES, PacketId, PhoneCommand, PhoneRow,
        Protocol, Secret, Timestamp,
    },
    store::{self, OpenedPacket, phones, query},
    wire::owntracks,
};

/// How long a command waits for a phone: phones sleep for hours.
const COMMAND_WAITS: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);
/// Kept packets that are opened in one step.
const STEP: usize = 200;

/// A phone that is to be paired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewPhone {
    /// Letters, digits and anything else but `/`; what the app calls user name.
    pub user: String,
    /// What the app calls device id.
    pub device: String,
    /// Up to two characters on maps and in friends' lists.
    pub tid: String,
    /// What to call it here.
    pub name: Option<String>,
    /// `None`: it needs no password.
    pub password: Option<String>,
    /// `None`: it need not encrypt.
    pub key: Option<String>,
}

impl NewPhone {
    /// A proposal with a fresh password and key.
    pub fn suggested(user: &str, device: &str) -> Self {
        Self {
            user: user.to_owned(),
            device: device.to_owned(),
            tid: short_id(user, device),
            name: None,
            password: ingest::fresh_password(),
            key: None,
        }
    }

    /// The identity under which it will report: the topic that the apps make of user and device.
    pub fn identity(&self) -> Result<Identity, String> {
        for (what, part) in [("user", self.user.trim()), ("device", self.device.trim())] {
            if part.is_empty() {
                return Err(format!("the {what} is missing"));
            }
            if part.chars().any(|c| matches!(c, '/' | '#' | '+' | ':') || c.is_control()) {
                return Err(format!("the {what} may not contain / # + :"));
            }
        }
        Identity::new(format!("owntracks/{}/{}", self.user.trim(), self.device.trim()))
            .ok_or_else(|| format!("user and device are longer than {} bytes together", Identity::MAX_BYTES))
    }
}

/// What must be typed into a phone, and ways around typing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneSetup {
    /// Where it posts.
    pub url: String,
    pub user: String,
    pub device: String,
    pub tid: String,
    /// The settings file, JSON, and what to call it.
    pub otrc: String,
    pub otrc_name: String,
    /// Opens the app with these settings; also what its QR code says.
    pub link: String,
    /// What will go wrong with this address, and what to do about it.
    pub warnings: Vec<String>,
}

/// How a set-up is shown: which of [`Backend::phone_urls`], and what is kept nowhere but in the sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetupChoice {
    /// `None`: the best one.
    pub url: Option<String>,
    /// The password as it was just set; only its hash is kept, so without it the settings leave it out.
    pub password: Option<String>,
    /// `None`: what the phone told last, or letters of its name.
    pub tid: Option<String>,
}

/// An address that a phone may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneUrl {
    pub url: String,
    /// HTTPS, which iPhones insist on.
    pub secure: bool,
    /// False where only this computer reaches it.
    pub from_network: bool,
}

/// What phones see of HTTPS, and what they must trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneCertificate {
    /// The root that must be installed; `None` with a certificate of the user's own.
    pub root: Option<Root>,
    /// Where a phone fetches the root, also for a QR code; `None` where nothing listens.
    pub root_url: Option<String>,
    /// The same as text.
    pub root_pem_url: Option<String>,
    /// Names and addresses that the certificate is good for; empty for the user's own, and before HTTPS was turned on.
    pub names: Vec<String>,
    /// When it ends; it is renewed long before.
    pub ends: Option<Timestamp>,
}

/// How the root is installed on an iPhone, in order.
pub const TRUST_ON_IPHONE: [&str; 4] = [
    "Open the address of the root in Safari (the camera reads its code) and allow the download of the profile.",
    "In Settings, tap \"Profile Downloaded\" near the top, then Install.",
    "In Settings, General, About, Certificate Trust Settings, turn the Wayglass authority on.",
    "Compare the fingerprint there with the one shown here.",
];

/// How the root is installed on an Android phone, in order.
pub const TRUST_ON_ANDROID: [&str; 3] = [
    "Open the address of the root in the browser and keep the file.",
    "In Settings, Security, More, Encryption & credentials, Install a certificate, choose CA certificate and the file.",
    "Compare the fingerprint there with the one shown here.",
];

/// The dots of a QR code, row by row, without the quiet zone of four around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrPicture {
    pub side: usize,
    pub dark: Vec<bool>,
}

/// The QR code of a text; `None` where it is too long for one.
pub fn qr(text: &str) -> Option<QrPicture> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let dark = code.to_colors().into_iter().map(|c| c == Color::Dark).collect();
    Some(QrPicture { side: code.width(), dark })
}

/// What came of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyOutcome {
    /// Kept messages that it opened.
    pub opened: u64,
    /// Kept messages of this phone that it does not fit.
    pub closed: u64,
}

impl Backend {
    /// What was set up for phones; those without anything are not listed.
    pub fn phones(&self) -> Pending<Vec<PhoneRow>> {
        self.store.reader().read(phones::list)
    }

    /// Users with a password for everything they post.
    pub fn phone_users(&self) -> Pending<Vec<String>> {
        self.store.reader().read(phones::users)
    }

    /// Makes a phone: its device, adopted, with both names, password and key. One that is there already is changed.
    pub fn add_phone(&self, phone: NewPhone) -> Pending<Device> {
        let store = self.store.writer();
        self.answer(async move {
            let identity = phone.identity().map_err(Error::Refused)?;
            let device = store.add_device(Protocol::OwnTracks, identity.clone(), phone.name.clone()).answered().await?;
            // An encrypted message is only called by its headers, which leave out what begins every topic.
            if let Some(short) = identity.as_str().strip_prefix("owntracks/").and_then(Identity::new) {
                store.set_alias(device.id, short, true).answered().await?;
            }
            if let Some(password) = phone.password.filter(|p| !p.is_empty()) {
                let hash = hashed(password).await?;
                store.set_login(phone.user.trim().to_owned(), Some(device.id), Some(hash)).answered().await?;
            }
            if let Some(key) = phone.key.and_then(Secret::new) {
                store.set_phone_key(device.id, Some(key)).answered().await?;
            }
            Ok(device)
        })
    }

    /// Sets the password of one device, or with `None` of everything that a user posts; `password` `None` takes it away.
    pub fn set_password(&self, user: String, device: Option<DeviceId>, password: Option<String>) -> Pending<()> {
        let store = self.store.writer();
        self.answer(async move {
            let user = user.trim().to_owned();
            if user.is_empty() || user.contains(':') {
                return Err(Error::Refused("a user name is not empty and has no colon".to_owned()));
            }
            let hash = match password.filter(|p| !p.is_empty()) {
                Some(password) => Some(hashed(password).await?),
                None => None,
            };
            store.set_login(user, device, hash).answered().await.map(|_| ())
        })
    }

    /// Sets the secret that a phone encrypts with, and opens what was kept; `None` takes it away.
    pub fn set_key(&self, device: DeviceId, key: Option<String>) -> Pending<KeyOutcome> {
        let (store, reader) = (self.store.writer(), self.store.reader());
        let secret = key.and_then(Secret::new);
        self.answer(async move {
            store.set_phone_key(device, secret.clone()).answered().await?;
            match secret {
                Some(secret) => open_kept(&store, &reader, device, &secret).await,
                None => Ok(KeyOutcome::default()),
            }
        })
    }

    /// Attaches a name to a device ("Same as …"), or takes it away. Where somebody came under that name, everything of it becomes this
    /// device's. Answers how many positions came over.
    pub fn alias(&self, device: DeviceId, name: Identity, attached: bool) -> Pending<u64> {
        self.store.writer().set_alias(device, name, attached)
    }

    /// Says that both are one device: `to` gets the names of `from` and all its history. Answers how many positions came over.
    pub fn same_as(&self, from: DeviceId, to: DeviceId) -> Pending<u64> {
        self.store.writer().same_as(from, to)
    }

    /// Whether `viewer` is told where `seen` is.
    pub fn set_friend(&self, viewer: DeviceId, seen: DeviceId, told: bool) -> Pending<u64> {
        self.store.writer().set_sees(viewer, seen, told)
    }

    /// Queues a command for a phone's next request.
    pub fn send_phone_command(&self, device: DeviceId, command: &PhoneCommand) -> Pending<Command> {
        let text = command.to_string();
        if text.len() > MOST_PHONE_COMMAND_BYTES {
            let why = format!("a command to a phone has at most {MOST_PHONE_COMMAND_BYTES} bytes");
            return refused(Error::Refused(why));
        }
        let now = (self.clock)();
        let expires = now.checked_add(COMMAND_WAITS).unwrap_or(Timestamp::MAX);
        self.store.writer().queue_phone_command(device, text, now, expires)
    }

    /// The last commands of a phone, newest last.
    pub fn phone_commands(&self, device: DeviceId, limit: usize) -> Pending<Vec<Command>> {
        self.store.reader().read(move |db| query::commands(db, Some(device), limit))
    }

    /// What must be typed into a phone.
    pub fn phone_setup(&self, device: DeviceId, choice: SetupChoice) -> Pending<PhoneSetup> {
        let urls = self.phone_urls();
        let reader = self.store.reader();
        self.answer(async move {
            let found = reader
                .read(move |db| {
                    let overview = query::device_overviews(db)?.into_iter().find(|o| o.device.id == device);
                    Ok((overview, phones::key(db, device)?, phones::book(db)?))
                })
                .answered()
                .await?;
            let (Some(overview), key, book) = found else { return Err(Error::NoSuchDevice(format!("#{}", device.0))) };
            let user = book.logins.iter().find(|login| login.device == Some(device)).map(|login| login.user.clone());
            let guarded = book.logins.iter().any(|l| l.covers(&overview.device.identity, Some(device)));
            let (named_user, named_device) = parts(&overview.device.identity);
            let told = overview.readings.get("tid").and_then(|tid| tid.as_str()).map(str::to_owned);
            let words = Words {
                user: user.unwrap_or(named_user),
                tid: choice.tid.or(told).unwrap_or_else(|| short_id("", &named_device)),
                device: named_device,
                password: choice.password,
                key,
                guarded,
            };
            Ok(setup(&words, &urls, choice.url.as_deref()))
        })
    }

    /// How far the pairing of a phone has come, by what has arrived.
    pub fn phone_checklist(&self, device: DeviceId) -> Pending<PhoneChecklist> {
        let visits = self.receivers.as_ref().map(ingest::Receivers::visits).unwrap_or_default();
        let urls = self.phone_urls();
        let reader = self.store.reader();
        self.answer(async move {
            let ground = reader.read(move |db| {
                let overview = query::device_overviews(db)?.into_iter().find(|o| o.device.id == device);
                let Some(overview) = overview else { return Ok(None) };
                let mut names = vec![overview.device.identity.clone()];
                names.extend(phones::aliases_of(db, device)?);
                let mut logins = phones::book(db)?.logins;
                logins.retain(|login| names.iter().any(|name| login.covers(name, Some(device))));
                Ok(Some(Ground {
                    names,
                    logins,
                    has_key: phones::key(db, device)?.is_some(),
                    closed: phones::count_closed(db, device)?,
                    first: phones::first_position(db, device)?,
                    overview,
                }))
            });
            let ground = ground.answered().await?.ok_or_else(|| Error::NoSuchDevice(format!("#{}", device.0)))?;
            Ok(checklist::of(&ground, &visits, &urls))
        })
    }

    /// The last requests of phones, oldest first.
    pub fn visits(&self) -> Vec<ingest::Visit> {
        self.receivers.as_ref().map(ingest::Receivers::visits).unwrap_or_default()
    }

    /// Addresses that a phone may be told, the best first: HTTPS before HTTP, reachable from the network before this computer only.
    pub fn phone_urls(&self) -> Vec<PhoneUrl> {
        let lan = self.lan_addresses();
        let mut urls = Vec::new();
        for (at, secure) in self.phone_receivers() {
            let hosts: Vec<_> = match at.ip() {
                ip if ip.is_unspecified() => lan.iter().copied().filter(|l| l.is_ipv4() || at.is_ipv6()).collect(),
                ip => vec![ip],
            };
            for ip in hosts {
                let scheme = if secure { "https" } else { "http" };
                let host = std::net::SocketAddr::new(ip, at.port());
                urls.push(PhoneUrl { url: format!("{scheme}://{host}/pub"), secure, from_network: !ip.is_loopback() });
            }
        }
        urls.sort_by_key(|url| (!url.from_network, !url.secure));
        urls
    }

    /// Where phones are received, with whether it is HTTPS.
    fn phone_receivers(&self) -> Vec<(std::net::SocketAddr, bool)> {
        let lines = self.receivers();
        let listening = lines.iter().filter(|l| l.protocol == Protocol::OwnTracks).filter_map(|l| match l.status {
            ReceiverStatus::Listening(at) => Some((at, false)),
            ReceiverStatus::Off | ReceiverStatus::Starting | ReceiverStatus::Waiting { .. } => None,
        });
        let https = self.https().into_iter().filter_map(|l| match l.status {
            ReceiverStatus::Listening(at) => Some((at, true)),
            ReceiverStatus::Off | ReceiverStatus::Starting | ReceiverStatus::Waiting { .. } => None,
        });
        https.chain(listening).collect()
    }

    /// How HTTPS for phones fares. `None` where this instance only looks on.
    pub fn https(&self) -> Option<ReceiverLine> {
        self.receivers.as_ref().map(ingest::Receivers::https)
    }

    /// Listens for HTTPS elsewhere from now on, after a restart, too.
    pub fn listen_https(&self, at: ListenAt) {
        if let Some(receivers) = &self.receivers {
            receivers.listen_https(at);
            self.write_down(move |path| config::remember_https(path, at));
        }
    }

    /// Tries HTTPS again at once.
    pub fn retry_https(&self) {
        if let Some(receivers) = &self.receivers {
            receivers.retry_https();
        }
    }

    /// What phones see of HTTPS, and what they must trust. The private authority is made where there is none.
    pub fn certificate(&self) -> Pending<PhoneCertificate> {
        let tls = self.receivers.as_ref().map(ingest::Receivers::tls);
        let urls = self.phone_urls();
        self.answer(async move {
            let Some(tls) = tls else { return Err(Error::ReadOnly) };
            let read = tokio::task::spawn_blocking(move || tls.root().map(|root| (root, tls.shown())));
            let (root, shown) = match read.await {
                Ok(Ok(read)) => read,
                Ok(Err(error)) => return Err(Error::Refused(error.to_string())),
                Err(_) => return Err(Error::Closed),
            };
            let at = |path: &str| {
                let base = |url: &PhoneUrl| format!("{}{path}", url.url.trim_end_matches("/pub"));
                // Plain first: a phone that does not trust us yet warns of the other.
                let (plain, secure): (Vec<_>, Vec<_>) = urls.iter().partition(|url| !url.secure);
                plain.into_iter().chain(secure).find(|url| url.from_network).or(urls.first()).map(base)
            };
            Ok(PhoneCertificate {
                root_url: root.as_ref().and_then(|_| at(ingest::ROOT_DER_PATH)),
                root_pem_url: root.as_ref().and_then(|_| at(ingest::ROOT_PEM_PATH)),
                root,
                names: shown.as_ref().map(|s| s.names.clone()).unwrap_or_default(),
                ends: shown.and_then(|s| s.ends),
            })
        })
    }

    /// Does something that waits, on the runtime, and answers when it is done.
    pub(super) fn answer<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Pending<T> {
        let (answer, pending) = Pending::pair();
        self.runtime.spawn(async move { answer.give(work.await) });
        pending
    }
}

/// The hash of a password, made where nobody waits for the thread.
async fn hashed(password: String) -> Result<Secret, Error> {
    let hash = tokio::task::spawn_blocking(move || ingest::hash_password(&password)).await.ok().flatten();
    hash.ok_or_else(|| Error::Refused("the system gives no random numbers, so no password can be kept".to_owned()))
}

fn refused<T>(error: Error) -> Pending<T> {
    let (answer, pending) = Pending::pair();
    answer.give(Err(error));
    pending
}

/// Opens what was kept closed of a phone, step by step.
async fn open_kept(
    store: &store::Writer,
    reader: &store::Reader,
    device: DeviceId,
    secret: &Secret,
) -> Result<KeyOutcome, Error> {
    // What it sent before its key was known came under the short name that its headers give.
    let short = reader
        .read(move |db| {
            let Some(own) = query::device(db, device)? else { return Ok(None) };
            let Some(short) = own.identity.as_str().strip_prefix("owntracks/").map(str::to_owned) else {
                return Ok(None);
            };
            let other = query::devices(db)?
                .into_iter()
                .find(|d| d.protocol == Protocol::OwnTracks && d.identity.as_str() == short && d.id != device);
            let Some(other) = other else { return Ok(None) };
            let kept = phones::closed(db, other.id, PacketId(0), STEP)?;
            Ok(Some((own.identity, other.id, kept)))
        })
        .answered()
        .await?;
    if let Some((own, other, kept)) = short {
        let is_it = |packet: &ClosedPacket| reopen(packet, secret).is_some_and(|opened| opened.claims.contains(&own));
        if kept.iter().any(is_it) {
            // Its key proves that it is the same phone.
            store.same_as(other, device).answered().await?;
        }
    }
    let mut outcome = KeyOutcome::default();
    let mut after = PacketId(0);
    loop {
        let kept = reader.read(move |db| phones::closed(db, device, after, STEP)).answered().await?;
        let Some(last) = kept.last() else { return Ok(outcome) };
        after = last.id;
        let total = kept.len() as u64;
        let secret = secret.clone();
        let opened: Vec<_> = kept
            .iter()
            .filter_map(|packet| reopen(packet, &secret))
            .map(|opened| OpenedPacket { id: opened.id, holder: device, packet: opened.packet })
            .collect();
        let fitting = opened.len() as u64;
        outcome.closed += total - fitting;
        if !opened.is_empty() {
            outcome.opened += store.opened(opened).answered().await?;
        }
    }
}

/// A kept packet as it would have come in with this key.
struct Reopened {
    id: PacketId,
    /// Everybody it says it is from.
    claims: BTreeSet<Identity>,
    packet: crate::model::NewPacket,
}

fn reopen(kept: &ClosedPacket, secret: &Secret) -> Option<Reopened> {
    let packet = owntracks::reopen(&kept.bytes, kept.context.as_deref(), secret.reveal(), kept.received)?;
    Some(Reopened { id: kept.id, claims: owntracks::claims(&packet).into_iter().collect(), packet })
}

/// What a set-up says.
struct Words {
    user: String,
    device: String,
    tid: String,
    password: Option<String>,
    key: Option<Secret>,
    /// It must sign in.
    guarded: bool,
}

fn setup(words: &Words, urls: &[PhoneUrl], chosen: Option<&str>) -> PhoneSetup {
    let best = chosen.and_then(|c| urls.iter().find(|u| u.url == c)).or(urls.first());
    let url = best.map(|u| u.url.clone()).or_else(|| chosen.map(str::to_owned)).unwrap_or_default();
    let mut settings = json!({
        "_type": "configuration", "mode": 3, "url": url, "username": words.user, "deviceId": words.device, "tid": words.tid,
        // Signing in, commands and all details; monitoring 1 is "significant changes", which spares the battery.
        "auth": words.guarded || words.password.is_some(), "cmd": true, "allowRemoteLocation": true, "extendedData": true, "monitoring": 1,
    });
    if let Some(password) = &words.password {
        settings["password"] = json!(password);
    }
    if let Some(key) = &words.key {
        settings["encryptionKey"] = json!(key.reveal());
    }
    let otrc = serde_json::to_string_pretty(&settings).unwrap_or_default();
    let mut warnings = Vec::new();
    match best {
        None => warnings.push(
            "Nothing listens for phones. Turn on the OwnTracks receiver, for the whole network, in the settings."
                .to_owned(),
        ),
        Some(best) => {
            if !best.from_network {
                let text = "Only this computer reaches this address. Open the OwnTracks receiver to the network in the settings.";
                warnings.push(text.to_owned());
            }
            if !best.secure {
                let text = "iPhones refuse addresses without HTTPS; for those turn HTTPS on. Android takes this one, but anybody in the \
                            network can read along unless a key is set.";
                warnings.push(text.to_owned());
            }
        }
    }
    if words.guarded && words.password.is_none() {
        let text =
            "The password is not in here, because only its hash is kept. Type it into the phone, or set a new one.";
        warnings.push(text.to_owned());
    }
    PhoneSetup {
        url,
        user: words.user.clone(),
        device: words.device.clone(),
        tid: words.tid.clone(),
        otrc_name: format!("{}-{}.otrc", file_word(&words.user), file_word(&words.device)),
        link: format!("owntracks:///config?inline={}", percent_encoded(&base64(settings.to_string().as_bytes()))),
        otrc,
        warnings,
    }
}

/// User and device of an identity; a name without a slash is the device.
fn parts(identity: &Identity) -> (String, String) {
    let name = identity.as_str();
    let mut last = name.rsplit('/');
    let device = last.next().unwrap_or(name).to_owned();
    (last.next().unwrap_or_default().to_owned(), device)
}

/// Two characters for a map.
fn short_id(user: &str, device: &str) -> String {
    let first = |text: &str| text.chars().find(char::is_ascii_alphanumeric);
    let mut letters: String = [first(user), first(device)].into_iter().flatten().collect();
    if letters.len() < 2 {
        letters = device.chars().filter(char::is_ascii_alphanumeric).take(2).collect();
    }
    letters.to_uppercase()
}

/// Part of a file name that every system takes.
fn file_word(text: &str) -> String {
    let word: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(40).collect();
    if word.is_empty() { "phone".to_owned() } else { word }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// With `%2B` for what means something else in a link.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            use std::fmt::Write;
            write!(out, "%{byte:02X}").expect("a string takes everything");
        }
        out
    })
}
