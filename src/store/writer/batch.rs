//! One transaction's worth of writes: packets into rows.

use rusqlite::{CachedStatement, Connection, Result, params};

use super::{
    Stored, devices::Devices, phones::PhoneChanges, quarantine::Quarantine, rederive::Reread, retention::Kept,
    slice::Slice,
};
use crate::model::{
    Committed, Device, DeviceId, DeviceState, Direction, Identity, NewPacket, NewReply, PacketId, PacketRow, Policy,
    Profile, Protocol, Report, Sender, Timestamp, Verdict,
};
use crate::store::{recent, row};

/// A transaction in work. Whoever made it commits it or rolls it back.
pub(super) struct Batch<'t> {
    pub(super) db: &'t Connection,
    insert_packet: CachedStatement<'t>,
    pub(super) insert_position: CachedStatement<'t>,
    pub(super) insert_event: CachedStatement<'t>,
    insert_learned: CachedStatement<'t>,
    pub(super) devices: &'t mut Devices,
    pub(super) quarantine: &'t mut Quarantine,
    pub(super) kept: &'t mut Kept,
    last_packet: &'t mut i64,
    policy: Policy,
    pub(super) now: Timestamp,
    /// `Some` where somebody listens.
    pub(super) facts: Option<Committed>,
    /// Something became untrue that no fact can say.
    pub(super) missed: bool,
    pub(super) phones: PhoneChanges,
    pub(super) reread: Reread,
    /// A command was queued or has come further.
    pub(super) commands_changed: bool,
    /// Places, rules or mutes changed.
    pub(super) watch_changed: bool,
    pub(super) packets: u64,
    pub(super) positions: u64,
}

/// What a batch works on.
pub(super) struct Ground<'t> {
    pub(super) db: &'t Connection,
    pub(super) devices: &'t mut Devices,
    pub(super) quarantine: &'t mut Quarantine,
    pub(super) kept: &'t mut Kept,
    /// The greatest id that was given to a packet. Ids are given here, so that none is given twice after a packet was removed.
    pub(super) last_packet: &'t mut i64,
    pub(super) policy: Policy,
    pub(super) now: Timestamp,
    /// Whether somebody listens.
    pub(super) heard: bool,
}

/// A point within a batch.
pub(super) struct Mark {
    facts: Option<[usize; 7]>,
    packets: u64,
    positions: u64,
}

/// Who a sender turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// The bytes do not say.
    Nobody,
    Refused,
    Device(DeviceId),
}

impl Who {
    fn device(self) -> Option<DeviceId> {
        match self {
            Self::Device(id) => Some(id),
            Self::Nobody | Self::Refused => None,
        }
    }
}

impl<'t> Batch<'t> {
    pub(super) fn new(ground: Ground<'t>) -> Result<Self> {
        let Ground { db, devices, quarantine, kept, last_packet, policy, now, heard } = ground;
        Ok(Self {
            db,
            insert_packet: db.prepare_cached(
                "INSERT INTO packets(id, received_ms, protocol, direction, peer, connection, device_id, kind, verdict,
                   context, answers, previous, held, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?,
            insert_position: db.prepare_cached(
                "INSERT INTO positions(device_id, fix_time_ms, received_ms, valid, suspect, latitude, longitude,
                   altitude_m, speed_kmh, course_deg, accuracy_m, attributes, packet_id, fix_key, message_id, id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) ON CONFLICT DO NOTHING",
            )?,
            insert_event: db.prepare_cached(
                "INSERT INTO events(device_id, time_ms, type, attributes, packet_id, event_key, unread)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, iif(?3 = 'alarm', 2, 0)) ON CONFLICT DO NOTHING",
            )?,
            insert_learned: db.prepare_cached(
                "INSERT INTO learned(packet_id, device_id, after_position, readings, lost_frames)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            devices,
            quarantine,
            kept,
            last_packet,
            policy,
            now,
            facts: heard.then(Committed::default),
            missed: false,
            phones: PhoneChanges::default(),
            reread: Reread::default(),
            commands_changed: false,
            watch_changed: false,
            packets: 0,
            positions: 0,
        })
    }

    /// Writes what is known of the devices that changed; the last thing before the commit.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.kept.flush(self.db, *self.last_packet)?;
        let facts = &mut self.facts;
        self.devices.flush(self.db, *self.last_packet, |device, readings| {
            if let Some(facts) = facts {
                facts.readings.push((device, readings.clone()));
            }
        })
    }

    /// Writes rows of what is known of devices that lack something, within a slice of time. True where there are more.
    pub(super) fn know_some(&mut self, slice: Slice) -> Result<bool> {
        self.devices.write_some(self.db, *self.last_packet, slice)
    }

    /// Writes all of them.
    pub(super) fn know_all(&mut self) -> Result<()> {
        self.flush()?;
        self.devices.write_all(self.db, *self.last_packet)
    }

    pub(super) fn admit(&mut self, protocol: Protocol, identity: &Identity, at: Timestamp) -> Result<Option<Device>> {
        let who = self.resolve_identity(protocol, identity, at)?;
        Ok(who.device().and_then(|id| self.devices.get(id)).map(|known| known.overview.device.clone()))
    }

    /// `read_with`: the profile that gave its reports, where one has a say in them.
    pub(super) fn packet(&mut self, packet: &NewPacket, read_with: Option<&Profile>) -> Result<Stored> {
        let sender = match &packet.sender {
            Some(sender) => self.resolve(packet.protocol, sender, packet.received)?,
            None => Who::Nobody,
        };
        let mut abouts = Vec::with_capacity(packet.reports.len());
        for report in &packet.reports {
            abouts.push(match &report.sender {
                Some(own) => self.resolve(packet.protocol, own, packet.received)?,
                None => sender,
            });
        }
        // A body without a sender of its own, all of whose elements are about one device, belongs to that device.
        let only = abouts.first().copied().filter(|first| abouts.iter().all(|about| about == first));
        let owner = if sender == Who::Nobody { only.unwrap_or(Who::Nobody) } else { sender };
        let refused = owner == Who::Refused;
        let device = owner.device();

        let verdict = if refused { Verdict::Error } else { packet.verdict };
        let id = self.packet_row(packet, device, verdict, None)?;
        if !refused {
            for reply in &packet.replies {
                self.packet_row(packet, device, Verdict::Ok, Some((reply, id)))?;
            }
        }
        let last = PacketId(*self.last_packet);
        if let Some(read_with) = read_with
            && let Some(known) = device.and_then(|device| self.devices.get(device))
            && !known.overview.device.profile.reads_like(read_with)
        {
            self.ask_to_rederive_once(known.overview.device.id)?;
        }
        let mut new_fixes = 0;
        for (report, about) in packet.reports.iter().zip(abouts) {
            if let Some(device) = about.device() {
                new_fixes += usize::from(self.report(packet, id, device, report)?);
            }
        }
        Ok(Stored { packet: id, last, device, refused, new_fixes })
    }

    fn resolve(&mut self, protocol: Protocol, sender: &Sender, at: Timestamp) -> Result<Who> {
        match sender {
            // Forgotten while it was connected: a refusal closes the connection, and its next login makes it anew.
            Sender::Device(id) if self.devices.get(*id).is_none() => Ok(Who::Refused),
            Sender::Device(id) => Ok(Who::Device(*id)),
            Sender::Identity(identity) => self.resolve_identity(protocol, identity, at),
        }
    }

    /// The device that a name stands for; `None` where the policy refuses it.
    pub(super) fn device_of(
        &mut self,
        protocol: Protocol,
        identity: &Identity,
        at: Timestamp,
    ) -> Result<Option<DeviceId>> {
        Ok(self.resolve_identity(protocol, identity, at)?.device())
    }

    fn resolve_identity(&mut self, protocol: Protocol, identity: &Identity, at: Timestamp) -> Result<Who> {
        let found = self.devices.find(protocol, identity);
        let state = found.and_then(|id| self.devices.get(id)).map(|known| known.overview.device.state);
        match (found, state) {
            (Some(id), Some(DeviceState::Adopted | DeviceState::Ignored)) => Ok(Who::Device(id)),
            (Some(id), Some(DeviceState::New)) => match self.policy {
                Policy::Ask => Ok(Who::Device(id)),
                Policy::Adopt => self.decide(id, DeviceState::Adopted, None).map(|()| Who::Device(id)),
                Policy::Strict => Ok(Who::Refused),
            },
            (None, _) | (_, None) => match self.policy {
                Policy::Ask => self.make(protocol, identity, DeviceState::New, None, at).map(Who::Device),
                Policy::Adopt => self.make(protocol, identity, DeviceState::Adopted, None, at).map(Who::Device),
                Policy::Strict => Ok(Who::Refused),
            },
        }
    }

    /// Makes a device.
    pub(super) fn make(
        &mut self,
        protocol: Protocol,
        identity: &Identity,
        state: DeviceState,
        name: Option<&str>,
        at: Timestamp,
    ) -> Result<DeviceId> {
        self.db
            .prepare_cached(
                "INSERT INTO devices(identity, protocol, name, state, first_seen_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![identity.as_str(), protocol.as_str(), name, state.as_str(), at.as_millisecond()])?;
        let device = Device {
            id: DeviceId(self.db.last_insert_rowid()),
            identity: identity.clone(),
            protocol,
            name: name.map(str::to_owned),
            state,
            profile: Profile::default(),
            first_seen: to_ms(at),
            last_heard: None,
        };
        let id = device.id;
        self.publish_device(&device);
        self.devices.insert(device);
        self.quarantine.undecided += usize::from(state == DeviceState::New);
        Ok(id)
    }

    /// Where the facts end, for [`Batch::undo`].
    pub(super) fn mark(&self) -> Mark {
        let facts = self.facts.as_ref().map(|facts| {
            let Committed {
                packets,
                fixes,
                events,
                devices,
                readings,
                commands,
                removed: _,
                rederived: _,
                watch: _,
                notes,
            } = facts;
            [packets.len(), fixes.len(), events.len(), devices.len(), readings.len(), commands.len(), notes.len()]
        });
        Mark { facts, packets: self.packets, positions: self.positions }
    }

    /// Forgets what was written since the mark: the caller has rolled it back.
    pub(super) fn undo(&mut self, mark: &Mark) -> Result<()> {
        (self.packets, self.positions) = (mark.packets, mark.positions);
        if let (Some(facts), Some([packets, fixes, events, devices, readings, commands, notes])) =
            (&mut self.facts, mark.facts)
        {
            facts.packets.truncate(packets);
            facts.fixes.truncate(fixes);
            facts.events.truncate(events);
            facts.devices.truncate(devices);
            facts.readings.truncate(readings);
            facts.commands.truncate(commands);
            facts.notes.truncate(notes);
        }
        self.devices.reload(self.db)?;
        *self.quarantine = Quarantine::load(self.db, self.devices)?;
        *self.kept = Kept::load(self.db)?;
        Ok(())
    }

    pub(super) fn publish_device(&mut self, device: &Device) {
        self.phones.names |= device.protocol == Protocol::OwnTracks;
        if let Some(facts) = &mut self.facts {
            facts.devices.push(device.clone());
        }
    }

    /// Writes one row of `packets`: the packet itself, or one of its replies with the row that it answers.
    fn packet_row(
        &mut self,
        packet: &NewPacket,
        device: Option<DeviceId>,
        verdict: Verdict,
        reply: Option<(&NewReply, PacketId)>,
    ) -> Result<PacketId> {
        *self.last_packet += 1;
        let id = PacketId(*self.last_packet);
        let answers = reply.map(|(_, answered)| answered).or(packet.answers);
        let (direction, kind, bytes, context) = match reply {
            Some((reply, _)) => (Direction::Out, &reply.kind, &reply.bytes, None),
            None => (packet.direction, &packet.kind, &packet.bytes, packet.context.as_deref()),
        };
        let known = device.and_then(|id| self.devices.hear(id));
        let size = bytes.len() + context.map_or(0, str::len);
        let held = match &known {
            Some(known) if known.adopted() => {
                self.kept.add(size);
                None
            }
            Some(_) | None => Some(self.quarantine.hold(size)),
        };
        let mut previous = None;
        if let Some(known) = known {
            previous = known.newest_packet.replace(id);
            known.overview.packets += 1;
            if direction == Direction::In {
                let heard = to_ms(packet.received);
                let last = &mut known.overview.device.last_heard;
                *last = Some(last.map_or(heard, |last| last.max(heard)));
            }
        }
        self.insert_packet.execute(params![
            id.0,
            packet.received.as_millisecond(),
            packet.protocol.as_str(),
            direction.as_str(),
            packet.peer,
            packet.connection.cast_signed(),
            device.map(|d| d.0),
            kind,
            verdict.as_str(),
            context,
            answers.map(|p| p.0),
            previous.map(|p| p.0),
            held,
            bytes,
        ])?;
        self.packets += 1;
        if let Some(facts) = &mut self.facts {
            facts.packets.push(PacketRow {
                id,
                received: to_ms(packet.received),
                protocol: packet.protocol,
                direction,
                peer: packet.peer.clone(),
                connection: packet.connection,
                device,
                kind: kind.clone(),
                verdict,
                bytes: bytes.as_slice().into(),
                context: context.map(Into::into),
                answers,
            });
        }
        Ok(id)
    }

    /// Writes what a report told. True where its fix was not there before.
    pub(super) fn report(
        &mut self,
        packet: &NewPacket,
        id: PacketId,
        device: DeviceId,
        report: &Report,
    ) -> Result<bool> {
        let new = match &report.fix {
            Some(fix) => self.position(id, device, report, fix, packet.received)?,
            None => None,
        };
        for event in &report.events {
            self.event(id, device, event, report.trust)?;
        }
        if let Some(card) = &report.card {
            self.card(device, card, id)?;
        }
        if let Some(known) = self.devices.hear(device) {
            known.learn(report, new.as_ref());
        }
        if let Some((readings, lost_frames)) = recent::learned(report) {
            let after = self.devices.trails.last_position;
            self.insert_learned.execute(params![id.0, device.0, after, readings, lost_frames])?;
        }
        let is_new = new.is_some();
        if let (Some(facts), Some(fix)) = (&mut self.facts, new) {
            facts.fixes.push(fix);
        }
        Ok(is_new)
    }
}

/// A moment as the file keeps it, so that a fact says the same as the row that it tells of.
pub(super) fn to_ms(at: Timestamp) -> Timestamp {
    row::time(at.as_millisecond())
}
