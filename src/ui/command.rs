//! What a user can invoke, in one [`TABLE`]: the menu, the palette, the sheet of keys, the keyboard and the tests read it.
//!
//! | module | is |
//! |---|---|
//! | [`table`] | the rows: name, sentence, keys, where it acts |
//! | [`act`] | what each of them asks for now, if anything |
//! | [`chord`] | keys: how they are written, and whether they were pressed |

pub mod act;
pub mod chord;
pub mod table;

use egui::Context;

pub use self::{chord::Chord, table::TABLE};
use super::{
    icons::Icon,
    map::Colour,
    view::{Layout, Settings, ThemeChoice, Units, Zone},
};
use crate::model::Policy;

/// Something with a name, and mostly with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserCommand {
    // Devices and map.
    FilterDevices,
    ShowSelection,
    ShowAll,
    Follow,
    ZoomIn,
    ZoomOut,
    Labels,
    TrailColour,
    ColourBy(Colour),
    TrailLength,
    Isolate,
    IsolateAlso,
    OnlyInView,
    Measure,
    CopyPlace,
    Adopt,
    Ignore,
    Rename,
    Commands,
    Profile,
    AddPhone,
    Phones,
    Maps,
    Export,
    Import,
    PasteCapture,
    Places,
    Rules,
    Taps,
    StartDemo,
    StopDemo,
    // Packets.
    FilterPackets,
    PreviousPacket,
    NextPacket,
    PreviousOfSession,
    NextOfSession,
    Linked,
    FollowConnection,
    Compare,
    Statistics,
    ExportPackets,
    Replay,
    NextProblem,
    NextMarked,
    Mark,
    Comment,
    TimeKind,
    Colours,
    Pause,
    CopySelection,
    Unselect,
    // Past.
    Play,
    Live,
    PreviousDay,
    NextDay,
    PreviousFix,
    NextFix,
    First,
    Last,
    Faster,
    Slower,
    Trips,
    NextDoubtful,
    HidePoint,
    SkipParked,
    // Window.
    Palette,
    Events,
    GoBack,
    GoForward,
    Undo,
    Redo,
    NextPane,
    PreviousPane,
    Devices,
    Packets,
    Details,
    Arrange(Layout),
    SaveCopy,
    Health,
    Settings,
    Keys,
    // Settings.
    Set(Choice),
    Policy(Policy),
    // Look.
    Larger,
    Smaller,
    UsualSize,
    Theme(ThemeChoice),
    Units(Units),
    Zone(Zone),
    // In the pane that has the keyboard.
    NextWidget,
    Rows,
    RowEnds,
    OpenRow,
    DeleteRow,
    SelectBytes,
    Fold,
    Pan,
}

/// A setting that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    OnlineMap,
    ShowPlaces,
    Gather,
    Accuracy,
    HideLost,
    Pulse,
    Notify,
    NotifySound,
    ReduceMotion,
    Dim,
}

impl Choice {
    /// The setting itself.
    pub fn of(self, settings: &mut Settings) -> &mut bool {
        match self {
            Self::OnlineMap => &mut settings.online_map.on,
            Self::ShowPlaces => &mut settings.show_places,
            Self::Gather => &mut settings.map.gather,
            Self::Accuracy => &mut settings.map.accuracy,
            Self::HideLost => &mut settings.map.hide_lost,
            Self::Pulse => &mut settings.map.pulse,
            Self::Notify => &mut settings.notify,
            Self::NotifySound => &mut settings.notify_sound,
            Self::ReduceMotion => &mut settings.reduce_motion,
            Self::Dim => &mut settings.map.dim,
        }
    }
}

/// A row of the table.
pub struct About {
    pub command: UserCommand,
    /// Its name, everywhere it is listed.
    pub text: &'static str,
    /// What it does or what for, where the name does not say it; else empty.
    pub does: &'static str,
    /// Each of them does it; the first is shown beside the name.
    pub keys: &'static [Chord],
    /// Heading under which it stands.
    pub group: Group,
    pub icon: Option<Icon>,
    pub acts: Acts,
    pub shown: Shown,
}

/// Where a command acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acts {
    /// Over sheets, too: it opens another sheet, closes this one, or is seen beside it.
    Always,
    /// Not behind an open sheet, where nobody would see it.
    InWindow,
    /// As [`Acts::InWindow`], where nothing that has the keyboard takes the key: lists have a Home and an End of their own.
    IfLeft,
    /// The pane that has the keyboard does it by itself.
    InPane,
}

/// Where a command is listed, beside the sheet of keys, which has all that have a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    InMenuAndPalette,
    InPalette,
    Nowhere,
}

/// Where a command stands in menu and sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Map,
    Packets,
    Past,
    Window,
    Settings,
    Look,
    Panes,
}

impl Group {
    pub const ALL: [Self; 7] =
        [Self::Map, Self::Packets, Self::Past, Self::Window, Self::Settings, Self::Look, Self::Panes];

    pub fn title(self) -> &'static str {
        match self {
            Self::Map => "Devices and map",
            Self::Packets => "Packets",
            Self::Past => "Past and replay",
            Self::Window => "Window",
            Self::Settings => "Settings",
            Self::Look => "Look",
            Self::Panes => "In the pane that has the keyboard",
        }
    }
}

impl About {
    /// `Ctrl+J`, `Z`, `?`; empty where there is none.
    pub fn key(&self, ctx: &Context) -> String {
        self.keys.first().map(|chord| chord.text(ctx)).unwrap_or_default()
    }

    /// All of them: `Ctrl+L or Ctrl+/`.
    pub fn all_keys(&self, ctx: &Context) -> String {
        self.keys.iter().map(|chord| chord.text(ctx)).collect::<Vec<_>>().join(" or ")
    }
}

/// The row of a command.
pub fn about(command: UserCommand) -> Option<&'static About> {
    TABLE.iter().find(|about| about.command == command)
}

/// The first key of a command; empty where there is none.
pub fn key_of(command: UserCommand, ctx: &Context) -> String {
    about(command).map(|about| about.key(ctx)).unwrap_or_default()
}

/// The name of a command and its key, for a tooltip: `Settings (F10)`.
pub fn hint(ctx: &Context, command: UserCommand) -> String {
    let Some(about) = about(command) else { return String::new() };
    let (text, key) = (about.text.trim_end_matches('…'), about.key(ctx));
    if key.is_empty() { text.to_owned() } else { format!("{text} ({key})") }
}

/// Commands whose keys were pressed. Single keys are letters while something is being `typed`, and little acts behind an open `sheet`.
pub(super) fn pressed(ctx: &Context, typing: bool, sheet: bool) -> Vec<UserCommand> {
    let mut found = taken(ctx, typing, sheet, false);
    if !sheet {
        let clicked = |button| ctx.input(|input| input.pointer.button_pressed(button));
        found.extend(clicked(egui::PointerButton::Extra1).then_some(UserCommand::GoBack));
        found.extend(clicked(egui::PointerButton::Extra2).then_some(UserCommand::GoForward));
    }
    found
}

/// Those whose keys nobody has taken while everything was laid out.
pub(super) fn left_over(ctx: &Context, typing: bool, sheet: bool) -> Vec<UserCommand> {
    taken(ctx, typing, sheet, true)
}

fn taken(ctx: &Context, typing: bool, sheet: bool, left: bool) -> Vec<UserCommand> {
    let popup = egui::Popup::is_any_open(ctx);
    // Asked only where it matters: to read the response of a widget that got the keyboard by a click takes it away again.
    let clickable = ctx.input(|input| input.key_pressed(egui::Key::Space)) && focus_wants_space(ctx);
    let rests = |about: &About| match about.command {
        // It closes the pop-up, and nothing more.
        UserCommand::Unselect => popup,
        // A field takes back what was typed into it.
        UserCommand::Undo | UserCommand::Redo => typing,
        // It presses the button that has the keyboard.
        UserCommand::Play => sheet || clickable || popup,
        UserCommand::First | UserCommand::Last => sheet || popup,
        _ => sheet && about.acts != Acts::Always,
    };
    let mut chords: Vec<(UserCommand, Chord)> = TABLE
        .iter()
        .filter(|about| about.acts != Acts::InPane && left == (about.acts == Acts::IfLeft) && !rests(about))
        .flat_map(|about| about.keys.iter().map(|chord| (about.command, *chord)))
        .filter(|(_, chord)| !typing || chord.acts_while_typing())
        .collect();
    // Ctrl+Z does not swallow Ctrl+Shift+Z.
    chords.sort_by_key(|(_, chord)| std::cmp::Reverse(chord.modifiers()));
    let mut found = Vec::new();
    // In the order in which they were pressed, which may be several in a frame that took long. Nobody else sees them any more.
    ctx.input_mut(|input| {
        input.events.retain(|event| {
            let Some((command, _)) = chords.iter().find(|(_, chord)| chord.is_pressed_by(event)) else { return true };
            if !found.contains(command) {
                found.push(*command);
            }
            false
        });
    });
    found
}

/// Under which a row is kept that has the keyboard: the space bar is no click on it.
fn row_id() -> egui::Id {
    egui::Id::unique("row with the keyboard")
}

/// This row, or the like, has the keyboard, and does nothing with the space bar.
pub(super) fn leaves_space(ui: &egui::Ui, row: egui::Id) {
    ui.data_mut(|data| data.insert_temp(row_id(), row));
}

/// True where the space bar is a click.
fn focus_wants_space(ctx: &Context) -> bool {
    let Some(focused) = ctx.memory(egui::Memory::focused) else { return false };
    let row = ctx.data(|data| data.get_temp(row_id()) == Some(focused));
    !row && ctx.read_response(focused).is_some_and(|widget| widget.sense.senses_click())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_shortcuts_clash() {
        let all: Vec<_> = TABLE
            .iter()
            .flat_map(|about| about.keys.iter().map(move |chord| (chord, about.text, about.acts)))
            .collect();
        for (n, (chord, text, acts)) in all.iter().enumerate() {
            for (other, other_text, other_acts) in &all[n + 1..] {
                // A pane's own keys may be another pane's, too.
                let own = |acts: Acts| matches!(acts, Acts::InPane | Acts::IfLeft);
                let panes = own(*acts) && own(*other_acts) && (*acts == Acts::InPane || *other_acts == Acts::InPane);
                assert!(panes || chord != other, "{text} and {other_text} share {chord:?}");
            }
        }
    }

    #[test]
    fn every_row_has_a_name_of_its_own_and_a_command_of_its_own() {
        for (n, row) in TABLE.iter().enumerate() {
            assert!(row.text.starts_with(char::is_uppercase), "{}", row.text);
            for other in &TABLE[n + 1..] {
                assert_ne!(row.text, other.text);
                assert_ne!(row.command, other.command, "{}", row.text);
            }
            let found = !row.keys.is_empty() || row.shown != Shown::Nowhere;
            assert!(found, "nobody finds {}", row.text);
        }
    }

    #[test]
    fn keys_are_written_as_they_are_on_the_keyboard() {
        let ctx = Context::default();
        let key = |command| about(command).map(|about| about.all_keys(&ctx)).unwrap_or_default();
        assert_eq!(key(UserCommand::Keys), "? or F1");
        assert_eq!(key(UserCommand::FilterDevices), "/");
        assert_eq!(key(UserCommand::Redo), "Ctrl+Shift+Z or Ctrl+Y");
        assert_eq!(key(UserCommand::GoBack), "Alt+Left");
        assert_eq!(key(UserCommand::NextOfSession), "Ctrl+.");
        assert_eq!(key(UserCommand::Arrange(Layout::Wall)), "Ctrl+4");
        assert_eq!(hint(&ctx, UserCommand::Settings), "Settings (F10)");
    }
}
