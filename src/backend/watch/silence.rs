//! Devices that are not heard any more, and batteries that something else than a fix told of.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{ByDevice, Folds, should_read, watches_silence};
use crate::{
    model::{
        Readings, Timestamp,
        watch::{Book, Kind, Mutes},
    },
    store::{
        Error, Judged, NewEvent, Reader,
        watch::{self, Heard},
    },
};

/// Between two looks at all devices, by the clock.
const EVERY: SignedDuration = SignedDuration::from_secs(5);

/// So long after a start, or after sleep, devices come back and tell what they kept.
const SETTLES: SignedDuration = SignedDuration::from_mins(2);

/// What is known of the silence of devices.
pub(super) struct Silence {
    /// Before that nobody listened, so silence from before means nothing.
    started: Timestamp,
    looked: Option<Timestamp>,
    /// Nobody can have gone quiet before, if nothing arrives.
    next: Timestamp,
    /// Something arrived too soon after the last look, and has not been looked at.
    owed: bool,
    /// Those of which it is told already, and when they had been heard last then.
    told: ByDevice<Timestamp>,
    /// Whose battery was low when it was told of last.
    low: ByDevice<bool>,
}

impl Silence {
    pub(super) fn since(started: Timestamp) -> Self {
        Self { started, looked: None, next: started, owed: false, told: ByDevice::new(), low: ByDevice::new() }
    }

    /// Nobody listened until now: the computer slept, or its clock was wrong.
    pub(super) fn listens_since(&mut self, now: Timestamp) {
        (self.started, self.next) = (now, now);
    }

    /// Whether those who had something to tell have had the time to do so, since somebody listens.
    pub(super) fn is_settled(&self, now: Timestamp) -> bool {
        now.duration_since(self.started) >= SETTLES
    }

    #[expect(clippy::too_many_arguments, reason = "what a look needs, once")]
    pub(super) async fn look(
        &mut self,
        reader: &Reader,
        book: &Arc<Book>,
        mutes: &Mutes,
        folds: &mut Folds,
        now: Timestamp,
        arrived: bool,
        judged: &mut Judged,
    ) -> Result<(), Error> {
        let adapted = std::mem::take(&mut folds.adapted);
        let rested = self.looked.is_none_or(|looked| now.duration_since(looked).abs() >= EVERY);
        self.owed |= arrived;
        if !watches_silence(&book.rules) || !(adapted || rested && (self.owed || now >= self.next)) {
            return Ok(());
        }
        (self.looked, self.owed) = (Some(now), false);
        self.next = now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX);
        let heard = reader.read(watch::heard).answered().await?;
        folds.keep(|device| heard.contains_key(&device));
        self.told.retain(|device, _| heard.contains_key(device));
        self.low.retain(|device, _| heard.contains_key(device));
        for heard in heard.values() {
            self.battery(book, mutes, folds, heard, now, judged);
            self.quiet(reader, book, mutes, folds, heard, now, judged).await?;
        }
        Ok(())
    }

    fn battery(
        &mut self,
        book: &Book,
        mutes: &Mutes,
        folds: &Folds,
        heard: &Heard,
        now: Timestamp,
        judged: &mut Judged,
    ) {
        let rule = book.rules.of(heard.device).0.battery;
        let Some(percent) = heard.battery.filter(|_| rule.on) else { return };
        let was = self.low.get(&heard.device).copied();
        let Some(low) = rule.is_low(was, percent) else { return };
        self.low.insert(heard.device, low);
        // What was low before anybody listened is no news, and neither is what a fix told.
        let news = was.is_some() || heard.at >= self.started;
        let by_fix = folds.known(heard.device).is_some_and(crate::model::watch::Course::low);
        if low && was != Some(true) && news && !by_fix {
            let raised = rule.event(percent, heard.at, heard.packet);
            let unread = should_read(heard.at, heard.device, mutes, now);
            let event = NewEvent::of(heard.device, raised, unread);
            judged.new.push(NewEvent { made_by_positions: false, ..event });
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a look needs, once")]
    async fn quiet(
        &mut self,
        reader: &Reader,
        book: &Arc<Book>,
        mutes: &Mutes,
        folds: &mut Folds,
        heard: &Heard,
        now: Timestamp,
        judged: &mut Judged,
    ) -> Result<(), Error> {
        let rule = book.rules.of(heard.device).0.quiet;
        if !rule.on {
            self.told.remove(&heard.device);
            return Ok(());
        }
        let since = heard.at.max(self.started);
        let least = SignedDuration::from_mins(rule.least_min.into());
        let after = |span: SignedDuration| since.saturating_add(span).unwrap_or(Timestamp::MAX);
        if now < after(least) {
            self.told.remove(&heard.device);
            self.next = self.next.min(after(least));
            return Ok(());
        }
        if self.told.get(&heard.device) == Some(&heard.at) {
            return Ok(());
        }
        let usually = folds.course(reader, book, heard.device, now).await?.usually();
        let rhythms = i32::try_from(rule.rhythms).unwrap_or(i32::MAX);
        let quiet_at = after(usually.checked_mul(rhythms).unwrap_or(SignedDuration::MAX).max(least));
        if now < quiet_at {
            self.next = self.next.min(quiet_at);
            return Ok(());
        }
        self.told.insert(heard.device, heard.at);
        let device = heard.device;
        let told_at = reader.read(move |db| watch::last_quiet(db, device)).answered().await?;
        if told_at.is_some_and(|at| at >= heard.at) {
            return Ok(());
        }
        let mut attributes = Readings::new();
        attributes.set("lastHeard", heard.at.to_string());
        attributes.set("usuallySeconds", usually.as_secs());
        judged.new.push(NewEvent {
            device,
            at: quiet_at,
            kind: Kind::Quiet,
            place: None,
            attributes,
            cause: heard.packet,
            made_by_positions: false,
            unread: should_read(quiet_at, device, mutes, now),
        });
        Ok(())
    }
}
