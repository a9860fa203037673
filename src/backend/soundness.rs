//! Whether the database is sound: what `doctor` says about damage, past and present.

use std::path::Path;

use super::doctor::{Finding, Level};
use crate::{
    model::bytes_text,
    store::{self, Error, Watch},
};

const TOPIC: &str = "database";

/// What to do about damage.
pub(super) const CURE: &str =
    "run `wayglass repair`, or start Wayglass: it sets the file aside as it is and saves what can be read";

/// Reads all of the database and says what is wrong with it.
pub fn check(dir: &Path, watch: &Watch) -> Finding {
    let trouble = |text: String, cure: &str| Finding::trouble(TOPIC, text, cure);
    match store::check(dir, watch) {
        Ok(faults) => match faults.first() {
            None => Finding {
                topic: TOPIC.to_owned(),
                level: Level::Ok,
                text: "every page and index of it was checked and is sound".to_owned(),
                cure: None,
            },
            Some(first) => {
                let more = if faults.len() > 1 { format!(", and {} more", faults.len() - 1) } else { String::new() };
                trouble(format!("it is damaged: {}{more}", first.replace('\n', " ")), CURE)
            }
        },
        Err(Error::Damaged(why)) => trouble(format!("it is damaged: {why}"), CURE),
        Err(error) => trouble(format!("it cannot be checked: {error}"), "see what is said above"),
    }
}

/// Damaged files that were set aside and are still there.
pub fn set_aside(dir: &Path) -> Option<Finding> {
    let found = store::set_aside_in(dir);
    let last = found.last()?;
    let bytes: u64 = found.iter().filter_map(|path| path.metadata().ok()).map(|about| about.len()).sum();
    let text = match found.len() {
        1 => format!("a damaged one was set aside as {}, {}", last.display(), bytes_text(bytes)),
        n => format!("{n} damaged ones were set aside, the last as {}, {} together", last.display(), bytes_text(bytes)),
    };
    let cure = "what was saved of it stands in the .txt beside it; delete both when you need them no more".to_owned();
    Some(Finding { topic: TOPIC.to_owned(), level: Level::Note, text, cure: Some(cure) })
}
