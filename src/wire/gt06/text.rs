//! Text in both directions: commands, their answers, addresses.

use crate::wire::cursor::{Cursor, Read};

use super::{
    blocks,
    told::{Answer, Told},
};

/// 0x15: length, server flag, text, language. Old firmware writes a length of 0 and pads the text with zeros.
pub(super) fn answer(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let declared = c.uint("Command length", 1, "")?;
    let flag = c.u32("Server flag")?;
    let left = c.left();
    let language = if left >= 2 { 2 } else { 0 };
    let len = match usize::try_from(declared.saturating_sub(4)) {
        Ok(len) if declared >= 4 && len <= left => len,
        _ => left - language,
    };
    let text = c.text("Text", len)?;
    if c.left() >= 2 {
        blocks::wide_language(c)?;
    }
    told.readings.set("result", text.as_str());
    told.answer = Some(Answer { flag, text });
    Ok(())
}

/// 0x21: server flag, coding, text in ASCII or UTF-16.
pub(super) fn coded_answer(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let flag = c.u32("Server flag")?;
    let coding = c.named("Coding", 1, |code| match code {
        1 => "ASCII",
        2 => "UTF-16",
        _ => "",
    })?;
    let len = c.left();
    let text = if coding == 2 { c.utf16("Text", len)? } else { c.text("Text", len)? };
    told.readings.set("result", text.as_str());
    told.answer = Some(Answer { flag, text });
    Ok(())
}

/// 0x80 from the server, and 0x81: length, server flag, text, maybe a language.
pub(super) fn command(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    let declared = c.uint("Command length", 1, "")?;
    c.u32("Server flag")?;
    let len = usize::try_from(declared.saturating_sub(4)).unwrap_or_default();
    let text = c.text("Text", len)?;
    told.readings.set("command", text);
    if c.left() == 2 { blocks::wide_language(c) } else { Ok(()) }
}

/// 0x17 and 0x97 from the server: `ADDRESS&&…&&phone##`, the text in UTF-16. `wide`: bytes of the command length.
fn address(c: &mut Cursor<'_>, wide: usize) -> Read<()> {
    c.under("gt06.md §2.1", |c| {
        c.uint("Command length", wide, "")?;
        c.u32("Server flag")?;
        let head = c.peek(64).windows(2).position(|pair| pair == b"&&").unwrap_or_default();
        c.text("Command", head)?;
        c.raw("Separator", 2)?;
        // Separator, phone, `##`.
        let tail = 2 + 21 + 2;
        c.utf16("Address", c.left().saturating_sub(tail))?;
        c.raw("Separator", 2)?;
        c.text("Phone", 21)?;
        c.raw("End", 2)?;
        Ok(())
    })
}

/// 0x97: the English address.
pub(super) fn english_address(c: &mut Cursor<'_>, _told: &mut Told) -> Read<()> {
    address(c, 2)
}

/// The server's answer to a time request: a date in UTC.
pub(super) fn time(c: &mut Cursor<'_>, told: &mut Told) -> Read<()> {
    blocks::date(c, told, "UTC").map(drop)
}

/// A body of which only the length is known.
pub(super) fn unknown(_c: &mut Cursor<'_>, _told: &mut Told) -> Read<()> {
    Ok(())
}
