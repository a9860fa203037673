//! Questions about what was set up for phones, as plain functions over a connection (see [`super::query`]).

use std::collections::HashMap;

use rusqlite::{Connection, Result, Row, params};

use super::{
    recent,
    row::{self, COMMAND},
};
use crate::model::{
    Card, ClosedPacket, Command, DeviceId, DeviceOverview, DeviceState, Identity, Login, PacketId, PhoneBook, PhoneRow,
    Protocol, Secret, StoredCard,
};

/// Commands that a phone's next answers look at; more than anybody queues.
const MOST_COMMANDS: i64 = 10_000;

/// Everything the receiver asks about phones, but for their names.
pub fn book(db: &Connection) -> Result<PhoneBook> {
    let mut book = PhoneBook::default();
    each(db, "SELECT user, device_id, hash FROM logins ORDER BY id", |row| {
        if let Some(hash) = Secret::new(row.get::<_, String>(2)?) {
            book.logins.push(Login { user: row.get(0)?, device: row.get::<_, Option<i64>>(1)?.map(DeviceId), hash });
        }
        Ok(())
    })?;
    each(db, "SELECT device_id, secret FROM phone_keys", |row| {
        if let Some(secret) = Secret::new(row.get::<_, String>(1)?) {
            book.keys.insert(DeviceId(row.get(0)?), secret);
        }
        Ok(())
    })?;
    book.sees = sees(db)?;
    let commands = format!(
        "SELECT {COMMAND} FROM commands WHERE state IN ('queued', 'sent')
           AND device_id IN (SELECT id FROM devices WHERE protocol = 'owntracks')
         ORDER BY id LIMIT {MOST_COMMANDS}"
    );
    each(db, &commands, |row| {
        let command: Command = row::command(row)?;
        book.commands.entry(command.device).or_default().push(command);
        Ok(())
    })?;
    Ok(book)
}

/// Names that were attached by hand.
pub(super) fn aliases(db: &Connection) -> Result<Vec<(Protocol, Identity, DeviceId)>> {
    let mut aliases = Vec::new();
    each(db, "SELECT protocol, identity, device_id FROM aliases", |row| {
        // What a newer program wrote is skipped.
        if let (Some(protocol), Some(identity)) =
            (Protocol::parse(row.get_ref(0)?.as_str()?), Identity::new(row.get::<_, String>(1)?))
        {
            aliases.push((protocol, identity, DeviceId(row.get(2)?)));
        }
        Ok(())
    })?;
    Ok(aliases)
}

/// These devices with their cards, in this order; adopted ones only.
pub fn friends(db: &Connection, devices: &[DeviceId]) -> Result<Vec<(DeviceOverview, Option<StoredCard>)>> {
    let adopted = |row: &recent::Row| row.overview.device.state == DeviceState::Adopted;
    let found = recent::some(db, devices)?.into_iter().filter(adopted).map(|row| {
        let card = card(db, row.overview.device.id)?;
        Ok((row.overview, card))
    });
    found.collect()
}

/// The secret that a phone encrypts with.
pub fn key(db: &Connection, device: DeviceId) -> Result<Option<Secret>> {
    let mut select = db.prepare_cached("SELECT secret FROM phone_keys WHERE device_id = ?1")?;
    let mut rows = select.query_map([device.0], |row| row.get::<_, String>(0))?;
    Ok(rows.next().transpose()?.and_then(Secret::new))
}

/// Names that were attached to a device by hand.
pub fn aliases_of(db: &Connection, device: DeviceId) -> Result<Vec<Identity>> {
    Ok(aliases(db)?.into_iter().filter(|(_, _, holder)| *holder == device).map(|(_, name, _)| name).collect())
}

/// True where a phone is called this already, by itself or by hand.
pub fn is_taken(db: &Connection, name: &Identity) -> Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM devices WHERE protocol = 'owntracks' AND identity = ?1)
             OR EXISTS (SELECT 1 FROM aliases WHERE protocol = 'owntracks' AND identity = ?1)",
    )?
    .query_row([name.as_str()], |row| row.get(0))
}

/// How many kept packets of a device no key has opened.
pub fn count_closed(db: &Connection, device: DeviceId) -> Result<u64> {
    db.prepare_cached("SELECT count(*) FROM packets WHERE kind = 'encrypted' AND device_id = ?1")?
        .query_row([device.0], |row| row::count(row, 0))
}

/// The last card of a device.
pub fn card(db: &Connection, device: DeviceId) -> Result<Option<StoredCard>> {
    let mut select = db.prepare_cached("SELECT name, face, packet_id FROM cards WHERE device_id = ?1")?;
    let mut rows = select.query_map([device.0], |row| stored_card(row, 0))?;
    rows.next().transpose()
}

/// Every phone with what was set up for it; those without anything are left out.
pub fn list(db: &Connection) -> Result<Vec<PhoneRow>> {
    let mut rows: HashMap<DeviceId, PhoneRow> = HashMap::new();
    let mut at = |id: DeviceId, change: &mut dyn FnMut(&mut PhoneRow)| {
        change(rows.entry(id).or_insert_with(|| PhoneRow::new(id)));
    };
    for login in book(db)?.logins {
        if let Some(device) = login.device {
            at(device, &mut |row| row.users.push(login.user.clone()));
        }
    }
    each(db, "SELECT device_id FROM phone_keys", |row| {
        at(DeviceId(row.get(0)?), &mut |phone| phone.has_key = true);
        Ok(())
    })?;
    for (_, identity, device) in aliases(db)? {
        at(device, &mut |row| row.also.push(identity.clone()));
    }
    for (viewer, seen) in sees(db)? {
        at(viewer, &mut |row| row.sees.clone_from(&seen));
    }
    each(db, "SELECT device_id, name, face, packet_id FROM cards", |row| {
        let card = stored_card(row, 1)?;
        at(DeviceId(row.get(0)?), &mut |phone| phone.card = Some(card.clone()));
        Ok(())
    })?;
    let closed = "SELECT device_id, count(*), max(received_ms) FROM packets
                  WHERE kind = 'encrypted' AND device_id IS NOT NULL GROUP BY device_id";
    each(db, closed, |row| {
        let (count, last) = (row::count(row, 1)?, row::time(row.get(2)?));
        at(DeviceId(row.get(0)?), &mut |phone| (phone.closed, phone.last_closed) = (count, Some(last)));
        Ok(())
    })?;
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by_key(|row| row.device);
    Ok(rows)
}

/// Users with a password for everything they post.
pub fn users(db: &Connection) -> Result<Vec<String>> {
    Ok(book(db)?.logins.into_iter().filter(|login| login.device.is_none()).map(|login| login.user).collect())
}

/// Kept packets of a device that no key has opened yet, oldest first, with an id beyond `after`.
pub fn closed(db: &Connection, device: DeviceId, after: PacketId, limit: usize) -> Result<Vec<ClosedPacket>> {
    let mut packets = Vec::new();
    let mut select = db.prepare_cached(
        "SELECT id, received_ms, bytes, context FROM packets
         WHERE kind = 'encrypted' AND device_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut rows = select.query(params![device.0, after.0, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        packets.push(ClosedPacket {
            id: PacketId(row.get(0)?),
            device,
            received: row::time(row.get(1)?),
            bytes: row.get(2)?,
            context: row.get(3)?,
        });
    }
    Ok(packets)
}

fn sees(db: &Connection) -> Result<HashMap<DeviceId, Vec<DeviceId>>> {
    let mut sees: HashMap<_, Vec<_>> = HashMap::new();
    each(db, "SELECT viewer, seen FROM friends ORDER BY viewer, seen", |row| {
        sees.entry(DeviceId(row.get(0)?)).or_default().push(DeviceId(row.get(1)?));
        Ok(())
    })?;
    Ok(sees)
}

fn stored_card(row: &Row<'_>, first: usize) -> Result<StoredCard> {
    let card = Card { name: row.get(first)?, face: row.get(first + 1)? };
    Ok(StoredCard { card, packet: PacketId(row.get(first + 2)?) })
}

fn each(db: &Connection, sql: &str, mut take: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}
