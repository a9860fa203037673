//! What is set up for phones: pairing, passwords, keys, names, friends, HTTPS. Asked of the backend, answered into [`Phones`].

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use egui::Context;

use super::{
    Action, Data, asks,
    faces::{Decoder, Face},
    format,
    toasts::Toasts,
    view::Sheet,
};
use crate::{
    backend::{
        Backend, Error, ListenAt, Pending, ReceiverLine,
        phones::{KeyOutcome, PhoneCertificate, PhoneChecklist, PhoneSetup, PhoneUrl, SetupChoice},
        write_private,
    },
    model::{
        Card, Command, Committed, Device, DeviceId, DeviceOverview, Identity, PhoneRow, Protocol, Secret, Timestamp,
    },
};

/// What failed, where a name could not be taken away with its history.
const PART: &str = "part the two";

/// Between two readings of what is set up.
const ROWS_EVERY: Duration = Duration::from_millis(700);
/// Between two looks at a phone that is being paired.
const WATCH_EVERY: Duration = Duration::from_millis(600);

/// What the window knows of it; a part of [`Data`].
#[derive(Default)]
pub struct Phones {
    /// Phones that something was set up for, or that sent a card, or something that cannot be read.
    pub rows: BTreeMap<DeviceId, PhoneRow>,
    /// Users with a password for everything they post.
    pub users: Vec<String>,
    /// Faces of cards, ready to be drawn.
    pub faces: BTreeMap<DeviceId, Face>,
    /// Addresses that a phone may be told, the best first. Read while a sheet about phones is open.
    pub urls: Vec<PhoneUrl>,
    /// How HTTPS fares; `None` where this instance only looks on.
    pub https: Option<ReceiverLine>,
    /// What the certificate says, while its sheet is open.
    pub certificate: Option<Result<PhoneCertificate, String>>,
    /// The phone whose set-up is looked at.
    pub pairing: Option<Pairing>,
    /// What came of the last phone that was added.
    pub made: Option<Made>,
    /// What came of the last file that was written: where to, or why not.
    pub saved: Option<Result<PathBuf, String>>,
    /// Something changed: read it again.
    pub(super) stale: bool,
}

/// A phone that is being paired.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairing {
    pub device: DeviceId,
    pub choice: SetupChoice,
    pub setup: Option<Result<PhoneSetup, String>>,
    pub checklist: Option<PhoneChecklist>,
}

/// What came of adding a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub identity: Identity,
    pub device: Result<DeviceId, String>,
}

impl Phones {
    /// The last card of a device.
    pub fn card(&self, device: DeviceId) -> Option<&Card> {
        self.rows.get(&device)?.card.as_ref().map(|stored| &stored.card)
    }

    /// What is set up for a device whose messages nobody can read; not where its key opens what comes now, and only old ones stay closed.
    pub fn locked(&self, device: &Device) -> Option<&PhoneRow> {
        let row = self.rows.get(&device.id).filter(|row| row.closed > 0)?;
        let ms = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
        let newest = ms(row.last_closed) >= ms(device.last_heard);
        (newest || !row.has_key).then_some(row)
    }

    /// Whether this device must sign in: by a password of its own, or by one of its user.
    pub fn is_guarded(&self, device: &Device) -> bool {
        self.rows.get(&device.id).is_some_and(|row| !row.users.is_empty())
            || user_part(&device.identity).is_some_and(|user| self.users.iter().any(|u| u.eq_ignore_ascii_case(user)))
    }

    /// Takes over what a commit told.
    pub(super) fn learn(&mut self, committed: &Committed) {
        let phones = committed.devices.iter().any(|device| device.protocol == Protocol::OwnTracks);
        let cards = committed.events.iter().any(|event| event.kind == "card");
        let closed = committed.packets.iter().any(|packet| packet.kind == "encrypted");
        self.stale |= phones || cards || closed || !committed.rederived.is_empty();
    }
}

/// `jane` of `owntracks/jane/phone`.
pub fn user_part(identity: &Identity) -> Option<&str> {
    identity.as_str().rsplit('/').nth(1)
}

impl Data {
    /// What a person calls this device: the name given here, else the one on its card, else what it calls itself.
    pub fn name_of<'a>(&'a self, overview: &'a DeviceOverview) -> &'a str {
        let device = &overview.device;
        let card = || self.phones.card(device.id).and_then(|card| card.name.as_deref());
        device.name.as_deref().or_else(card).unwrap_or_else(|| device.label())
    }
}

/// What is being asked.
#[derive(Default)]
pub(super) struct Asking {
    rows: Option<Pending<Vec<PhoneRow>>>,
    users: Option<Pending<Vec<String>>>,
    rows_at: Option<Instant>,
    decoder: Decoder,
    setup: Option<Pending<PhoneSetup>>,
    checklist: Option<Pending<PhoneChecklist>>,
    watched_at: Option<Instant>,
    certificate: Option<Pending<PhoneCertificate>>,
    /// For which state of HTTPS the certificate was read.
    certificate_of: Option<ReceiverLine>,
    made: Vec<(Identity, Pending<Device>)>,
    changed: Vec<(&'static str, Pending<()>)>,
    counted: Vec<((&'static str, DeviceId), Pending<u64>)>,
    keys: Vec<(DeviceId, Pending<KeyOutcome>)>,
    sent: Vec<(DeviceId, Pending<Command>)>,
    saving: Option<mpsc::Receiver<Result<PathBuf, String>>>,
    /// Devices that something could not be done to, until somebody asks.
    pub(super) refused: Vec<DeviceId>,
}

impl Asking {
    /// True while an answer is on its way.
    pub(super) fn waiting(&self) -> bool {
        self.rows.is_some()
            || self.users.is_some()
            || self.decoder.busy()
            || self.setup.is_some()
            || self.checklist.is_some()
            || self.certificate.is_some()
            || !self.made.is_empty()
            || !self.changed.is_empty()
            || !self.counted.is_empty()
            || !self.keys.is_empty()
            || !self.sent.is_empty()
            || self.saving.is_some()
    }

    /// Asks for what the open sheet wants and the data lack.
    pub(super) fn ask(&mut self, ctx: &Context, backend: &Backend, data: &mut Data, sheet: Option<Sheet>) {
        let phones = &mut data.phones;
        phones.https = backend.https();
        if phones.stale || self.rows_at.is_none() {
            let left = self.rows_at.map_or(Duration::ZERO, |at| ROWS_EVERY.saturating_sub(at.elapsed()));
            if left > Duration::ZERO || self.rows.is_some() {
                ctx.request_repaint_after(left);
            } else {
                phones.stale = false;
                self.rows_at = Some(Instant::now());
                self.rows = Some(backend.phones());
                self.users = Some(backend.phone_users());
            }
        }
        let about_phones = matches!(sheet, Some(Sheet::AddPhone | Sheet::Phone | Sheet::Phones(_)));
        if !about_phones {
            phones.pairing = None;
            phones.certificate = None;
            phones.saved = None;
            self.certificate_of = None;
            self.watched_at = None;
            return;
        }
        // Where HTTPS is off, looking must not make an authority.
        let on = phones.https.as_ref().is_some_and(|line| line.wanted != ListenAt::Off);
        if on && self.certificate_of != phones.https && self.certificate.is_none() {
            self.certificate_of.clone_from(&phones.https);
            self.certificate = Some(backend.certificate());
        }
        let due = self.watched_at.is_none_or(|at| at.elapsed() >= WATCH_EVERY);
        if due {
            self.watched_at = Some(Instant::now());
            phones.urls = backend.phone_urls();
        }
        if let Some(pairing) = &phones.pairing
            && due
            && self.setup.is_none()
            && self.checklist.is_none()
        {
            self.setup = Some(backend.phone_setup(pairing.device, pairing.choice.clone()));
            self.checklist = Some(backend.phone_checklist(pairing.device));
        }
        ctx.request_repaint_after(WATCH_EVERY);
    }

    /// Everything is read again: something was missed.
    pub(super) fn read_again(data: &mut Data) {
        data.phones.stale = true;
    }

    /// Does what was asked for; anything else is none of its business.
    pub(super) fn carry_out(&mut self, backend: &Backend, data: &mut Data, action: Action) {
        let reveal = |secret: Secret| secret.reveal().to_owned();
        match action {
            Action::AddPhone(phone) => {
                data.phones.made = None;
                match phone.identity() {
                    Ok(identity) => self.made.push((identity, backend.add_phone(phone))),
                    Err(why) => tracing::debug!(why, "a phone without a name was to be added"),
                }
            }
            Action::WatchPhone(device, choice) => {
                data.phones.pairing = Some(Pairing { device, choice, setup: None, checklist: None });
                (self.setup, self.checklist, self.watched_at) = (None, None, None);
            }
            Action::SetPassword { user, device, password } => {
                self.changed.push(("change the password", backend.set_password(user, device, password.map(reveal))));
            }
            Action::SetKey(device, key) => self.keys.push((device, backend.set_key(device, key.map(reveal)))),
            Action::Alias(device, name, attached) => {
                let what = if attached { "attach the name" } else { "take the name away" };
                self.counted.push(((what, device), backend.alias(device, name, attached)));
            }
            Action::Part(device, name) => self.counted.push(((PART, device), backend.part(device, name))),
            Action::SameAs { from, to } => self.counted.push((("join the two", to), backend.same_as(from, to))),
            Action::SetFriend { viewer, seen, told } => {
                // Shown at once; what the store answers takes its place.
                if let Some(row) = data.phones.rows.get_mut(&viewer) {
                    row.sees.retain(|id| *id != seen);
                    row.sees.extend(told.then_some(seen));
                }
                self.counted.push((("change who sees whom", viewer), backend.set_friend(viewer, seen, told)));
            }
            Action::SendPhoneCommand(device, command) => {
                self.sent.push((device, backend.send_phone_command(device, &command)));
            }
            Action::ListenHttps(at) => backend.listen_https(at),
            Action::RetryHttps => backend.retry_https(),
            Action::Save { to, bytes } => {
                let (tell, told) = mpsc::channel();
                self.saving = Some(told);
                // What is saved here may hold the password and the key of a phone.
                data.phones.saved = None;
                thread::spawn(move || {
                    let done = write_private(&to, &bytes).map(|()| to).map_err(|error| error.to_string());
                    // The window may be gone by now.
                    tell.send(done).ok();
                });
            }
            _ => {}
        }
    }

    /// Takes in what was answered. A phone that was added comes back, to be shown.
    pub(super) fn take(&mut self, ctx: &Context, data: &mut Data, toasts: &mut Toasts) -> Option<DeviceId> {
        self.take_rows(ctx, data);
        let phones = &mut data.phones;
        if let Some(answer) = take(&mut self.setup)
            && let Some(pairing) = &mut phones.pairing
        {
            pairing.setup = Some(answer.map_err(|error| error.to_string()));
        }
        if let Some(Ok(checklist)) = take(&mut self.checklist)
            && let Some(pairing) = &mut phones.pairing
        {
            pairing.checklist = Some(checklist);
        }
        if let Some(answer) = take(&mut self.certificate) {
            phones.certificate = Some(answer.map_err(|error| error.to_string()));
        }
        if let Some(told) = &self.saving
            && let Ok(done) = told.try_recv()
        {
            phones.saved = Some(done);
            self.saving = None;
        }
        let mut added = None;
        for (identity, answer) in asks::take_answered(&mut self.made) {
            phones.stale = true;
            let device = answer.map(|device| device.id).map_err(|error| error.to_string());
            added = device.clone().ok().or(added);
            phones.made = Some(Made { identity, device });
        }
        self.take_changes(data, toasts);
        added
    }

    fn take_changes(&mut self, data: &mut Data, toasts: &mut Toasts) {
        for (what, answer) in asks::take_answered(&mut self.changed) {
            data.phones.stale = true;
            self.watched_at = None;
            said(toasts, what, answer);
        }
        for ((what, device), answer) in asks::take_answered(&mut self.counted) {
            data.phones.stale = true;
            match answer {
                Ok(0) => {}
                Ok(n) if what == PART => {
                    toasts.info(format!("{} went back", format::counted(n, "position", "positions")));
                }
                Ok(n) => toasts.info(format!("{} came over", format::counted(n, "position", "positions"))),
                Err(error) => {
                    toasts.error(format!("Could not {what}: {error}"));
                    self.refused.push(device);
                }
            }
        }
        for (device, answer) in asks::take_answered(&mut self.keys) {
            data.phones.stale = true;
            self.watched_at = None;
            let name = data.label(device);
            match answer {
                Ok(KeyOutcome { opened: 0, closed: 0 }) => {}
                Ok(KeyOutcome { opened, closed: 0 }) => {
                    let opened = format::counted(opened, "report", "reports");
                    toasts.info(format!("{name}: the key fits, {opened} opened"));
                }
                Ok(KeyOutcome { opened, closed }) => {
                    let opened = format::counted(opened, "report", "reports");
                    let closed = format::count(closed);
                    toasts.warn(format!("{name}: the key opened {opened}; {closed} came with another key"));
                }
                Err(error) => toasts.error(format!("Could not set the key of {name}: {error}")),
            }
        }
        for (device, answer) in asks::take_answered(&mut self.sent) {
            if let Err(error) = answer {
                toasts.error(format!("Not queued for {}: {error}", data.label(device)));
            }
        }
    }

    fn take_rows(&mut self, ctx: &Context, data: &mut Data) {
        if let Some(Ok(rows)) = take(&mut self.rows) {
            let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.device, row)).collect();
            self.decoder.want(&rows, &mut data.phones.faces);
            if rows != data.phones.rows {
                // Names and faces may be others.
                data.roster += 1;
                data.phones.rows = rows;
            }
        }
        if let Some(answer) = take(&mut self.users) {
            data.phones.users = answer.unwrap_or_default();
        }
        // Cards that came while others were decoded wait for the next look.
        data.phones.stale |= self.decoder.take(ctx, &mut data.phones.faces);
    }
}

/// The answer of a question that is asked at most once at a time, if it came.
fn take<T>(asked: &mut Option<Pending<T>>) -> Option<Result<T, Error>> {
    let answer = asked.as_mut()?.poll()?;
    *asked = None;
    Some(answer)
}

fn said<T>(toasts: &mut Toasts, what: &str, answer: Result<T, Error>) {
    if let Err(error) = answer {
        toasts.error(format!("Could not {what}: {error}"));
    }
}
