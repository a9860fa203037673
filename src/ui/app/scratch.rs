//! Captures beside the live picture: each is a backend of its own with everything the window knows of it, and one of them is shown.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::swap,
    sync::Arc,
    time::{Duration, Instant},
};

use egui::Context;

use super::{App, STOP_PATIENCE, demo::Demo, finding, going, health, importing, news::News, pages, seeking};
use crate::{
    backend::{
        Backend, Feed, Pending,
        capture::{CaptureError, CaptureSource},
    },
    model::{DeviceId, Fact, Timestamp},
    ui::{
        Action, Data,
        asks::Asks,
        out,
        panels::{Panels, sources::Tab},
        phones,
        read_as::ReadOtherwise,
        remote,
        talk::{self, TalkView},
        time::{self, TimeView},
        undo::Undo,
        view::{Events, Selection, Ways},
        watch,
    },
};

/// A capture on its way.
type Opening = Pending<Result<Box<Backend>, CaptureError>>;

/// The tab of the live picture.
const LIVE: u64 = 0;
/// Captures that may be open at a time: each is a store with its threads.
const MOST_OPEN: usize = 12;
/// Facts of sources that are not shown, which may be counted in one frame.
const MOST_FACTS: usize = 2_000;
/// Repaints for what a capture brings.
const COALESCE: Duration = Duration::from_millis(33);

/// Everything that belongs to one source of packets, while another is shown. The fields are those of [`App`] and of its view.
struct Aside {
    backend: Option<Backend>,
    feed: Feed,
    data: Data,
    panels: Panels,
    asks: Asks,
    remote: remote::Asking,
    phones: phones::Asking,
    paging: pages::Paging,
    finding: finding::Finding,
    seeker: seeking::Seeker,
    past: time::Asking,
    talk: talk::Asking,
    out: out::Asking,
    imports: importing::Asking,
    hiding: Vec<(DeviceId, Pending<u64>)>,
    mapped: u64,
    unseen: bool,
    undo: Undo,
    went: going::Went,
    watch: watch::Asking,
    demo: Demo,
    news: News,
    health: health::Asking,
    looked_at: LookedAt,
    /// Packets that came while it was not shown.
    new: u64,
}

/// What of the view belongs to a source.
#[derive(Default)]
struct LookedAt {
    selection: Selection,
    follow: Option<DeviceId>,
    isolate: bool,
    isolate_also: BTreeSet<DeviceId>,
    only_in_view: bool,
    events: Events,
    time: TimeView,
    read_as: ReadOtherwise,
    talk: TalkView,
    undo: Option<String>,
    redo: Option<String>,
    ways: Ways,
}

/// The sources, and which one is shown.
#[derive(Default)]
pub(super) struct Sources {
    /// All but the one that is shown.
    aside: BTreeMap<u64, Aside>,
    shown: u64,
    names: BTreeMap<u64, String>,
    /// Where they came from.
    origins: BTreeMap<u64, CaptureSource>,
    last: u64,
    opening: Vec<(CaptureSource, Opening)>,
    /// The clipboard was asked for.
    pub(super) pasting: bool,
    /// What is to be opened in the next frame.
    pub(super) wanted: Vec<CaptureSource>,
}

impl Sources {
    pub(super) fn waiting(&self) -> bool {
        !self.opening.is_empty()
    }

    pub(super) fn is_live(&self) -> bool {
        self.shown == LIVE
    }

    /// The live picture's, where something else is shown.
    pub(super) fn live(&self) -> Option<&Backend> {
        self.aside.get(&LIVE)?.backend.as_ref()
    }

    /// The capture that is shown.
    pub(super) fn shown_capture(&self) -> Option<CaptureSource> {
        self.origins.get(&self.shown).cloned()
    }
}

/// Said until the system hands over what is in it.
const READING_CLIPBOARD: &str = "Reading the clipboard";

impl App {
    /// Takes over what was opened, and counts what comes to those that are not shown.
    pub(super) fn look_at_sources(&mut self, ctx: &Context) {
        for source in std::mem::take(&mut self.sources.wanted) {
            self.open_source(ctx, source);
        }
        let mut opened = Vec::new();
        self.sources.opening.retain_mut(|(source, pending)| match pending.poll() {
            Some(answer) => {
                opened.push((source.clone(), answer));
                false
            }
            None => true,
        });
        for (source, answer) in opened {
            match answer {
                Ok(Ok(backend)) => self.add_source(&source, *backend),
                Ok(Err(error)) => self.not_opened(ctx, source, &error),
                Err(error) => self.toasts.error(format!("Could not open {}: {error}", source.name())),
            }
        }
        for aside in self.sources.aside.values_mut() {
            for fact in std::iter::from_fn(|| aside.feed.next()).take(MOST_FACTS) {
                if let Fact::Committed(committed) = fact {
                    aside.new += committed.packets.len() as u64;
                }
                aside.news.missed = true;
            }
        }
    }

    /// What is no capture may be history, which the live store takes; it says itself why not.
    fn not_opened(&mut self, ctx: &Context, source: CaptureSource, error: &CaptureError) {
        match (source, error) {
            (CaptureSource::Dropped(path), CaptureError::History(_) | CaptureError::Refused { .. }) => {
                self.show_source(LIVE);
                self.apply(ctx, Action::OpenImport(Some(path)));
            }
            (_, error) => self.toasts.error(format!("{error}")),
        }
    }

    pub(super) fn apply_source(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::OpenCapture(source) => self.open_source(ctx, source),
            Action::PasteCapture => {
                self.sources.pasting = true;
                self.toasts.info(READING_CLIPBOARD);
                ctx.send_viewport_cmd(egui::ViewportCommand::RequestPaste);
            }
            Action::ShowSource(id) => self.show_source(id),
            Action::CloseSource(id) => self.close_source(id),
            _ => {}
        }
    }

    /// A text from the clipboard, where no field takes it.
    pub(super) fn take_pasted(&mut self, ctx: &Context) {
        let pasted = ctx.input(|input| {
            input.events.iter().find_map(|event| match event {
                egui::Event::Paste(text) => Some(text.clone()),
                _ => None,
            })
        });
        let Some(text) = pasted else { return };
        self.toasts.withdraw(READING_CLIPBOARD);
        if std::mem::take(&mut self.sources.pasting) || !self.typing {
            self.open_source(ctx, CaptureSource::Pasted(text.into()));
        }
    }

    fn open_source(&mut self, ctx: &Context, source: CaptureSource) {
        if self.sources.names.len() + self.sources.opening.len() >= MOST_OPEN {
            return self.toasts.warn(format!("{MOST_OPEN} captures are open; close one first"));
        }
        let wake = {
            let ctx = ctx.clone();
            Arc::new(move || ctx.request_repaint_after(COALESCE))
        };
        let pending = self.backend().open_capture(source.clone(), self.view.zone(), wake);
        self.sources.opening.push((source, pending));
    }

    fn add_source(&mut self, source: &CaptureSource, backend: Backend) {
        let feed = backend.feed();
        let mut asks = Asks::default();
        asks.reload(&backend);
        let aside = Aside {
            feed,
            asks,
            data: Data::default(),
            panels: self.panels.another(),
            remote: remote::Asking::default(),
            phones: phones::Asking::default(),
            paging: pages::Paging::default(),
            finding: finding::Finding::default(),
            seeker: seeking::Seeker::default(),
            past: time::Asking::default(),
            talk: talk::Asking::default(),
            out: out::Asking::default(),
            imports: importing::Asking::default(),
            hiding: Vec::new(),
            mapped: 0,
            unseen: false,
            undo: Undo::default(),
            went: going::Went::default(),
            watch: watch::Asking::default(),
            demo: Demo::default(),
            news: News::default(),
            health: health::Asking::default(),
            looked_at: LookedAt::default(),
            new: 0,
            backend: Some(backend),
        };
        self.sources.last += 1;
        let id = self.sources.last;
        self.sources.names.insert(id, source.name());
        self.sources.origins.insert(id, source.clone());
        self.sources.aside.insert(id, aside);
        self.show_source(id);
    }

    /// The last fix of a capture, or the last packet where that came later, once all of it is read.
    pub(super) fn source_ends(&self, now: Timestamp) -> Option<Timestamp> {
        let status = self.data.station.capture.as_ref().filter(|status| !status.filling)?;
        let devices = || self.data.devices.values();
        let fixes = devices().filter_map(|device| Some(device.last_fix.as_ref()?.fix.at)).filter(|at| *at <= now);
        // A packet without a time of its own has the one at which it was read.
        let heard = devices().filter_map(|device| device.device.last_heard).filter(|_| status.untimed == 0);
        fixes.chain(heard).max()
    }

    fn show_source(&mut self, id: u64) {
        let Some(mut other) = self.sources.aside.remove(&id) else { return };
        self.swap(&mut other);
        // From now on `other` is what was shown.
        other.new = 0;
        let before = std::mem::replace(&mut self.sources.shown, id);
        self.sources.aside.insert(before, other);
        self.view.hovered_field = None;
        self.view.open.sheet = None;
        // The panels that come in wear what was chosen meanwhile.
        self.dressed = None;
        self.lan_read = None::<Instant>;
    }

    fn close_source(&mut self, id: u64) {
        if id == LIVE {
            return;
        }
        if self.sources.shown == id {
            self.show_source(LIVE);
        }
        self.sources.names.remove(&id);
        self.sources.origins.remove(&id);
        if let Some(aside) = self.sources.aside.remove(&id)
            && let Some(backend) = aside.backend
        {
            // Its threads end and its folder goes on a thread of its own: here nobody waits.
            std::thread::spawn(move || backend.stop(STOP_PATIENCE));
        }
    }

    /// Stops those that are not shown.
    pub(super) fn stop_sources(&mut self) {
        for aside in std::mem::take(&mut self.sources.aside).into_values() {
            if let Some(backend) = aside.backend {
                backend.stop(STOP_PATIENCE);
            }
        }
    }

    /// What is kept between runs is of the live picture.
    pub(super) fn live_panels(&self) -> (&Panels, &TimeView) {
        let live = self.sources.aside.get(&LIVE);
        live.map_or((&self.panels, &self.view.time), |live| (&live.panels, &live.looked_at.time))
    }

    fn swap(&mut self, other: &mut Aside) {
        swap(&mut self.backend, &mut other.backend);
        swap(&mut self.feed, &mut other.feed);
        swap(&mut self.data, &mut other.data);
        swap(&mut self.panels, &mut other.panels);
        swap(&mut self.asks, &mut other.asks);
        swap(&mut self.remote, &mut other.remote);
        swap(&mut self.phones, &mut other.phones);
        swap(&mut self.paging, &mut other.paging);
        swap(&mut self.finding, &mut other.finding);
        swap(&mut self.seeker, &mut other.seeker);
        swap(&mut self.past, &mut other.past);
        swap(&mut self.talk, &mut other.talk);
        swap(&mut self.out, &mut other.out);
        swap(&mut self.imports, &mut other.imports);
        swap(&mut self.hiding, &mut other.hiding);
        swap(&mut self.mapped, &mut other.mapped);
        swap(&mut self.unseen, &mut other.unseen);
        swap(&mut self.undo, &mut other.undo);
        swap(&mut self.went, &mut other.went);
        swap(&mut self.watch, &mut other.watch);
        swap(&mut self.demo, &mut other.demo);
        swap(&mut self.news, &mut other.news);
        swap(&mut self.health, &mut other.health);
        let (view, kept) = (&mut self.view, &mut other.looked_at);
        swap(&mut view.selection, &mut kept.selection);
        swap(&mut view.follow, &mut kept.follow);
        swap(&mut view.isolate, &mut kept.isolate);
        swap(&mut view.isolate_also, &mut kept.isolate_also);
        swap(&mut view.only_in_view, &mut kept.only_in_view);
        swap(&mut view.events, &mut kept.events);
        swap(&mut view.time, &mut kept.time);
        swap(&mut view.read_as, &mut kept.read_as);
        swap(&mut view.talk, &mut kept.talk);
        swap(&mut view.undo, &mut kept.undo);
        swap(&mut view.redo, &mut kept.redo);
        swap(&mut view.ways, &mut kept.ways);
    }

    /// The tabs, in their order; none where there is only the live picture.
    pub(super) fn tabs(&self) -> Vec<Tab> {
        if self.sources.names.is_empty() {
            return Vec::new();
        }
        let live = (&LIVE, "Live");
        let all = std::iter::once(live).chain(self.sources.names.iter().map(|(id, name)| (id, name.as_str())));
        all.map(|(id, name)| {
            let aside = self.sources.aside.get(id);
            let backend = aside.map_or(self.backend.as_ref(), |aside| aside.backend.as_ref());
            Tab {
                id: *id,
                name: name.to_owned(),
                shown: *id == self.sources.shown,
                live: *id == LIVE,
                new: aside.filter(|_| *id == LIVE).map_or(0, |aside| aside.new),
                filling: backend.and_then(Backend::capture).filter(|status| status.filling).map(|status| status.read),
            }
        })
        .collect()
    }
}
