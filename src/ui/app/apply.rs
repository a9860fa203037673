//! Carries out what was asked for. The only place that does.

use egui::Context;

use super::{App, seeking::Aim};
use crate::{
    model::{DeviceId, PacketId, PacketRow},
    track::Point,
    ui::{Action, data::Opened, format, time::point, view::Sheet},
};

impl App {
    /// Shows a device on the map, or says that there is nothing to show.
    fn fit_device(&mut self, device: DeviceId) {
        let Some(overview) = self.data.devices.get(&device) else { return };
        let (known, when) = match &self.data.shown {
            Some(shown) => (shown.tracks.contains_key(&device), " in this span"),
            None => (overview.last_fix.is_some(), " yet"),
        };
        if known {
            self.panels.map.fit_device(device);
        } else {
            self.toasts.info(format!("{} has told no position{when}", self.data.label(device)));
        }
    }

    /// Does one thing that was asked for, or that takes another back.
    pub(super) fn apply(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::SelectDevice(device) => {
                self.close_packet();
                if self.view.follow.is_some() && self.view.follow != device {
                    self.view.follow = None;
                }
                self.view.selection.device = device;
            }
            Action::SelectPacket(id) => self.select_packet(id, None),
            Action::SelectFix { device, fix, packet } => {
                self.select_packet(packet, Some(fix));
                self.view.selection.device = Some(device);
                self.cursor_to(device, fix);
            }
            Action::NextDoubtful => match point::next_doubtful(&self.data, &self.view) {
                Some((device, point)) => {
                    let Point { fix, packet, .. } = point;
                    self.apply(ctx, Action::SelectFix { device, fix, packet });
                    self.panels.map.bring(point::surroundings(&self.data, device, fix));
                }
                None => {
                    self.toasts.info("No outlier, suspect or hidden point among those shown; [ shows the day before");
                }
            },
            Action::SelectField(field) => {
                self.view.selection.field = field;
                self.view.selection.bytes = None;
            }
            Action::SelectBytes(run) => {
                self.view.selection.field = None;
                self.view.selection.bytes = Some(run);
            }
            Action::HoverField(field) => self.view.hovered_field = field,
            Action::StepPacket(rows) => self.step_packet(rows),
            Action::MorePackets(pages) => {
                if let Some(backend) = &self.backend {
                    self.paging.ask(backend, &mut self.data, pages);
                }
            }
            Action::ReadPacketsAbove(above) => self.data.ends.reading_above = above,
            Action::Escape => self.escape(),
            Action::Adopt(device) => {
                let pending = self.backend().adopt(device, None);
                self.asks.adopt(device, pending);
            }
            Action::Ignore(device) => {
                let pending = self.backend().ignore(device);
                let what = format!("ignore {}", self.data.label(device));
                self.asks.change(what, Some(device), pending);
                if self.view.selection.device == Some(device) {
                    self.view.selection.device = None;
                }
            }
            Action::Reconsider(device) => {
                let pending = self.backend().reconsider(device);
                let what = format!("put {} back among the new senders", self.data.label(device));
                self.asks.change(what, Some(device), pending);
            }
            Action::Undo => self.undo(ctx),
            Action::Redo => self.redo(ctx),
            Action::GoBack => self.go(-1),
            Action::GoForward => self.go(1),
            Action::StepPane(panes) => self.step_pane(ctx, panes),
            Action::Arrange(layout) => self.view.open = self.view.open.arranged(layout),
            Action::Jump(jump) => self.jump(jump),
            Action::FilterPackets(text) => {
                self.view.open.dock = true;
                self.view.events.open = false;
                self.view.talk.tab = None;
                self.panels.packets.filter(text);
            }
            Action::NarrowPackets(by) => self.panels.packets.narrow(&by),
            Action::FindPacket { filter, by, from } => self.find_packet(&filter, by, from),
            Action::CancelFind => {
                self.seeker.cancel(&mut self.data);
            }
            Action::SearchPackets(sieve) => {
                if let Some(backend) = &self.backend {
                    self.finding.search(backend, &mut self.data, sieve.map(|sieve| *sieve));
                }
            }
            Action::SetNote(packet, note) => {
                let pending = self.backend().set_note(packet, note);
                self.asks.change("write about the packet".to_owned(), None, pending);
            }
            Action::SetPacketList(list) => self.view.packets = list.mended(),
            Action::EditComment => self.edit_comment(),
            Action::PausePackets => {
                self.view.talk.tab = None;
                self.panels.packets.pause_or_go_on();
            }
            Action::CopySelection => self.copy_selection(ctx),
            Action::BeginRename => self.begin_rename(),
            Action::Rename(device, name) => {
                let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
                let pending = self.backend().rename(device, name);
                let what = format!("rename {}", self.data.label(device));
                self.asks.change(what, Some(device), pending);
            }
            Action::SetDeviceList(list) => self.view.devices = list,
            Action::FilterDevices(text) => {
                self.view.open.devices = true;
                self.panels.devices.filter_by(text);
            }
            Action::Follow(device) => self.view.follow = device,
            Action::Isolate(on) => self.view.set_isolate(on),
            Action::IsolateAlso(device) => self.view.isolate_also(device),
            Action::OnlyInView(on) => self.view.only_in_view = on,
            Action::Measure => self.panels.map.toggle_measure(),
            Action::CopyPlace => match self.panels.map.pointed().map(format::place) {
                Some(text) => self.apply(ctx, Action::Copy(text, "the coordinates")),
                None => self.toasts.info("Point at a place on the map first"),
            },
            Action::FitAll => self.panels.map.fit_all(),
            Action::FitDevice(device) => self.fit_device(device),
            Action::Zoom(levels) => self.panels.map.zoom_by(levels),
            Action::Listen(protocol, at) => self.backend().listen(protocol, at),
            Action::Retry(protocol) => self.backend().retry(protocol),
            Action::SetTap(tap) => self.backend().set_tap(tap),
            Action::RemoveTap(name) => self.backend().remove_tap(name),
            Action::RetryTap(name) => self.backend().retry_tap(&name),
            Action::SetPolicy(policy) => self.backend().set_policy(policy),
            Action::SaveCopy { to, replace } => self.asks.copy = Some(self.backend().save_copy(to, replace)),
            Action::CancelCopy => self.asks.copy.iter().for_each(|(_, watch)| watch.cancel()),
            Action::BrowseCopy(name) => self.panels.copy.browse(ctx.clone(), &name),
            Action::DismissRepair => self.data.repair_read = true,
            Action::Compact => self.backend().compact(),
            Action::SetKeep(keep) => self.backend().set_keep(keep),
            Action::ReadAgain => self.news.missed = true,
            Action::StartDemo => {
                self.demo.start(self.backend.as_ref());
                self.toasts.info("The demo is starting: three simulated vehicles");
            }
            Action::StopDemo => self.backend().stop_demo(true),
            Action::ToggleDock => {
                self.view.open.dock = !self.view.open.dock;
                self.view.open.map |= !self.view.open.dock;
            }
            Action::ToggleDevices => self.view.open.devices = !self.view.open.devices,
            Action::ToggleDetails => self.view.open.details = !self.view.open.details,
            Action::Sheet(sheet) => self.view.open.sheet = sheet.filter(|_| self.view.open.sheet != sheet),
            Action::OpenExport(device) => {
                self.panels.export.choose(device);
                self.view.open.sheet = Some(Sheet::Export);
            }
            Action::Export(job) => self.asks.export = Some(self.backend().export(job)),
            Action::CancelExport => self.asks.export.iter().for_each(|(_, watch)| watch.cancel()),
            Action::BrowseExport(name) => self.panels.export.browse(ctx.clone(), &name),
            Action::OpenCapture(_) | Action::PasteCapture | Action::ShowSource(_) | Action::CloseSource(_) => {
                self.apply_source(ctx, action);
            }
            Action::OpenImport(_)
            | Action::BrowseImport(_)
            | Action::LookAtImport(_)
            | Action::Import { .. }
            | Action::CancelImport
            | Action::TakeImportBack(_) => self.import(ctx, action),
            Action::SetSettings(settings) => self.view.settings = settings,
            Action::OpenChart(path) => self.open_chart(ctx, path),
            Action::ShowChart(path) => self.show_chart(ctx, path),
            Action::FitChart(path) => {
                self.show_chart(ctx, Some(path.clone()));
                self.fit_chart(&path);
            }
            Action::RemoveChart(path) => self.remove_chart(&path),
            Action::BrowseChart => self.panels.maps.browse(ctx.clone()),
            Action::OpenCommands(device) => self.open_sheet_of(device, Sheet::Commands),
            Action::OpenProfile(device) => self.open_sheet_of(device, Sheet::Profile),
            Action::PreviewCommand { .. }
            | Action::SendCommand { .. }
            | Action::CancelCommand(_)
            | Action::AddUserCommand { .. }
            | Action::RemoveUserCommand(_)
            | Action::SetProfile(..)
            | Action::SetLook(..)
            | Action::ApplyClock(..)
            | Action::DismissClock(..) => self.ask_remote(action),
            Action::OpenPhone(device) => {
                if self.view.selection.device != Some(device) {
                    self.close_packet();
                    self.view.selection.device = Some(device);
                }
                self.view.open.sheet = Some(Sheet::Phone);
            }
            Action::AddPhone(_)
            | Action::WatchPhone(..)
            | Action::SetPassword { .. }
            | Action::SetKey(..)
            | Action::Alias(..)
            | Action::Part(..)
            | Action::SameAs { .. }
            | Action::SetFriend { .. }
            | Action::SendPhoneCommand(..)
            | Action::ListenHttps(_)
            | Action::RetryHttps
            | Action::Save { .. } => {
                let Some(backend) = &self.backend else { return };
                self.phones.carry_out(backend, &mut self.data, action);
            }
            Action::ShowPacket(packet) => {
                self.select_packet(packet, None);
                self.view.open.sheet = None;
                self.view.open.dock = true;
            }
            Action::OpenLogFolder => {
                let pending = self.backend().open_log_folder();
                self.asks.change("open the folder of the log".to_owned(), None, pending);
            }
            Action::Watch(action) => {
                self.view.talk.tab = None;
                self.apply_watch(action);
            }
            Action::Talk(action) => self.apply_talk(action),
            Action::Out(action) => self.apply_out(ctx, action),
            Action::Replay(action) => self.apply_replay(ctx, action),
            Action::ReadAs(scope, read_as) => self.read_as(scope, read_as),
            Action::FocusDeviceFilter => {
                self.view.open.devices = true;
                self.panels.devices.focus_filter();
            }
            Action::ShowPlaces(places) => self.panels.map.fit_places(places),
            Action::Time(act) => self.go_in_time(act),
            Action::Hide { device, fixes, reason } => self.hide(device, fixes, reason),
            Action::Copy(text, what) => {
                ctx.copy_text(text);
                self.toasts.info(format!("Copied {what}"));
            }
        }
    }

    /// What is done to a tracker, on its way to the backend.
    fn ask_remote(&mut self, action: Action) {
        let Some(backend) = &self.backend else { return };
        self.remote.carry_out(backend, &mut self.data, action, (self.clock)());
    }

    /// Opens a sheet about a device.
    fn open_sheet_of(&mut self, device: DeviceId, sheet: Sheet) {
        if self.view.selection.device != Some(device) {
            self.close_packet();
            self.view.selection.device = Some(device);
        }
        self.view.open.sheet = Some(sheet);
    }

    pub(super) fn open(&mut self, row: PacketRow) {
        let profile = row.device.and_then(|id| self.data.devices.get(&id)).map(|d| d.device.profile.clone());
        let dissection = self.backend().dissect(&row, &profile.unwrap_or_default());
        if row.device.is_some() {
            self.view.selection.device = row.device;
        }
        let opened = Opened { row, dissection, fixes: Vec::new(), otherwise: None };
        self.data.opened = Some(self.read_otherwise(opened));
    }

    pub(super) fn select_packet(&mut self, id: PacketId, fix: Option<i64>) {
        let selection = &mut self.view.selection;
        selection.packet = Some(id);
        selection.field = None;
        selection.bytes = None;
        selection.fix = fix;
        self.view.hovered_field = None;
        self.data.opened = None;
        let (packet, fixes) = match self.data.packet_row(id) {
            Some(row) => {
                let row = row.clone();
                self.open(row);
                (None, Some((id, self.backend().fixes_of_packet(id))))
            }
            None => (Some((id, self.backend().packet(id))), Some((id, self.backend().fixes_of_packet(id)))),
        };
        self.asks.packet = packet;
        self.asks.fixes = fixes;
    }

    /// The next packet that is listed, or the one before.
    fn step_packet(&mut self, rows: i32) {
        let onward = rows > 0;
        self.seek(Aim {
            filter: String::new(),
            onward,
            around: false,
            from_newest: true,
            from: None,
            what: format!("the {} packet that is listed", if onward { "next" } else { "previous" }),
            nothing: format!("There is no packet {} this one", if onward { "after" } else { "before" }),
        });
    }

    pub(super) fn close_packet(&mut self) {
        self.view.selection.packet = None;
        self.view.selection.field = None;
        self.view.selection.bytes = None;
        self.view.selection.fix = None;
        self.view.hovered_field = None;
        self.data.opened = None;
    }

    fn escape(&mut self) {
        if self.seeker.cancel(&mut self.data) {
            // Nobody waits for it any more.
        } else if self.view.time.month.take().is_some() {
            // The calendar was in front.
        } else if self.view.open.sheet.is_some() {
            self.view.open.sheet = None;
        } else if self.panels.map.places.put_pen_down() || self.panels.map.escape() {
            // That was all.
        } else if self.view.selection.bytes.take().is_some() {
            // The packet stays open.
        } else if self.view.selection.field.is_some() {
            self.view.selection.field = None;
        } else if self.view.selection.packet.is_some() {
            self.close_packet();
        } else if !self.view.time.unwind() {
            self.view.selection.device = None;
            self.view.follow = None;
        }
    }
}
