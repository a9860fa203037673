//! Going about: back and forward through selections, from pane to pane, from packet to packet.

use std::collections::VecDeque;

use egui::Context;

use super::{App, seeking::Aim};
use crate::{
    model::{DeviceId, PacketId},
    ui::{
        action::Jump,
        format,
        panels::{
            dock::{explain, related},
            pane_id,
        },
        view::{Pane, Ways},
    },
    wire::hex,
};

/// Selections that are remembered. Beyond them the oldest is forgotten.
const MAX_PLACES: usize = 200;

/// What was selected, as far as it is gone back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place {
    device: Option<DeviceId>,
    packet: Option<PacketId>,
    fix: Option<i64>,
}

/// The way through selections, as in a browser.
#[derive(Default)]
pub(super) struct Went {
    before: VecDeque<Place>,
    now: Place,
    after: Vec<Place>,
}

impl App {
    /// Remembers what is selected now, where that is something else than before.
    pub(super) fn note_selection(&mut self) {
        let selection = self.view.selection;
        let now = Place { device: selection.device, packet: selection.packet, fix: selection.fix };
        let went = &mut self.went;
        // A packet's device and point follow a moment later.
        let same = |a: Place, b: Place| a.packet == b.packet && (a.packet.is_some() || a.device == b.device);
        if !same(went.now, now) {
            if went.now != Place::default() {
                went.before.push_back(went.now);
            }
            went.after.clear();
            if went.before.len() > MAX_PLACES {
                went.before.pop_front();
            }
        }
        went.now = now;
        self.tell_went();
    }

    /// One selection back, or forward again. What is gone by now is passed over.
    pub(super) fn go(&mut self, by: i32) {
        let known = |place: &Place| {
            place.device.is_none_or(|id| self.data.devices.contains_key(&id)) && *place != Place::default()
        };
        let went = &mut self.went;
        let next = || if by < 0 { went.before.pop_back() } else { went.after.pop() };
        let Some(place) = std::iter::from_fn(next).find(known) else { return self.tell_went() };
        let left = std::mem::replace(&mut went.now, place);
        if left != Place::default() {
            if by < 0 {
                went.after.push(left);
            } else {
                went.before.push_back(left);
            }
        }
        match place.packet {
            Some(packet) => self.select_packet(packet, place.fix),
            None => self.close_packet(),
        }
        self.view.selection.device = place.device;
        if self.view.follow.is_some() && self.view.follow != place.device {
            self.view.follow = None;
        }
        self.tell_went();
    }

    fn tell_went(&mut self) {
        self.view.ways = Ways { back: !self.went.before.is_empty(), forward: !self.went.after.is_empty() };
    }

    /// Gives the keyboard to another pane that can be seen.
    pub(super) fn step_pane(&mut self, ctx: &Context, by: i32) {
        let opened = self.data.opened.is_some();
        let full = |pane: &Pane| opened || !matches!(pane, Pane::Tree | Pane::Bytes);
        let open: Vec<Pane> = Pane::ALL.into_iter().filter(|pane| pane.is_open(self.view.open)).filter(full).collect();
        let focused = ctx.memory(egui::Memory::focused).and_then(|id| ctx.read_response(id));
        let at = focused.and_then(|widget| {
            let holds = |pane: &Pane| pane_rect(ctx, *pane).is_some_and(|rect| rect.contains(widget.rect.center()));
            open.iter().position(holds)
        });
        let n = i32::try_from(open.len()).unwrap_or(1).max(1);
        let next = match at.and_then(|at| i32::try_from(at).ok()) {
            Some(at) => (at + by).rem_euclid(n),
            None if by < 0 => n - 1,
            None => 0,
        };
        self.view.grab = usize::try_from(next).ok().and_then(|next| open.get(next)).copied();
    }

    /// Another packet, by what it has to do with the selected one.
    pub(super) fn jump(&mut self, jump: Jump) {
        match jump {
            Jump::Problem => return self.seek(all_around("verdict >= warn", "a problem")),
            Jump::Marked => return self.seek(all_around("marked", "a mark")),
            Jump::Session(_) | Jump::Linked => {}
        }
        let selected = self.view.selection.packet;
        let at = selected.and_then(|id| self.data.packet_index(id));
        let packets = &self.data.packets;
        let row = at.and_then(|at| packets.get(at));
        let found = match jump {
            Jump::Session(by) => at.zip(row).and_then(|(at, row)| {
                let same = |other: &&crate::model::PacketRow| {
                    other.connection == row.connection && other.peer == row.peer && other.protocol == row.protocol
                };
                if by < 0 { packets.range(..at).rev().find(same) } else { packets.range(at + 1..).find(same) }
            }),
            Jump::Linked => row.and_then(|row| related::linked(&self.data, row)),
            Jump::Problem | Jump::Marked => None,
        };
        // What a command has to do with its answer says more than that the answer was acknowledged.
        let command = selected.filter(|_| jump == Jump::Linked).and_then(|id| related::other_end(&self.data, id));
        let found = command.or(found.map(|row| row.id));
        match (found, jump) {
            (None, Jump::Linked) if self.show_its_place() => {}
            (Some(id), _) => {
                self.view.open.dock = true;
                self.select_packet(id, None);
            }
            (None, Jump::Session(by)) => {
                let end = if by < 0 { "first" } else { "last" };
                self.toasts.info(format!("This is the {end} packet of its connection that is listed"));
            }
            (None, Jump::Linked) => self.toasts.info("Nothing belongs to this packet"),
            (None, Jump::Problem | Jump::Marked) => {}
        }
    }

    /// Selects the place that the opened packet told, unless it is selected. True where there is one.
    fn show_its_place(&mut self) -> bool {
        let opened = self.data.opened.as_ref();
        let Some(fix) = opened.and_then(|opened| opened.fixes.first()) else { return false };
        let (device, id, packet) = (fix.device, fix.id, fix.packet);
        self.view.selection.device = Some(device);
        self.view.selection.fix = Some(id);
        self.view.selection.packet = Some(packet);
        self.view.open.map = true;
        self.panels.map.fit_device(device);
        self.cursor_to(device, id);
        true
    }

    /// To the clipboard: the field, else the packet's bytes, else the place of the device.
    pub(super) fn copy_selection(&mut self, ctx: &Context) {
        let selection = self.view.selection;
        let opened = self.data.opened.as_ref();
        let run = opened.zip(selection.bytes).and_then(|(opened, run)| {
            let bytes = opened.row.bytes.get(run.span())?;
            Some((hex(bytes), format!("{}: ", format::counted(bytes.len() as u64, "byte", "bytes"))))
        });
        let field = opened.zip(selection.field).and_then(|(opened, n)| {
            let field = opened.dissection.fields.get(n)?;
            let value = field.text();
            let bytes = explain::bytes_of(field, &opened.row.bytes);
            let text = if value.is_empty() { hex(bytes) } else { value };
            Some((text, format!("{}: ", field.name)))
        });
        let packet = || opened.map(|opened| (hex(&opened.row.bytes), "the packet's bytes: ".to_owned()));
        let place = || {
            let fix = self.data.devices.get(&selection.device?)?.last_fix.as_ref()?;
            Some((format::place(fix.fix.place), "the place: ".to_owned()))
        };
        let Some((text, what)) = run.or(field).or_else(packet).or_else(place) else {
            return self.toasts.info("Nothing to copy: select a field, a packet or a device");
        };
        let shown: String = text.chars().take(40).collect();
        let rest = if shown.len() < text.len() { "…" } else { "" };
        self.toasts.info(format!("Copied {what}{shown}{rest}"));
        ctx.copy_text(text);
    }

    pub(super) fn begin_rename(&mut self) {
        let Some(overview) = self.view.selection.device.and_then(|id| self.data.devices.get(&id)) else { return };
        self.view.open.details = true;
        self.panels.details.begin_rename(&overview.device);
    }
}

/// The next packet with something, beginning anew after the last.
fn all_around(filter: &str, what: &str) -> Aim {
    Aim {
        filter: filter.to_owned(),
        onward: true,
        around: true,
        from_newest: false,
        from: None,
        what: format!("the next packet with {what}"),
        nothing: format!("No packet has {what}"),
    }
}

/// Where a pane was drawn last.
fn pane_rect(ctx: &Context, pane: Pane) -> Option<egui::Rect> {
    ctx.data(|data| data.get_temp(pane_id(pane)))
}
