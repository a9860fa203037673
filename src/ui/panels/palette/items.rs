//! What the palette lists: commands, devices with what can be done to them, kinds of packets.

use std::collections::BTreeMap;

use egui::Context;
use serde::{Deserialize, Serialize};

use crate::{
    model::{DeviceId, DeviceOverview, DeviceState, Direction, PacketRow, Protocol, filter::quoted, watch::Place},
    ui::{
        Action, Cx, View,
        command::{Shown, TABLE},
        format,
        icons::Icon,
        panels::dock::read_as,
        read_as::Scope as Reach,
        view::{Settings, Sheet},
        watch::WatchAction,
    },
    wire::read_as::ReadAs,
};

/// Newest packets that are looked through for their kinds.
const MOST_PACKETS: usize = 2_000;

/// What is remembered of something that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ui) enum Name {
    /// By the text of its row.
    Command(String),
    Device(i64),
    /// With a device.
    With(i64, String),
    Packets(String),
    Place(i64),
}

/// Something that can be chosen.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) name: Name,
    pub(super) text: String,
    /// Second in rank.
    pub(super) about: String,
    pub(super) icon: Option<Icon>,
    /// Its key, if any.
    pub(super) key: String,
    pub(super) actions: Vec<Action>,
}

impl Item {
    /// What is said about it says what it does.
    pub(super) fn is_command(&self) -> bool {
        matches!(self.name, Name::Command(_))
    }

    /// The device that this is.
    pub(super) fn device(&self) -> Option<DeviceId> {
        match self.name {
            Name::Device(id) => Some(DeviceId(id)),
            Name::Command(_) | Name::With(..) | Name::Packets(_) | Name::Place(_) => None,
        }
    }
}

/// What is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Everything,
    Device(DeviceId),
}

/// Everything there is. `brief`: nothing was typed yet.
pub(super) fn all(ctx: &Context, cx: &Cx<'_>, scope: Scope, brief: bool) -> Vec<Item> {
    match scope {
        Scope::Device(id) => with_device(ctx, cx, id),
        Scope::Everything => {
            let mut items = commands(ctx, cx);
            items.extend(cx.data.devices.values().filter(|d| !brief || listed(d)).map(|d| device(cx, d)));
            items.extend(cx.data.watch.set_up.places.iter().map(|place| self::place(cx, place)));
            items.extend(kinds(cx));
            items.extend(saved(cx));
            if !brief {
                items.extend(readings(cx));
            }
            items
        }
    }
}

fn commands(ctx: &Context, cx: &Cx<'_>) -> Vec<Item> {
    let item = |about: &crate::ui::command::About| {
        let actions = about.command.actions(cx.data, cx.view).filter(|_| about.shown != Shown::Nowhere)?;
        // It is open.
        if actions == [Action::Sheet(Some(Sheet::Palette))] {
            return None;
        }
        Some(Item {
            name: Name::Command(about.text.to_owned()),
            text: about.text.to_owned(),
            about: match about.command.state(cx.view) {
                Some(state) if about.does.is_empty() => state.to_owned(),
                Some(state) => format!("{state} · {}", about.does),
                None => about.does.to_owned(),
            },
            icon: about.icon,
            key: about.key(ctx),
            actions,
        })
    };
    TABLE.iter().filter_map(item).collect()
}

fn listed(overview: &DeviceOverview) -> bool {
    overview.device.state != DeviceState::Ignored
}

fn device(cx: &Cx<'_>, overview: &DeviceOverview) -> Item {
    let device = &overview.device;
    let name = cx.data.name_of(overview);
    let health = cx.data.health(overview, cx.now);
    let word = health.word(overview, cx.view.settings.units);
    let identity = device.identity.as_str();
    let about = if identity == name { word } else { format!("{word} · {identity}") };
    let id = device.id;
    Item {
        name: Name::Device(id.0),
        text: name.to_owned(),
        about,
        icon: Some(if device.protocol == Protocol::OwnTracks { Icon::Phone } else { Icon::Tracker }),
        key: String::new(),
        actions: vec![Action::SelectDevice(Some(id)), Action::FitDevice(id)],
    }
}

/// A place: to look at.
fn place(cx: &Cx<'_>, place: &Place) -> Item {
    let inside = format::counted(place.spec.devices.as_ref().map_or(0, |d| d.len() as u64), "device", "devices");
    Item {
        name: Name::Place(place.id.0),
        text: place.spec.name.clone(),
        about: match place.spec.devices {
            Some(_) => format!("Place, for {inside}"),
            None => "Place, for all devices".to_owned(),
        },
        icon: Some(Icon::Pin),
        key: String::new(),
        actions: [
            (!cx.view.settings.show_places).then(|| show_places(cx)),
            Some(Action::Watch(WatchAction::Fit(place.id))),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// What is looked at is to be seen.
fn show_places(cx: &Cx<'_>) -> Action {
    Action::SetSettings(Settings { show_places: true, ..cx.view.settings.clone() })
}

/// The commands that are about a device, as if it were selected; and its packets.
fn with_device(ctx: &Context, cx: &Cx<'_>, id: DeviceId) -> Vec<Item> {
    let mut selection = cx.view.selection;
    if selection.device != Some(id) {
        selection = crate::ui::view::Selection { device: Some(id), ..Default::default() };
    }
    let view = View { selection, ..cx.view.clone() };
    let select = || (cx.view.selection.device != Some(id)).then_some(Action::SelectDevice(Some(id)));
    let about_it = |text: &str| text.contains("selected") || text == "Export…";
    let mut items: Vec<Item> = TABLE
        .iter()
        .filter(|about| about.shown != Shown::Nowhere && about_it(about.text))
        .filter_map(|about| {
            let actions = about.command.actions(cx.data, &view)?;
            let text = about.text.replace("Copy what is selected", "Copy its place");
            let text = text.replace(" the selected device", "").replace(" of the selected device", "");
            Some(Item {
                name: Name::With(id.0, about.text.to_owned()),
                text: text.replace(" the selected sender", ""),
                about: about.does.to_owned(),
                icon: about.icon,
                key: about.key(ctx),
                actions: select().into_iter().chain(actions).collect(),
            })
        })
        .collect();
    let told = |row: &&PacketRow| row.device == Some(id) && row.direction == Direction::In;
    if let Some(row) = cx.data.packets.iter().rev().find(told) {
        items.push(Item {
            name: Name::With(id.0, "packet".to_owned()),
            text: "Open its last packet".to_owned(),
            about: row.kind.to_string(),
            icon: Some(Icon::PaneBottom),
            key: String::new(),
            actions: select().into_iter().chain([Action::ShowPacket(row.id)]).collect(),
        });
    }
    items
}

/// What packets may be read as: the selected one, its connection, all.
fn readings(cx: &Cx<'_>) -> Vec<Item> {
    let row = cx.view.selection.packet.and_then(|id| {
        let opened = cx.data.opened.as_ref().map(|opened| &opened.row).filter(|row| row.id == id);
        opened.or_else(|| cx.data.packet_row(id))
    });
    let scopes = row.map_or_else(|| vec![Reach::All], |row| Reach::around(row).to_vec());
    let chosen = row.and_then(|row| cx.view.read_as.of(row));
    let item = |what: &str, read_as: &str, about: &str, action: Action| Item {
        name: Name::Command(format!("Read {what} as {read_as}")),
        text: format!("Read {what} as {read_as}"),
        about: about.to_owned(),
        icon: Some(Icon::Layers),
        key: String::new(),
        actions: vec![action],
    };
    let mut items = Vec::new();
    if let Some((scope, _)) = chosen {
        items.push(item(short(scope), "usual", "", Action::ReadAs(scope.clone(), None)));
    }
    for read_as in read_as::choices(cx, row) {
        let about = match read_as {
            ReadAs::Gt06 | ReadAs::Topin | ReadAs::OwnTracks => "Nothing that is stored changes",
            ReadAs::Model(_) => "Model of a tracker; nothing that is stored changes",
            ReadAs::Layout(_) => "Another layout of its type; nothing that is stored changes",
        };
        for scope in &scopes {
            if chosen != Some((scope, &read_as)) {
                let action = Action::ReadAs(scope.clone(), Some(read_as.clone()));
                items.push(item(short(scope), &read_as.to_string(), about, action));
            }
        }
    }
    items
}

/// The nearest has the shortest name, and is found first.
fn short(reach: &Reach) -> &'static str {
    match reach {
        Reach::Packet(_) => "packet",
        Reach::Connection(..) => "connection",
        Reach::All => "all packets",
    }
}

/// Filters that the user saved.
fn saved(cx: &Cx<'_>) -> Vec<Item> {
    let item = |saved: &crate::ui::filter::Saved| Item {
        name: Name::Packets(format!("saved {}", saved.name)),
        text: format!("Filter: {}", saved.name),
        about: saved.filter.clone(),
        icon: Some(Icon::Search),
        key: String::new(),
        actions: vec![Action::FilterPackets(Some(saved.filter.clone()))],
    };
    cx.view.packets.saved.iter().map(item).collect()
}

/// Kinds of the newest packets, with how many there are.
fn kinds(cx: &Cx<'_>) -> Vec<Item> {
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for row in cx.data.packets.iter().rev().take(MOST_PACKETS) {
        *counted.entry(row.kind.as_ref()).or_default() += 1;
    }
    let item = |(kind, n): (&str, u64)| Item {
        name: Name::Packets(kind.to_owned()),
        text: format!("Packets: {kind}"),
        about: format!("{} of the newest", format::count(n)),
        icon: Some(Icon::PaneBottom),
        key: String::new(),
        actions: vec![Action::FilterPackets(Some(format!("kind == {}", quoted(kind))))],
    };
    counted.into_iter().map(item).collect()
}
