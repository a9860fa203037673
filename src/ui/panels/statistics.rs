//! Packets counted by type, device or verdict: how many, how often, how large, and how that was over time. A click filters by a row.

use egui::{Align, Rect, Role, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::dock::{dense, paint, push};
use crate::{
    backend::talk::{By, Key, PARTS, Row, Statistics},
    model::bytes_text,
    ui::{
        Action, Cx, format,
        talk::{Column, Span, TalkAction},
        theme, widgets,
    },
};

/// Height of a row.
const ROW: f32 = 22.0;
/// Narrower, only what all of a row take is written, not the shortest and the longest.
const ROOM_FOR_SIZES: f32 = 125.0;

/// The table into the room that is left.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>) {
    dense(ui);
    toolbar(ui, cx);
    let Some(told) = &cx.data.talk.statistics else {
        paint::middle(ui, "Counting …");
        return;
    };
    if told.cells.is_empty() {
        paint::middle(ui, "No packet arrived in this span.");
        return;
    }
    let mut rows = told.by(cx.view.talk.by);
    sort(&mut rows, cx.view.talk.sorted, cx);
    header(ui, cx);
    let total = told.packets();
    ScrollArea::vertical().id_salt("statistics").auto_shrink(false).show_rows(ui, ROW, rows.len(), |ui, range| {
        for row in rows.get(range).unwrap_or_default() {
            line(ui, cx, told, row, total);
        }
    });
}

fn toolbar(ui: &mut Ui, cx: &mut Cx<'_>) {
    let talk = cx.view.talk;
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        for (by, text) in [(By::Type, "By type"), (By::Device, "By device"), (By::Verdict, "By verdict")] {
            if ui.selectable_label(talk.by == by, text).clicked() {
                push(ui, cx, Action::Talk(TalkAction::CountBy(by)));
            }
        }
        ui.separator();
        for (span, text) in [(Span::Hour, "1 h"), (Span::Day, "24 h"), (Span::All, "All")] {
            let label = ui.selectable_label(talk.span == span, text);
            let captured = cx.data.station.capture.is_some();
            let hint = if captured { "Up to the last packet of the capture" } else { "Up to now" };
            if label.on_hover_text(hint).clicked() {
                push(ui, cx, Action::Talk(TalkAction::Count(Some(span))));
            }
        }
        if cx.data.talk.listed.is_none() {
            summary(ui, cx);
        }
    });
    // A line of its own: beside the others there is no room in a narrow window.
    let Some(filter) = &cx.data.talk.listed else { return };
    ui.horizontal(|ui| {
        ui.set_min_height(theme::ROW);
        for (listed, text, hint) in [
            (true, "Listed", format!("Only what the list shows: {filter}")),
            (false, "Everything", "Whatever the list is filtered by".to_owned()),
        ] {
            if ui.selectable_label(talk.listed == listed, text).on_hover_text(hint).clicked() {
                push(ui, cx, Action::Talk(TalkAction::CountListed(listed)));
            }
        }
        ui.separator();
        summary(ui, cx);
    });
}

/// How many packets are counted, how often they come, what they take.
fn summary(ui: &mut Ui, cx: &Cx<'_>) {
    let Some(told) = &cx.data.talk.statistics else { return };
    let so_far = cx
        .data
        .talk
        .counting
        .map(|(looked, all)| format!(" so far, {} of {} looked at", format::count(looked), format::count(all)));
    let text = format!(
        "{}, {}, {}{}",
        format::counted(told.packets(), "packet", "packets"),
        rate(told.packets(), told.seconds()),
        bytes_text(told.cells.iter().map(|cell| cell.bytes).sum()),
        so_far.unwrap_or_default(),
    );
    ui.add(egui::Label::new(widgets::weak(ui, text)).truncate());
}

/// Where the columns stand, as parts of the width: from and to.
fn place(column: Column) -> (f32, f32, Align) {
    match column {
        Column::What => (0.01, 0.31, Align::Min),
        Column::Packets => (0.31, 0.43, Align::Max),
        Column::Share => (0.43, 0.54, Align::Max),
        Column::Rate => (0.54, 0.65, Align::Max),
        Column::Sizes => (0.65, 0.83, Align::Max),
        Column::Time => (0.85, 0.99, Align::Min),
    }
}

fn cell(rect: Rect, column: Column) -> Rect {
    let (from, to, _) = place(column);
    Rect::from_x_y_ranges(rect.left() + rect.width() * from..=rect.left() + rect.width() * to - 4.0, rect.y_range())
}

fn header(ui: &mut Ui, cx: &mut Cx<'_>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let (sorted, down) = cx.view.talk.sorted;
    for column in Column::ALL {
        let at = cell(rect, column);
        let response = ui.interact(at, ui.scope_id().with(("column", column.title())), Sense::CLICK);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Sort by {}", column.title())));
        let colour = if response.hovered() { ui.visuals().strong_text_color() } else { ui.visuals().weak_text_color() };
        if sorted == column {
            let mark = pos2(at.right() + 4.0, at.center().y);
            let way = if down { 2.5 } else { -2.5 };
            let corners = [vec2(-3.5, -way), vec2(3.5, -way), vec2(0.0, way)].map(|corner| mark + corner);
            ui.painter().add(egui::Shape::convex_polygon(corners.to_vec(), colour, egui::Stroke::NONE));
        }
        paint::text(ui, at, column.title(), egui::TextStyle::Small.resolve(ui.style()), colour, place(column).2);
        if response.clicked() && column != Column::Time {
            let down = if sorted == column { !down } else { column != Column::What };
            push(ui, cx, Action::Talk(TalkAction::Sort(column, down)));
        }
    }
    let line = ui.visuals().widgets.noninteractive.bg_stroke;
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
}

fn sort(rows: &mut [Row], (column, down): (Column, bool), cx: &Cx<'_>) {
    rows.sort_by(|a, b| match column {
        Column::What => what(cx, &a.key).0.cmp(&what(cx, &b.key).0),
        Column::Sizes => a.bytes.cmp(&b.bytes),
        Column::Packets | Column::Share | Column::Rate | Column::Time => a.packets.cmp(&b.packets),
    });
    if down {
        rows.reverse();
    }
}

/// What a row is called, and the filter that shows its packets.
fn what(cx: &Cx<'_>, key: &Key) -> (String, String) {
    match key {
        Key::Type(protocol, Some(number), kind) => (
            format!("0x{number:02x} {kind}"),
            format!("proto == {} && type == 0x{number:02x} && kind == {kind}", protocol.as_str()),
        ),
        Key::Type(protocol, None, kind) => {
            (format!("{} {kind}", protocol.title()), format!("proto == {} && kind == {kind}", protocol.as_str()))
        }
        Key::Device(Some(device)) => {
            let identity = cx.data.devices.get(device).map_or("", |d| d.device.identity.as_str());
            let quoted = identity.replace('\\', "\\\\").replace('"', "\\\"");
            (cx.data.label(*device).to_owned(), format!("identity == \"{quoted}\""))
        }
        Key::Device(None) => ("nobody known".to_owned(), "identity == \"\"".to_owned()),
        Key::Verdict(verdict) => (verdict.as_str().to_owned(), format!("verdict == {}", verdict.as_str())),
    }
}

fn line(ui: &mut Ui, cx: &mut Cx<'_>, told: &Statistics, row: &Row, total: u64) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::CLICK);
    let (title, filter) = what(cx, &row.key);
    let share = percent(row.packets, total);
    let sizes = if row.shortest == row.longest {
        format!("{} · {} each", bytes_text(row.bytes), row.shortest)
    } else {
        format!("{} · {} to {}", bytes_text(row.bytes), row.shortest, row.longest)
    };
    let packets = format::count(row.packets);
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Button, true, format!("{title}: {packets} packets, {share}, {sizes}"))
    });
    paint::row_background(ui, rect, false, response.hovered());
    let roomy = cell(rect, Column::Sizes).width() >= ROOM_FOR_SIZES;
    let written = if roomy { sizes.clone() } else { bytes_text(row.bytes) };
    let texts = [
        (Column::What, title.as_str()),
        (Column::Packets, packets.as_str()),
        (Column::Share, share.as_str()),
        (Column::Rate, &rate(row.packets, told.seconds())),
        (Column::Sizes, written.as_str()),
    ];
    for (column, text) in texts {
        let colour = if column == Column::What { ui.visuals().strong_text_color() } else { ui.visuals().text_color() };
        paint::text(ui, cell(rect, column), text, paint::body(ui), colour, place(column).2);
    }
    spark(ui, cell(rect, Column::Time).shrink2(vec2(0.0, 4.0)), &row.parts);
    if response.on_hover_text(format!("{sizes}\nFilter the packets by {filter}")).clicked() {
        let narrows = cx.view.talk.listed && cx.data.talk.listed.is_some();
        push(ui, cx, Action::Talk(TalkAction::Show(None)));
        push(ui, cx, if narrows { Action::NarrowPackets(filter) } else { Action::FilterPackets(Some(filter)) });
    }
}

/// One bar a part of the span.
fn spark(ui: &Ui, rect: Rect, parts: &[u64]) {
    let p = theme::palette(ui);
    let most = parts.iter().copied().max().unwrap_or(0).max(1);
    #[expect(clippy::cast_precision_loss, reason = "bars of some pixels")]
    for (n, packets) in parts.iter().enumerate().filter(|(_, packets)| **packets > 0) {
        let wide = rect.width() / PARTS as f32;
        let left = rect.left() + n as f32 * wide;
        let high = (*packets as f32 / most as f32 * rect.height()).max(1.5);
        let bar =
            Rect::from_min_max(pos2(left, rect.bottom() - high), pos2(left + (wide - 1.0).max(1.0), rect.bottom()));
        ui.painter().rect_filled(bar, 0.5, p.received);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts for a person")]
fn percent(part: u64, total: u64) -> String {
    match part as f64 * 100.0 / total.max(1) as f64 {
        share if part > 0 && share < 0.1 => "< 0.1 %".to_owned(),
        share => format!("{share:.1} %"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts for a person")]
fn rate(packets: u64, seconds: i64) -> String {
    let rate = packets as f64 / seconds as f64;
    // What hardly ever comes is told a day.
    match rate {
        ..2.5e-4 => format!("{:.1}/d", rate * 86_400.0),
        ..0.1 => format!("{:.1}/h", rate * 3_600.0),
        ..10.0 => format!("{rate:.1}/s"),
        _ => format!("{rate:.0}/s"),
    }
}
