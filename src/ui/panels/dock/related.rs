//! What belongs to a packet beyond its bytes: its answer, its places on the map, how it came.

use egui::{Label, Rect, RichText, Ui, pos2, vec2};
use serde_json::Value as Json;

use super::{
    listing::find,
    paint::{self, GAP},
    push,
};
use crate::{
    model::{Command, CommandState, Direction, PacketId, PacketRow, Profile, Protocol},
    ui::{Action, Cx, Data, data::Opened, format, summary::summarize, theme, widgets},
    wire::{self, Dissection, Value, hex},
};

/// An answer is committed with what it answers, so it stands close behind.
const ROWS_TO_THE_ANSWER: usize = 4_096;

/// More places than this are counted, not listed.
const MOST_PLACES: usize = 8;

/// The lines below the field tree.
#[derive(Default)]
pub struct Related {
    /// The context of the opened packet, read once.
    context: Option<(PacketId, Vec<(String, String)>)>,
    echo: Option<Echo>,
}

/// The answer to the opened command that is not ours, looked for once as long as nothing comes.
#[derive(Clone, Copy)]
struct Echo {
    command: PacketId,
    newest: Option<PacketId>,
    answer: Option<PacketId>,
}

impl Related {
    /// Draws the lines; nothing where nothing is known.
    pub fn ui(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, opened: &Opened) {
        ui.spacing_mut().interact_size.y = paint::row_height(ui);
        let data = cx.data;
        let row = &opened.row;
        let asked = row.answers.and_then(|id| find(&data.packets, id));
        if let Some(asked) = asked {
            packet_link(ui, cx, "Answers", asked);
        }
        self.command(ui, cx, opened);
        let mut answered = false;
        for answer in answers(data, row.id) {
            answered = true;
            packet_link(ui, cx, "Answered by", answer);
        }
        // Through a tap another server answers, or has not; what we would have answered stands among what came beside the bytes.
        let through_tap = row.direction == Direction::In && wire::differs(row, false);
        if let Some(reply) = &opened.dissection.reply
            && !answered
            && !through_tap
            && row.direction == Direction::In
            && !reply.is_empty()
        {
            line(ui, "Answer", |ui| {
                let text = RichText::new(reply_text(reply)).monospace();
                ui.add(Label::new(text).truncate()).on_hover_text("What a live session answers; none was sent yet");
            });
        }
        if through_tap && !answered {
            let left = wire::awaits_answer(row, cx.now);
            let late = || RichText::new("none of the other server").color(theme::palette(ui).late);
            let text = match left {
                Some(_) => Some(widgets::weak(ui, "none yet of the other server")),
                None => followers_are_held(data, row.id).then(late),
            };
            if let Some(text) = text {
                line(ui, "Answer", |ui| ui.add(Label::new(text).truncate()));
            }
            if let Some(left) = left {
                ui.request_repaint_after(left);
            }
        }
        for fix in opened.fixes.iter().take(MOST_PLACES) {
            let clicked = line(ui, "On the map", |ui| ui.link(format::place(fix.fix.place)).clicked());
            if clicked {
                push(ui, cx, Action::SelectFix { device: fix.device, fix: fix.id, packet: fix.packet });
            }
        }
        let more = opened.fixes.len().saturating_sub(MOST_PLACES);
        if more > 0 {
            line(ui, "", |ui| ui.weak(format!("and {more} more places")));
        }
        line(ui, "Far end", |ui| ui.add(Label::new(RichText::new(row.peer.as_ref()).monospace()).truncate()));
        for (key, value) in self.context_of(row) {
            line(ui, key, |ui| ui.add(Label::new(RichText::new(value).monospace()).truncate()));
        }
    }

    /// The command that this packet took out or answered, and the packet at its other end; of one that is not answered, since when.
    fn command(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, opened: &Opened) {
        let (data, row) = (cx.data, &opened.row);
        let Some(command) = command_of(data, row.id) else {
            if let Some(flag) = flag(row, &opened.dissection) {
                match self.echo(data, row, flag) {
                    Some(answer) => packet_link(ui, cx, "Answered by", answer),
                    None if followers_are_held(data, row.id) => unanswered(ui, cx, row),
                    None => {}
                }
            }
            return;
        };
        let (relation, other) = if command.answer_packet == Some(row.id) {
            ("Answers", command.sent_packet)
        } else {
            ("Answered by", command.answer_packet)
        };
        let Some(other) = other else {
            if command.sent_packet == Some(row.id) && command.state == CommandState::Sent {
                unanswered(ui, cx, row);
            }
            return;
        };
        let delay = command.delay_ms().map(|ms| format!(" after {} ms", format::count(ms.max(0).unsigned_abs())));
        let guessed = if command.guessed { ", guessed by order" } else { "" };
        let text = format!("{}{}{guessed}", command.text, delay.unwrap_or_default());
        if line(ui, relation, |ui| ui.link(text).clicked()) {
            push(ui, cx, Action::SelectPacket(other));
        }
    }

    fn echo<'a>(&mut self, data: &'a Data, row: &PacketRow, flag: u64) -> Option<&'a PacketRow> {
        let newest = data.packets.back().map(|newest| newest.id);
        if self.echo.is_none_or(|known| (known.command, known.newest) != (row.id, newest)) {
            let answer = echo(data, row, flag).map(|answer| answer.id);
            self.echo = Some(Echo { command: row.id, newest, answer });
        }
        find(&data.packets, self.echo?.answer?)
    }

    fn context_of(&mut self, row: &PacketRow) -> &[(String, String)] {
        if self.context.as_ref().is_none_or(|(id, _)| *id != row.id) {
            self.context = Some((row.id, headers(row)));
        }
        self.context.as_ref().map_or(&[], |(_, pairs)| pairs.as_slice())
    }
}

/// What came beside the bytes of a packet, as lines: path, query, identifying headers. Secrets are never kept.
pub fn headers(row: &PacketRow) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    if let Some(context) = row.context.as_deref() {
        match serde_json::from_str::<Json>(context) {
            Ok(json) => flatten("", &json, &mut pairs),
            Err(_) => pairs.push(("Context".to_owned(), context.to_owned())),
        }
    }
    pairs
}

/// A command went out and no answer is known.
fn unanswered(ui: &mut Ui, cx: &Cx<'_>, row: &PacketRow) {
    let age = format::age_s(cx.now, row.received);
    let text = if cx.data.station.capture.is_some() {
        "none in this capture".to_owned()
    } else {
        widgets::wake_when_older(ui, age);
        format!("none yet, {} after it went out at {}", format::age(age), cx.view.moment(row.received, cx.now))
    };
    line(ui, "Answer", |ui| {
        ui.add(Label::new(RichText::new(&text).color(theme::palette(ui).late)).truncate()).on_hover_text(&text);
    });
}

/// The server flag of a command, which its answer echoes.
fn flag(row: &PacketRow, dissection: &Dissection) -> Option<u64> {
    let command = (row.protocol, row.direction) == (Protocol::Gt06, Direction::Out) && row.kind == "command";
    let field = dissection.fields.iter().find(|field| command && field.name == "Server flag")?;
    if let Value::Unsigned(flag) = field.value { Some(flag) } else { None }
}

/// The answer to a command that is not ours: the first on its connection that echoes its flag, or none.
fn echo<'a>(data: &'a Data, row: &PacketRow, flag: u64) -> Option<&'a PacketRow> {
    let after = data.packets.partition_point(|other| other.id <= row.id);
    let mut near = data.packets.range(after..).take(ROWS_TO_THE_ANSWER);
    near.find(|other| {
        let line = (other.connection, &other.peer, other.direction) == (row.connection, &row.peer, Direction::In);
        // 0x15 and 0x21, 0x81.
        let answers = line && matches!(other.kind.as_ref(), "answer" | "text");
        let said = answers.then(|| wire::dissect_kept(other, &Profile::default()));
        let echoed = said.iter().flat_map(|said| &said.fields).find(|field| field.name == "Server flag");
        echoed.is_some_and(|field| matches!(field.value, Value::Unsigned(n) if n == flag || n == 0))
    })
}

/// The packet that belongs to this one: what it answers, else its answer.
pub fn linked<'a>(data: &'a Data, row: &PacketRow) -> Option<&'a PacketRow> {
    row.answers.and_then(|id| find(&data.packets, id)).or_else(|| answers(data, row.id).next())
}

/// The packet at the other end of the command that this one took out or answered.
pub fn other_end(data: &Data, id: PacketId) -> Option<PacketId> {
    let command = command_of(data, id)?;
    if command.answer_packet == Some(id) { command.sent_packet } else { command.answer_packet }
}

fn command_of(data: &Data, id: PacketId) -> Option<&Command> {
    let about = |c: &&Command| c.sent_packet == Some(id) || c.answer_packet == Some(id);
    data.remote.commands.iter().find(about)
}

/// All that may answer a packet is held, so that what is not found there is not there.
fn followers_are_held(data: &Data, id: PacketId) -> bool {
    let after = data.packets.partition_point(|row| row.id <= id);
    let all = !data.ends.newer && data.packets.len() - after <= ROWS_TO_THE_ANSWER;
    all && find(&data.packets, id).is_some()
}

/// The packets that answer this one.
fn answers(data: &Data, id: PacketId) -> impl Iterator<Item = &PacketRow> {
    let after = data.packets.partition_point(|r| r.id <= id);
    data.packets.range(after..).take(ROWS_TO_THE_ANSWER).filter(move |r| r.answers == Some(id))
}

fn packet_link(ui: &mut Ui, cx: &mut Cx<'_>, relation: &str, to: &PacketRow) {
    let none = Profile::default();
    let profile = to.device.and_then(|id| cx.data.devices.get(&id)).map_or(&none, |d| &d.device.profile);
    let summary = summarize(to, profile, cx.view.settings.units, None);
    let serial = summary.serial.map(|n| format!(" #{n}")).unwrap_or_default();
    let text = format!("{} {}{serial}", summary.title, summary.type_text);
    let clicked = line(ui, relation, |ui| {
        let (_, mark) = ui.allocate_space(vec2(10.0, 10.0));
        paint::direction_arrow(ui, mark.center(), to.direction);
        ui.link(text).on_hover_text(summary.line()).clicked()
    });
    if clicked {
        push(ui, cx, Action::SelectPacket(to.id));
    }
}

/// A weak word and what it is about.
fn line<R>(ui: &mut Ui, what: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    ui.horizontal(|ui| {
        // Links, too: the pane would grow otherwise.
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Truncate);
        ui.set_min_height(paint::row_height(ui));
        let (_, rect) = ui.allocate_space(vec2(84.0, paint::row_height(ui)));
        let cell = Rect::from_min_max(pos2(rect.left() + GAP, rect.top()), rect.max);
        let color = ui.visuals().weak_text_color();
        paint::text(ui, cell, what, paint::body(ui), color, egui::Align::Min);
        content(ui)
    })
    .inner
}

fn reply_text(reply: &[u8]) -> String {
    match std::str::from_utf8(reply) {
        Ok(text) if reply.iter().all(|&b| super::copy::printable(b).is_some()) => text.to_owned(),
        Ok(_) | Err(_) => hex(reply),
    }
}

/// A JSON object as lines: `headers.X-Limit-U` becomes `X-Limit-U`.
fn flatten(name: &str, json: &Json, pairs: &mut Vec<(String, String)>) {
    match json {
        Json::Object(members) => {
            for (key, value) in members {
                flatten(key, value, pairs);
            }
        }
        Json::Array(elements) => {
            for element in elements {
                flatten(name, element, pairs);
            }
        }
        Json::Null => {}
        Json::String(text) => pairs.push((label(name), text.clone())),
        Json::Bool(yes) => pairs.push((label(name), if *yes { "yes" } else { "no" }.to_owned())),
        Json::Number(_) => pairs.push((label(name), json.to_string())),
    }
}

/// A key of the context for a person; names of HTTP headers are their own words.
fn label(key: &str) -> String {
    let known = match key {
        "method" => "Method",
        "path" => "Path",
        "query" => "Query",
        "user" => "User",
        "identity" => "Known by",
        "status" => "Status",
        "kept" => "Kept bytes",
        "declared" => "Sent bytes",
        "why" => "Why",
        "left_out" => "More came",
        "tap" => "Tap",
        // What we would have answered to a frame that went through a tap, or in place of what went through it.
        "ours" => "Our answer",
        "late_ms" => "Late, ms",
        "lost_bytes" => "Not recorded",
        other => other,
    };
    known.to_owned()
}
