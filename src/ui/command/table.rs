//! The rows: what can be invoked, by which keys, and where it is listed.

use egui::Key;

use super::{About, Acts, Choice, Chord, Group, Shown, UserCommand as Do};
use crate::{
    model::Policy,
    ui::{
        icons::Icon,
        map::Colour,
        view::{Layout, ThemeChoice, Units, Zone},
    },
};

const fn row(command: Do, group: Group, text: &'static str, keys: &'static [Chord]) -> About {
    About { command, text, does: "", keys, group, icon: None, acts: Acts::InWindow, shown: Shown::InPalette }
}

impl About {
    /// A sentence beside the name.
    const fn does(self, does: &'static str) -> Self {
        Self { does, ..self }
    }

    /// Listed in the menu.
    const fn menu(self, icon: Option<Icon>) -> Self {
        Self { icon, shown: Shown::InMenuAndPalette, ..self }
    }

    const fn always(self) -> Self {
        Self { acts: Acts::Always, ..self }
    }

    /// After the pane that has the keyboard.
    const fn if_left(self) -> Self {
        Self { acts: Acts::IfLeft, ..self }
    }

    const fn hidden(self) -> Self {
        Self { shown: Shown::Nowhere, ..self }
    }

    /// Done by the pane itself.
    const fn pane(self) -> Self {
        Self { acts: Acts::InPane, shown: Shown::Nowhere, ..self }
    }
}

const fn plain(key: Key) -> Chord {
    Chord::plain(key)
}

const fn ctrl(key: Key) -> Chord {
    Chord::ctrl(key)
}

use Group::{Look, Map, Packets, Panes, Past, Settings, Window};

/// Every command.
pub const TABLE: &[About] = &[
    row(Do::FilterDevices, Map, "Filter devices", &[plain(Key::Slash)]).menu(Some(Icon::Search)),
    row(Do::ShowSelection, Map, "Show the selected device", &[plain(Key::Z)]).menu(Some(Icon::Fit)),
    row(Do::ShowAll, Map, "Show all devices", &[Chord::shift(Key::Z)]).menu(Some(Icon::Fit)),
    row(Do::Follow, Map, "Follow the selected device", &[plain(Key::F)])
        .does("It stays in the middle until you move the map")
        .menu(Some(Icon::Follow)),
    row(Do::ZoomIn, Map, "Zoom in", &[plain(Key::Plus)]),
    row(Do::ZoomOut, Map, "Zoom out", &[plain(Key::Minus)]),
    row(Do::Labels, Map, "Labels on the map: less, more", &[plain(Key::L)]),
    row(Do::TrailColour, Map, "Trails: coloured by something else", &[plain(Key::T)]),
    row(Do::TrailLength, Map, "Trails: longer", &[Chord::shift(Key::T)]),
    row(Do::Isolate, Map, "Isolate: only the selected device on the map", &[plain(Key::I)]),
    row(Do::IsolateAlso, Map, "Isolate several: keep the selected device, too", &[Chord::shift(Key::I)])
        .does("Then select another; or Ctrl+click devices in the list"),
    row(Do::OnlyInView, Map, "List only devices in view", &[plain(Key::V)]),
    row(Do::Set(Choice::Dim), Map, "Dim the map", &[plain(Key::B)]),
    row(Do::Measure, Map, "Measure distances", &[Chord::shift(Key::M)]),
    row(Do::CopyPlace, Map, "Copy the place under the pointer", &[Chord::ctrl_shift(Key::C)]),
    row(Do::Adopt, Map, "Adopt the selected sender", &[]).does("What it sent becomes its history"),
    row(Do::Ignore, Map, "Ignore the selected device", &[]).does("It is answered and kept out of sight"),
    row(Do::Rename, Map, "Rename the selected device", &[plain(Key::F2)]),
    row(Do::Commands, Map, "Commands of the selected device…", &[plain(Key::C)]).menu(Some(Icon::Send)).always(),
    row(Do::Profile, Map, "Profile of the selected device…", &[ctrl(Key::I)]).menu(Some(Icon::Tracker)).always(),
    row(Do::AddPhone, Map, "Add a phone…", &[ctrl(Key::P)]).menu(Some(Icon::Phone)).always(),
    row(Do::Phones, Map, "HTTPS, passwords, who sees whom…", &[ctrl(Key::U)]).menu(Some(Icon::Lock)).always(),
    row(Do::Export, Map, "Export…", &[ctrl(Key::E)]).menu(Some(Icon::Export)).always(),
    row(Do::Import, Map, "Import…", &[ctrl(Key::O)]).menu(Some(Icon::Folder)).always(),
    row(Do::PasteCapture, Packets, "Paste as a capture", &[Chord::ctrl_shift(Key::V)])
        .does("Logs, hex, JSON: opens beside the live picture")
        .menu(Some(Icon::Copy)),
    row(Do::Maps, Map, "Maps…", &[ctrl(Key::M)]).menu(Some(Icon::Layers)).always(),
    row(Do::Places, Map, "Places…", &[Chord::ctrl_shift(Key::P)]).menu(Some(Icon::Pin)).always(),
    row(Do::Rules, Map, "Rules and mutes…", &[Chord::ctrl_shift(Key::R)]).menu(Some(Icon::Bell)).always(),
    row(Do::Taps, Map, "Taps…", &[]).does("Overhear trackers that talk with another server").menu(Some(Icon::Tracker)),
    row(Do::StartDemo, Map, "Start the demo", &[]).does("Three simulated vehicles"),
    row(Do::StopDemo, Map, "Stop the demo", &[]).does("Its vehicles go with their history"),
    row(Do::FilterPackets, Packets, "Filter packets", &[ctrl(Key::L), ctrl(Key::Slash), ctrl(Key::F)])
        .menu(Some(Icon::Search)),
    row(Do::PreviousPacket, Packets, "Previous packet", &[plain(Key::F7)]),
    row(Do::NextPacket, Packets, "Next packet", &[plain(Key::F8)]),
    row(Do::PreviousOfSession, Packets, "Previous packet of the same connection", &[ctrl(Key::Comma)]),
    row(Do::NextOfSession, Packets, "Next packet of the same connection", &[ctrl(Key::Period)]),
    row(Do::Linked, Packets, "Go to what belongs to the packet", &[plain(Key::G)])
        .does("Its answer, what it answers, or its position"),
    row(Do::FollowConnection, Packets, "Follow the connection of the packet", &[Chord::ctrl_shift(Key::F)])
        .does("What was said and answered on it, in two columns"),
    row(Do::Compare, Packets, "Compare the packet with another…", &[plain(Key::D)])
        .does("Press it on both; or Ctrl+click the other"),
    row(Do::Statistics, Packets, "Statistics of packets", &[Chord::ctrl_shift(Key::S)])
        .does("By type, device and verdict"),
    row(Do::ExportPackets, Packets, "Export packets…", &[Chord::ctrl_shift(Key::X)])
        .does("pcapng for Wireshark, redacted reports, JSON, logs")
        .menu(Some(Icon::Export))
        .always(),
    row(Do::Replay, Packets, "Replay a capture into a receiver…", &[])
        .does("What devices sent goes out again, at any speed, under any IMEI")
        .menu(Some(Icon::Send))
        .always(),
    row(Do::NextProblem, Packets, "Next packet with a problem", &[plain(Key::N)])
        .does("The next warning or error that is listed, beginning anew after the last")
        .menu(Some(Icon::Warning)),
    row(Do::NextMarked, Packets, "Next marked packet", &[Chord::shift(Key::N)]),
    row(Do::Mark, Packets, "Mark the packet", &[plain(Key::M)]).does("Or take the mark away"),
    row(Do::Comment, Packets, "Comment on the packet…", &[Chord::ctrl_shift(Key::M)])
        .does("What you want to remember about it; it is kept with the packet"),
    row(
        Do::TimeKind,
        Packets,
        "Times in the packet list: of day, since the row above, since the mark",
        &[Chord::ctrl_shift(Key::T)],
    ),
    row(Do::Colours, Packets, "Colours of packets and saved filters…", &[Chord::ctrl_shift(Key::L)]).always(),
    row(Do::Pause, Packets, "Pause the packet list", &[plain(Key::P)]).does("Receiving goes on"),
    row(Do::CopySelection, Packets, "Copy what is selected", &[ctrl(Key::C)])
        .does("The field, else the packet's bytes, else the place of the device"),
    row(Do::Unselect, Packets, "Unselect: field, packet, device", &[plain(Key::Escape)]).always().hidden(),
    row(Do::Play, Past, "Play and pause", &[plain(Key::Space)])
        .does("What all devices did, in true time")
        .if_left()
        .menu(Some(Icon::Play)),
    row(Do::Live, Past, "Back to now", &[Chord::shift(Key::L)]),
    row(Do::PreviousDay, Past, "One day back", &[plain(Key::OpenBracket)]),
    row(Do::NextDay, Past, "One day on", &[plain(Key::CloseBracket)]),
    row(Do::PreviousFix, Past, "To the position before", &[plain(Key::Comma)]),
    row(Do::NextFix, Past, "To the next position", &[plain(Key::Period)]),
    row(Do::First, Past, "To the beginning of the span", &[plain(Key::Home)]).if_left(),
    row(Do::Last, Past, "To the end of the span", &[plain(Key::End)])
        .does("LIVE, where that is now; END, where a capture ends")
        .if_left(),
    row(Do::Faster, Past, "Replay faster", &[Chord::shift(Key::Period)]),
    row(Do::Slower, Past, "Replay slower", &[Chord::shift(Key::Comma)]),
    row(Do::Trips, Past, "Trips and stops", &[plain(Key::S)]).does("The list of them: arrows and Enter"),
    row(Do::NextDoubtful, Past, "To the next outlier, suspect or hidden point", &[plain(Key::O)])
        .does("Of the span, beginning anew after the last"),
    row(Do::HidePoint, Past, "Hide the selected point, or show it again", &[plain(Key::H)])
        .does("It stays in the store; out of sight, out of trips and out of exports"),
    row(Do::SkipParked, Past, "Skip parked time in replays", &[]),
    row(Do::Palette, Window, "Find a command or device…", &[ctrl(Key::K)]).menu(Some(Icon::Search)).always(),
    row(Do::Events, Window, "Events", &[Chord::ctrl_shift(Key::E)]).menu(Some(Icon::Bell)).always(),
    row(Do::GoBack, Window, "Back to what was selected before", &[Chord::alt(Key::ArrowLeft)]),
    row(Do::GoForward, Window, "Forward again", &[Chord::alt(Key::ArrowRight)]),
    row(Do::Undo, Window, "Undo", &[ctrl(Key::Z)]).menu(None).always(),
    row(Do::Redo, Window, "Redo", &[Chord::ctrl_shift(Key::Z), ctrl(Key::Y)]).menu(None).always(),
    row(Do::NextPane, Window, "Next pane", &[plain(Key::F6)]),
    row(Do::PreviousPane, Window, "Previous pane", &[Chord::shift(Key::F6)]),
    row(Do::Devices, Window, "Devices pane", &[ctrl(Key::B)]).menu(Some(Icon::PaneLeft)),
    row(Do::Packets, Window, "Packets pane", &[ctrl(Key::J)]).menu(Some(Icon::PaneBottom)),
    row(Do::Details, Window, "Details pane", &[ctrl(Key::D)]).menu(Some(Icon::PaneRight)),
    row(Do::Arrange(Layout::Track), Window, "Layout for tracking: no packets", &[ctrl(Key::Num1)]),
    row(Do::Arrange(Layout::Debug), Window, "Layout for debugging: everything", &[ctrl(Key::Num2)]),
    row(Do::Arrange(Layout::Packets), Window, "Layout for packets: nothing else", &[ctrl(Key::Num3)]),
    row(Do::Arrange(Layout::Wall), Window, "Layout for a wall: the map alone", &[ctrl(Key::Num4)]),
    row(Do::SaveCopy, Window, "Save a copy…", &[ctrl(Key::S)]).menu(Some(Icon::Export)).always(),
    row(Do::Health, Window, "Health", &[plain(Key::F9)]).menu(Some(Icon::Pulse)).always(),
    row(Do::Settings, Window, "Settings", &[plain(Key::F10)]).menu(Some(Icon::Gear)).always(),
    row(Do::Keys, Window, "Keys", &[plain(Key::Questionmark), plain(Key::F1)]).menu(Some(Icon::Help)).always(),
    row(Do::Policy(Policy::Ask), Settings, "New senders: ask", &[])
        .does("Kept, answered, and shown until you decide")
        .always(),
    row(Do::Policy(Policy::Adopt), Settings, "New senders: adopt all", &[]).does("Devices at once").always(),
    row(Do::Policy(Policy::Strict), Settings, "New senders: only known ones", &[]).does("Others are refused").always(),
    row(Do::Set(Choice::Notify), Settings, "Notifications on this desktop", &[])
        .does("A few a minute at most")
        .always(),
    row(Do::Set(Choice::NotifySound), Settings, "Sound of notifications", &[]).always(),
    row(Do::Set(Choice::OnlineMap), Settings, "Online map", &[])
        .does("Its server learns which places you look at")
        .always(),
    row(Do::Set(Choice::ShowPlaces), Settings, "Places on the map", &[]).does("Their outlines and names").always(),
    row(Do::Set(Choice::Gather), Settings, "Gather devices that stand too close", &[]).always(),
    row(Do::Set(Choice::Accuracy), Settings, "Accuracy circles of all devices", &[]).always(),
    row(Do::Set(Choice::HideLost), Settings, "Hide lost devices on the map", &[]).always(),
    row(Do::Set(Choice::Pulse), Settings, "Pulse of new positions", &[]).always(),
    row(Do::ColourBy(Colour::Usual), Settings, "Trails coloured as usual", &[])
        .does("The selected device by speed, others by state")
        .always(),
    row(Do::ColourBy(Colour::State), Settings, "Trails coloured by state", &[]).always(),
    row(Do::ColourBy(Colour::Speed), Settings, "Trails coloured by speed", &[]).always(),
    row(Do::ColourBy(Colour::Age), Settings, "Trails coloured by age", &[]).always(),
    row(Do::ColourBy(Colour::Altitude), Settings, "Trails coloured by altitude", &[]).always(),
    row(Do::ColourBy(Colour::Battery), Settings, "Trails coloured by battery", &[]).always(),
    row(Do::Larger, Look, "Larger", &[ctrl(Key::Plus)]).does("Text and everything else").always(),
    row(Do::Smaller, Look, "Smaller", &[ctrl(Key::Minus)]).does("Text and everything else").always(),
    row(Do::UsualSize, Look, "Usual size", &[ctrl(Key::Num0)]).always(),
    row(Do::Theme(ThemeChoice::Dark), Look, "Dark theme", &[]).always(),
    row(Do::Theme(ThemeChoice::Light), Look, "Light theme", &[]).always(),
    row(Do::Theme(ThemeChoice::System), Look, "Theme as the system has it", &[]).always(),
    row(Do::Units(Units::Metric), Look, "Metric units", &[]).does("km/h, km, m").always(),
    row(Do::Units(Units::Imperial), Look, "Imperial units", &[]).does("mph, mi, ft").always(),
    row(Do::Units(Units::Nautical), Look, "Nautical units", &[]).does("kn, nm, m").always(),
    row(Do::Zone(Zone::Local), Look, "Local time", &[]).always(),
    row(Do::Zone(Zone::Utc), Look, "Times in UTC", &[]).always(),
    row(Do::Set(Choice::ReduceMotion), Look, "Reduced motion", &[]).does("Nothing slides, fades or pulses").always(),
    row(Do::NextWidget, Panes, "Next or previous control", &[plain(Key::Tab), Chord::shift(Key::Tab)]).pane(),
    row(Do::Rows, Panes, "From row to row", &[plain(Key::ArrowUp), plain(Key::ArrowDown)])
        .does("Devices, packets, fields")
        .pane(),
    row(Do::RowEnds, Panes, "First and last row", &[plain(Key::Home), plain(Key::End)])
        .does("Packets: of all that are stored")
        .pane(),
    row(Do::OpenRow, Panes, "Select and show on the map", &[plain(Key::Enter)])
        .does("A new sender: adopt it; a button: press it")
        .pane(),
    row(Do::DeleteRow, Panes, "Ignore the new sender", &[plain(Key::Delete)]).pane(),
    row(Do::Fold, Panes, "Fold and unfold fields", &[plain(Key::ArrowLeft), plain(Key::ArrowRight)]).pane(),
    row(Do::SelectBytes, Panes, "Select bytes", &[Chord::shift(Key::ArrowLeft), Chord::shift(Key::ArrowRight)])
        .does("And up and down; the data inspector says what they could be")
        .pane(),
    row(Do::Pan, Panes, "Move the map", &[plain(Key::ArrowLeft), plain(Key::ArrowRight)])
        .does("And up and down")
        .pane(),
];
