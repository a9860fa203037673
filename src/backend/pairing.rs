//! Pairing a phone: its names, password and key, what was kept before the key was known, and what is typed into it.
//!
//! The functions wait for the store and hash passwords: not for the window and not inside the runtime.

use std::collections::BTreeSet;

use qrcode::{Color, EcLevel, QrCode};
use serde_json::json;

use super::{Error, phones::PhoneUrl};
use crate::{
    ingest,
    model::{ClosedPacket, Device, DeviceId, Identity, NewPacket, PacketId, Protocol, Secret},
    store::{OpenedPacket, Reader, Writer, phones, query},
    wire::owntracks,
};

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
    /// What it encrypts with, where it does.
    pub key: Option<Secret>,
    /// The settings file, JSON, and what to call it.
    pub otrc: String,
    pub otrc_name: String,
    /// Opens the app with these settings; also what its QR code says.
    pub link: String,
    /// What will go wrong with this address, and what to do about it.
    pub warnings: Vec<String>,
}

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

/// Makes a phone: its device, adopted, with both names, password and key. One that is there already is changed.
pub fn add(store: &Writer, phone: NewPhone) -> Result<Device, Error> {
    let identity = phone.identity().map_err(Error::Refused)?;
    let password = phone.password.filter(|p| !p.is_empty()).map(|p| hashed(&p)).transpose()?;
    let device = store.add_device(Protocol::OwnTracks, identity.clone(), phone.name).wait()?;
    // An encrypted message is only called by its headers, which leave out what begins every topic.
    if let Some(short) = identity.as_str().strip_prefix("owntracks/").and_then(Identity::new) {
        store.set_alias(device.id, short, true).wait()?;
    }
    if password.is_some() {
        store.set_login(phone.user.trim().to_owned(), Some(device.id), password).wait()?;
    }
    if let Some(key) = phone.key.and_then(Secret::new) {
        store.set_phone_key(device.id, Some(key)).wait()?;
    }
    Ok(device)
}

/// Sets the password of one device, or with `None` of everything that a user posts; `password` `None` takes it away.
pub fn set_password(store: &Writer, user: &str, device: Option<DeviceId>, password: Option<&str>) -> Result<(), Error> {
    let user = user.trim();
    if user.is_empty() || user.contains(':') {
        return Err(Error::Refused("a user name is not empty and has no colon".to_owned()));
    }
    let hash = password.filter(|p| !p.is_empty()).map(hashed).transpose()?;
    store.set_login(user.to_owned(), device, hash).wait().map(|_| ())
}

/// Sets the secret that a phone encrypts with, and opens what was kept; `None` takes it away.
pub fn set_key(store: &Writer, reader: &Reader, device: DeviceId, key: Option<String>) -> Result<KeyOutcome, Error> {
    let secret = key.and_then(Secret::new);
    store.set_phone_key(device, secret.clone()).wait()?;
    if secret.is_some() {
        attach_short_name(store, reader, device)?;
    }
    secret.map_or(Ok(KeyOutcome::default()), |secret| open_kept(store, reader, device, &secret))
}

/// An encrypted message is only called by its headers, which leave out what begins every topic; that name is the phone's, unless somebody
/// came under it.
fn attach_short_name(store: &Writer, reader: &Reader, device: DeviceId) -> Result<(), Error> {
    let free = reader.read(move |db| {
        let own = query::device(db, device)?;
        let short = own.as_ref().and_then(|own| Identity::new(own.identity.as_str().strip_prefix("owntracks/")?));
        let Some(short) = short else { return Ok(None) };
        Ok((!phones::is_taken(db, &short)?).then_some(short))
    });
    match free.wait()? {
        Some(short) => store.set_alias(device, short, true).wait().map(|_| ()),
        None => Ok(()),
    }
}

fn hashed(password: &str) -> Result<Secret, Error> {
    ingest::hash_password(password)
        .ok_or_else(|| Error::Refused("the system gives no random numbers, so no password can be kept".to_owned()))
}

/// Opens what was kept closed of a phone, step by step.
fn open_kept(store: &Writer, reader: &Reader, device: DeviceId, secret: &Secret) -> Result<KeyOutcome, Error> {
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
        .wait()?;
    if let Some((own, other, kept)) = short {
        let is_it = |packet: &ClosedPacket| reopen(packet, secret).is_some_and(|opened| opened.claims.contains(&own));
        if kept.iter().any(is_it) {
            // Its key proves that it is the same phone.
            store.same_as(other, device).wait()?;
        }
    }
    let mut outcome = KeyOutcome::default();
    let mut after = PacketId(0);
    loop {
        let kept = reader.read(move |db| phones::closed(db, device, after, STEP)).wait()?;
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
            outcome.opened += store.opened(opened).wait()?;
        }
    }
}

/// A kept packet as it would have come in with this key.
struct Reopened {
    id: PacketId,
    /// Everybody it says it is from.
    claims: BTreeSet<Identity>,
    packet: NewPacket,
}

fn reopen(kept: &ClosedPacket, secret: &Secret) -> Option<Reopened> {
    let packet = owntracks::reopen(&kept.bytes, kept.context.as_deref(), secret.reveal(), kept.received)?;
    Some(Reopened { id: kept.id, claims: owntracks::claims(&packet).into_iter().collect(), packet })
}

/// The set-up of a phone that was made just now, for an address that is known.
pub fn setup_for(phone: &NewPhone, url: &str) -> PhoneSetup {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let here = ["127.", "[::1]", "localhost"].iter().any(|own| host.starts_with(own));
    let known =
        PhoneUrl { url: url.to_owned(), secure: url.starts_with("https://"), from_network: !here, covered: true };
    let words = Words {
        user: phone.user.trim().to_owned(),
        device: phone.device.trim().to_owned(),
        tid: phone.tid.clone(),
        password: phone.password.clone(),
        key: phone.key.clone().and_then(Secret::new),
        guarded: phone.password.is_some(),
    };
    setup(&words, &[known], None)
}

/// A password or key that nobody can guess. `None`: the system gives no random numbers.
pub fn fresh_secret() -> Option<String> {
    ingest::fresh_password()
}

/// What a set-up says.
pub(super) struct Words {
    pub(super) user: String,
    pub(super) device: String,
    pub(super) tid: String,
    pub(super) password: Option<String>,
    pub(super) key: Option<Secret>,
    /// It must sign in.
    pub(super) guarded: bool,
}

pub(super) fn setup(words: &Words, urls: &[PhoneUrl], chosen: Option<&str>) -> PhoneSetup {
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
            if !best.covered {
                let text = "The certificate of HTTPS does not name this address, so phones refuse it. Use a certificate that does, or leave \
                            out yours and let Wayglass make one.";
                warnings.push(text.to_owned());
            }
            if !best.secure && urls.iter().any(|url| url.secure && url.from_network) {
                let text = "iPhones refuse addresses without HTTPS. HTTPS is on, but its certificate names no address of this computer, so phones \
                            refuse that, too.";
                let chosen = urls.iter().any(|url| url.secure && url.covered);
                warnings.extend((!chosen).then(|| text.to_owned()));
            } else if !best.secure {
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
        key: words.key.clone(),
        otrc_name: format!("{}-{}.otrc", file_word(&words.user), file_word(&words.device)),
        link: format!("owntracks:///config?inline={}", percent_encoded(&base64(settings.to_string().as_bytes()))),
        otrc,
        warnings,
    }
}

/// User and device of an identity; a name without a slash is the device.
pub(super) fn parts(identity: &Identity) -> (String, String) {
    let name = identity.as_str();
    let mut last = name.rsplit('/');
    let device = last.next().unwrap_or(name).to_owned();
    (last.next().unwrap_or_default().to_owned(), device)
}

/// Two characters for a map.
pub(super) fn short_id(user: &str, device: &str) -> String {
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
