//! Small pieces that several panels share.

use std::time::Duration;

use egui::{
    Align, Atom, Button, Color32, Frame, Label, Layout, Margin, Rect, RectAlign, Response, RichText, Role, Sense,
    Stroke, TextStyle, Tooltip, Ui, UiBuilder, Vec2, WidgetInfo, vec2,
};

use super::{
    format,
    icons::{self, Icon},
    theme,
};
use crate::model::Timestamp;

/// A square button with an icon and no text; `name` is its tooltip and what a screen reader says.
pub(super) fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    icon_toggle(ui, icon, name, false)
}

/// An icon button that is lit while `on`.
pub(super) fn icon_toggle(ui: &mut Ui, icon: Icon, name: &str, on: bool) -> Response {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(ui.spacing().interact_size.y), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, ui.is_enabled(), on, name));
    if ui.is_rect_visible(rect) {
        let visuals = ui.style().interact(&response);
        if response.hovered() || response.has_focus() || response.is_pointer_button_down_on() {
            ui.painter().rect_filled(rect, visuals.corner_radius, visuals.weak_bg_fill);
        }
        if response.has_focus() {
            ui.painter().rect_stroke(rect, visuals.corner_radius, Stroke::new(1.0, p.accent), egui::StrokeKind::Inside);
        }
        let colour = if on {
            p.accent
        } else if response.hovered() {
            p.strong
        } else {
            p.weak
        };
        icons::paint(ui.painter(), rect, icon, colour);
    }
    response.on_hover_text(name)
}

/// A tooltip beside the pane that its widget stands in: what stands below the widget can be read on. `at`: on which side of the pane.
pub(super) fn tooltip_beside(ui: &Ui, response: &Response, at: RectAlign, add: impl FnOnce(&mut Ui)) {
    let pane = ui.clip_rect();
    let anchor = Rect::from_x_y_ranges(pane.x_range(), response.rect.y_range());
    let mut tooltip = Tooltip::for_enabled(response);
    tooltip.popup = tooltip.popup.anchor(anchor).align(at);
    tooltip.show(add);
}

/// A button with an icon before its text.
pub(super) fn labelled(icon: Icon, text: &str) -> Button<'_> {
    Button::new((icon_atom(icon), text))
}

/// The one button of a card or sheet that does what it is for.
pub(super) fn primary<'a>(ui: &Ui, icon: Option<Icon>, text: &'a str) -> Button<'a> {
    let p = theme::palette(ui);
    let text = RichText::new(text).color(p.on_accent);
    let button = match icon {
        Some(icon) => Button::new((
            Atom::paint(Vec2::splat(icons::SIZE), move |ui, args| {
                icons::paint(ui.painter(), args.rect, icon, p.on_accent);
            }),
            text,
        )),
        None => Button::new(text),
    };
    button.fill(p.accent)
}

/// An icon as part of a button's text, in the text's colour.
pub(super) fn icon_atom<'a>(icon: Icon) -> Atom<'a> {
    Atom::paint(Vec2::splat(icons::SIZE), move |ui, args| {
        icons::paint(ui.painter(), args.rect, icon, args.fallback_text_color);
    })
}

/// Text of second rank.
pub(super) fn weak(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).color(theme::palette(ui).weak)
}

/// Text of first rank.
pub(super) fn strong(ui: &Ui, text: impl Into<String>) -> RichText {
    RichText::new(text).color(theme::palette(ui).strong)
}

/// The heading of a group within a panel.
pub(super) fn group_heading(ui: &mut Ui, text: &str) -> Response {
    let text = weak(ui, text).text_style(TextStyle::Small);
    ui.label(text)
}

/// How long ago, and a wake-up for the moment at which that reads differently. Nothing else repaints an idle window.
pub(super) fn age(ui: &Ui, now: Timestamp, at: Timestamp) -> String {
    let seconds = format::age_s(now, at);
    wake_when_older(ui, seconds);
    format::age(seconds)
}

/// Repaints when an age of so many seconds reads differently.
pub(super) fn wake_when_older(ui: &Ui, seconds: i64) {
    ui.request_repaint_after(Duration::from_secs(format::age_changes_in_s(seconds)));
}

/// Gives the keyboard to this widget where its pane was gone to.
pub(super) fn take_keyboard(ui: &Ui, cx: &super::Cx<'_>, pane: super::view::Pane, id: egui::Id) {
    if cx.view.grab == Some(pane) {
        ui.memory_mut(|memory| memory.request_focus(id));
    }
}

/// Shows that a painted row has the keyboard.
pub(super) fn focus_frame(ui: &Ui, response: &Response) {
    if response.has_focus() {
        let stroke = ui.visuals().selection.stroke;
        ui.painter().rect_stroke(response.rect, 3.0, stroke, egui::StrokeKind::Inside);
    }
}

/// A card on a panel.
pub(super) fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::palette(ui);
    Frame::new()
        .fill(p.raised)
        .stroke(Stroke::new(1.0, p.line))
        .corner_radius(8)
        .inner_margin(Margin::same(12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui)
        })
        .inner
}

/// A line across the window that tells of something until it is mended.
pub(super) fn banner<R>(ui: &mut Ui, icon: Icon, fill: Color32, colour: Color32, add: impl FnOnce(&mut Ui) -> R) -> R {
    Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(12, 4))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_wrapped(|ui| {
                ui.set_min_height(theme::ROW);
                icons::show(ui, icon, colour);
                add(ui)
            })
            .inner
        })
        .inner
}

/// Something to type elsewhere, with a button that copies it. True when it was copied.
pub(super) fn copyable(ui: &mut Ui, text: &str, name: &str) -> bool {
    let p = theme::palette(ui);
    let width = ui.available_width();
    let font = egui::FontId::monospace(11.5);
    // Broken into lines where the pane is narrow: a part of it is of no use.
    let galley = ui.painter().layout(text.to_owned(), font, p.strong, width - theme::ROW - 20.0);
    let height = theme::ROW.max(galley.size().y + 8.0);
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    ui.painter().rect_filled(rect, 4.0, p.sunken);
    let inside = rect.with_min_x(rect.left() + 8.0);
    let mut row = ui.new_child(UiBuilder::new().max_rect(inside).layout(Layout::right_to_left(Align::Center)));
    let copied = icon_button(&mut row, Icon::Copy, &format!("Copy {name}")).clicked();
    row.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.add(egui::Label::new(galley).selectable(true));
    });
    copied
}

/// A part of a row with a width of its own, whatever stands in it.
pub(super) fn cell<R>(ui: &mut Ui, width: f32, add: impl FnOnce(&mut Ui) -> R) -> R {
    let height = ui.spacing().interact_size.y;
    let (rect, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    let mut inside = ui.new_child(UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)));
    add(&mut inside)
}

/// What a field is about, cut off where `width` is not enough, and the field.
pub(super) fn field_row(ui: &mut Ui, width: f32, label: &str, add: impl FnOnce(&mut Ui)) {
    ui.horizontal(|ui| {
        let text = weak(ui, label);
        cell(ui, width, |ui| ui.add(Label::new(text).truncate()));
        add(ui);
    });
}

/// A field with an icon in it is laid out before it takes what was typed: it has another frame drawn, or one would see it with the next move of
/// the mouse only.
pub(super) fn shows_what_is_typed(field: Response) -> Response {
    if field.changed() {
        field.ctx.request_repaint();
    }
    field
}

/// Height of a line of [`pair`].
const PAIR: f32 = 19.0;

/// A label at the left and a value at the right of one line.
pub(super) fn pair(ui: &mut Ui, label: &str, value: impl FnOnce(&mut Ui)) {
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = PAIR;
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.horizontal(|ui| {
            let width = (ui.available_width() * 0.36).clamp(84.0, 130.0);
            let text = weak(ui, label);
            cell(ui, width, |ui| ui.add(egui::Label::new(text).truncate()));
            value(ui);
        });
    });
}
