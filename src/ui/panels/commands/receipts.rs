//! What became of commands: state, text, when, how long it took, and what the device answered.

use egui::{Align, Color32, Label, Layout, Pos2, RichText, Sense, Shape, Stroke, Ui, UiBuilder, WidgetInfo, vec2};

use super::meaning::meaning;
use crate::{
    model::{Command, CommandState, Protocol, Timestamp},
    ui::{
        Action, Cx, View, format,
        icons::Icon,
        theme::{self, Palette},
        widgets,
    },
};

/// Room for mark and word before the text.
const STATE: f32 = 86.0;
/// Room for the mark alone, where there is little; the word stands in the second line then.
const MARK: f32 = 12.0;
/// Narrower than this there is little room.
const NARROW: f32 = 420.0;
/// Height of the line below the text.
const SECOND: f32 = 19.0;
/// An answer may fill so many letters; all of it stands in the tooltip.
const ANSWER: usize = 160;

/// One receipt after the other, newest first. A click shows the packets.
pub(in crate::ui::panels) fn list<'a>(ui: &mut Ui, cx: &mut Cx<'_>, commands: impl Iterator<Item = &'a Command>) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for command in commands {
            receipt(ui, cx, command);
        }
    });
}

fn receipt(ui: &mut Ui, cx: &mut Cx<'_>, command: &Command) {
    let p = theme::palette(ui);
    let size = vec2(ui.available_width(), theme::ROW + SECOND + 2.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let (word, look) = shown_as(command);
    let phone = cx.data.devices.get(&command.device).is_some_and(|d| d.device.protocol == Protocol::OwnTracks);
    response.widget_info(|| {
        let story = story(command, cx.now, phone);
        let label = format!("{} {word}, {}", command.text, if phone { in_zone(&story, cx.view) } else { story });
        WidgetInfo::labeled(egui::accesskit::Role::ListItem, true, label)
    });
    if !ui.is_rect_visible(rect) {
        return;
    }
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, p.hovered_row);
    }
    let (upper, lower) = rect.shrink2(vec2(6.0, 1.0)).split_top_bottom_at_y(rect.top() + theme::ROW);
    let mut line = ui.new_child(UiBuilder::new().max_rect(upper).layout(Layout::left_to_right(Align::Center)));
    let narrow = rect.width() < NARROW;
    let indent = if narrow { MARK } else { STATE };
    widgets::cell(&mut line, indent, |ui| chip(ui, look, (!narrow).then_some(word)));
    line.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if command.state == CommandState::Queued && widgets::icon_button(ui, Icon::Close, "Do not send it").clicked() {
            cx.ask(Action::CancelCommand(command.id));
        }
        let at = cx.view.moment(command.created, cx.now);
        ui.label(widgets::weak(ui, at)).on_hover_text("When it was asked for");
        if command.guessed {
            let guessed = RichText::new("guessed").small().color(p.late);
            ui.label(guessed).on_hover_text(
                "The device echoed no server flag, so its next answer on this connection was taken for the answer",
            );
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let text = RichText::new(&command.text).monospace().color(p.strong);
            ui.add(Label::new(text).truncate().selectable(false));
        });
    });
    let lower = lower.with_min_x(lower.left() + indent + 8.0);
    let mut line = ui.new_child(UiBuilder::new().max_rect(lower).layout(Layout::left_to_right(Align::Center)));
    line.spacing_mut().item_spacing.x = 4.0;
    line.spacing_mut().interact_size.y = SECOND;
    if narrow {
        line.label(RichText::new(word).color(colour(look, p)));
        line.label(widgets::weak(&line, "·"));
    }
    let known = command.answer.as_deref().and_then(meaning);
    if let Some(known) = known {
        line.label(RichText::new(known.text).color(if known.good { p.parked } else { p.late }));
        line.label(widgets::weak(&line, "·"));
    }
    let told = story(command, cx.now, phone);
    // What we say of a phone's answer, in the zone of everything else; a tracker's own words stay as they are.
    let told = if phone { in_zone(&told, cx.view) } else { told };
    let text = RichText::new(told).color(p.weak);
    line.add(Label::new(text).truncate().selectable(false));
    if command.state == CommandState::Queued {
        widgets::wake_when_older(ui, format::age_s(command.expires, cx.now));
    }
    let packet = command.answer_packet.or(command.sent_packet);
    let hint = match (command.answer_packet, command.sent_packet) {
        (Some(_), _) => "Show the packet that brought the answer",
        (None, Some(_)) => "Show the packet that took it out",
        (None, None) => "Nothing was sent, so there is no packet",
    };
    let hover = hover(command, hint);
    let clicked = response.on_hover_text(if phone { in_zone(&hover, cx.view) } else { hover }).clicked();
    if let Some(packet) = packet.filter(|_| clicked) {
        cx.ask(Action::ShowPacket(packet));
    }
}

/// A text whose moments, as `2026-11-21T14:02:31Z`, are written in the zone that is shown.
fn in_zone(text: &str, view: &View) -> String {
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let bare = word.trim_end_matches([' ', '\n', ':', ',', ';']);
        match bare.parse::<Timestamp>() {
            Ok(at) if bare.ends_with('Z') => format!("{}{}", view.stamp(at), &word[bare.len()..]),
            _ => word.to_owned(),
        }
    });
    words.collect()
}

fn hover(command: &Command, hint: &str) -> String {
    match &command.answer {
        Some(answer) => format!("{answer}\n{hint}"),
        None => hint.to_owned(),
    }
}

/// What happened to it, in a line.
fn story(command: &Command, now: Timestamp, phone: bool) -> String {
    let answer = || {
        let text = command.answer.as_deref().unwrap_or_default().replace(['\r', '\n'], " ");
        text.chars().take(ANSWER).collect::<String>()
    };
    match command.state {
        CommandState::Queued if command.expires < now => "was not sent in time".to_owned(),
        CommandState::Queued if command.waits.is_some() => {
            let left = format::span(round_up(format::age_s(command.expires, now)));
            format!("waits: {}; expires in {left}", command.waits.as_deref().unwrap_or_default())
        }
        CommandState::Queued => {
            let left = format::span(round_up(format::age_s(command.expires, now)));
            let when =
                if phone { "goes out with the answer to its next message" } else { "will be sent at the next login" };
            format!("{when}, expires in {left}")
        }
        CommandState::Sent => match command.sent {
            Some(at) => format!("no answer yet, {} after it was sent", format::age(format::age_s(now, at))),
            None => "no answer yet".to_owned(),
        },
        CommandState::Answered => match delay(command) {
            Some(delay) => format!("after {delay}: {}", answer()),
            None => answer(),
        },
        CommandState::Expired => match &command.waits {
            Some(why) => format!("was not sent in time: {why}"),
            None => "was not sent in time: the device did not connect".to_owned(),
        },
        CommandState::Failed if command.cancelled() => "before it was sent".to_owned(),
        CommandState::Failed => match answer() {
            why if why.is_empty() => "was not sent".to_owned(),
            why => why,
        },
    }
}

/// Whole minutes once there are some: a number that falls every second calls for attention it does not need.
fn round_up(seconds: i64) -> i64 {
    if seconds > 60 { (seconds + 59) / 60 * 60 } else { seconds }
}

/// From sending to answer: `0.4 s`, `1 min 5 s`.
fn delay(command: &Command) -> Option<String> {
    let ms = command.delay_ms()?.max(0);
    Some(if ms < 9_950 {
        format!("{}.{} s", (ms + 50) / 1_000, (ms + 50) % 1_000 / 100)
    } else {
        format::span(ms / 1_000)
    })
}

/// Its word, and the state in whose colour and shape it stands. What the user took back is no failure: it looks as quiet as what expired.
fn shown_as(command: &Command) -> (&'static str, CommandState) {
    if command.cancelled() { ("cancelled", CommandState::Expired) } else { (command.state.as_str(), command.state) }
}

/// A state by shape, colour and, where there is room, word.
fn chip(ui: &mut Ui, state: CommandState, word: Option<&str>) {
    let p = theme::palette(ui);
    ui.spacing_mut().item_spacing.x = 5.0;
    let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
    mark(ui.painter(), rect.center(), state, p);
    if let Some(word) = word {
        ui.add(Label::new(RichText::new(word).color(colour(state, p))).selectable(false));
    }
}

fn colour(state: CommandState, p: &Palette) -> Color32 {
    match state {
        CommandState::Queued => p.late,
        CommandState::Sent => p.sent,
        CommandState::Answered => p.parked,
        CommandState::Expired => p.stale,
        CommandState::Failed => p.alarm,
    }
}

/// Ring with a hand, arrow, tick, struck ring, cross.
fn mark(painter: &egui::Painter, centre: Pos2, state: CommandState, p: &Palette) {
    let line = Stroke::new(1.5, colour(state, p));
    let path = |points: &[(f32, f32)]| {
        painter.add(Shape::line(points.iter().map(|(x, y)| centre + vec2(*x, *y)).collect(), line));
    };
    match state {
        CommandState::Queued => {
            painter.circle_stroke(centre, 4.5, line);
            path(&[(0.0, -2.5), (0.0, 0.0), (2.0, 1.2)]);
        }
        CommandState::Sent => {
            path(&[(-4.5, 0.0), (4.5, 0.0)]);
            path(&[(1.0, -3.5), (4.5, 0.0), (1.0, 3.5)]);
        }
        CommandState::Answered => path(&[(-4.5, 0.5), (-1.2, 3.8), (4.8, -3.8)]),
        CommandState::Expired => {
            painter.circle_stroke(centre, 4.2, line);
            path(&[(-5.0, 5.0), (5.0, -5.0)]);
        }
        CommandState::Failed => {
            path(&[(-3.8, -3.8), (3.8, 3.8)]);
            path(&[(3.8, -3.8), (-3.8, 3.8)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CANCELLED, CommandId, DeviceId};

    #[test]
    fn moments_in_an_answer_are_in_the_zone_that_is_shown() {
        let view = View { local_zone: jiff::tz::TimeZone::get("Europe/Brussels").unwrap(), ..View::default() };
        let text = "after 4 s: position of 2026-11-21T14:02:31Z: 51.1, 4.3";
        assert_eq!(in_zone(text, &view), "after 4 s: position of 2026-11-21 15:02:31 CET: 51.1, 4.3");
        assert_eq!(in_zone("monitoring is 1 now\nok", &view), "monitoring is 1 now\nok");
    }

    #[test]
    fn every_state_tells_its_story() {
        let at = |text: &str| -> Timestamp { format!("2026-11-21T{text}Z").parse().unwrap() };
        let now = at("14:02:30");
        let command = |state| Command {
            id: CommandId(7),
            device: DeviceId(1),
            text: "STATUS#".to_owned(),
            state,
            created: at("14:02:00"),
            expires: at("14:12:00"),
            sent: Some(at("14:02:01")),
            answered: Some(at("14:02:02.35")),
            answer: Some("Battery:4.05V,NORMAL;\r\nGPRS:Link Up".to_owned()),
            guessed: false,
            waits: None,
            sent_packet: None,
            answer_packet: None,
        };
        let check = |command: Command, text: &str| assert_eq!(story(&command, now, false), text);
        check(command(CommandState::Queued), "will be sent at the next login, expires in 10 min");
        check(Command { expires: at("14:02:00"), ..command(CommandState::Queued) }, "was not sent in time");
        let held = Some("it was going 42 km/h".to_owned());
        let text = "waits: it was going 42 km/h; expires in 10 min";
        check(Command { waits: held.clone(), ..command(CommandState::Queued) }, text);
        let text = "was not sent in time: it was going 42 km/h";
        check(Command { waits: held, ..command(CommandState::Expired) }, text);
        check(command(CommandState::Sent), "no answer yet, 29 s after it was sent");
        check(command(CommandState::Answered), "after 1.4 s: Battery:4.05V,NORMAL;  GPRS:Link Up");
        check(
            Command { answered: Some(at("14:03:06")), ..command(CommandState::Answered) },
            "after 1 min 5 s: Battery:4.05V,NORMAL;  GPRS:Link Up",
        );
        check(command(CommandState::Expired), "was not sent in time: the device did not connect");
        let taken_back = Command { answer: Some(CANCELLED.to_owned()), ..command(CommandState::Failed) };
        assert_eq!(shown_as(&taken_back), ("cancelled", CommandState::Expired));
        check(taken_back, "before it was sent");
        assert_eq!(shown_as(&command(CommandState::Failed)), ("failed", CommandState::Failed));
        check(Command { answer: None, ..command(CommandState::Failed) }, "was not sent");
    }
}
