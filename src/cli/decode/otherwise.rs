//! Bytes read as something else, and what that changes, for `decode --as`.

use std::io::{self, Write};

use serde::Serialize;

use crate::{
    model::{Profile, Timestamp},
    wire::{
        Dissection,
        gt06::{
            State,
            variants::{Change, changes},
        },
        json::Object,
        read_as::ReadAs,
    },
};

/// Another reading of some bytes.
pub(super) struct Otherwise<'a> {
    read_as: &'a ReadAs,
    pub(super) dissection: Dissection,
    changes: Vec<Change>,
}

/// The same as an object: the reading, and the fields that it changes.
#[derive(Serialize)]
pub(super) struct Json<'a> {
    #[serde(flatten)]
    object: &'a Object<'a>,
    read_as: String,
    changes: Vec<ChangeJson<'a>>,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    name: &'a str,
    now: Option<&'a str>,
    then: Option<&'a str>,
}

impl<'a> Otherwise<'a> {
    /// `usual`: as they are read else.
    pub(super) fn of(
        read_as: &'a ReadAs,
        bytes: &[u8],
        usual: &Dissection,
        (profile, state, now): (&Profile, &State, Timestamp),
    ) -> Self {
        let dissection = read_as.dissect(bytes, profile, state, now);
        let changes = changes(usual, &dissection);
        Self { read_as, dissection, changes }
    }

    pub(super) fn json(&'a self, object: &'a Object<'a>) -> Json<'a> {
        let changes = self.changes.iter().map(|Change { name, now, then }| ChangeJson {
            name,
            now: now.as_deref(),
            then: then.as_deref(),
        });
        Json { object, read_as: self.read_as.to_string(), changes: changes.collect() }
    }

    /// Below the listing of the bytes.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let counted = match self.changes.len() {
            0 => "no field differs from the usual reading".to_owned(),
            1 => "1 field differs from the usual reading".to_owned(),
            n => format!("{n} fields differ from the usual reading"),
        };
        writeln!(out, "  read as   {}: {counted}", self.read_as)?;
        for Change { name, now, then } in &self.changes {
            let value = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
            match (now, then) {
                (Some(_), Some(_)) => {
                    let [now, then] = [now, then].map(|text| value(text).unwrap_or_else(|| "nothing".to_owned()));
                    writeln!(out, "    ≠       {name}: {then}, else {now}")?;
                }
                (Some(_), None) => writeln!(out, "    −       {name}{}", after_colon(value(now)))?,
                (None, _) => writeln!(out, "    +       {name}{}", after_colon(value(then)))?,
            }
        }
        Ok(())
    }
}

fn after_colon(value: Option<String>) -> String {
    value.map_or_else(String::new, |value| format!(": {value}"))
}
