//! Everything a click may ask for.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    data::Pages,
    device_list::DeviceList,
    filter::{PacketList, Sieve},
    out::OutAction,
    read_as::Scope,
    replay::ReplayAction,
    talk::TalkAction,
    time::Act,
    view::{ByteRun, Layout, Settings, Sheet},
    watch::WatchAction,
};
use crate::{
    backend::{
        ExportJob, ListenAt, Tap,
        capture::CaptureSource,
        import::Found,
        phones::{NewPhone, SetupChoice},
    },
    geo::Bounds,
    model::{
        CommandId, DeviceId, HideReason, Identity, ImportId, ImportInto, Keep, Look, PacketId, PacketNote,
        PhoneCommand, Policy, Profile, Protocol, Secret,
    },
    wire::read_as::ReadAs,
};

/// What a panel wants done. `App::apply` matches every one of them, so this enum is the list of what the window can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Select a device (and unselect packet and field); `None` selects nothing.
    SelectDevice(Option<DeviceId>),
    /// Select a packet: its device, its fixes and its bytes follow.
    SelectPacket(PacketId),
    /// Select the position with this row id: its device and the packet that told it follow.
    SelectFix {
        device: DeviceId,
        fix: i64,
        packet: PacketId,
    },
    /// Selects the next point of the span that is in doubt or hidden.
    NextDoubtful,
    /// Select a field of the opened packet, by its index in the dissection.
    SelectField(Option<usize>),
    /// Select bytes of the opened packet, and no field.
    SelectBytes(ByteRun),
    /// The pointer is over this field (tree, bytes): light its bytes.
    HoverField(Option<usize>),
    /// Select the packet so many rows after the selected one; before it, where negative.
    StepPacket(i32),
    /// Hold this part of the stored packets, too.
    MorePackets(Pages),
    /// The packet list stands still above its end, or does so no more.
    ReadPacketsAbove(bool),
    /// One step back in order: sheet, field, packet, device.
    Escape,
    Adopt(DeviceId),
    Ignore(DeviceId),
    /// Among the senders that nobody has decided about again.
    Reconsider(DeviceId),
    /// Take the newest step back that can be taken back.
    Undo,
    /// Do again what was taken back last.
    Redo,
    /// Select again what was selected before.
    GoBack,
    GoForward,
    /// Give the keyboard to the pane so many panes further.
    StepPane(i32),
    /// Open and close panes for a purpose.
    Arrange(Layout),
    /// Go to another packet by what it has to do with the selected one.
    Jump(Jump),
    /// Put the cursor into the filter of the packets; with a text, filter by that.
    FilterPackets(Option<String>),
    /// Filter the packets by this, too.
    NarrowPackets(String),
    /// Select the next packet that fulfils a filter; the one before, where `by` is negative.
    FindPacket {
        filter: String,
        by: i32,
        /// From there on, where it is not the selected one.
        from: Option<PacketId>,
    },
    /// Leave off looking for a packet.
    CancelFind,
    /// Have the store look for older packets that a filter admits; without one, leave off.
    SearchPackets(Option<Box<Sieve>>),
    /// List the packets so: columns, times, colours, saved filters.
    SetPacketList(PacketList),
    /// Mark a packet and write about it; an empty note takes that away.
    SetNote(PacketId, PacketNote),
    /// Write about the selected packet.
    EditComment,
    /// Hold the packet list still, or let it go on.
    PausePackets,
    /// The field, else the packet's bytes, else the place of the device, to the clipboard.
    CopySelection,
    /// Type the name of the selected device anew.
    BeginRename,
    Rename(DeviceId, String),
    /// Tell a device from others by this colour, icon, notes and groups.
    SetLook(DeviceId, Look),
    /// Show the list of devices so: cards or table, columns, order, hidden groups.
    SetDeviceList(DeviceList),
    /// Filter the list of devices by this.
    FilterDevices(String),
    /// Keep this device in the middle of the map; a manual pan ends it.
    Follow(Option<DeviceId>),
    /// Leave everything but the selected device off the map, or do so no more.
    Isolate(bool),
    /// Keep this device on the map while others are left off, or no longer.
    IsolateAlso(DeviceId),
    /// List only the devices that are in view on the map, or all again.
    OnlyInView(bool),
    /// Begin to measure on the map, or end it.
    Measure,
    /// The coordinates under the pointer, to the clipboard.
    CopyPlace,
    /// Show all devices on the map.
    FitAll,
    /// Show this device's trail and place on the map.
    FitDevice(DeviceId),
    /// Look nearer by so many levels; farther, where negative.
    Zoom(f64),
    /// Receive elsewhere from now on.
    Listen(Protocol, ListenAt),
    /// Try a receiver that waits for its port again at once.
    Retry(Protocol),
    /// Overhear trackers; a tap of this name is changed.
    SetTap(Tap),
    RemoveTap(String),
    RetryTap(String),
    SetPolicy(Policy),
    /// Save a copy of the whole store. `replace`: the user agreed that what has this name may go.
    SaveCopy {
        to: PathBuf,
        replace: bool,
    },
    /// Break the saving off.
    CancelCopy,
    /// Ask the system for a file for the copy; a name to begin with.
    BrowseCopy(PathBuf),
    /// What was said about a repair was read.
    DismissRepair,
    /// Make the file as small as it can be, in small steps.
    Compact,
    /// Keep more or less from now on.
    SetKeep(Keep),
    /// Read everything from the store again.
    ReadAgain,
    StartDemo,
    /// Stop the simulated vehicles and remove them with their history.
    StopDemo,
    /// Open or close the packets at the bottom.
    ToggleDock,
    ToggleDevices,
    ToggleDetails,
    /// Open this sheet, or close the one that is open.
    Sheet(Option<Sheet>),
    /// The export sheet, with this device chosen; without one, all of them.
    OpenExport(Option<DeviceId>),
    Export(ExportJob),
    /// Break the export off.
    CancelExport,
    /// Ask the system for a file to write; a name to begin with.
    BrowseExport(PathBuf),
    /// Open a capture beside the live picture.
    OpenCapture(CaptureSource),
    /// Open what is in the clipboard as one.
    PasteCapture,
    /// Show the live picture, which is 0, or a capture.
    ShowSource(u64),
    CloseSource(u64),
    /// The import sheet, with this file looked at.
    OpenImport(Option<PathBuf>),
    /// Ask the system for a file to import; where to begin.
    BrowseImport(PathBuf),
    /// Look what is in a file, without taking anything.
    LookAtImport(PathBuf),
    /// Bring a file in: where each track of it goes.
    Import {
        found: Box<Found>,
        into: Vec<Option<ImportInto>>,
    },
    /// Break the look or the import off.
    CancelImport,
    /// Remove everything that an import brought.
    TakeImportBack(ImportId),
    SetSettings(Settings),
    /// Look into a map file and show it.
    OpenChart(PathBuf),
    /// Show a map file that is known above the embedded map, or none.
    ShowChart(Option<PathBuf>),
    /// Show a map file that is known, and look at where it has something.
    FitChart(PathBuf),
    /// Take a map file from the list; the file stays.
    RemoveChart(PathBuf),
    /// Ask the system for a map file.
    BrowseChart,
    /// The command console of a tracker.
    OpenCommands(DeviceId),
    /// The profile of a tracker.
    OpenProfile(DeviceId),
    /// Show the exact bytes of this command before it is sent.
    PreviewCommand {
        text: String,
        language: bool,
    },
    SendCommand {
        device: DeviceId,
        text: String,
        /// How long it may wait for the device to connect.
        patience: Duration,
        /// The refusal of the speed guard was read and overruled.
        forced: bool,
    },
    /// Take a command back that was not sent yet.
    CancelCommand(CommandId),
    /// Open this packet where it can be seen: no sheet over it, the packets open.
    ShowPacket(PacketId),
    AddUserCommand {
        title: String,
        text: String,
    },
    RemoveUserCommand(i64),
    /// What no frame says about a device; its history is found again where that reads its packets differently.
    SetProfile(DeviceId, Profile),
    /// Take the clock doctor's offset in seconds, for history, too.
    ApplyClock(DeviceId, i32),
    /// Do not propose this offset again.
    DismissClock(DeviceId, i32),
    /// Make a phone, with its names, password and key.
    AddPhone(NewPhone),
    /// What is typed into this phone, and what has arrived of it.
    OpenPhone(DeviceId),
    /// Find out how this phone is set up, and go on looking what has arrived of it.
    WatchPhone(DeviceId, SetupChoice),
    /// Set a password of one device, or of everything that a user posts; without one, take it away.
    SetPassword {
        user: String,
        device: Option<DeviceId>,
        password: Option<Secret>,
    },
    /// Set the key that a phone encrypts with; without one, take it away.
    SetKey(DeviceId, Option<Secret>),
    /// Attach a name to a device, or take it away.
    Alias(DeviceId, Identity, bool),
    /// Take an attached name away with everything that came in under it, which is a device of its own again.
    Part(DeviceId, Identity),
    /// Both are one device, and the second one stays.
    SameAs {
        from: DeviceId,
        to: DeviceId,
    },
    /// Whether `viewer` is told where `seen` is.
    SetFriend {
        viewer: DeviceId,
        seen: DeviceId,
        told: bool,
    },
    SendPhoneCommand(DeviceId, PhoneCommand),
    /// Receive phones by HTTPS elsewhere from now on.
    ListenHttps(ListenAt),
    RetryHttps,
    /// Show the folder of the log in the file manager.
    OpenLogFolder,
    /// Write a small file.
    Save {
        to: PathBuf,
        bytes: Arc<[u8]>,
    },
    /// Places, rules, events.
    Watch(WatchAction),
    /// Read a packet, or more of them, as something else; `None`: as usual again.
    ReadAs(Scope, Option<ReadAs>),
    /// Conversations, comparisons, statistics.
    Talk(TalkAction),
    /// Packets on their way out.
    Out(OutAction),
    /// A capture that is sent again.
    Replay(ReplayAction),
    /// Put the cursor into the filter of the device list.
    FocusDeviceFilter,
    /// Show this part of the world on the map.
    ShowPlaces(Bounds),
    /// Look at another time.
    Time(Act),
    /// Put these positions of a device out of sight, or show them again. They stay in the store.
    Hide {
        device: DeviceId,
        fixes: Vec<i64>,
        reason: Option<HideReason>,
    },
    /// To the clipboard; the second is what it is called in the confirmation.
    Copy(String, &'static str),
}

/// Where to go from the selected packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// So many packets further on the same connection.
    Session(i32),
    /// The answer, or what it answers.
    Linked,
    /// The next one with a warning or an error.
    Problem,
    /// The next one that somebody marked.
    Marked,
}
