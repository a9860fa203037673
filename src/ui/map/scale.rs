//! The scale bar, the coordinates under the pointer, and the legend of colours.

use egui::{Mesh, RichText, Sense, Shape, Stroke, pos2, vec2};

use super::{
    camera::{Screen, points},
    controls::{GAP, PILL_PADDING, State, pill, small_width},
    lines::Legend,
};
use crate::ui::{format, theme::ramp, view::Units};

/// The longest scale bar, in points.
const MAX_SCALE: f32 = 110.0;

/// Room that parts the coordinates from the scale, in points.
const BEFORE_PLACE: f32 = 6.0;

/// The ramp of the legend, in points.
const RAMP: egui::Vec2 = vec2(84.0, 8.0);

/// The greatest width of the scale and the coordinates.
pub(super) fn scale_width(ui: &egui::Ui) -> f32 {
    let texts = small_width(ui, "10000 km") + small_width(ui, "-88.88888, -188.88888");
    MAX_SCALE + texts + BEFORE_PLACE + 2.0 * GAP + 2.0 * PILL_PADDING
}

pub(super) fn scale_and_place(ui: &mut egui::Ui, state: &State<'_>, with_place: bool) {
    let screen = state.screen;
    let pointer = ui.input(|i| i.pointer.hover_pos()).filter(|p| with_place && screen.rect.contains(*p));
    pill(ui).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 0.0;
            scale(ui, screen, state.units);
            if let Some(pointer) = pointer {
                let world = screen.world(pointer);
                if (0.0..=1.0).contains(&world.y) {
                    ui.add_space(BEFORE_PLACE);
                    ui.label(RichText::new(format::place(world.lat_lon())).small());
                }
            }
        });
    });
}

/// A bar of a round length, true at the middle of the screen.
fn scale(ui: &mut egui::Ui, screen: &Screen, units: Units) {
    let metres_per_point = 1.0 / f64::from(screen.points_of_metres(1.0, screen.center)).max(f64::MIN_POSITIVE);
    let (length_m, text) = scale_length(metres_per_point * f64::from(MAX_SCALE), units);
    let width = points(length_m / metres_per_point);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 10.0), Sense::hover());
    let stroke = Stroke::new(1.5, ui.visuals().text_color());
    let bottom = rect.bottom() - 2.0;
    ui.painter().add(Shape::line(
        vec![
            pos2(rect.left(), bottom - 5.0),
            pos2(rect.left(), bottom),
            pos2(rect.right(), bottom),
            pos2(rect.right(), bottom - 5.0),
        ],
        stroke,
    ));
    ui.label(RichText::new(text).small());
}

/// The longest round length that is no longer than `max_m`, in metres and in the user's unit.
fn scale_length(max_m: f64, units: Units) -> (f64, String) {
    let (small, small_name, large, large_name) = match units {
        Units::Metric => (1.0, "m", 1_000.0, "km"),
        Units::Imperial => (0.3048, "ft", 1_609.344, "mi"),
        Units::Nautical => (1.0, "m", 1_852.0, "nm"),
    };
    let (unit_m, name) = if max_m >= large { (large, large_name) } else { (small, small_name) };
    let length = round_length(max_m / unit_m);
    (length * unit_m, format!("{length} {name}"))
}

/// The greatest of 1, 2, 5, 10, 20, 50, … that is no greater than `max`.
fn round_length(max: f64) -> f64 {
    let power = 10f64.powf(max.max(1e-3).log10().floor());
    [5.0, 2.0].into_iter().map(|n| n * power).find(|length| *length <= max).unwrap_or(power)
}

/// The ramp between what its ends stand for.
pub(super) fn legend(ui: &mut egui::Ui, legend: &Legend) {
    let told = match &legend.ends {
        Some((low, high)) => format!("Trails are coloured by {}, from {low} to {high}", legend.title.to_lowercase()),
        None => format!("{} is told by no trail in view", legend.title),
    };
    let shown = pill(ui).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 0.0;
            ui.label(RichText::new(legend.title).small().strong());
            let Some((low, high)) = &legend.ends else {
                ui.label(RichText::new("not told").small());
                return;
            };
            ui.label(RichText::new(low).small());
            let (rect, _) = ui.allocate_exact_size(RAMP, Sense::hover());
            ui.painter().add(Shape::mesh(ramp_mesh(rect, ui.visuals().dark_mode)));
            ui.painter().rect_stroke(
                rect,
                0.0,
                Stroke::new(1.0, ui.visuals().widgets.noninteractive.bg_stroke.color),
                egui::StrokeKind::Outside,
            );
            ui.label(RichText::new(high).small());
        });
    });
    shown.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &told));
    shown.response.on_hover_text(format!("{told}. Grey where it was not told. Choose in the map's menu."));
}

fn ramp_mesh(rect: egui::Rect, dark: bool) -> Mesh {
    const STEPS: u8 = 16;
    let mut mesh = Mesh::default();
    for n in 0..=STEPS {
        let part = f32::from(n) / f32::from(STEPS);
        let x = rect.left() + rect.width() * part;
        mesh.colored_vertex(pos2(x, rect.top()), ramp::colour(dark, part));
        mesh.colored_vertex(pos2(x, rect.bottom()), ramp::colour(dark, part));
        if n > 0 {
            let first = u32::from(n) * 2;
            mesh.add_triangle(first - 2, first - 1, first);
            mesh.add_triangle(first - 1, first, first + 1);
        }
    }
    mesh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_round() {
        for (max_m, length_m) in
            [(1.0, 1.0), (1.9, 1.0), (4.99, 2.0), (5.0, 5.0), (99.0, 50.0), (1_234_567.0, 1_000_000.0)]
        {
            assert!((round_length(max_m) - length_m).abs() < 1e-9, "{max_m} gave {}", round_length(max_m));
        }
        let text = |max_m, units| scale_length(max_m, units).1;
        assert_eq!(text(990.0, Units::Metric), "500 m");
        assert_eq!(text(2_400_000.0, Units::Metric), "2000 km");
        assert_eq!(text(990.0, Units::Imperial), "2000 ft");
        assert_eq!(text(9_900.0, Units::Imperial), "5 mi");
    }
}
