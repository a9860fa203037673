//! Picks days; those with data are marked.

use egui::{Align2, Area, FontId, Frame, Id, Order, Sense, Ui, WidgetInfo, accesskit::Role, vec2};
use jiff::{ToSpan, civil::Date};

use super::push;
use crate::ui::{
    Cx,
    icons::Icon,
    theme,
    time::{Act, Span},
    widgets,
};

/// Side of a day.
const DAY: f32 = 28.0;

pub(super) fn ui(ui: &Ui, cx: &mut Cx<'_>) {
    let Some(month) = cx.view.time.month else { return };
    let place = ui.max_rect();
    let corner = egui::pos2(place.left() + 210.0, ui.available_rect_before_wrap().bottom() - 6.0);
    let shown = Area::new(Id::unique("calendar")).order(Order::Foreground).pivot(Align2::LEFT_BOTTOM).fixed_pos(corner);
    let shown = shown.show(ui.ctx(), |ui| {
        Frame::popup(ui.style()).inner_margin(10).show(ui, |ui| {
            ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
            head(ui, cx, month);
            days(ui, cx, month);
        });
    });
    let elsewhere = shown.response.clicked_elsewhere() && ui.input(|i| i.pointer.any_click());
    let (button, over) = ui.input(|i| (i.key_pressed(egui::Key::Escape), i.pointer.interact_pos()));
    // The button that opened it closes it by itself.
    let at_button = over.is_some_and(|pos| pos.y > place.bottom() - 120.0);
    if button || elsewhere && !at_button {
        push(cx, Act::Month(None));
    }
}

fn head(ui: &mut Ui, cx: &mut Cx<'_>, month: Date) {
    ui.horizontal(|ui| {
        ui.set_width(DAY * 7.0 + 12.0);
        if widgets::icon_button(ui, Icon::Left, "Previous month").clicked()
            && let Ok(before) = month.checked_sub(1.month())
        {
            push(cx, Act::Month(Some(before)));
        }
        let title = widgets::strong(ui, month.strftime("%B %Y").to_string());
        ui.add_sized(vec2(DAY * 7.0 - 50.0, theme::ROW), egui::Label::new(title));
        if widgets::icon_button(ui, Icon::Right, "Next month").clicked()
            && let Ok(after) = month.checked_add(1.month())
        {
            push(cx, Act::Month(Some(after)));
        }
    });
}

fn days(ui: &mut Ui, cx: &mut Cx<'_>, month: Date) {
    let p = theme::palette(ui);
    // Beyond the end of a capture there is nothing.
    let today = cx.view.source_now(cx.now).to_zoned(cx.view.zone()).date();
    let (first, last) = cx.view.time.span.days(cx.view.span_now(cx.now), &cx.view.zone());
    ui.horizontal(|ui| {
        for name in ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"] {
            let (rect, _) = ui.allocate_exact_size(vec2(DAY, 16.0), Sense::hover());
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, name, FontId::proportional(11.0), p.weak);
        }
    });
    let lead = month.first_of_month().weekday().to_monday_zero_offset();
    let Ok(begin) = month.first_of_month().checked_sub(i64::from(lead).days()) else { return };
    let weeks = (i32::from(lead) + i32::from(month.days_in_month()) + 6) / 7;
    for week in 0..weeks {
        ui.horizontal(|ui| {
            for n in 0..7 {
                let Ok(day) = begin.checked_add((week * 7 + n).days()) else { continue };
                let (rect, response) = ui.allocate_exact_size(vec2(DAY, DAY), Sense::click());
                if day.month() != month.month() {
                    continue;
                }
                let has_data = cx.data.history.days.get(&day).copied();
                let chosen = (first..=last).contains(&day);
                let response = response.on_hover_text(match has_data {
                    Some(true) => "Has positions; Shift adds days up to this one",
                    Some(false) if day <= today => "No position that day",
                    _ => "",
                });
                let words = if has_data == Some(true) { ", has data" } else { "" };
                let name = format!("{}{words}", day.strftime("%-d %B %Y"));
                response.widget_info(|| WidgetInfo::selected(Role::Button, day <= today, chosen, &name));
                let painter = ui.painter();
                if chosen {
                    painter.rect_filled(rect, 4.0, p.selected_row);
                } else if response.hovered() {
                    painter.rect_filled(rect, 4.0, p.hovered_row);
                }
                widgets::focus_frame(ui, &response);
                let colour = match has_data {
                    Some(true) => p.strong,
                    Some(false) | None => p.weak.gamma_multiply(if day > today { 0.4 } else { 0.8 }),
                };
                let text = rect.center() - vec2(0.0, 2.0);
                painter.text(text, Align2::CENTER_CENTER, day.day(), FontId::proportional(12.5), colour);
                if has_data == Some(true) {
                    painter.circle_filled(rect.center_bottom() - vec2(0.0, 5.0), 2.0, p.accent);
                }
                if day == today {
                    let stroke = egui::Stroke::new(1.0, p.edge);
                    painter.rect_stroke(rect, 4.0, stroke, egui::StrokeKind::Inside);
                }
                if response.clicked() && day <= today {
                    pick(ui, cx, day, today, (first, last));
                }
            }
        });
    }
}

fn pick(ui: &Ui, cx: &mut Cx<'_>, day: Date, today: Date, (first, last): (Date, Date)) {
    if ui.input(|i| i.modifiers.shift) {
        push(cx, Act::Span(Span::Days(first.min(day), last.max(day))));
    } else {
        push(cx, Act::Span(Span::day(day, today)));
        push(cx, Act::Month(None));
    }
}
