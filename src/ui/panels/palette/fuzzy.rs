//! Names by some of their letters, in order: `flw` finds "Follow the selected device".

/// How well something was found, and by which letters of the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    /// More is better. 0 where nothing was looked for.
    pub(super) score: i32,
    /// Positions of the letters, counted in characters.
    pub(super) at: Vec<usize>,
}

/// A letter that begins a word.
const WORD: i32 = 10;
/// A letter right behind the one before.
const NEXT: i32 = 7;
/// Any other letter.
const SOMEWHERE: i32 = 1;
/// The name begins with what is looked for.
const START: i32 = 12;
/// All letters stand behind each other: who types a part of a number means that one.
const RUN: i32 = 20;
/// Less than three letters are in what is said about almost anything.
const LEAST_ABOUT: i32 = WORD + 3 * NEXT;

/// Finds every word of `wanted` in `name`, in any order of words and whatever the case; `None` where one is not there.
pub(super) fn find(wanted: &str, name: &str) -> Option<Match> {
    let letters: Vec<char> = name.chars().map(lower).collect();
    let mut found = Match { score: 0, at: Vec::new() };
    for word in wanted.split_whitespace() {
        let wanted: Vec<char> = word.chars().map(lower).collect();
        let best = best(&wanted, &letters)?;
        found.score += best.score;
        found.at.extend(best.at);
    }
    found.at.sort_unstable();
    found.at.dedup();
    Some(found)
}

/// As [`find`] in what is said about a name, where nobody types strewn letters: each word as it stands there, or its beginning. It ranks below a
/// name that has it, and shows no letters.
pub(super) fn find_about(wanted: &str, about: &str) -> Option<Match> {
    let mut found = Match { score: 0, at: Vec::new() };
    for word in wanted.split_whitespace() {
        let wanted: Vec<char> = word.chars().map(lower).collect();
        let begins = |told: &str| told.chars().map(lower).take(wanted.len()).eq(wanted.iter().copied());
        about.split(|letter: char| !letter.is_alphanumeric()).find(|told| begins(told))?;
        found.score += WORD + NEXT * i32::try_from(wanted.len().min(64)).unwrap_or_default();
    }
    Some(found).filter(|found| found.score >= LEAST_ABOUT)
}

fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

/// The best of what each place to begin gives.
fn best(wanted: &[char], letters: &[char]) -> Option<Match> {
    let first = wanted.first()?;
    let starts = letters.iter().enumerate().filter(|(_, letter)| *letter == first).map(|(at, _)| at);
    starts.filter_map(|start| from(start, wanted, letters)).max_by_key(|found| found.score)
}

/// The letters from a place on: right behind, else at the next beginning of a word, else anywhere.
fn from(start: usize, wanted: &[char], letters: &[char]) -> Option<Match> {
    let begins = |at: usize| at == 0 || !letters[at - 1].is_alphanumeric();
    let mut at = vec![start];
    let mut score = if begins(start) { WORD } else { SOMEWHERE };
    if start == 0 {
        score += START;
    }
    for letter in &wanted[1..] {
        let last = *at.last()?;
        let is = |n: &usize| letters.get(*n) == Some(letter);
        let next = Some(last + 1).filter(is);
        let word = || (last + 1..letters.len()).find(|n| is(n) && begins(*n));
        let any = || (last + 1..letters.len()).find(is);
        let (found, points) = match (next, word()) {
            (Some(n), _) => (n, NEXT),
            (None, Some(n)) => (n, WORD - 1),
            (None, None) => (any()?, SOMEWHERE),
        };
        score += points;
        at.push(found);
    }
    if at.len() > 1 && at.last().is_some_and(|last| last - start + 1 == at.len()) {
        score += RUN;
    }
    Some(Match { score, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_found_in_order() {
        for (wanted, name, found) in [
            ("", "Export…", true),
            ("exp", "Export…", true),
            ("flw", "Follow the selected device", true),
            ("dev fol", "Follow the selected device", true),
            ("VAN7", "van 7", true),
            ("wlf", "Follow", false),
            ("öl", "Ölwagen", true),
            ("exportx", "Export…", false),
        ] {
            assert_eq!(find(wanted, name).is_some(), found, "{wanted} in {name}");
        }
    }

    #[test]
    fn beginnings_of_words_and_runs_come_first() {
        let first = |wanted: &str, names: [&'static str; 3]| {
            names.into_iter().filter_map(|name| Some((find(wanted, name)?.score, name))).max().map(|(_, name)| name)
        };
        assert_eq!(first("set", ["Use the tracker", "Reset", "Settings"]), Some("Settings"));
        assert_eq!(first("sd", ["Used", "Show devices", "Inside"]), Some("Show devices"));
        assert_eq!(first("v7", ["Van 17", "Van 7", "Lorry v 7"]), Some("Van 7"));
        let numbers = ["004401010000020", "004401010000012", "004401010000102"];
        assert_eq!(first("000012", numbers), Some("004401010000012"));
        assert_eq!(first("0012", numbers), Some("004401010000012"));
    }

    #[test]
    fn what_is_said_about_a_name_finds_it_by_whole_words() {
        let about = "For Wireshark (pcapng), or redacted, as a report";
        let score = |wanted| find_about(wanted, about).map(|found| found.score);
        assert!(score("wireshark").is_some() && score("redact REPORT").is_some());
        // Strewn letters, a word that is not there, and too few letters.
        assert_eq!([score("wrshrk"), score("report gpx"), score("as")], [None; 3]);
        // A name that has it comes first, and one that has only its letters, strewn, behind it.
        let name = |name| find("redact", name).map(|found| found.score);
        assert!(name("Redact packets") > score("redact") && name("Read all packets as TR08X") < score("redact"));
    }

    #[test]
    fn the_letters_are_told() {
        assert_eq!(find("fd", "Filter devices").unwrap().at, [0, 7]);
        assert_eq!(find("dev fil", "Filter devices").unwrap().at, [0, 1, 2, 7, 8, 9]);
    }
}
