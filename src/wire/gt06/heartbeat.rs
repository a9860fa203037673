//! Heartbeats: the line is alive, and how the device is.

use crate::wire::cursor::{Cursor, Read};

use super::{blocks, family::Family, told::Told};

/// 0x13, five bytes of body: four layouts that nothing in the frame names (gt06.md §3.7).
pub(super) fn heartbeat(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, false)?;
    match (told.given.family, c.peek(4)) {
        (Family::R11 | Family::Vxt01, _) => wide_voltage(c, told),
        (Family::Lynkworld, _) => {
            blocks::level(c, told)?;
            blocks::signal(c, told)?;
            c.under("gt06.md §3.7", |c| {
                let volts = c.bits("Supply", 2, |b| b.scaled("Supply voltage", 0, 11, (10.0, "V"), |raw| raw))?;
                told.readings.set("power", volts);
                Ok(())
            })
        }
        (Family::Seeworld, _) => {
            blocks::level(c, told)?;
            blocks::signal(c, told)?;
            let volts = c.under("gt06.md §3.7", |c| c.uint("Supply voltage", 1, "V"))?;
            told.readings.set("power", volts);
            blocks::language(c)
        }
        // A voltage's second byte over 100 cannot be a signal.
        (_, &[_, low, signal, 0]) if low > 100 && signal <= 31 => wide_voltage(c, told),
        _ => {
            blocks::level(c, told)?;
            blocks::signal(c, told)?;
            port_status(c)
        }
    }
}

/// Two bytes of hundredths of a volt in place of the level.
fn wide_voltage(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let volts = c.under("gt06.md §3.7", |c| c.scaled("Supply voltage", 2, 100.0, "V"))?;
    told.readings.set("power", volts);
    blocks::signal(c, told)?;
    c.under("gt06.md §3.7", |c| c.named("Alarm", 1, |code| if code == 0 { "none" } else { "" }))?;
    Ok(())
}

/// 0x13 with three bytes of body: no alarm byte, whatever follows is the serial.
pub(super) fn short(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::status(c, told, false)?;
    blocks::level(c, told)?;
    blocks::signal(c, told)
}

/// Alarm or extended port status, and language. A state that is repeated every few minutes, so it raises nothing.
fn port_status(c: &mut Cursor<'_>) -> Read<()> {
    c.under("gt06.md §3.7", |c| c.named("Alarm or port status", 1, |code| if code == 0 { "none" } else { "" }))?;
    blocks::language(c)
}
