//! The whole application over a real backend whose store has a yesterday.

use std::ops::{Deref, DerefMut};

use egui::{Key, Modifiers};
use egui_kittest::{Harness, kittest::Queryable as _};
use wayglass::{
    model::{DeviceId, Policy, Timestamp},
    ui::App,
};

use crate::{
    desk::Plan,
    support::{post, sql},
};

/// When all of it is looked at; yesterday is November 20.
pub const NOW: &str = "2026-11-21T14:02:31Z";

/// A desk whose window goes on by itself: time passes in it, so nobody waits for it to rest.
pub struct Desk(crate::desk::Desk);

impl Deref for Desk {
    type Target = crate::desk::Desk;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Desk {
    pub fn open() -> Self {
        Self(crate::desk::Desk::of(Plan { policy: Policy::Adopt, gt06: None, now: NOW, ..Plan::default() }))
    }

    /// What a phone tells: seconds of its day, and metres north of where it began.
    pub fn tell(&self, phone: &str, day: &str, way: &[(i64, f64)]) {
        let begin: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
        for (second, metres) in way {
            let (tst, lat) = (begin.as_second() + second, 51.0 + metres / 111_195.0);
            let body = format!(
                r#"{{"_type":"location","topic":"owntracks/{phone}/phone","tid":"ph","tst":{tst},"lat":{lat},"lon":4.0,"acc":8,"batt":87}}"#
            );
            assert_eq!(post(self.owntracks, &body).status, 200);
        }
    }

    pub fn device(&self, phone: &str) -> DeviceId {
        let name = format!("owntracks/{phone}/phone");
        let found = self.data().devices.values().find(|d| d.device.identity.as_str() == name);
        found.expect("it has told something").device.id
    }

    /// Draws frames until `done`; time in the window goes on by a quarter of a second a frame.
    pub fn until(&mut self, what: &str, done: impl FnMut(&Harness<'static, App>) -> bool) {
        self.0.step_until(what, done);
        // What has just come takes its place.
        self.window.run_steps(3);
    }

    pub fn until_shown(&mut self, label: &str) {
        self.until(label, |window| window.query_all_by_label(label).next().is_some());
    }

    pub fn shows(&self, label: &str) -> bool {
        self.window.query_all_by_label(label).next().is_some()
    }

    pub fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.window.run_steps(4);
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run_steps(2);
    }

    /// The instant that is looked at, as `2026-11-20 09:10:00`.
    pub fn instant(&self) -> String {
        let at = self.view().instant_ms(NOW.parse().unwrap());
        self.view().date_time(Timestamp::from_millisecond(at).unwrap())
    }

    pub fn count(&self, query: &str) -> i64 {
        sql(self.folder.path(), query)
    }
}

/// Seconds of the day.
pub const fn at(hour: i64, minute: i64) -> i64 {
    hour * 3_600 + minute * 60
}

/// A day of a van: parked until nine, ten minutes north, half an hour at a customer, ten minutes back, parked.
pub fn day() -> Vec<(i64, f64)> {
    let mut way = vec![(at(8, 0), 0.0), (at(8, 30), 0.0), (at(9, 0), 0.0)];
    way.extend((1..=20).map(|n| (at(9, 0) + n * 30, f64::from(i32::try_from(n).unwrap()) * 400.0)));
    way.extend((1..=6).map(|n| (at(9, 10) + n * 300, 8_000.0)));
    way.extend((1..=20).map(|n| (at(9, 40) + n * 30, 8_000.0 - f64::from(i32::try_from(n).unwrap()) * 400.0)));
    way.extend([(at(9, 55), 0.0), (at(12, 0), 0.0)]);
    way
}
