//! What a user can invoke, in one table: menu, keys and the sheet of keys read it.

use egui::{Context, Key, KeyboardShortcut, ModifierNames, Modifiers};

use super::{
    Action, View,
    icons::Icon,
    map::style::Style,
    view::{PhonesTab, Sheet},
    watch::WatchAction,
};

/// Something with a name, and mostly a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserCommand {
    Undo,
    Redo,
    FilterDevices,
    ShowSelection,
    ShowAll,
    Follow,
    Commands,
    Profile,
    AddPhone,
    Phones,
    ZoomIn,
    ZoomOut,
    Labels,
    TrailColour,
    TrailLength,
    Isolate,
    OnlyInView,
    Dim,
    Measure,
    CopyPlace,
    PreviousPacket,
    NextPacket,
    Back,
    Export,
    Places,
    Rules,
    Events,
    Import,
    Devices,
    Packets,
    Details,
    TrackLayout,
    DebugLayout,
    SaveCopy,
    Maps,
    Health,
    Settings,
    Keys,
}

/// A row of the table.
pub struct About {
    pub command: UserCommand,
    /// In menus and in the sheet of keys.
    pub text: &'static str,
    pub icon: Option<Icon>,
    pub shortcut: KeyboardShortcut,
    /// Heading under which it stands.
    pub group: Group,
}

/// Where a command stands in menu and sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Map,
    Packets,
    Window,
}

impl Group {
    pub const ALL: [Self; 3] = [Self::Map, Self::Packets, Self::Window];

    pub fn title(self) -> &'static str {
        match self {
            Self::Map => "Devices and map",
            Self::Packets => "Packets",
            Self::Window => "Window",
        }
    }
}

const fn about(
    command: UserCommand,
    group: Group,
    text: &'static str,
    icon: Option<Icon>,
    modifiers: Modifiers,
    key: Key,
) -> About {
    About { command, text, icon, shortcut: KeyboardShortcut::new(modifiers, key), group }
}

const PLAIN: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;
const SHIFT: Modifiers = Modifiers::SHIFT;

/// Every command. Of two that share a key, the one with more modifiers stands first.
pub const TABLE: &[About] = &[
    about(UserCommand::Places, Group::Map, "Places…", Some(Icon::Pin), CTRL.plus(SHIFT), Key::P),
    about(UserCommand::Rules, Group::Map, "Rules and mutes…", Some(Icon::Bell), CTRL.plus(SHIFT), Key::R),
    about(UserCommand::Events, Group::Window, "Events", Some(Icon::Bell), CTRL.plus(SHIFT), Key::E),
    about(UserCommand::FilterDevices, Group::Map, "Filter devices", Some(Icon::Search), PLAIN, Key::Slash),
    about(UserCommand::ShowAll, Group::Map, "Show all devices", Some(Icon::Fit), SHIFT, Key::Z),
    about(UserCommand::ShowSelection, Group::Map, "Show the selected device", Some(Icon::Fit), PLAIN, Key::Z),
    about(UserCommand::Follow, Group::Map, "Follow the selected device", Some(Icon::Follow), PLAIN, Key::F),
    about(UserCommand::Commands, Group::Map, "Commands of the selected device…", Some(Icon::Send), PLAIN, Key::C),
    about(UserCommand::Profile, Group::Map, "Profile of the selected device…", Some(Icon::Tracker), CTRL, Key::I),
    about(UserCommand::AddPhone, Group::Map, "Add a phone…", Some(Icon::Phone), CTRL, Key::P),
    about(UserCommand::Phones, Group::Map, "HTTPS, passwords, who sees whom…", Some(Icon::Lock), CTRL, Key::U),
    about(UserCommand::ZoomIn, Group::Map, "Zoom in", Some(Icon::Plus), PLAIN, Key::Plus),
    about(UserCommand::ZoomOut, Group::Map, "Zoom out", None, PLAIN, Key::Minus),
    about(UserCommand::Maps, Group::Map, "Maps…", Some(Icon::Layers), CTRL, Key::M),
    about(UserCommand::Labels, Group::Map, "Labels: less, more", None, PLAIN, Key::L),
    about(UserCommand::TrailLength, Group::Map, "Trails: longer", None, SHIFT, Key::T),
    about(UserCommand::TrailColour, Group::Map, "Trails: coloured by something else", None, PLAIN, Key::T),
    about(UserCommand::Isolate, Group::Map, "Show only the selected device", None, PLAIN, Key::I),
    about(UserCommand::OnlyInView, Group::Map, "List only devices in view", None, PLAIN, Key::V),
    about(UserCommand::Dim, Group::Map, "Dim the map", None, PLAIN, Key::B),
    about(UserCommand::Measure, Group::Map, "Measure distances", None, SHIFT, Key::M),
    about(UserCommand::CopyPlace, Group::Map, "Copy the place under the pointer", None, CTRL.plus(SHIFT), Key::C),
    about(UserCommand::Export, Group::Map, "Export…", Some(Icon::Export), CTRL, Key::E),
    about(UserCommand::Import, Group::Map, "Import…", Some(Icon::Folder), CTRL, Key::O),
    about(UserCommand::PreviousPacket, Group::Packets, "Previous packet", None, PLAIN, Key::F7),
    about(UserCommand::NextPacket, Group::Packets, "Next packet", None, PLAIN, Key::F8),
    about(UserCommand::Back, Group::Packets, "Unselect: field, packet, device", None, PLAIN, Key::Escape),
    about(UserCommand::Redo, Group::Window, "Do it again", None, CTRL.plus(SHIFT), Key::Z),
    about(UserCommand::Undo, Group::Window, "Undo", None, CTRL, Key::Z),
    about(UserCommand::Devices, Group::Window, "Devices pane", Some(Icon::PaneLeft), CTRL, Key::B),
    about(UserCommand::Packets, Group::Window, "Packets pane", Some(Icon::PaneBottom), CTRL, Key::J),
    about(UserCommand::Details, Group::Window, "Details pane", Some(Icon::PaneRight), CTRL, Key::D),
    about(UserCommand::TrackLayout, Group::Window, "Layout for tracking: no packets", None, CTRL, Key::Num1),
    about(UserCommand::DebugLayout, Group::Window, "Layout for debugging: everything", None, CTRL, Key::Num2),
    about(UserCommand::SaveCopy, Group::Window, "Save a copy…", Some(Icon::Export), CTRL, Key::S),
    about(UserCommand::Health, Group::Window, "Health", Some(Icon::Pulse), PLAIN, Key::F9),
    about(UserCommand::Settings, Group::Window, "Settings", Some(Icon::Gear), PLAIN, Key::F10),
    about(UserCommand::Keys, Group::Window, "Keys", Some(Icon::Help), SHIFT, Key::Questionmark),
];

impl About {
    /// `Ctrl+J`, `Z`, `?`.
    pub fn keys(&self, ctx: &Context) -> String {
        match self.command {
            // The shift key is part of the sign.
            UserCommand::Keys => "?".to_owned(),
            UserCommand::FilterDevices => "/".to_owned(),
            UserCommand::ZoomIn => "+".to_owned(),
            UserCommand::ZoomOut => "-".to_owned(),
            _ => self.shortcut.format(&ModifierNames::NAMES, matches!(ctx.os(), egui::os::OperatingSystem::Mac)),
        }
    }
}

/// The keys of a command, as [`About::keys`].
pub fn keys_of(command: UserCommand, ctx: &Context) -> String {
    TABLE.iter().find(|about| about.command == command).map_or_else(String::new, |about| about.keys(ctx))
}

impl UserCommand {
    /// True for what an open sheet does not hide: it opens another sheet or closes this one.
    fn acts_over_sheets(self) -> bool {
        match self {
            Self::Undo
            | Self::Redo
            | Self::Back
            | Self::Commands
            | Self::Profile
            | Self::AddPhone
            | Self::Phones
            | Self::Export
            | Self::Places
            | Self::Rules
            | Self::Events
            | Self::Import
            | Self::SaveCopy
            | Self::Maps
            | Self::Health
            | Self::Settings
            | Self::Keys => true,
            Self::FilterDevices
            | Self::ShowSelection
            | Self::ShowAll
            | Self::Follow
            | Self::ZoomIn
            | Self::ZoomOut
            | Self::Labels
            | Self::TrailColour
            | Self::TrailLength
            | Self::Isolate
            | Self::OnlyInView
            | Self::Dim
            | Self::Measure
            | Self::CopyPlace
            | Self::PreviousPacket
            | Self::NextPacket
            | Self::Devices
            | Self::Packets
            | Self::Details
            | Self::TrackLayout
            | Self::DebugLayout => false,
        }
    }

    /// What it asks for now; `None` where it makes no sense.
    pub fn action(self, view: &View) -> Option<Vec<Action>> {
        let selected = view.selection.device;
        let sheet = |sheet| Some(vec![Action::Sheet(Some(sheet))]);
        match self {
            Self::Undo => view.undo.is_some().then(|| vec![Action::Undo]),
            Self::Redo => view.redo.is_some().then(|| vec![Action::Redo]),
            Self::FilterDevices => Some(vec![Action::FocusDeviceFilter]),
            Self::ShowSelection => selected.map(|id| vec![Action::FitDevice(id)]),
            Self::ShowAll => Some(vec![Action::FitAll]),
            Self::Follow => selected.map(|id| vec![Action::Follow((view.follow != Some(id)).then_some(id))]),
            Self::Commands => selected.map(|id| vec![Action::OpenCommands(id)]),
            Self::Profile => selected.map(|id| vec![Action::OpenProfile(id)]),
            Self::AddPhone => sheet(Sheet::AddPhone),
            Self::Phones => sheet(Sheet::Phones(PhonesTab::Https)),
            Self::ZoomIn => Some(vec![Action::Zoom(1.0)]),
            Self::ZoomOut => Some(vec![Action::Zoom(-1.0)]),
            Self::Labels => Some(restyle(view, |map| map.labels = map.labels.next())),
            Self::TrailColour => Some(restyle(view, |map| map.colour = map.colour.next())),
            Self::TrailLength => Some(restyle(view, |map| map.trail = map.trail.next())),
            Self::Dim => Some(restyle(view, |map| map.dim = !map.dim)),
            Self::Isolate => (selected.is_some() || view.isolate).then(|| vec![Action::Isolate(!view.isolate)]),
            Self::OnlyInView => Some(vec![Action::OnlyInView(!view.only_in_view)]),
            Self::Measure => Some(vec![Action::Measure]),
            Self::CopyPlace => Some(vec![Action::CopyPlace]),
            Self::PreviousPacket => Some(vec![Action::StepPacket(-1)]),
            Self::NextPacket => Some(vec![Action::StepPacket(1)]),
            Self::Back => Some(vec![Action::Escape]),
            Self::Export => Some(vec![Action::OpenExport(selected)]),
            Self::Places => sheet(Sheet::Places),
            Self::Rules => sheet(Sheet::Rules),
            Self::Events => Some(vec![Action::Watch(WatchAction::List(!(view.events.open && view.open.dock)))]),
            Self::Import => Some(vec![Action::OpenImport(None)]),
            Self::Devices => Some(vec![Action::ToggleDevices]),
            Self::Packets => Some(vec![Action::ToggleDock]),
            Self::Details => Some(vec![Action::ToggleDetails]),
            Self::TrackLayout => Some(layout(view, false)),
            Self::DebugLayout => Some(layout(view, true)),
            Self::SaveCopy => sheet(Sheet::SaveCopy),
            Self::Maps => sheet(Sheet::Maps),
            Self::Health => sheet(Sheet::Health),
            Self::Settings => sheet(Sheet::Settings),
            Self::Keys => sheet(Sheet::Keys),
        }
    }
}

/// The map's style with one thing changed.
fn restyle(view: &View, change: impl FnOnce(&mut Style)) -> Vec<Action> {
    let mut settings = view.settings.clone();
    change(&mut settings.map);
    vec![Action::SetSettings(settings)]
}

fn layout(view: &View, dock: bool) -> Vec<Action> {
    let open = view.open;
    [
        (open.devices, true, Action::ToggleDevices),
        (open.details, true, Action::ToggleDetails),
        (open.dock, dock, Action::ToggleDock),
    ]
    .into_iter()
    .filter(|(is, wanted, _)| is != wanted)
    .map(|(_, _, toggle)| toggle)
    .collect()
}

/// Commands whose keys were pressed. Single keys are letters while something is being `typed`, and nothing acts behind an open `sheet`: nobody
/// would see it.
pub(super) fn pressed(ctx: &Context, typing: bool, sheet: bool) -> Vec<UserCommand> {
    let popup = egui::Popup::is_any_open(ctx);
    ctx.input_mut(|input| {
        TABLE
            .iter()
            .filter(|about| {
                let single = about.shortcut.modifiers == PLAIN || about.shortcut.modifiers == SHIFT;
                let function_key = matches!(about.shortcut.logical_key, Key::F7 | Key::F8 | Key::F9 | Key::F10);
                if single && typing && !function_key {
                    return false;
                }
                if sheet && !about.command.acts_over_sheets() {
                    return false;
                }
                match about.command {
                    // It closes the pop-up, and nothing more.
                    UserCommand::Back if popup => false,
                    // A field takes back what was typed into it.
                    UserCommand::Undo | UserCommand::Redo if typing => false,
                    // Where the sign lies differs from keyboard to keyboard.
                    UserCommand::Keys => {
                        input.consume_key(PLAIN, Key::Questionmark) || input.consume_key(SHIFT, Key::Slash)
                    }
                    // Plus is the shifted equals sign on many.
                    UserCommand::ZoomIn => input.consume_key(PLAIN, Key::Plus) || input.consume_key(PLAIN, Key::Equals),
                    UserCommand::FilterDevices if input.modifiers.shift => false,
                    _ => input.consume_shortcut(&about.shortcut),
                }
            })
            .map(|about| about.command)
            .collect()
    })
}
