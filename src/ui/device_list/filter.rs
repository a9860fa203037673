//! The little language of the filter above the list, and the groups that it names.

use super::{natural, same_group};
use crate::{model::DeviceOverview, ui::Data};

/// What is typed above the list: words that occur in name, identity, group or notes, and `group:` with a group's name, in quotes where it has
/// spaces. A device has to fit all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    words: Vec<String>,
    groups: Vec<String>,
}

impl Filter {
    /// Any text is a filter.
    pub fn parse(text: &str) -> Self {
        let mut filter = Self::default();
        for token in tokens(text) {
            match token.strip_prefix("group:") {
                Some("") => {}
                Some(group) => filter.groups.push(group.to_owned()),
                None => filter.words.push(token),
            }
        }
        filter
    }

    /// True where every device fits.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.groups.is_empty()
    }

    /// True where this device fits.
    pub fn admits(&self, data: &Data, overview: &DeviceOverview) -> bool {
        if self.is_empty() {
            return true;
        }
        let look = &overview.device.profile.look;
        // The beginning of a group's name will do, so that the list narrows while one types.
        let in_group = |wanted: &String| look.groups.iter().any(|g| g.to_lowercase().starts_with(wanted.as_str()));
        if !self.groups.iter().all(in_group) {
            return false;
        }
        let has = |hay: &str, word: &str| hay.to_lowercase().contains(word);
        self.words.iter().all(|word| {
            has(overview.device.identity.as_str(), word)
                || has(data.name_of(overview), word)
                || look.groups.iter().any(|g| has(g, word))
                || has(&look.notes, word)
        })
    }
}

/// Words in lower case; quotes keep spaces within one.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let (mut token, mut quoted) = (String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                tokens.extend(Some(std::mem::take(&mut token)).filter(|t| !t.is_empty()));
            }
            c => token.extend(c.to_lowercase()),
        }
    }
    tokens.extend(Some(token).filter(|t| !t.is_empty()));
    tokens
}

/// `group:vans`, as the filter wants it written.
pub fn group_token(group: &str) -> String {
    if group.contains(char::is_whitespace) { format!("group:\"{group}\"") } else { format!("group:{group}") }
}

/// Every group with the number of devices in it that are not ignored, by name.
pub fn groups(data: &Data) -> Vec<(&str, usize)> {
    let mut found: Vec<(&str, usize)> = Vec::new();
    let shown = data.devices.values().filter(|d| d.device.state != crate::model::DeviceState::Ignored);
    for group in shown.flat_map(|d| &d.device.profile.look.groups) {
        match found.iter_mut().find(|(name, _)| same_group(name, group)) {
            Some((_, count)) => *count += 1,
            None => found.push((group, 1)),
        }
    }
    found.sort_by_cached_key(|(name, _)| natural(name));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_words_and_groups() {
        let filter = Filter::parse("  Van group:\"Night Shift\" group: 12 group:a");
        assert_eq!(filter.words, ["van", "12"]);
        assert_eq!(filter.groups, ["night shift", "a"]);
        assert!(Filter::parse(" \t ").is_empty());
        assert_eq!(group_token("vans"), "group:vans");
        assert_eq!(Filter::parse(&group_token("night shift")).groups, ["night shift"]);
    }
}
