//! What a person sets up for phones, within a batch: passwords, keys, who sees whom, cards, and packets that a key has opened.

use rusqlite::{OptionalExtension, Result, params};

use super::{Parting, Writer, batch::Batch, write::Write};
use crate::model::{
    Card, Command, CommandState, DeviceId, Identity, NewPacket, PacketId, PhoneBook, Protocol, Secret, Sender,
    Timestamp,
};
use crate::store::{Error, Pending, phones, row};

/// What a batch changed that [`PhoneBook`] tells.
#[derive(Debug, Default)]
pub(super) struct PhoneChanges {
    /// Something that was set up, or a command.
    pub(super) set: bool,
    /// A phone was made, renamed, decided about or removed.
    pub(super) names: bool,
}

/// Something to write about a phone.
#[derive(Debug, Clone)]
pub(in crate::store) enum PhoneWrite {
    /// Sets a password, or takes it away.
    Login { user: String, device: Option<DeviceId>, hash: Option<Secret> },
    /// Sets the secret that a phone encrypts with, or takes it away.
    Key { device: DeviceId, secret: Option<Secret> },
    /// Whether `viewer` is told where `seen` is.
    Sees { viewer: DeviceId, seen: DeviceId, told: bool },
    /// Attaches a name to a device before anybody came under it, or takes one away.
    Alias { device: DeviceId, name: Identity, attached: bool },
    /// Attaches the names of `from` to `to`, and moves what was kept.
    SameAs { from: DeviceId, to: DeviceId },
    /// Takes a name away, with everything that came in under it.
    Part(Parting),
    /// Kept packets that a key has opened.
    Opened(Vec<OpenedPacket>),
}

/// A kept packet that a key has opened.
#[derive(Debug, Clone)]
pub struct OpenedPacket {
    pub id: PacketId,
    /// Whose key it was.
    pub holder: DeviceId,
    /// As it would have come in, had the key been there. Its bytes are not written again.
    pub packet: NewPacket,
}

impl Writer {
    /// Sets a password, as its salted hash, for one device or for everything that a user posts; `None` takes it away.
    pub fn set_login(&self, user: String, device: Option<DeviceId>, hash: Option<Secret>) -> Pending<u64> {
        self.push(PhoneWrite::Login { user, device, hash }, Write::Phone)
    }

    /// Sets the secret that a phone encrypts with; `None` takes it away. What was kept closed is opened by [`Writer::opened`].
    pub fn set_phone_key(&self, device: DeviceId, secret: Option<Secret>) -> Pending<u64> {
        self.push(PhoneWrite::Key { device, secret }, Write::Phone)
    }

    /// Whether `viewer` is told where `seen` is.
    pub fn set_sees(&self, viewer: DeviceId, seen: DeviceId, told: bool) -> Pending<u64> {
        self.push(PhoneWrite::Sees { viewer, seen, told }, Write::Phone)
    }

    /// Attaches a name to a device, or takes it away. Where somebody came under that name, it is [`Writer::same_as`].
    pub fn set_alias(&self, device: DeviceId, name: Identity, attached: bool) -> Pending<u64> {
        self.push(PhoneWrite::Alias { device, name, attached }, Write::Phone)
    }

    /// Says that both are one device: `to` gets the names of `from` and everything that was kept of it. Answers how many positions that is.
    pub fn same_as(&self, from: DeviceId, to: DeviceId) -> Pending<u64> {
        self.push(PhoneWrite::SameAs { from, to }, Write::Phone)
    }

    /// Takes a name away from a device, and makes one of its own of everything that came in under it. Answers how many positions it has.
    pub fn part(&self, parting: Parting) -> Pending<u64> {
        self.push(PhoneWrite::Part(parting), Write::Phone)
    }

    /// Writes what kept packets tell, now that a key has opened them. Answers how many were still closed.
    pub fn opened(&self, packets: Vec<OpenedPacket>) -> Pending<u64> {
        self.push(PhoneWrite::Opened(packets), Write::Phone)
    }

    /// Takes the commands that wait for a phone, oldest first; each is given out once. Those whose time is over are marked so.
    pub fn take_phone_commands(&self, device: DeviceId, now: Timestamp) -> Pending<Vec<Command>> {
        self.push((device, now), Write::TakeCommands)
    }
}

impl Batch<'_> {
    /// Answers how many rows that are of interest it made: opened packets, moved positions.
    pub(super) fn phone(&mut self, write: &PhoneWrite) -> Result<std::result::Result<u64, Error>> {
        self.phones.set = true;
        match write {
            PhoneWrite::Login { user, device, hash } => self.login(user, *device, hash.as_ref()),
            PhoneWrite::Key { device, secret } => self.key(*device, secret.as_ref()),
            PhoneWrite::Sees { viewer, seen, told } => self.sees(*viewer, *seen, *told),
            PhoneWrite::Alias { device, name, attached } => self.alias(*device, name, *attached),
            PhoneWrite::SameAs { from, to } => self.same_as(*from, *to),
            PhoneWrite::Part(parting) => self.part(parting),
            PhoneWrite::Opened(packets) => self.opened(packets).map(Ok),
        }
    }

    fn login(
        &mut self,
        user: &str,
        device: Option<DeviceId>,
        hash: Option<&Secret>,
    ) -> Result<std::result::Result<u64, Error>> {
        if let Some(id) = device.filter(|id| self.devices.get(*id).is_none()) {
            return Ok(Err(no_such(id)));
        }
        let device = device.map(|id| id.0);
        self.db
            .prepare_cached("DELETE FROM logins WHERE user = ?1 AND device_id IS ?2")?
            .execute(params![user, device])?;
        if let Some(hash) = hash {
            self.db
                .prepare_cached("INSERT INTO logins(user, device_id, hash) VALUES (?1, ?2, ?3)")?
                .execute(params![user, device, hash.reveal()])?;
        }
        Ok(Ok(0))
    }

    fn key(&mut self, device: DeviceId, secret: Option<&Secret>) -> Result<std::result::Result<u64, Error>> {
        if self.devices.get(device).is_none() {
            return Ok(Err(no_such(device)));
        }
        match secret {
            Some(secret) => self
                .db
                .prepare_cached("INSERT OR REPLACE INTO phone_keys(device_id, secret) VALUES (?1, ?2)")?
                .execute(params![device.0, secret.reveal()])?,
            None => self.db.prepare_cached("DELETE FROM phone_keys WHERE device_id = ?1")?.execute([device.0])?,
        };
        Ok(Ok(0))
    }

    fn sees(&mut self, viewer: DeviceId, seen: DeviceId, told: bool) -> Result<std::result::Result<u64, Error>> {
        if let Some(id) = [viewer, seen].into_iter().find(|id| self.devices.get(*id).is_none()) {
            return Ok(Err(no_such(id)));
        }
        let sql = if told && viewer != seen {
            "INSERT OR IGNORE INTO friends(viewer, seen) VALUES (?1, ?2)"
        } else {
            "DELETE FROM friends WHERE viewer = ?1 AND seen = ?2"
        };
        self.db.prepare_cached(sql)?.execute([viewer.0, seen.0])?;
        Ok(Ok(0))
    }

    fn alias(&mut self, device: DeviceId, name: &Identity, attached: bool) -> Result<std::result::Result<u64, Error>> {
        let Some(known) = self.devices.get(device) else { return Ok(Err(no_such(device))) };
        let protocol = known.overview.device.protocol;
        let holder = self.devices.find(protocol, name);
        match (attached, holder) {
            (true, Some(other)) if other == device => {}
            (true, Some(other)) => return self.same_as(other, device),
            (true, None) => self.also(protocol, name, device)?,
            (false, Some(other)) if other == device && known.overview.device.identity != *name => {
                self.db
                    .prepare_cached("DELETE FROM aliases WHERE protocol = ?1 AND identity = ?2")?
                    .execute(params![protocol.as_str(), name.as_str()])?;
                self.devices.no_longer(protocol, name, device);
            }
            (false, _) => {}
        }
        Ok(Ok(0))
    }

    /// Takes what waits for a phone: each is given out once, however many requests come at the same time.
    pub(super) fn take_commands(&mut self, device: DeviceId, now: Timestamp) -> Result<Vec<Command>> {
        let sql = format!(
            "UPDATE commands SET state = CASE WHEN expires_ms < ?2 THEN 'expired' ELSE 'sent' END,
               sent_ms = CASE WHEN expires_ms < ?2 THEN NULL ELSE ?2 END
             WHERE device_id = ?1 AND state = 'queued' RETURNING {}",
            row::COMMAND
        );
        let mut taken: Vec<_> = self
            .db
            .prepare_cached(&sql)?
            .query_map(params![device.0, now.as_millisecond()], row::command)?
            .collect::<Result<_>>()?;
        taken.sort_by_key(|command| command.id);
        for command in &taken {
            self.publish_command(command);
        }
        taken.retain(|command| command.state == CommandState::Sent);
        Ok(taken)
    }

    /// Keeps the name and face of a device, unless a later packet told others.
    pub(super) fn card(&mut self, device: DeviceId, card: &Card, packet: PacketId) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO cards(device_id, name, face, packet_id) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (device_id) DO UPDATE SET name = excluded.name, face = excluded.face,
                   packet_id = excluded.packet_id WHERE excluded.packet_id >= packet_id",
            )?
            .execute(params![device.0, card.name, card.face, packet.0])?;
        Ok(())
    }

    fn opened(&mut self, packets: &[OpenedPacket]) -> Result<u64> {
        let mut opened = 0;
        for OpenedPacket { id, holder, packet } in packets {
            let changed = self
                .db
                .prepare_cached("UPDATE packets SET kind = ?2, verdict = ?3 WHERE id = ?1 AND kind = 'encrypted'")?
                .execute(params![id.0, packet.kind, packet.verdict.as_str()])?;
            // It may have been opened or dropped since it was read.
            if changed == 0 {
                continue;
            }
            opened += 1;
            for report in &packet.reports {
                let device = match report.sender.as_ref().or(packet.sender.as_ref()) {
                    Some(Sender::Identity(identity)) => self.holder_as(*holder, identity, packet)?,
                    Some(Sender::Device(device)) => Some(*device),
                    None => Some(*holder),
                };
                if let Some(device) = device {
                    self.report(packet, *id, device, report)?;
                    // By a packet of long ago.
                    self.devices.change(device);
                }
            }
            // What was shown as closed must be read anew.
            self.missed = true;
        }
        Ok(opened)
    }

    /// The device of a name that stands in what `holder`'s key has opened.
    fn holder_as(&mut self, holder: DeviceId, identity: &Identity, packet: &NewPacket) -> Result<Option<DeviceId>> {
        if self.devices.find(packet.protocol, identity).is_none()
            && let Some(known) = self.devices.get(holder)
        {
            // Closed, it could only be called `jane/phone`; its topic says the same in full. Its key proves that it is the same phone.
            let short = known.overview.device.identity.clone();
            if identity.as_str().strip_suffix(short.as_str()).is_some_and(|before| before.ends_with('/')) {
                self.call(holder, identity)?;
                self.also(packet.protocol, &short, holder)?;
                return Ok(Some(holder));
            }
        }
        self.device_of(packet.protocol, identity, packet.received)
    }

    /// Gives a device another identity.
    fn call(&mut self, id: DeviceId, identity: &Identity) -> Result<()> {
        self.db
            .prepare_cached("UPDATE devices SET identity = ?2 WHERE id = ?1")?
            .execute(params![id.0, identity.as_str()])?;
        self.devices.call(id, identity);
        if let Some(known) = self.devices.get(id) {
            let device = known.overview.device.clone();
            self.publish_device(&device);
        }
        Ok(())
    }

    /// Attaches one more name to a device.
    pub(super) fn also(&mut self, protocol: Protocol, name: &Identity, id: DeviceId) -> Result<()> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO aliases(protocol, identity, device_id) VALUES (?1, ?2, ?3)")?
            .execute(params![protocol.as_str(), name.as_str(), id.0])?;
        self.devices.also(protocol, name.clone(), id);
        Ok(())
    }

    /// The book as this transaction leaves it.
    pub(super) fn phone_book(&self) -> Result<PhoneBook> {
        let mut book = phones::book(self.db)?;
        if !book.is_empty() {
            book.names = self.devices.named(Protocol::OwnTracks).collect();
        }
        Ok(book)
    }

    /// Removes what was set up for a device.
    pub(super) fn remove_phone(&mut self, id: DeviceId) -> Result<()> {
        for sql in [
            "DELETE FROM logins WHERE device_id = ?1",
            "DELETE FROM phone_keys WHERE device_id = ?1",
            "DELETE FROM aliases WHERE device_id = ?1",
            "DELETE FROM friends WHERE viewer = ?1 OR seen = ?1",
            "DELETE FROM cards WHERE device_id = ?1",
        ] {
            self.phones.set |= self.db.prepare_cached(sql)?.execute([id.0])? > 0;
        }
        Ok(())
    }

    /// Attaches the names of one device to another, and moves everything that was kept. Answers how many positions that is.
    fn same_as(&mut self, from: DeviceId, to: DeviceId) -> Result<std::result::Result<u64, Error>> {
        let Some(old) = self.devices.get(from).map(|known| known.overview.device.clone()) else {
            return Ok(Err(no_such(from)));
        };
        let Some(kept) = self.devices.get(to).map(|known| known.overview.device.clone()) else {
            return Ok(Err(no_such(to)));
        };
        if from == to || old.protocol != kept.protocol {
            let why = if from == to { "it is the same device already" } else { "they speak different protocols" };
            return Ok(Err(Error::Refused(why.to_owned())));
        }
        self.merge_chains(from, to)?;
        let (moved, first_ms) = self.give_positions(from, to)?;
        let ids = [from.0, to.0];
        let run = |sql: &str| self.db.prepare_cached(sql)?.execute(ids);
        for sql in [
            "UPDATE OR IGNORE events SET device_id = ?2 WHERE device_id = ?1",
            "UPDATE commands SET device_id = ?2 WHERE device_id = ?1",
            "UPDATE OR IGNORE cards SET device_id = ?2 WHERE device_id = ?1",
            "UPDATE OR IGNORE phone_keys SET device_id = ?2 WHERE device_id = ?1",
            "UPDATE OR IGNORE logins SET device_id = ?2 WHERE device_id = ?1",
            "UPDATE OR IGNORE friends SET viewer = ?2 WHERE viewer = ?1 AND seen <> ?2",
            "UPDATE OR IGNORE friends SET seen = ?2 WHERE seen = ?1 AND viewer <> ?2",
            "UPDATE aliases SET device_id = ?2 WHERE device_id = ?1",
            "UPDATE devices SET first_seen_ms = min(first_seen_ms, (SELECT first_seen_ms FROM devices WHERE id = ?1))
             WHERE id = ?2",
        ] {
            run(sql)?;
        }
        let names = self.devices.merge(from, to);
        // What both had is left over at the old one, and goes with it. Its packets are at the other one now.
        self.remove(from)?;
        if let Some(first_ms) = first_ms {
            self.judge_again(to, first_ms)?;
        }
        for name in names {
            self.also(kept.protocol, &name, to)?;
        }
        self.decide_together(old.state, to)?;
        let positions = self.count_positions(to)?;
        if let Some(known) = self.devices.change(to) {
            known.overview.positions = positions;
        }
        self.missed = true;
        Ok(Ok(moved as u64))
    }

    /// Links the packets of two devices into one chain, newest first, and gives all of them to `to`.
    fn merge_chains(&mut self, from: DeviceId, to: DeviceId) -> Result<()> {
        let mut read = self.db.prepare_cached("SELECT previous FROM packets WHERE id = ?1 AND device_id = ?2")?;
        let mut give = self.db.prepare_cached("UPDATE packets SET device_id = ?2 WHERE id = ?1")?;
        let mut link = self.db.prepare_cached("UPDATE packets SET previous = ?2 WHERE id = ?1")?;
        let head = |id| self.devices.get(id).and_then(|known| known.newest_packet);
        let (mut of_old, mut of_kept) = (head(from), head(to));
        // The packet seen last, and the one that it is linked to now.
        let mut last: Option<(PacketId, Option<PacketId>)> = None;
        // From the end of the old chain on nothing changes.
        while let Some(id) = of_old.max(of_kept) {
            let old = of_old == Some(id);
            let owner = if old { from } else { to };
            let previous = read.query_row([id.0, owner.0], |row| row.get::<_, Option<i64>>(0)).optional()?;
            let next = previous.flatten().map(PacketId);
            if previous.is_some() {
                if let Some((newer, linked)) = last
                    && linked != Some(id)
                {
                    link.execute([newer.0, id.0])?;
                }
                if old {
                    give.execute([id.0, to.0])?;
                }
                last = Some((id, next));
            }
            if old {
                of_old = next;
            } else {
                of_kept = next;
                if of_old.is_none() {
                    return Ok(());
                }
            }
        }
        if let Some((newer, Some(_))) = last {
            // A packet that is gone ended the chain here.
            link.execute(params![newer.0, None::<i64>])?;
        }
        Ok(())
    }
}

fn no_such(id: DeviceId) -> Error {
    Error::NoSuchDevice(format!("#{}", id.0))
}
