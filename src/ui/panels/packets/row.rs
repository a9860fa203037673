//! One row of the list: its cells, marks and colours.

use std::borrow::Cow;

use egui::{Align, Rect, Sense, TextFormat, Ui, WidgetInfo, accesskit::Role, pos2, text::LayoutJob, vec2};

use super::{
    Packets,
    lines::{line, named, profile, who},
};
use crate::{
    model::{PacketNote, PacketRow, Timestamp, Verdict},
    ui::{
        Cx,
        filter::columns::What,
        icons::{self, Icon},
        panels::dock::{
            cells,
            columns::{Back, Column, Columns},
            listing::haystack,
            paint::{self, GAP},
            read_as,
            shorten::to_its_end,
        },
    },
};

impl Packets {
    /// One row. True when it was clicked, and when Ctrl was held then.
    pub(super) fn row(
        &mut self,
        ui: &Ui,
        cx: &mut Cx<'_>,
        (row, above): (&PacketRow, Option<Timestamp>),
        rect: Rect,
        columns: &Columns,
    ) -> (bool, bool) {
        let selected = cx.view.selection.packet == Some(row.id);
        let then = !cx.view.is_live() && cx.data.history.as_of.as_ref().is_some_and(|fix| fix.packet == row.id);
        let response = ui.interact(rect, ui.scope_id().with(("packet", row.id.0)), Sense::CLICK);
        paint::row_background(ui, rect, selected, response.hovered());
        let (data, units) = (cx.data, cx.view.settings.units);
        let hay = || haystack(&line(data, row, units)).into_string();
        let rule = self.cells.rule(data, profile(data, row), row, hay).cloned();
        if let Some(rule) = rule.as_ref().filter(|_| !selected) {
            cells::colour(ui, rect, rule);
        }
        if then {
            let mark = rect.with_max_x(rect.left() + 3.0);
            ui.painter().rect_filled(mark, 0.0, ui.visuals().selection.stroke.color);
        }

        let zone = cx.view.zone();
        let time = cells::relative(cx.view.packets.time, data, row, above).unwrap_or_else(|| {
            let back = Back::of(row.received, cx.now, &zone);
            row.received.to_zoned(zone.clone()).strftime(columns.time_pattern(back)).to_string()
        });
        let who = who(cx.data, row);
        let otherwise = read_as::summary(cx.view, row, profile(data, row));
        let summary = match &otherwise {
            Some(summary) => summary,
            None => self.lines.line(cx.data, row, cx.view.settings.units),
        };
        let serial = summary.serial.map(|n| format!("#{n}")).unwrap_or_default();
        let noted = cx.data.notes.of(row.id);
        let label = || {
            let word = paint::direction_word(row.direction);
            let (protocol, kind, verdict) = (row.protocol.title(), summary.type_text.as_ref(), row.verdict.as_str());
            let (marked, comment) =
                noted.map_or(("", ""), |n| (if n.marked { "marked" } else { "" }, n.comment.as_str()));
            let parts = [time.as_str(), word, who, protocol, kind, &serial, &summary.line(), marked, comment, verdict];
            parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ")
        };
        response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, true, selected, label()));

        let (mono, body) = (paint::mono(ui), paint::body(ui));
        let visuals = ui.visuals();
        let (strong, plain, weak) = (visuals.strong_text_color(), visuals.text_color(), visuals.weak_text_color());
        let cell = |column: Column| columns.cell(column, rect);
        let direction = paint::direction_color(ui, row.direction);
        paint::text(ui, cell(Column::Time), &time, mono.clone(), weak, Align::Min);
        if columns.width(Column::Direction) > 0.0 {
            paint::direction_arrow(ui, cell(Column::Direction).center(), row.direction);
        }
        let who_color = if row.device.is_some() { direction } else { weak };
        let who_cell = cell(Column::Who);
        let shown = if named(cx.data, row) {
            Cow::Borrowed(who)
        } else {
            ui.fonts_mut(|fonts| to_its_end(who, who_cell.width(), |c| fonts.glyph_width(&body, c)))
        };
        paint::text(ui, who_cell, &shown, body.clone(), who_color, Align::Min);
        let protocol = columns.protocol(row.protocol);
        paint::text(ui, cell(Column::Protocol), protocol, body.clone(), weak, Align::Min);
        let type_font = if summary.type_text.starts_with("0x") { mono.clone() } else { body.clone() };
        paint::text(ui, cell(Column::Type), &summary.type_text, type_font, plain, Align::Min);
        paint::text(ui, cell(Column::Serial), &serial, mono, weak, Align::Max);

        let note = cx.data.notes.of(row.id);
        let summary_cell = note_marks(ui, cell(Column::Summary), note);
        let summary_cell = rule.as_ref().map_or(summary_cell, |rule| cells::label(ui, summary_cell, rule));
        let mut job = LayoutJob::default();
        if let Some(trouble) = &summary.trouble {
            let color = paint::verdict_color(ui, row.verdict.max(Verdict::Warn));
            job.append(trouble, 0.0, TextFormat::simple(body.clone(), color));
        }
        let gap = |job: &LayoutJob| if job.text.is_empty() { 0.0 } else { GAP };
        let lead = gap(&job);
        job.append(&summary.title, lead, TextFormat::simple(body.clone(), strong));
        let lead = gap(&job);
        job.append(&summary.detail, lead, TextFormat::simple(body.clone(), plain));
        if let Some(note) = note.filter(|note| !note.comment.is_empty()) {
            let color = crate::ui::theme::palette(ui).late;
            let comment = format!("“{}”", note.comment.replace('\n', " "));
            job.append(&comment, GAP, TextFormat::simple(body.clone(), color));
        }
        let cut = paint::line(ui, summary_cell, job, Align::Min);

        let verdict = cell(Column::Verdict);
        if verdict.width() > 0.0 {
            paint::verdict_mark(ui, pos2(verdict.left() + 6.0, verdict.center().y), row.verdict);
        }
        let word = verdict.with_min_x(verdict.left() + 16.0);
        let color = if row.verdict == Verdict::Ok { weak } else { paint::verdict_color(ui, row.verdict) };
        paint::text(ui, word, row.verdict.as_str(), body.clone(), color, Align::Min);
        for (what, left, width) in columns.places().filter(|(what, ..)| !matches!(what, What::Usual(_))) {
            let text = self.cells.text(data, profile(data, row), row, what, above, hay);
            let place = Rect::from_min_size(pos2(rect.left() + left, rect.top()), vec2(width, rect.height()));
            paint::text(ui, place, &text, body.clone(), plain, Align::Min);
        }

        let pointer = response.hover_pos();
        if cut && pointer.is_some_and(|p| cell(Column::Summary).contains(p)) {
            response.clone().on_hover_text_at_pointer(label());
        } else if shown != who && pointer.is_some_and(|p| who_cell.contains(p)) {
            response.clone().on_hover_text_at_pointer(who);
        } else if pointer.is_some_and(|p| cell(Column::Time).contains(p)) {
            let full = row.received.to_zoned(zone).strftime("%A %-d %B %Y, %H:%M:%S%.3f %Z").to_string();
            response.clone().on_hover_text_at_pointer(full);
        }
        self.menu(&response, cx, (row, above), rect, columns);
        (response.clicked(), ui.input(|i| i.modifiers.command))
    }
}

/// A flag where the packet is marked, a pen where it has a comment. Gives what is left of the cell.
fn note_marks(ui: &Ui, cell: Rect, note: Option<&PacketNote>) -> Rect {
    let Some(note) = note else { return cell };
    let colour = crate::ui::theme::palette(ui).late;
    let mut left = cell.left();
    let icons = [(note.marked, Icon::Pin), (!note.comment.is_empty(), Icon::Pencil)];
    for (_, icon) in icons.into_iter().filter(|(so, _)| *so) {
        icons::paint(
            ui.painter(),
            Rect::from_min_size(pos2(left, cell.top()), vec2(14.0, cell.height())),
            icon,
            colour,
        );
        left += 16.0;
    }
    cell.with_min_x(left.min(cell.right()))
}
