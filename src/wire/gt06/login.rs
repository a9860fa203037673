//! Login: who is talking, and in which zone its clock runs.

use crate::model::{Group, Severity};
use crate::wire::{
    Value,
    cursor::{Cursor, Read},
};

use super::told::Told;

/// 0x01: IMEI, then maybe a type code and the zone word.
pub(super) fn login(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    told.device = Some(imei(c, "IMEI")?);
    if c.left() >= 4 {
        c.named("Type code", 2, |_| "")?;
        told.login_zone_s = zone(c)?;
    }
    Ok(())
}

/// Eight bytes of packed digits, the first of them the 0 that fills up 15 digits.
pub(super) fn imei(c: &mut Cursor<'_>, name: &'static str) -> Read<String> {
    let start = c.at();
    let imei = c.under("gt06.md §3.9", |c| {
        c.field(name, 8, "", |raw| {
            let digits = crate::wire::hex(raw);
            let imei = digits.strip_prefix('0').unwrap_or(&digits).to_owned();
            (Value::Text(imei.clone()), imei)
        })
    })?;
    if imei.bytes().any(|b| !b.is_ascii_digit()) {
        c.doubt(Severity::Warn, Group::Range, start..c.at(), format!("expected the digits of an IMEI, came {imei}"));
    }
    Ok(imei)
}

/// The zone and language word; seconds east of UTC (gt06.md §3.8). `None` for what no clock on earth is set to.
fn zone(c: &mut Cursor<'_>) -> Read<Option<i32>> {
    const MOST_HOURS: u64 = 14;
    let start = c.at();
    let (clock, west) = c.under("gt06.md §3.8", |c| {
        c.bits("Zone and language", 2, |b| {
            let clock = b.uint("Zone, hours × 100 + minutes", 4, 15, "");
            let west = b.named("East or west", 3, 3, |bit| if bit == 0 { "east" } else { "west" }) == 1;
            b.named("Language", 0, 1, |code| match code {
                1 => "Chinese",
                2 => "English",
                _ => "",
            });
            (clock, west)
        })
    })?;
    let (hours, minutes) = (clock / 100, clock % 100);
    if hours * 60 + minutes > MOST_HOURS * 60 || minutes > 59 {
        let text =
            format!("expected a zone of at most {MOST_HOURS}:00 hours, came {hours}:{minutes:02}: it is not used");
        c.doubt(Severity::Warn, Group::Range, start..c.at(), text);
        return Ok(None);
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).unwrap_or_default();
    Ok(Some(if west { -seconds } else { seconds }))
}
