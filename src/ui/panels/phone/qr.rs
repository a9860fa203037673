//! A QR code on white paper, in whole pixels.

use egui::{Rect, Response, Sense, Ui, Vec2, WidgetInfo, accesskit::Role, pos2, vec2};

use crate::{
    backend::phones::{QrPicture, qr},
    ui::theme,
};

/// Dots of free paper on each side, which a camera needs to find the code.
const QUIET: usize = 4;

/// The code of a text, kept as long as the text is the same.
#[derive(Default)]
pub(in crate::ui::panels) struct Code {
    of: String,
    picture: Option<QrPicture>,
}

impl Code {
    /// How wide the code of `text` is drawn: `least` points, or somewhat more, so that its dots are whole pixels.
    #[expect(clippy::cast_precision_loss, reason = "dots of a code")]
    pub(in crate::ui::panels) fn side(&mut self, ui: &Ui, text: &str, least: f32) -> f32 {
        if self.of != text {
            text.clone_into(&mut self.of);
            self.picture = qr(text);
        }
        let Some(picture) = &self.picture else { return least };
        let dots = (picture.side + 2 * QUIET) as f32;
        let scale = ui.ctx().pixels_per_point();
        dots * (least * scale / dots).ceil() / scale
    }

    /// Draws the code of `text`; `name` is what a screen reader says.
    pub(in crate::ui::panels) fn show(&mut self, ui: &mut Ui, text: &str, least: f32, name: &str) -> Response {
        let side = self.side(ui, text, least);
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        if let Some(picture) = &self.picture {
            paint(ui, rect, picture);
        } else {
            let p = theme::palette(ui);
            ui.painter().rect_filled(rect, 6.0, p.sunken);
            let font = egui::TextStyle::Small.resolve(ui.style());
            let why = "Too long for a QR code";
            ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, why, font, p.weak);
        }
        response
    }
}

#[expect(clippy::cast_precision_loss, reason = "dots of a code")]
fn paint(ui: &Ui, rect: Rect, picture: &QrPicture) {
    let scale = ui.ctx().pixels_per_point();
    let dots = (picture.side + 2 * QUIET) as f32;
    // Whole pixels: a dot that is wider than its neighbour is harder to read.
    let dot = ((rect.width() * scale / dots).round() / scale).max(1.0 / scale);
    ui.painter().rect_filled(rect, 6.0, theme::PAPER);
    let free = rect.size() - Vec2::splat(dot * picture.side as f32);
    let snap = |at: f32| (at * scale).round() / scale;
    let origin = pos2(snap(rect.left() + free.x / 2.0), snap(rect.top() + free.y / 2.0));
    let mut mesh = egui::Mesh::default();
    for (y, row) in picture.dark.chunks(picture.side.max(1)).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let run = row.iter().skip(x).take_while(|dark| **dark).count();
            if run > 0 {
                let corner = origin + vec2(x as f32, y as f32) * dot;
                mesh.add_colored_rect(Rect::from_min_size(corner, vec2(run as f32, 1.0) * dot), theme::INK);
            }
            x += run.max(1);
        }
    }
    ui.painter().add(mesh);
}
