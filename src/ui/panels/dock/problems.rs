//! Every doubt about the opened packet, above its fields, and the frame as it would be with the right checksum.

use egui::{Rect, RichText, Sense, TextFormat, Ui, WidgetInfo, accesskit::Role, pos2, text::LayoutJob, vec2};

use super::{
    explain,
    outline::Outline,
    paint::{self, GAP},
    push,
};
use crate::{
    model::{Group, Problem, Severity},
    ui::{Action, Cx, data::Opened, format},
};

/// Problems beyond this many are counted, not listed.
const MOST_PROBLEMS: usize = 24;

/// Every doubt about the packet: how bad, of what sort, why, where. A click selects the bytes.
pub fn ui(ui: &mut Ui, cx: &mut Cx<'_>, opened: &Opened, outline: &Outline) {
    let dissection = &opened.dissection;
    for (n, problem) in dissection.problems.iter().enumerate().take(MOST_PROBLEMS) {
        let color = paint::severity_color(ui, problem.severity);
        let (body, plain, weak) = (paint::body(ui), ui.visuals().text_color(), ui.visuals().weak_text_color());
        let mut job = LayoutJob::default();
        job.wrap.max_width = ui.available_width() - 3.0 * GAP;
        let (severity, group) = (problem.severity.as_str(), problem.group.as_str());
        let hint = hint(problem);
        let heading = if hint.is_some() { "hint".to_owned() } else { format!("{severity} · {group}") };
        job.append(&heading, 0.0, TextFormat::simple(body.clone(), color));
        job.append(hint.unwrap_or(&problem.text), GAP, TextFormat::simple(body.clone(), plain));
        // A request that is refused has no byte to blame.
        let place =
            if problem.span.end == 0 { String::new() } else { format!("at {}", explain::offsets(&problem.span)) };
        job.append(&place, GAP, TextFormat::simple(body, weak));
        let galley = ui.painter().layout_job(job);
        let size = vec2(ui.available_width(), galley.size().y + 5.0);
        let (_, rect) = ui.allocate_space(size);
        let response = ui.interact(rect, ui.scope_id().with(("problem", n)), Sense::CLICK);
        response.widget_info(|| {
            let label = format!("{severity} {group}: {} {place}", problem.text);
            let label = label.trim_end().to_owned();
            WidgetInfo::labeled(Role::Button, true, label)
        });
        ui.painter().rect_filled(rect, 0.0, color.gamma_multiply(if response.hovered() { 0.2 } else { 0.1 }));
        ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(2.0, size.y)), 0.0, color);
        let first_line = rect.top() + 2.5 + paint::row_height(ui) / 2.0 - 2.0;
        paint::verdict_mark(ui, pos2(rect.left() + GAP + 2.0, first_line), problem.severity.into());
        ui.painter().galley(pos2(rect.left() + 2.0 * GAP + 2.0, rect.top() + 2.5), galley, plain);
        if response.clicked()
            && let Some(field) = outline.around(&dissection.fields, &problem.span)
        {
            push(ui, cx, Action::SelectField(Some(field)));
        }
    }
    let more = dissection.problems.len().saturating_sub(MOST_PROBLEMS);
    if more > 0 {
        ui.label(RichText::new(format!("and {} more problems", format::count(more as u64))).weak());
    }
    if let Some(mended) = mended(opened) {
        ui.horizontal(|ui| {
            ui.add_space(2.0 * GAP);
            let link = ui.link("Copy it with the right checksum");
            if link.on_hover_text("What is stored stays as it came").clicked() {
                push(ui, cx, Action::Copy(crate::wire::hex(&mended), "the frame with the right checksum"));
            }
        });
    }
}

/// What the checksum doctor says, where the problem is his word.
fn hint(problem: &Problem) -> Option<&str> {
    let his = problem.severity == Severity::Note && problem.group == Group::Checksum;
    his.then(|| problem.text.strip_prefix("a hint at the checksum: ").unwrap_or(&problem.text))
}

/// The frame as it would be with the checksum that its other bytes have; `None` where nothing is wrong with it.
fn mended(opened: &Opened) -> Option<Vec<u8>> {
    let crc = opened.dissection.crc.filter(|crc| !crc.ok())?;
    let wrong = |p: &&Problem| p.severity == Severity::Error && p.group == Group::Checksum;
    let span = opened.dissection.problems.iter().find(wrong)?.span.clone();
    let mut bytes = opened.row.bytes.to_vec();
    let place = bytes.get_mut(span).filter(|place| place.len() == 2)?;
    place.copy_from_slice(&crc.computed.to_be_bytes());
    Some(bytes)
}
