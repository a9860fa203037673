//! The talk of one connection in two columns: what the device said at the left, what it was answered at the right.

use egui::{Align, Label, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::dock::{dense, paint, push};
use crate::{
    model::{Direction, PacketRow, Profile, Timestamp},
    ui::{
        Action, Cx, format,
        summary::summarize,
        talk::{Part, Step, TalkAction, lasting},
        theme,
    },
};

/// Height of an entry.
const ROW: f32 = 22.0;
/// What the time takes at the left.
const TIME: f32 = 112.0;
/// Narrower than this there is little room.
const NARROW: f32 = 420.0;
/// A pause shorter than this is not said.
const PAUSE_MS: i64 = 1_000;

/// The conversation into the room that is left.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    dense(ui);
    let data = cx.data;
    let Some(talk) = &data.talk.conversation else {
        let text = if data.talk.reading { "Reading …" } else { "Select a packet and follow its connection." };
        paint::middle(ui, text);
        return;
    };
    toolbar(ui, cx);
    let steps = &talk.steps;
    let rows = ScrollArea::vertical().id_salt("conversation").auto_shrink(false);
    let goal = data.talk.goal.filter(|_| data.talk.fresh);
    let at = goal.and_then(|id| talk.place_of(id));
    let rows = match at {
        #[expect(clippy::cast_precision_loss, reason = "some thousand rows")]
        Some(n) => rows.vertical_scroll_offset((n as f32 * ROW - ui.available_height() / 2.0).max(0.0)),
        // Whoever is at its end stays there.
        None => rows.stick_to_bottom(talk.follows),
    };
    rows.show_rows(ui, ROW, steps.len(), |ui, range| {
        for step in steps.get(range).unwrap_or_default() {
            let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
            match step {
                Step::Word { at, text } => word(ui, cx, rect, &response, (*at, text)),
                Step::Packet { at, pause_ms, answer_ms, command } => {
                    let Some(row) = talk.rows.get(*at) else { continue };
                    packet(ui, cx, rect, &response, row, &beside(*pause_ms, *answer_ms, command.as_deref()));
                    if response.clicked() {
                        push(ui, cx, Action::SelectPacket(row.id));
                    }
                }
            }
        }
    });
    if at.is_some() {
        push(ui, cx, Action::Talk(TalkAction::Arrived));
    }
}

fn toolbar(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(talk) = &cx.data.talk.conversation else { return };
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        let packets = format::counted(talk.rows.len() as u64, "packet", "packets");
        let title = match talk.line.device {
            Some(device) => format!("{} · {packets}", cx.data.label(device)),
            None => format!("Connection {} of {} · {packets}", talk.line.connection, talk.line.peer),
        };
        ui.with_layout(egui::Layout::right_to_left(Align::Center), |ui| {
            let newest = cx.data.ends.newest;
            let later = newest.is_some_and(|newest| talk.searched.1 < newest);
            for (text, part, may, hint) in [
                ("Later", Part::Later, later, "Look further on"),
                ("Earlier", Part::Earlier, talk.searched.0.0 > 1, "Look further back"),
            ] {
                let button = ui.add_enabled(may && !cx.data.talk.reading, egui::Button::new(text));
                if button.on_hover_text(hint).clicked() {
                    push(ui, cx, Action::Talk(TalkAction::More(part)));
                }
            }
            ui.with_layout(egui::Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(title).strong()).truncate());
            });
        });
    });
}

/// Something that is no packet: a connection begins or ends, a header of a request.
fn word(ui: &Ui, cx: &Cx<'_>, rect: Rect, response: &egui::Response, (at, text): (Option<Timestamp>, &str)) {
    let time = at.map(|at| clock(cx, at)).unwrap_or_default();
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{time} {text}").trim_start()));
    let colour = ui.visuals().weak_text_color();
    let line = ui.visuals().widgets.noninteractive.bg_stroke;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
    paint::text(ui, time_cell(rect), &time, paint::mono(ui), colour, Align::Min);
    // What has no time takes its room where there is little.
    let indent = if at.is_none() && rect.width() < NARROW { 6.0 } else { TIME };
    if paint::text(ui, rect.with_min_x(rect.left() + indent), text, paint::body(ui), colour, Align::Min) {
        response.clone().on_hover_text_at_pointer(text);
    }
}

fn clock(cx: &Cx<'_>, at: Timestamp) -> String {
    at.to_zoned(cx.view.zone()).strftime("%H:%M:%S%.3f").to_string()
}

fn time_cell(rect: Rect) -> Rect {
    rect.with_max_x(rect.left() + TIME - 6.0).with_min_x(rect.left() + 6.0)
}

/// What stands beside a packet: how long after what, and which command it belongs to.
fn beside(pause_ms: Option<i64>, answer_ms: Option<i64>, command: Option<&str>) -> String {
    let delay = match (answer_ms, pause_ms) {
        (Some(0), _) => "at once".to_owned(),
        (Some(ms), _) => format!("after {}", lasting(ms)),
        (None, Some(ms)) if ms >= PAUSE_MS => format!("+{}", lasting(ms)),
        (None, _) => String::new(),
    };
    [delay.as_str(), command.unwrap_or_default()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

fn packet(ui: &Ui, cx: &Cx<'_>, rect: Rect, response: &egui::Response, row: &PacketRow, delay: &str) {
    let selected = cx.view.selection.packet == Some(row.id);
    paint::row_background(ui, rect, selected, response.hovered());
    let profile = row.device.and_then(|id| cx.data.devices.get(&id)).map(|d| &d.device.profile);
    let none = Profile::default();
    let answered = row.answers.and_then(|id| cx.data.packet_row(id));
    let summary = summarize(row, profile.unwrap_or(&none), cx.view.settings.units, answered);
    let serial = summary.serial.map(|n| format!(" #{n}")).unwrap_or_default();
    let text = format!("{}{serial}  {}", summary.type_text, summary.line());
    let time = clock(cx, row.received);
    response.widget_info(|| {
        let label = format!("{time} {} {text} {delay}", paint::direction_word(row.direction));
        WidgetInfo::selected(Role::ListBoxOption, true, selected, label.trim_end())
    });
    let (mono, body) = (paint::mono(ui), paint::body(ui));
    let visuals = ui.visuals();
    paint::text(ui, time_cell(rect), &time, mono, visuals.weak_text_color(), Align::Min);
    let talk = rect.with_min_x(rect.left() + TIME);
    let middle = talk.center().x;
    let colour = paint::direction_color(ui, row.direction);
    // Each side reaches a little over the middle, as bubbles do.
    let side = match row.direction {
        Direction::In => talk.with_max_x(middle + talk.width() * 0.12),
        Direction::Out => talk.with_min_x(middle - talk.width() * 0.12),
    };
    let bubble = side.shrink2(vec2(2.0, 2.0));
    if selected {
        // Its colour on that of a selected row would be neither.
        ui.painter().rect_filled(bubble, 4.0, visuals.panel_fill);
        ui.painter().rect_stroke(bubble, 4.0, Stroke::new(1.5, colour), StrokeKind::Inside);
    }
    ui.painter().rect_filled(bubble, 4.0, colour.gamma_multiply(0.13));
    let mark = pos2(bubble.left() + 9.0, bubble.center().y);
    paint::direction_arrow(ui, mark, row.direction);
    let inside = bubble.with_min_x(bubble.left() + 18.0).with_max_x(bubble.right() - 22.0);
    let cut = paint::text(ui, inside, &text, body.clone(), visuals.text_color(), Align::Min);
    paint::verdict_mark(ui, pos2(bubble.right() - 10.0, bubble.center().y), row.verdict);
    let beside = match row.direction {
        Direction::In => talk.with_min_x(side.right() + 4.0),
        Direction::Out => talk.with_max_x(side.left() - 4.0),
    };
    let align = if row.direction == Direction::In { Align::Min } else { Align::Max };
    if paint::text(ui, beside, delay, body, visuals.weak_text_color(), align) | cut {
        response.clone().on_hover_text_at_pointer(format!("{text}\n{delay}").trim_end());
    }
}

/// What a row offers beside being selected.
pub(super) fn row_menu(ui: &mut Ui, cx: &mut Cx<'_>, row: &PacketRow) {
    if ui.button("Follow connection").clicked() {
        push(ui, cx, Action::Talk(TalkAction::Follow(row.id)));
        ui.close();
    }
    let other = cx.view.selection.packet.filter(|id| *id != row.id);
    let compare = ui.add_enabled(other.is_some(), egui::Button::new("Compare with the selected packet"));
    if compare.on_disabled_hover_text("Select another packet first").clicked() {
        if let Some(other) = other {
            push(ui, cx, Action::Talk(TalkAction::Compare(other, row.id)));
        }
        ui.close();
    }
    if ui.button("Statistics").clicked() {
        push(ui, cx, Action::Talk(TalkAction::Count(None)));
        ui.close();
    }
}
