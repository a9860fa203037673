//! What a command asks for now.

use super::{Choice, UserCommand};
use crate::model::{DeviceState, HideReason, PacketNote};
use crate::ui::{
    Action, Data, View,
    action::Jump,
    filter::PacketList,
    out::{OutAction, Which},
    talk::TalkAction,
    time::{Act, point},
    view::{PhonesTab, Settings, Sheet},
    watch::WatchAction,
};

/// Between two sizes of everything.
const SCALE_STEP: f32 = 0.1;

impl UserCommand {
    /// Why it makes no sense now, where that is because of what is selected, or of who looks.
    pub fn lacks(self, data: &Data, view: &View) -> Option<&'static str> {
        let selection = &view.selection;
        let writes = matches!(self, Self::Rename | Self::HidePoint | Self::Mark | Self::Comment);
        if writes && data.station.viewer {
            return Some("this window only looks on");
        }
        match self {
            Self::PreviousOfSession
            | Self::NextOfSession
            | Self::Linked
            | Self::FollowConnection
            | Self::Compare
            | Self::Mark
            | Self::Comment => selection.packet.is_none().then_some("select a packet first"),
            Self::ShowSelection
            | Self::Follow
            | Self::Isolate
            | Self::IsolateAlso
            | Self::Rename
            | Self::Commands
            | Self::Profile => selection.device.is_none().then_some("select a device first"),
            Self::HidePoint => {
                let point = selection.device.and_then(|device| point::looked_at(data, view, device));
                point.is_none().then_some("select a point of a trail first")
            }
            _ => None,
        }
    }

    /// What it asks for now; `None` where it makes no sense, or where a pane does it.
    pub fn actions(self, data: &Data, view: &View) -> Option<Vec<Action>> {
        let selected = view.selection.device;
        let overview = selected.and_then(|id| data.devices.get(&id));
        let sheet = |sheet| Some(vec![Action::Sheet(Some(sheet))]);
        let one = |action| Some(vec![action]);
        let settings = |change: &dyn Fn(&mut Settings)| {
            let mut settings = view.settings.clone();
            change(&mut settings);
            (settings != view.settings).then(|| vec![Action::SetSettings(settings)])
        };
        let may = !data.station.viewer;
        match self {
            Self::FilterDevices => one(Action::FocusDeviceFilter),
            Self::ShowSelection => selected.map(|id| vec![Action::FitDevice(id)]),
            Self::ShowAll => one(Action::FitAll),
            Self::Follow => selected.map(|id| vec![Action::Follow((view.follow != Some(id)).then_some(id))]),
            Self::ZoomIn => one(Action::Zoom(1.0)),
            Self::ZoomOut => one(Action::Zoom(-1.0)),
            Self::Labels => settings(&|s| s.map.labels = s.map.labels.next()),
            Self::TrailColour => settings(&|s| s.map.colour = s.map.colour.next()),
            Self::TrailLength => settings(&|s| s.map.trail = s.map.trail.next()),
            Self::ColourBy(colour) => settings(&|s| s.map.colour = colour),
            Self::Isolate => (selected.is_some() || view.isolate).then(|| vec![Action::Isolate(!view.isolate)]),
            Self::IsolateAlso => selected.map(|id| vec![Action::IsolateAlso(id)]),
            Self::OnlyInView => one(Action::OnlyInView(!view.only_in_view)),
            Self::Measure => one(Action::Measure),
            Self::CopyPlace => one(Action::CopyPlace),
            Self::Adopt => {
                let waits = overview.filter(|d| may && d.device.state != DeviceState::Adopted);
                waits.map(|d| vec![Action::Adopt(d.device.id)])
            }
            Self::Ignore => {
                let listed = overview.filter(|d| may && d.device.state != DeviceState::Ignored);
                listed.map(|d| vec![Action::Ignore(d.device.id)])
            }
            Self::Rename => overview.filter(|_| may).map(|_| vec![Action::BeginRename]),
            Self::Commands => selected.map(|id| vec![Action::OpenCommands(id)]),
            Self::Profile => selected.map(|id| vec![Action::OpenProfile(id)]),
            Self::AddPhone => sheet(Sheet::AddPhone),
            Self::Phones => sheet(Sheet::Phones(PhonesTab::Https)),
            Self::Maps => sheet(Sheet::Maps),
            Self::Export => one(Action::OpenExport(selected)),
            Self::Places => sheet(Sheet::Places),
            Self::Rules => sheet(Sheet::Rules),
            Self::Taps => sheet(Sheet::Taps),
            Self::Events => one(Action::Watch(WatchAction::List(!(view.events.open && view.open.dock)))),
            Self::Import => one(Action::OpenImport(None)),
            Self::PasteCapture => one(Action::PasteCapture),
            Self::StartDemo => (may && !data.station.demo).then(|| vec![Action::StartDemo]),
            Self::StopDemo => (may && (data.station.demo || data.station.demo_left)).then(|| vec![Action::StopDemo]),
            Self::FilterPackets => one(Action::FilterPackets(None)),
            Self::PreviousPacket => one(Action::StepPacket(-1)),
            Self::NextPacket => one(Action::StepPacket(1)),
            Self::PreviousOfSession => view.selection.packet.map(|_| vec![Action::Jump(Jump::Session(-1))]),
            Self::NextOfSession => view.selection.packet.map(|_| vec![Action::Jump(Jump::Session(1))]),
            Self::Linked => view.selection.packet.map(|_| vec![Action::Jump(Jump::Linked)]),
            Self::FollowConnection => view.selection.packet.map(|id| vec![Action::Talk(TalkAction::Follow(id))]),
            Self::Compare => view.selection.packet.map(|_| vec![Action::Talk(TalkAction::Pin)]),
            Self::Statistics => one(Action::Talk(TalkAction::Count(None))),
            Self::ExportPackets => one(Action::Out(OutAction::Open(Which::Listed))),
            Self::Replay => sheet(Sheet::Replay),
            Self::NextProblem => one(Action::Jump(Jump::Problem)),
            Self::NextMarked => one(Action::Jump(Jump::Marked)),
            Self::Mark => view.selection.packet.filter(|_| may).map(|id| {
                let note = data.notes.of(id).cloned().unwrap_or_default();
                vec![Action::SetNote(id, PacketNote { marked: !note.marked, ..note })]
            }),
            Self::Comment => view.selection.packet.filter(|_| may).map(|_| vec![Action::EditComment]),
            Self::TimeKind => {
                let list = PacketList { time: view.packets.time.next(), ..view.packets.clone() };
                one(Action::SetPacketList(list))
            }
            Self::Colours => sheet(Sheet::Colours),
            Self::Pause => one(Action::PausePackets),
            Self::CopySelection => {
                (view.selection != super::super::view::Selection::default()).then(|| vec![Action::CopySelection])
            }
            Self::Unselect => one(Action::Escape),
            Self::Play => one(Action::Time(Act::Play)),
            Self::Live => one(Action::Time(Act::Live)),
            Self::PreviousDay => one(Action::Time(Act::Days(-1))),
            Self::NextDay => one(Action::Time(Act::Days(1))),
            Self::PreviousFix => one(Action::Time(Act::Step(-1))),
            Self::NextFix => one(Action::Time(Act::Step(1))),
            Self::First => one(Action::Time(Act::First)),
            Self::Last => one(Action::Time(Act::Last)),
            Self::Faster => one(Action::Time(Act::Faster(1))),
            Self::Slower => one(Action::Time(Act::Faster(-1))),
            Self::Trips => one(Action::Time(Act::Trips(!view.time.trips))),
            Self::NextDoubtful => one(Action::NextDoubtful),
            Self::HidePoint => point::looked_at(data, view, selected?).filter(|_| may).map(|fix| {
                let hidden = point::hidden_because(data, fix).is_some();
                let reason = (!hidden).then_some(HideReason::Hand);
                vec![Action::Hide { device: fix.device, fixes: vec![fix.id], reason }]
            }),
            Self::SkipParked => one(Action::Time(Act::SkipParked(!view.time.skip_parked))),
            Self::Palette => sheet(Sheet::Palette),
            Self::GoBack => view.ways.back.then(|| vec![Action::GoBack]),
            Self::GoForward => view.ways.forward.then(|| vec![Action::GoForward]),
            Self::Undo => view.undo.is_some().then(|| vec![Action::Undo]),
            Self::Redo => view.redo.is_some().then(|| vec![Action::Redo]),
            Self::NextPane => one(Action::StepPane(1)),
            Self::PreviousPane => one(Action::StepPane(-1)),
            Self::Devices => one(Action::ToggleDevices),
            Self::Packets => one(Action::ToggleDock),
            Self::Details => one(Action::ToggleDetails),
            Self::Arrange(layout) => one(Action::Arrange(layout)),
            Self::SaveCopy => sheet(Sheet::SaveCopy),
            Self::Health => sheet(Sheet::Health),
            Self::Settings => sheet(Sheet::Settings),
            Self::Keys => sheet(Sheet::Keys),
            Self::Larger => settings(&|s| s.ui_scale = scaled(s.ui_scale, SCALE_STEP)),
            Self::Smaller => settings(&|s| s.ui_scale = scaled(s.ui_scale, -SCALE_STEP)),
            Self::UsualSize => settings(&|s| s.ui_scale = 1.0),
            Self::Theme(theme) => settings(&|s| s.theme = theme),
            Self::Units(units) => settings(&|s| s.units = units),
            Self::Zone(zone) => settings(&|s| s.zone = zone),
            Self::Set(Choice::NotifySound) if !view.settings.notify => None,
            Self::Set(choice) => settings(&|s| *choice.of(s) ^= true),
            Self::Policy(policy) => (may && data.station.policy != policy).then(|| vec![Action::SetPolicy(policy)]),
            Self::NextWidget
            | Self::Rows
            | Self::RowEnds
            | Self::OpenRow
            | Self::DeleteRow
            | Self::SelectBytes
            | Self::Fold
            | Self::Pan => None,
        }
    }
}

impl UserCommand {
    /// How it is now, for what is on or off.
    pub fn state(self, view: &View) -> Option<&'static str> {
        let on = match self {
            Self::Set(choice) => *choice.of(&mut view.settings.clone()),
            Self::Isolate => view.isolate,
            Self::OnlyInView => view.only_in_view,
            Self::SkipParked => view.time.skip_parked,
            _ => return None,
        };
        Some(if on { "on now" } else { "off now" })
    }
}

/// The next size, in whole steps and within bounds.
fn scaled(scale: f32, by: f32) -> f32 {
    let steps = ((scale + by) / SCALE_STEP).round();
    (steps * SCALE_STEP).clamp(Settings::SCALES.0, Settings::SCALES.1)
}
