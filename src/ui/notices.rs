//! What the user is called for on the desktop, and how often: a few a minute, the rest folded into one.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{Data, View, format};
use crate::model::{Readings, StoredEvent, watch::Kind};

/// Notices within [`SPAN`].
const MOST: usize = 3;
const SPAN: Duration = Duration::from_mins(1);

/// Something to call the user for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) title: String,
    pub(super) text: String,
}

impl Notice {
    pub(super) fn of(event: &StoredEvent, data: &Data, view: &View) -> Self {
        let title: &str = match Kind::parse(&event.kind) {
            Some(kind) => kind.title(),
            None => &event.kind,
        };
        let text = values(&event.kind, &event.attributes, view);
        let title = format!("{}: {}", data.label(event.device), title.to_lowercase());
        Self { title, text: format!("{} {} · {text}", view.clock(event.at), view.zone_name(event.at)) }
    }
}

/// Lets a few notices a minute through.
#[derive(Debug, Default)]
pub(super) struct Notices {
    waiting: VecDeque<Notice>,
    /// Those beyond what is let through.
    folded: u64,
    given: VecDeque<Instant>,
}

impl Notices {
    pub(super) fn offer(&mut self, notice: Notice, now: Instant) {
        self.forget(now);
        if self.folded == 0 && self.given.len() + self.waiting.len() < MOST {
            self.waiting.push_back(notice);
        } else {
            self.folded += 1;
        }
    }

    /// The next to be given now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Notice> {
        self.forget(now);
        if let Some(notice) = self.waiting.pop_front() {
            self.given.push_back(now);
            return Some(notice);
        }
        if self.folded == 0 || self.given.len() >= MOST {
            return None;
        }
        self.given.push_back(now);
        let title = format::counted(std::mem::take(&mut self.folded), "more alarm", "more alarms");
        Some(Notice { title, text: "They are in the list of events".to_owned() })
    }

    /// After how long there is something to give, if nothing more comes.
    pub(super) fn due_in(&self, now: Instant) -> Option<Duration> {
        let oldest = self.given.front().filter(|_| self.folded > 0)?;
        Some(SPAN.saturating_sub(now.saturating_duration_since(*oldest)))
    }

    fn forget(&mut self, now: Instant) {
        while self.given.front().is_some_and(|at| now.saturating_duration_since(*at) >= SPAN) {
            self.given.pop_front();
        }
    }
}

/// Place and values of an event, for people: `Yard, after 12 min`.
pub(super) fn values(kind: &str, attributes: &Readings, view: &View) -> String {
    let text = |key: &str| attributes.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    let number = |key: &str| attributes.get(key).and_then(serde_json::Value::as_f64);
    let units = view.settings.units;
    let span = |key: &str| attributes.get(key).and_then(serde_json::Value::as_i64).map(format::span);
    match Kind::parse(kind) {
        Some(Kind::Enter) => text("place").to_owned(),
        Some(Kind::Leave) => match span("staySeconds") {
            Some(stay) => format!("{}, after {stay}", text("place")),
            None => text("place").to_owned(),
        },
        Some(Kind::Dwell) => match number("minutes") {
            Some(minutes) => format!("{}, for {minutes:.0} min", text("place")),
            None => text("place").to_owned(),
        },
        Some(Kind::Overspeed) => match (number("speedKmh"), number("limitKmh")) {
            (Some(speed), Some(limit)) => {
                format!("{}, limit {}", format::speed(speed, units), format::speed(limit, units))
            }
            _ => String::new(),
        },
        Some(Kind::LowBattery) => number("batteryLevel").map(|percent| format!("{percent:.0} %")).unwrap_or_default(),
        Some(Kind::Quiet) => {
            let heard = text("lastHeard").parse().map(|at| format!("last heard {}", view.stamp(at)));
            let usually = span("usuallySeconds").map(|span| format!("usually every {span}"));
            heard.ok().into_iter().chain(usually).collect::<Vec<_>>().join(", ")
        }
        Some(Kind::Alarm) => {
            let name = text("alarm").replace(',', ", ");
            if name.is_empty() { attributes.to_json().to_string() } else { name }
        }
        None => attributes.to_json().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_few_a_minute_are_one() {
        let begun = Instant::now();
        let at = |seconds: u64| begun + Duration::from_secs(seconds);
        let notice = |n: u64| Notice { title: n.to_string(), text: String::new() };
        let mut notices = Notices::default();
        let mut given = Vec::new();
        for n in 0..15 {
            notices.offer(notice(n), at(n));
            given.extend(notices.next(at(n)).map(|notice| notice.title));
        }
        assert_eq!(given, ["0", "1", "2"]);
        assert_eq!(notices.due_in(at(15)), Some(Duration::from_secs(45)));
        assert_eq!(notices.next(at(59)), None);
        assert_eq!(notices.next(at(60)).map(|notice| notice.title), Some("12 more alarms".to_owned()));
        assert_eq!((notices.next(at(61)), notices.due_in(at(61))), (None, None));
        notices.offer(notice(99), at(62));
        assert_eq!(notices.next(at(62)), Some(notice(99)), "two were given a minute ago");
    }
}
