//! What the user is looking at.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{
    charts::Charts, device_list::DeviceList, filter::PacketList, map::style::Style, read_as::ReadOtherwise,
    talk::TalkView, time::TimeView, watch::EventFilter,
};
use crate::model::{DeviceId, PacketId};

/// The one selection that every pane is a view of. By identity, never by row: it survives filters, sorting and new data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    pub device: Option<DeviceId>,
    pub packet: Option<PacketId>,
    /// Row id of the selected position.
    pub fix: Option<i64>,
    /// Index into the opened packet's fields.
    pub field: Option<usize>,
    /// Bytes of the opened packet, whatever fields they are of.
    pub bytes: Option<ByteRun>,
}

/// Neighbouring bytes, as they were selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRun {
    /// Where it was begun.
    pub anchor: usize,
    /// Where it ends now; it belongs to the run, too, and may stand before the anchor.
    pub head: usize,
}

impl ByteRun {
    /// The offsets of its bytes.
    pub fn span(self) -> std::ops::Range<usize> {
        self.anchor.min(self.head)..self.anchor.max(self.head) + 1
    }
}

/// What the user is looking at; kept between frames and, in part, between runs.
#[derive(Debug, Clone)]
pub struct View {
    pub selection: Selection,
    /// The field under the pointer, in tree or bytes, this frame.
    pub hovered_field: Option<usize>,
    /// The device that the map keeps in its middle.
    pub follow: Option<DeviceId>,
    /// Nothing but the selected device is on the map, and those that stay beside it.
    pub isolate: bool,
    pub isolate_also: BTreeSet<DeviceId>,
    /// The list leaves out devices that are not in view on the map.
    pub only_in_view: bool,
    pub settings: Settings,
    /// How the devices are listed, and which groups the map leaves out.
    pub devices: DeviceList,
    /// The user's map files.
    pub charts: Charts,
    /// How the packets are listed.
    pub packets: PacketList,
    pub open: Open,
    pub events: Events,
    /// Conversations, comparisons, statistics.
    pub talk: TalkView,
    /// What is read as something else.
    pub read_as: ReadOtherwise,
    /// Which part of the past is looked at.
    pub time: TimeView,
    /// What taking the newest step back does, as a sentence; `None` where there is nothing to take back.
    pub undo: Option<String>,
    /// What doing it again does.
    pub redo: Option<String>,
    /// Something else was selected before, or after.
    pub ways: Ways,
    /// The pane that takes the keyboard in this frame.
    pub grab: Option<Pane>,
    /// The zone of [`Zone::Local`].
    pub local_zone: TimeZone,
}

impl Default for View {
    fn default() -> Self {
        Self {
            selection: Selection::default(),
            hovered_field: None,
            follow: None,
            isolate: false,
            isolate_also: BTreeSet::new(),
            only_in_view: false,
            settings: Settings::default(),
            devices: DeviceList::default(),
            charts: Charts::default(),
            packets: PacketList::default(),
            open: Open::default(),
            events: Events::default(),
            talk: TalkView::default(),
            read_as: ReadOtherwise::default(),
            time: TimeView::default(),
            undo: None,
            redo: None,
            ways: Ways::default(),
            grab: None,
            local_zone: TimeZone::UTC,
        }
    }
}

impl View {
    /// The devices that are on the map while others are left out, ascending; nothing where nobody is.
    pub fn isolated(&self) -> impl Iterator<Item = DeviceId> {
        let also = self.isolate_also.iter().copied();
        let all: BTreeSet<DeviceId> = also.chain(self.selection.device).filter(|_| self.isolate).collect();
        all.into_iter()
    }

    /// Leaves all others out, or nobody any more.
    pub(super) fn set_isolate(&mut self, on: bool) {
        self.isolate = on;
        if !on {
            self.isolate_also.clear();
        }
    }

    /// Keeps a device on the map while others are left out, or no longer. With the last one goes the rest.
    pub(super) fn isolate_also(&mut self, device: DeviceId) {
        if self.isolate_also.remove(&device) {
            self.isolate &= !self.isolate_also.is_empty();
        } else {
            self.isolate_also.insert(device);
            self.isolate = true;
        }
    }
}

/// Where one can go through selections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ways {
    pub back: bool,
    pub forward: bool,
}

/// The list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Events {
    /// It stands where the packets are else.
    pub open: bool,
    pub filter: EventFilter,
    /// Row id of the one that was clicked last.
    pub selected: Option<i64>,
}

/// Which panes and sheets are open.
#[expect(clippy::struct_excessive_bools, reason = "one a pane")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// Packets, tree and bytes at the bottom.
    pub dock: bool,
    pub devices: bool,
    pub details: bool,
    /// The map in the middle; without it the packets take its place.
    pub map: bool,
    /// The sheet on top, if any.
    pub sheet: Option<Sheet>,
}

impl Default for Open {
    fn default() -> Self {
        Self { dock: true, devices: true, details: true, map: true, sheet: None }
    }
}

impl Open {
    /// Nothing but the map: it hangs on a wall, and is read from afar.
    pub fn is_wall(self) -> bool {
        self.map && !self.dock && !self.devices && !self.details
    }

    /// The panes of a layout; the sheet stays.
    #[must_use]
    pub fn arranged(self, layout: Layout) -> Self {
        let (dock, sides, map) = match layout {
            Layout::Track => (false, true, true),
            Layout::Debug => (true, true, true),
            Layout::Packets => (true, false, false),
            Layout::Wall => (false, false, true),
        };
        Self { dock, devices: sides, details: sides, map, sheet: self.sheet }
    }
}

/// Panes arranged for a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Devices, map and details.
    Track,
    /// Everything.
    Debug,
    /// Packets, fields and bytes alone.
    Packets,
    /// The map alone.
    Wall,
}

/// A part of the window that can have the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    Devices,
    Map,
    Details,
    Packets,
    Tree,
    Bytes,
}

impl Pane {
    /// In the order in which F6 goes through them.
    pub const ALL: [Self; 6] = [Self::Devices, Self::Map, Self::Details, Self::Packets, Self::Tree, Self::Bytes];

    /// True where it can be seen.
    pub fn is_open(self, open: Open) -> bool {
        match self {
            Self::Devices => open.devices,
            Self::Map => open.map || !open.dock,
            Self::Details => open.details,
            Self::Packets | Self::Tree | Self::Bytes => open.dock,
        }
    }
}

/// A sheet over the window. One at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Everything that can be done, found by typing.
    Palette,
    Settings,
    Export,
    Import,
    /// Packets for other programs, and reports about them.
    PacketsOut,
    /// A capture that is sent again.
    Replay,
    /// A copy of the whole store.
    SaveCopy,
    /// Which map is shown, and the files that can be.
    Maps,
    /// The command console of the selected tracker.
    Commands,
    /// What no frame says about the selected device.
    Profile,
    /// Names, password and key of a phone that is to be added.
    AddPhone,
    /// What is typed into the selected phone, and what has arrived of it.
    Phone,
    /// What concerns all phones.
    Phones(PhonesTab),
    /// How everything fares.
    Health,
    /// What devices enter and leave.
    Places,
    /// What besides is worth an event.
    Rules,
    /// What overhears trackers that talk with another server.
    Taps,
    Keys,
    /// What is written about a packet.
    Comment,
    /// Colours of the packet list, and saved filters.
    Colours,
}

/// A part of the sheet about all phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhonesTab {
    Https,
    Passwords,
    Friends,
}

/// What the user chose once and for all; kept between runs.
#[expect(clippy::struct_excessive_bools, reason = "each is a box to tick")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub theme: ThemeChoice,
    pub units: Units,
    pub zone: Zone,
    /// 1 is the system's own size.
    pub ui_scale: f32,
    /// Nothing slides, fades or pulses.
    pub reduce_motion: bool,
    pub online_map: OnlineMap,
    /// Outlines of places on the map.
    pub show_places: bool,
    /// The user is called on the desktop.
    pub notify: bool,
    /// With a sound.
    pub notify_sound: bool,
    pub map: Style,
}

impl Settings {
    /// The least and the greatest [`Settings::ui_scale`].
    pub const SCALES: (f32, f32) = (0.75, 2.0);
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::default(),
            units: Units::default(),
            zone: Zone::default(),
            ui_scale: 1.0,
            reduce_motion: false,
            online_map: OnlineMap::default(),
            show_places: true,
            notify: true,
            notify_sound: true,
            map: Style::default(),
        }
    }
}

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum ThemeChoice {
    #[default]
    System,
    Light,
    Dark,
}

/// Units that numbers are shown in. The store keeps metric ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Units {
    #[default]
    Metric,
    /// Miles and feet.
    Imperial,
    /// Knots and nautical miles; heights in metres.
    Nautical,
}

/// The zone that times are shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Zone {
    #[default]
    Local,
    Utc,
}

/// Raster tiles from a server, above the embedded map. Off until the user turns them on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OnlineMap {
    pub on: bool,
    /// URL with `{z}`, `{x}` and `{y}`.
    pub template: String,
    /// Whose tiles they are, as their licence wants it said.
    pub attribution: String,
}

impl Default for OnlineMap {
    fn default() -> Self {
        Self {
            on: false,
            template: "https://tile.openstreetmap.org/{z}/{x}/{y}.png".to_owned(),
            attribution: "© OpenStreetMap contributors".to_owned(),
        }
    }
}
