//! What is watched for, within a batch: places, rules, mutes, and the events that came of them.

use rusqlite::{Result, params};

use super::{
    Writer,
    batch::{Batch, to_ms},
    decide::no_such,
    told::event_key,
    write::Write,
};
use crate::model::{
    DeviceId, PacketId, Readings, StoredEvent, Timestamp, Trust,
    watch::{Kind, Mute, PlaceId, PlaceSpec, Raised, Rules},
};
use crate::store::{
    Error, Pending, row,
    watch::{ALL, moved_mark},
};

/// Something to write about what is watched for.
#[derive(Debug, Clone)]
pub(in crate::store) enum WatchWrite {
    PutPlace {
        id: Option<PlaceId>,
        since: Option<Timestamp>,
        spec: PlaceSpec,
    },
    RemovePlace(PlaceId),
    Rules {
        device: Option<DeviceId>,
        rules: Option<Rules>,
    },
    Mute {
        device: Option<DeviceId>,
        mute: Option<Mute>,
    },
    /// Those with these ids; `None`: all.
    Read {
        events: Option<Vec<i64>>,
        unread: bool,
    },
    Judged(Judged),
}

/// What came of a look at positions, silence and alarms.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// Everything up to this position was looked at.
    pub upto: Option<i64>,
    /// Events that positions do not make any more.
    pub gone: Vec<i64>,
    pub new: Vec<NewEvent>,
    /// Alarms that were looked at, and whether somebody should read them.
    pub alarms: Vec<(i64, bool)>,
    /// Marks of [`crate::store::watch::moved`] that were seen to.
    pub moved: Vec<String>,
}

impl Judged {
    /// True where there is nothing to write but how far it got.
    pub fn is_quiet(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty() && self.alarms.is_empty() && self.moved.is_empty()
    }
}

/// An event that no packet tells.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub device: DeviceId,
    pub at: Timestamp,
    pub kind: Kind,
    pub place: Option<PlaceId>,
    pub attributes: Readings,
    /// The packet that shows it.
    pub cause: PacketId,
    /// Positions say so, not silence.
    pub made_by_positions: bool,
    pub unread: bool,
}

impl NewEvent {
    /// Of what positions made.
    pub fn of(device: DeviceId, raised: Raised, unread: bool) -> Self {
        let Raised { at, kind, place, attributes, packet } = raised;
        Self { device, at, kind, place, attributes, cause: packet, made_by_positions: true, unread }
    }

    /// Tells events of one moment and kind apart.
    pub fn key(&self) -> i64 {
        event_key(&row::json(&self.attributes, Trust::Good))
    }
}

impl Writer {
    /// Writes a place, a new one without an id; answers the id. One that moves, or concerns others, makes events from now on only, unless
    /// `since` says otherwise: to bring one back as it was.
    pub fn put_place(&self, id: Option<PlaceId>, since: Option<Timestamp>, spec: PlaceSpec) -> Pending<u64> {
        self.push(WatchWrite::PutPlace { id, since, spec }, Write::Watch)
    }

    /// Takes a place away. Its events stay.
    pub fn remove_place(&self, id: PlaceId) -> Pending<u64> {
        self.push(WatchWrite::RemovePlace(id), Write::Watch)
    }

    /// Sets the rules for a device, or for all that have none of their own; `None` goes back to those for all, or to the program's.
    pub fn set_rules(&self, device: Option<DeviceId>, rules: Option<Rules>) -> Pending<u64> {
        self.push(WatchWrite::Rules { device, rules }, Write::Watch)
    }

    /// Mutes a device, or everything; `None` says that it may be heard again.
    pub fn set_mute(&self, device: Option<DeviceId>, mute: Option<Mute>) -> Pending<u64> {
        self.push(WatchWrite::Mute { device, mute }, Write::Watch)
    }

    /// Marks events as read, or unread again; `None`: all. Answers how many that changed.
    pub fn read_events(&self, events: Option<Vec<i64>>, unread: bool) -> Pending<u64> {
        self.push(WatchWrite::Read { events, unread }, Write::Watch)
    }

    /// Writes what a look at positions, silence and alarms found.
    pub fn judged(&self, judged: Judged) -> Pending<u64> {
        self.push(WatchWrite::Judged(judged), Write::Watch)
    }
}

impl Batch<'_> {
    /// Answers the id of a place, or how many rows changed.
    pub(super) fn watch(&mut self, write: &WatchWrite) -> Result<std::result::Result<u64, Error>> {
        match write {
            WatchWrite::PutPlace { id, since, spec } => self.put_place(*id, *since, spec),
            WatchWrite::RemovePlace(id) => self.remove_place(*id),
            WatchWrite::Rules { device, rules } => self.set_rules(*device, rules.as_ref()),
            WatchWrite::Mute { device, mute } => self.set_mute(*device, *mute),
            WatchWrite::Read { events, unread } => self.read_events(events.as_deref(), *unread),
            WatchWrite::Judged(judged) => self.judged(judged),
        }
    }

    fn put_place(
        &mut self,
        id: Option<PlaceId>,
        since: Option<Timestamp>,
        spec: &PlaceSpec,
    ) -> Result<std::result::Result<u64, Error>> {
        if let Some(fault) = spec.fault() {
            return Ok(Err(Error::Refused(fault.to_owned())));
        }
        let was = match id {
            Some(id) => crate::store::watch::places(self.db)?.into_iter().find(|place| place.id == id),
            None => None,
        };
        let as_it_was = was.filter(|was| was.spec.watches_like(spec)).map(|was| was.since);
        let since = since.or(as_it_was).unwrap_or(self.now);
        let shape = serde_json::to_string(&spec.shape).expect("a shape is plain data");
        let devices = spec.devices.as_ref().map(|ids| serde_json::to_string(ids).expect("ids are plain data"));
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO places(id, name, colour, shape, devices, enter, leave, dwell_min, since_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id.map(|id| id.0),
                spec.name.trim(),
                spec.colour.to_hex(),
                shape,
                devices,
                spec.enter,
                spec.leave,
                spec.dwell_min,
                since.as_millisecond(),
            ])?;
        self.book_changed();
        Ok(Ok(self.db.last_insert_rowid().unsigned_abs()))
    }

    fn remove_place(&mut self, id: PlaceId) -> Result<std::result::Result<u64, Error>> {
        let removed = self.db.prepare_cached("DELETE FROM places WHERE id = ?1")?.execute([id.0])?;
        if removed == 0 {
            return Ok(Err(Error::Refused(format!("there is no place with the number {}", id.0))));
        }
        self.book_changed();
        Ok(Ok(1))
    }

    fn set_rules(
        &mut self,
        device: Option<DeviceId>,
        rules: Option<&Rules>,
    ) -> Result<std::result::Result<u64, Error>> {
        if let Some(id) = device.filter(|id| self.devices.get(*id).is_none()) {
            return Ok(Err(no_such(id)));
        }
        let id = device.map_or(ALL, |id| id.0);
        let changed = match rules {
            Some(rules) => {
                let text = serde_json::to_string(rules).expect("rules are plain data");
                let sql = "INSERT OR REPLACE INTO rules(device_id, rules, since_ms) VALUES (?1, ?2, ?3)";
                self.db.prepare_cached(sql)?.execute(params![id, text, self.now.as_millisecond()])?
            }
            None => self.db.prepare_cached("DELETE FROM rules WHERE device_id = ?1")?.execute([id])?,
        };
        self.book_changed();
        Ok(Ok(changed as u64))
    }

    fn set_mute(&mut self, device: Option<DeviceId>, mute: Option<Mute>) -> Result<std::result::Result<u64, Error>> {
        if let Some(id) = device.filter(|id| self.devices.get(*id).is_none()) {
            return Ok(Err(no_such(id)));
        }
        let id = device.map_or(ALL, |id| id.0);
        let changed = match mute {
            Some(mute) => self
                .db
                .prepare_cached("INSERT OR REPLACE INTO mutes(device_id, until_ms) VALUES (?1, ?2)")?
                .execute(params![id, mute.until.map(Timestamp::as_millisecond)])?,
            None => self.db.prepare_cached("DELETE FROM mutes WHERE device_id = ?1")?.execute([id])?,
        };
        self.book_changed();
        Ok(Ok(changed as u64))
    }

    fn read_events(&mut self, events: Option<&[i64]>, unread: bool) -> Result<std::result::Result<u64, Error>> {
        let changed = match events {
            None if unread => 0,
            None => self.db.prepare_cached("UPDATE events SET unread = 0 WHERE unread = 1")?.execute([])?,
            Some(ids) => {
                let mut set = self.db.prepare_cached("UPDATE events SET unread = ?2 WHERE id = ?1 AND unread <> ?2")?;
                ids.iter().map(|id| set.execute(params![id, unread])).sum::<Result<usize>>()?
            }
        };
        self.tell_watch();
        Ok(Ok(changed as u64))
    }

    fn judged(&mut self, judged: &Judged) -> Result<std::result::Result<u64, Error>> {
        let Judged { upto, gone, new, alarms, moved } = judged;
        for mark in moved {
            self.db.prepare_cached("DELETE FROM counters WHERE name = ?1")?.execute([mark])?;
        }
        for id in gone {
            self.db.prepare_cached("DELETE FROM events WHERE id = ?1 AND cause IS NOT NULL")?.execute([id])?;
        }
        let mut added = 0;
        for event in new {
            added += u64::from(self.new_event(event)?);
        }
        for (id, unread) in alarms {
            let sql = "UPDATE events SET unread = ?2 WHERE id = ?1 AND unread = 2";
            self.db.prepare_cached(sql)?.execute(params![id, unread])?;
        }
        if let Some(upto) = upto {
            // Positions that were removed meanwhile leave their ids to others.
            let sql = "INSERT OR REPLACE INTO counters(name, value)
                       VALUES ('watched_position', min(?1, (SELECT coalesce(max(id), 0) FROM positions)))";
            self.db.prepare_cached(sql)?.execute([upto])?;
        }
        if !judged.is_quiet() {
            self.tell_watch();
        }
        Ok(Ok(added))
    }

    /// False where it is there already, or the device is gone.
    fn new_event(&mut self, event: &NewEvent) -> Result<bool> {
        if self.devices.get(event.device).is_none() {
            return Ok(false);
        }
        let attributes = row::json(&event.attributes, Trust::Good);
        let added = self
            .db
            .prepare_cached(
                "INSERT INTO events(device_id, time_ms, type, attributes, packet_id, event_key, unread, cause,
                   made_by_positions, place_id)
                 VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                event.device.0,
                event.at.as_millisecond(),
                event.kind.as_str(),
                attributes,
                event_key(&attributes),
                event.unread,
                event.cause.0,
                event.made_by_positions,
                event.place.map(|id| id.0),
            ])?;
        if let (1, Some(facts)) = (added, &mut self.facts) {
            facts.events.push(StoredEvent {
                id: self.db.last_insert_rowid(),
                device: event.device,
                at: to_ms(event.at),
                kind: event.kind.as_str().into(),
                attributes: event.attributes.clone(),
                packet: event.cause,
                unread: event.unread,
            });
        }
        Ok(added > 0)
    }

    /// Removes what was set up for a device.
    pub(super) fn remove_watch(&mut self, id: DeviceId) -> Result<()> {
        for sql in ["DELETE FROM rules WHERE device_id = ?1", "DELETE FROM mutes WHERE device_id = ?1"] {
            self.watch_changed |= self.db.prepare_cached(sql)?.execute([id.0])? > 0;
        }
        let sql = "UPDATE counters SET value = min(value, (SELECT coalesce(max(id), 0) FROM positions))
                   WHERE name = 'watched_position'";
        self.db.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Positions from this moment on are another device's now: the watch looks at them again, and if the program ends before that, later.
    pub(super) fn judge_again(&mut self, device: DeviceId, from_ms: i64) -> Result<()> {
        let mark = moved_mark(device, self.now);
        self.db
            .prepare_cached(
                "INSERT INTO counters(name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = min(value, ?2)",
            )?
            .execute(params![mark, from_ms])?;
        Ok(())
    }

    fn book_changed(&mut self) {
        self.watch_changed = true;
        self.tell_watch();
    }

    fn tell_watch(&mut self) {
        if let Some(facts) = &mut self.facts {
            facts.watch = true;
        }
    }
}
