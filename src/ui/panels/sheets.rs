//! Sheets over the window: commands, profile, export, settings, health, keys. One at a time; Escape or a click beside it closes it.

use egui::{Align2, Context, Frame, Id, LayerId, Margin, Modal, RichText, ScrollArea, Ui, vec2};

use crate::{
    model::DeviceOverview,
    ui::{Action, Cx, icons::Icon, theme, view::Sheet, widgets},
};

/// How far below the window's edge the palette begins: it stands still while its list grows and shrinks.
const PALETTE_TOP: f32 = 56.0;

/// Room for the scroll bar of a sheet.
const SCROLL_BAR: i8 = 10;

/// The device that a sheet is about. `kind`: what to ask for where none is selected, in one word.
pub(super) fn selected<'a>(ui: &mut Ui, cx: &Cx<'a>, kind: &str) -> Option<&'a DeviceOverview> {
    let selected = cx.view.selection.device.and_then(|id| cx.data.devices.get(&id));
    if selected.is_none() {
        ui.label(widgets::weak(ui, format!("Select a {kind} first.")));
    }
    selected
}

/// The sheet that is open, with `content` in it.
pub(super) fn ui(ui: &mut Ui, cx: &mut Cx<'_>, content: impl FnOnce(Sheet, &mut Ui, &mut Cx<'_>)) {
    let Some(sheet) = cx.view.open.sheet else { return };
    let title = match sheet {
        Sheet::Palette => "Palette",
        Sheet::Settings => "Settings",
        Sheet::Export => "Export history",
        Sheet::Import => "Import history",
        Sheet::PacketsOut => "Export packets",
        Sheet::Replay => "Replay a capture",
        Sheet::SaveCopy => "Save a copy",
        Sheet::Maps => "Maps",
        Sheet::Commands => "Commands",
        Sheet::Profile => "Profile",
        Sheet::AddPhone => "Add a phone",
        Sheet::Phone => "Set up the phone",
        Sheet::Phones(_) => "Phones",
        Sheet::Health => "Health",
        Sheet::Places => "Places",
        Sheet::Rules => "Rules and mutes",
        Sheet::Taps => "Taps",
        Sheet::Keys => "Keys",
        Sheet::Comment => "Comment",
        Sheet::Colours => "Colours and saved filters",
    };
    let frame = Frame::window(ui.style()).inner_margin(18);
    let id = Id::unique("sheet").with(title);
    // As high as the window lets it be.
    let area = Modal::default_area(id).default_height(f32::INFINITY);
    if sheet == Sheet::Palette {
        let area = area.anchor(Align2::CENTER_TOP, vec2(0.0, PALETTE_TOP));
        let frame = frame.inner_margin(10);
        let modal = Modal::new(id).area(area).frame(frame).show(ui.ctx(), |ui| content(sheet, ui, cx));
        if modal.should_close() {
            cx.ask(Action::Sheet(None));
        }
        return;
    }
    let was = ui.ctx().memory(|m| m.area_rect(id));
    let modal = Modal::new(id).area(area).frame(frame).show(ui.ctx(), |ui| {
        let p = theme::palette(ui);
        ui.horizontal(|ui| {
            ui.label(RichText::new(title).heading().color(p.strong));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if widgets::icon_button(ui, Icon::Close, "Close sheet").clicked() {
                    cx.ask(Action::Sheet(None));
                }
            });
        });
        ui.add_space(theme::GAP);
        let height = (ui.ctx().content_rect().height() - 120.0).max(200.0);
        // Grows with its content: what a sheet had room for before is no bound.
        let area = ScrollArea::vertical().max_height(height).min_scrolled_height(height);
        // The bar lies beside the content, not on it.
        let beside = Frame::new().inner_margin(Margin { right: SCROLL_BAR, ..Margin::ZERO });
        area.show(ui, |ui| beside.show(ui, |ui| content(sheet, ui, cx)));
    });
    menus_above(ui.ctx(), modal.response.layer_id);
    if was.is_some_and(|was| was.size() != modal.response.rect.size()) {
        // It stands in the middle by the size that it had.
        ui.ctx().request_repaint();
    }
    if modal.should_close() {
        cx.ask(Action::Sheet(None));
    }
}

/// Keeps menus above the sheet. Both are of the same order: raising both in one frame keeps the order that they had, and a sheet that is opened
/// again was raised above the menus of its last time.
fn menus_above(ctx: &Context, sheet: LayerId) {
    ctx.memory_mut(|memory| {
        let areas = memory.areas_mut();
        for layer in areas.visible_layer_ids() {
            if layer.order == sheet.order && layer != sheet {
                areas.set_sublayer(sheet, layer);
            }
        }
    });
}
