//! OwnTracks phones: pairing one, what it may and must do, whom it sees, what it is told.

pub use super::checklist::{CheckState, CheckStep, Checked, PhoneChecklist};
pub use super::pairing::{KeyOutcome, NewPhone, PhoneSetup, QrPicture, qr};
use std::net::{IpAddr, SocketAddr};

use super::{
    Backend, Error, ListenAt, Pending, ReceiverLine, ReceiverStatus, Root,
    checklist::{self, Ground},
    config,
    pairing::{self, Words, parts, setup, short_id},
    part,
};
use crate::{
    ingest::{self, Certificate, CertificateDoubt},
    model::{
        Command, Device, DeviceId, Direction, Identity, MOST_PHONE_COMMAND_BYTES, NewCommand, PacketRow, PhoneCommand,
        PhoneRow, Profile, Protocol, Secret, Timestamp,
    },
    store::{phones, query},
    wire::{self, Dissection, owntracks},
};

/// How long a command waits for a phone: phones sleep for hours.
const COMMAND_WAITS: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

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
    /// The certificate names it, so phones take it; true without HTTPS.
    pub covered: bool,
}

impl PhoneUrl {
    fn new(host: &str, secure: bool, from_network: bool, covered: bool) -> Self {
        let scheme = if secure { "https" } else { "http" };
        Self { url: format!("{scheme}://{host}/pub"), secure, from_network, covered }
    }

    /// Its name or address without the port.
    fn host(&self) -> String {
        let after = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let host = after.split('/').next().unwrap_or(after);
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        host.trim_matches(['[', ']']).to_owned()
    }
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
    /// Names and addresses that the certificate is good for; empty before HTTPS was turned on.
    pub names: Vec<String>,
    /// When it ends; one of the program's own is renewed long before.
    pub ends: Option<Timestamp>,
    /// Why phones refuse it, or soon will.
    pub doubts: Vec<CertificateDoubt>,
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
        self.work(move || pairing::add(&store, phone))
    }

    /// Sets the password of one device, or with `None` of everything that a user posts; `password` `None` takes it away.
    pub fn set_password(&self, user: String, device: Option<DeviceId>, password: Option<String>) -> Pending<()> {
        let store = self.store.writer();
        self.work(move || pairing::set_password(&store, &user, device, password.as_deref()))
    }

    /// Sets the secret that a phone encrypts with, and opens what was kept; `None` takes it away.
    pub fn set_key(&self, device: DeviceId, key: Option<String>) -> Pending<KeyOutcome> {
        let (store, reader) = (self.store.writer(), self.store.reader());
        self.work(move || pairing::set_key(&store, &reader, device, key))
    }

    /// Explains a kept packet as [`wire::dissect_kept`] does, and looks into encrypted ones of phones whose key is set.
    pub fn dissect(&self, packet: &PacketRow, profile: &Profile) -> Dissection {
        let book = self.store.phone_book();
        let own = packet.device.and_then(|device| book.borrow().keys.get(&device).cloned());
        let shared = self.receivers.as_ref().and_then(ingest::Receivers::shared_key);
        let secret = match packet.protocol {
            Protocol::OwnTracks => {
                let secrets = own.iter().chain(&shared).map(Secret::reveal);
                owntracks::fitting(&packet.bytes, secrets).map(str::to_owned)
            }
            Protocol::Gt06 => None,
        };
        match (secret, packet.direction) {
            (None, _) => wire::dissect_kept(packet, profile),
            (Some(secret), Direction::In) => {
                owntracks::dissect_kept(&packet.bytes, packet.context.as_deref(), Some(&secret), packet.received)
            }
            (Some(secret), Direction::Out) => owntracks::dissect_with(&packet.bytes, Some(&secret), packet.received),
        }
    }

    /// Attaches a name to a device ("Same as …"), or takes it away. Where somebody came under that name, everything of it becomes this
    /// device's. Answers how many positions came over.
    pub fn alias(&self, device: DeviceId, name: Identity, attached: bool) -> Pending<u64> {
        self.store.writer().set_alias(device, name, attached)
    }

    /// Takes an attached name away together with everything that came in under it, which becomes a device of its own again. Answers how many
    /// positions that one has.
    pub fn part(&self, device: DeviceId, name: Identity) -> Pending<u64> {
        let (store, reader) = (self.store.writer(), self.store.reader());
        self.work(move || part::part(&store, &reader, device, &name))
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
        self.store.writer().queue_command(NewCommand { device, text, created: now, expires, forced: false })
    }

    /// The last commands of a phone, newest last.
    pub fn phone_commands(&self, device: DeviceId, limit: usize) -> Pending<Vec<Command>> {
        self.store.reader().read(move |db| query::commands(db, Some(device), limit))
    }

    /// What must be typed into a phone.
    pub fn phone_setup(&self, device: DeviceId, choice: SetupChoice) -> Pending<PhoneSetup> {
        let urls = self.phone_urls();
        let reader = self.store.reader();
        let kept_from = self.https().and_then(|line| match line.status {
            ReceiverStatus::Waiting { wanted, holder: Some(holder), .. } => {
                Some(format!("{wanted} is in use by {holder}"))
            }
            ReceiverStatus::Waiting { error, .. } => Some(error),
            ReceiverStatus::Off | ReceiverStatus::Starting | ReceiverStatus::Listening(_) => None,
        });
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
                tid: choice.tid.or(told).unwrap_or_else(|| short_id(&named_user, &named_device)),
                user: user.unwrap_or(named_user),
                device: named_device,
                password: choice.password,
                key,
                guarded,
            };
            let mut setup = setup(&words, &urls, choice.url.as_deref());
            if let Some(why) = kept_from {
                setup.warnings.insert(0, format!("HTTPS is on and cannot listen: {why}."));
            }
            Ok(setup)
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
                    first: query::first_position(db, device)?,
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
        let tls = self.receivers.as_ref().map(ingest::Receivers::tls);
        let certificate = tls.as_ref().and_then(|tls| tls.shown());
        let is_own = tls.is_some_and(|tls| tls.is_own());
        let mut urls = Vec::new();
        for (at, secure) in self.phone_receivers() {
            let ips: Vec<_> = match at.ip() {
                ip if ip.is_unspecified() => lan.iter().copied().filter(|l| l.is_ipv4() || at.is_ipv6()).collect(),
                ip => vec![ip],
            };
            let certificate = certificate.as_ref().filter(|_| secure);
            for ip in ips {
                let host = SocketAddr::new(ip, at.port());
                let covered = certificate.is_none_or(|certificate| certificate.covers(&ip.to_string()));
                urls.push(PhoneUrl::new(&host.to_string(), secure, !ip.is_loopback(), covered));
            }
            // Whoever brings a certificate brings a name that leads here.
            for name in certificate.filter(|_| is_own).into_iter().flat_map(Certificate::hosts) {
                if name.parse::<IpAddr>().is_err() {
                    urls.push(PhoneUrl::new(&format!("{name}:{}", at.port()), secure, !at.ip().is_loopback(), true));
                }
            }
        }
        urls.sort_by_key(|url| (!url.from_network, !url.covered, !url.secure));
        urls
    }

    /// Where phones are received, with whether it is HTTPS.
    fn phone_receivers(&self) -> Vec<(SocketAddr, bool)> {
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
        let (urls, now) = (self.phone_urls(), (self.clock)());
        self.answer(async move {
            let Some(tls) = tls else { return Err(Error::ReadOnly) };
            // One of the user's may have been replaced since the last phone called.
            let read = tokio::task::spawn_blocking(move || {
                if tls.is_own() {
                    tls.config()?;
                }
                tls.root().map(|root| (root, tls.shown()))
            });
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
            let told: Vec<_> = urls.iter().filter(|url| url.secure && url.from_network).map(PhoneUrl::host).collect();
            Ok(PhoneCertificate {
                doubts: shown.as_ref().map(|s| s.doubts(now, &told)).unwrap_or_default(),
                root_url: root.as_ref().and_then(|_| at(ingest::ROOT_DER_PATH)),
                root_pem_url: root.as_ref().and_then(|_| at(ingest::ROOT_PEM_PATH)),
                root,
                names: shown.as_ref().map(|s| s.names.clone()).unwrap_or_default(),
                ends: shown.and_then(|s| s.ends),
            })
        })
    }

    /// Does something that takes a thread for a while.
    fn work<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Pending<T> {
        let (answer, pending) = Pending::pair();
        self.runtime.spawn_blocking(move || answer.give(work()));
        pending
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

fn refused<T>(error: Error) -> Pending<T> {
    let (answer, pending) = Pending::pair();
    answer.give(Err(error));
    pending
}
