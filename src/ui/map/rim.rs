//! What stands along the rim of the map and what its buttons do: notes, scale, credits, tools.

use super::{
    MapPanel, STEP, basemap,
    camera::Screen,
    chart::ChartLayer,
    controls::{self, Click},
    lines::Legend,
    markers::Markers,
    measure::Measure,
    menu,
    online::Online,
    trail::Trail,
    trails, trails_from,
};
use crate::{
    model::DeviceId,
    ui::{Action, Cx, format},
};

/// Devices that are named where only they are shown.
const MOST_NAMED: usize = 3;

impl MapPanel {
    pub(super) fn edges(&mut self, ui: &mut egui::Ui, screen: &Screen, legend: Option<&Legend>, cx: &mut Cx<'_>) {
        let problem = self.online.as_ref().and_then(|o| match o {
            Ok(online) => online.problem(),
            Err(error) => Some(error.to_string()),
        });
        let problem = problem.or_else(|| self.chart.as_ref().and_then(ChartLayer::problem).map(str::to_owned));
        let chart = self.chart.as_ref().map(|c| c.about().attribution.clone()).filter(|text| !text.is_empty());
        let online = self.online.as_ref().and_then(|o| o.as_ref().ok());
        let mut credits: Vec<(&str, &str)> = online.map(Online::credit).into_iter().collect();
        credits.extend(chart.as_deref().map(|text| (text, "")));
        if self.vector {
            credits.extend(basemap::CREDITS);
        }
        let only = self.isolated(cx);
        let isolated = said_alone(cx, &only);
        let measuring = self.measure.is_some();
        let cut = cut(cx, &self.markers, &only);
        let (click, mut edges) = controls::show(
            ui,
            &controls::State {
                screen,
                units: cx.view.settings.units,
                following: cx.view.follow.is_some(),
                can_follow: cx.view.selection.device.is_some_and(|d| self.markers.of(d).is_some()),
                isolated: isolated.as_deref(),
                cut: cut.as_deref(),
                covered: self.covered,
                measured: self.measured.as_deref().filter(|_| measuring),
                can_copy: self.measure.as_ref().is_some_and(Measure::has_legs),
                legend,
                credits: &credits,
                about: basemap::CREDITS_TEXT,
                online: self.online_options.is_some(),
                problem: problem.as_deref(),
            },
        );
        let (chosen, area) = menu::show(ui, screen.rect.shrink(controls::MARGIN), cx, measuring);
        edges.push(area);
        if self.edges != edges {
            // Labels and names make room in the next frame.
            self.edges = edges;
            ui.ctx().request_repaint();
        }
        if let Some(click) = click.or(chosen) {
            self.clicked(click, cx);
            // What was clicked shows in the next frame.
            ui.ctx().request_repaint();
        }
    }

    fn clicked(&mut self, click: Click, cx: &mut Cx<'_>) {
        match click {
            Click::ZoomIn => self.zoom_by(STEP),
            Click::ZoomOut => self.zoom_by(-STEP),
            Click::FitAll => cx.actions.push(Action::FitAll),
            Click::Follow => {
                let follow = if cx.view.follow.is_some() { None } else { cx.view.selection.device };
                cx.actions.push(Action::Follow(follow));
            }
            Click::Isolate => cx.actions.push(Action::Isolate(!cx.view.isolate)),
            Click::Measure => cx.actions.push(Action::Measure),
            Click::CopyMeasured => {
                if let Some(measured) = self.measure.as_ref().map(|m| m.sentence(None, cx.view.settings.units)) {
                    cx.actions.push(Action::Copy(measured, "what was measured"));
                }
            }
            Click::Reload => self.reload_online(),
        }
    }
}

/// What to say where trails begin later than is wanted, because they have too many points.
fn cut(cx: &Cx<'_>, markers: &Markers, only: &[DeviceId]) -> Option<String> {
    let from = trails_from(cx)?;
    let cut = |trail: &Trail| trail.cut_at().filter(|_| trail.extent().first.is_some_and(|first| first > from));
    let mut all = trails(cx, markers, only).filter_map(|(device, trail)| Some((device, trail, cut(trail)?)));
    let (device, trail, points) = all.next()?;
    let first = trail.extent().first?;
    let points = format::count(points as u64);
    Some(match 1 + all.count() {
        1 => format!(
            "{}: the trail begins {}, with its newest {points} points",
            cx.data.label(device),
            cx.view.moment(first, cx.now)
        ),
        n => format!("{n} trails are cut to their newest points; select a device to see more of it"),
    })
}

/// `Van 1, Van 3 and 2 more`; `None` where nobody is left out.
fn said_alone(cx: &Cx<'_>, only: &[DeviceId]) -> Option<String> {
    let names: Vec<_> = only.iter().take(MOST_NAMED).map(|device| cx.data.label(*device)).collect();
    let (last, before) = names.split_last()?;
    let more = only.len() - names.len();
    Some(match (before, more) {
        ([], 0) => format!("Only {last} is shown"),
        (before, 0) => format!("Only {} and {last} are shown", before.join(", ")),
        (_, more) => format!("Only {} and {} more are shown", names.join(", "), format::count(more as u64)),
    })
}
