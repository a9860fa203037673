//! Answers of trackers in plain words (gt06.md §7). What is not listed stays as the device said it.

/// An answer in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) text: &'static str,
    /// The device did what was asked.
    pub(super) good: bool,
}

/// How an answer begins, without case and spaces, and what it means. The first that fits counts.
const KNOWN: &[(&str, &str, bool)] = &[
    ("hfyd=success", "fuel restored, confirmed", true),
    ("hfyd=fail", "fuel not restored: the device failed", false),
    ("dyd=success", "fuel cut confirmed", true),
    ("dyd=speedlimit", "fuel not cut: the vehicle is too fast", false),
    ("dyd=unvaluedfix", "fuel not cut: the device has no valid fix", false),
    ("dyd=fail", "fuel not cut: the device failed", false),
    ("alreadyinthestateoffuelsupplycutoff", "nothing done: the fuel was cut already", false),
];

/// What this answer means, where that is known.
pub(super) fn meaning(answer: &str) -> Option<Meaning> {
    let bare: String = answer.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let known = KNOWN.iter().find(|(begins, _, _)| bare.starts_with(begins));
    known.map(|&(_, text, good)| Meaning { text, good })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_answers_are_put_into_words() {
        let check = |answer: &str, text: Option<&str>| assert_eq!(meaning(answer).map(|m| m.text), text, "{answer}");
        check("DYD=Success!", Some("fuel cut confirmed"));
        check("HFYD=Success!", Some("fuel restored, confirmed"));
        check("DYD=Speed Limit, Speed 40km/h", Some("fuel not cut: the vehicle is too fast"));
        check("DYD=Unvalued Fix", Some("fuel not cut: the device has no valid fix"));
        check("HFYD=Fail!", Some("fuel not restored: the device failed"));
        check(
            "Already in the state of fuel supply cut off,the command is not running!",
            Some("nothing done: the fuel was cut already"),
        );
        check("GT06 answer DYD=Success!", None);
        check("", None);
    }
}
