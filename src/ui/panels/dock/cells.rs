//! What stands in the columns that a person added, and how rows are coloured; each found once while nothing changes.

use std::{collections::HashMap, fmt::Write, time::Duration};

use egui::{Color32, Rect, Ui, vec2};

use super::{listing::find, paint};
use crate::{
    model::{
        PacketId, PacketRow, Profile, Timestamp,
        filter::{Facts, Filter, Ground, Path, Told},
    },
    ui::{
        Cx, Data,
        filter::{
            Rule, Sieve,
            columns::{TimeKind, What},
        },
        theme::tints,
    },
    wire::{self, Seen},
};

/// Rows of which cells are kept: several screens of them.
const MOST_KEPT: usize = 1_024;

/// Cells and colours of rows that were visible lately.
#[derive(Default)]
pub struct Cells {
    under: (Vec<Rule>, Vec<What>, u64, u64),
    now: Timestamp,
    sieves: Vec<Option<Sieve>>,
    known: HashMap<PacketId, Cell>,
    /// A rule asks how another server answered, which may change while its answer can still come.
    ripens: bool,
    /// The newest packet that was held when that was looked at last.
    newest: Option<PacketId>,
    /// In how long the first of those that were looked at since has to be found again.
    left: Option<Duration>,
}

/// What is known of one row.
#[derive(Clone, Default)]
struct Cell {
    rule: Option<usize>,
    texts: Vec<String>,
    /// Found while its answer could still come: until this moment.
    until: Option<Timestamp>,
}

impl Cells {
    /// Forgets what was found under other circumstances.
    pub fn under(&mut self, cx: &Cx<'_>) {
        let list = &cx.view.packets;
        let fields = list.columns.iter().filter(|c| matches!(c.what, What::Field(_))).map(|c| c.what.clone());
        let under = (list.rules.clone(), fields.collect(), cx.data.roster, cx.data.notes.version());
        if self.under != under || self.known.len() > MOST_KEPT {
            let ground = Ground { now: cx.now, zone: cx.view.zone() };
            let sieve = |rule: &Rule| {
                let filter = Filter::parse(&rule.filter, &ground).ok().filter(|f| rule.on && f.expr().is_some())?;
                Some(Sieve::new(&rule.filter, filter, false, None, (cx.data, cx.view, cx.now)))
            };
            self.sieves = under.0.iter().map(sieve).collect();
            self.ripens = self.sieves.iter().flatten().any(|sieve| sieve.filter.asks_for_answers());
            (self.under, self.known) = (under, HashMap::new());
        }
        (self.now, self.left) = (cx.now, None);
        if self.ripens {
            self.forget_answered(cx.data);
        }
        self.sieves.iter_mut().flatten().for_each(|sieve| sieve.now = cx.now);
    }

    /// What is answered now was not when it was looked at.
    fn forget_answered(&mut self, data: &Data) {
        let Self { known, newest, .. } = self;
        let from = data.packets.partition_point(|row| Some(row.id) <= *newest);
        for answered in data.packets.range(from..).filter_map(|row| row.answers) {
            known.remove(&answered);
        }
        *newest = data.packets.back().map(|row| row.id);
    }

    /// In how long a row that was looked at in this frame may be coloured otherwise, though nothing comes.
    pub fn ripe_in(&self) -> Option<Duration> {
        self.left
    }

    fn of(&mut self, data: &Data, profile: &Profile, row: &PacketRow, hay: impl Fn() -> String) -> &Cell {
        let Self { under, now, sieves, known, ripens, left, .. } = self;
        let wait = wire::awaits_answer(row, *now).filter(|_| *ripens);
        *left = left.iter().copied().chain(wait).min();
        if known.get(&row.id).and_then(|cell| cell.until).is_some_and(|until| until <= *now) {
            known.remove(&row.id);
        }
        known.entry(row.id).or_insert_with(|| {
            let admits = |sieve: &Option<Sieve>| sieve.as_ref().is_some_and(|s| s.admits(data, profile, row, &hay));
            let rule = sieves.iter().position(admits);
            let texts = under.1.iter().map(|what| what.path().map_or(String::new(), |path| told(row, profile, &path)));
            Cell { rule, texts: texts.collect(), until: wait.and_then(|wait| now.checked_add(wait).ok()) }
        })
    }

    /// The rule that colours a row.
    pub fn rule(&mut self, data: &Data, profile: &Profile, row: &PacketRow, hay: impl Fn() -> String) -> Option<&Rule> {
        let rule = self.of(data, profile, row, hay).rule?;
        self.under.0.get(rule)
    }

    /// What stands in a column that is no usual one. `above`: when the row above it came.
    pub fn text(
        &mut self,
        data: &Data,
        profile: &Profile,
        row: &PacketRow,
        what: &What,
        above: Option<Timestamp>,
        hay: impl Fn() -> String,
    ) -> String {
        match what {
            What::Usual(_) => String::new(),
            What::Delta => above.map_or(String::new(), |above| apart(above, row.received)),
            What::Since => since_mark(data, row),
            What::Peer => row.peer.to_string(),
            What::Connection => row.connection.to_string(),
            What::Kind => row.kind.to_string(),
            What::Length => row.bytes.len().to_string(),
            What::Field(_) => {
                let at = self.under.1.iter().position(|known| known == what);
                let cell = self.of(data, profile, row, hay);
                at.and_then(|at| cell.texts.get(at)).cloned().unwrap_or_default()
            }
        }
    }
}

/// The moment of a row as the list says it; `None`: the time of day.
pub fn relative(kind: TimeKind, data: &Data, row: &PacketRow, above: Option<Timestamp>) -> Option<String> {
    match kind {
        TimeKind::Clock => None,
        TimeKind::Delta => Some(above.map_or(String::new(), |above| apart(above, row.received))),
        TimeKind::Since => Some(since_mark(data, row)),
    }
}

/// Since the last marked packet that is held and not later than this one.
fn since_mark(data: &Data, row: &PacketRow) -> String {
    let marked = |(id, note): &(PacketId, &crate::model::PacketNote)| note.marked && *id <= row.id;
    let mark = data.notes.all().rev().find(marked).and_then(|(id, _)| {
        let found = find(&data.packets, id).or_else(|| find(&data.found.rows, id));
        found.map(|row| row.received)
    });
    mark.map_or(String::new(), |mark| apart(mark, row.received))
}

/// "+0.250", "+2:05.1", "+3:00:00": seconds, then minutes, then hours.
fn apart(from: Timestamp, to: Timestamp) -> String {
    let ms = to.as_millisecond() - from.as_millisecond();
    let (sign, ms) = (if ms < 0 { '-' } else { '+' }, ms.unsigned_abs());
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    match (h, m) {
        (0, 0) => format!("{sign}{s}.{:03}", ms % 1_000),
        (0, _) => format!("{sign}{m}:{s:02}.{}", ms % 1_000 / 100),
        _ => format!("{sign}{h}:{m:02}:{s:02}"),
    }
}

/// What a packet says for a field.
fn told(row: &PacketRow, profile: &Profile, path: &Path) -> String {
    let seen = Seen::new(row, profile, &[]);
    let mut text = String::new();
    seen.any(path, &mut |told| {
        if !text.is_empty() {
            text.push_str(", ");
        }
        match told {
            Told::Text(t) | Told::Named(_, t) => text.push_str(t),
            Told::Number(n) => {
                // As many decimals as the number has, and no noise of the last bits.
                let n = (n * 1e6).round() / 1e6;
                write!(text, "{n}").expect("writing to a String cannot fail");
            }
            Told::Bool(b) => text.push_str(if b { "yes" } else { "no" }),
            Told::Time(at) => text.push_str(&at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            Told::Verdict(verdict) => text.push_str(verdict.as_str()),
        }
        text.len() > 80
    });
    text
}

/// Colours a row: a bar at its left, and a breath of it behind.
pub fn colour(ui: &Ui, rect: Rect, rule: &Rule) -> Color32 {
    let colour = tints::color(crate::model::Tint(rule.tint));
    ui.painter().rect_filled(rect, 0.0, colour.gamma_multiply(0.12));
    ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(3.0, rect.height())), 0.0, colour);
    colour
}

/// The word of a rule, in a little box. Gives what is left of the cell.
pub fn label(ui: &Ui, cell: Rect, rule: &Rule) -> Rect {
    if rule.label.is_empty() || cell.width() < 60.0 {
        return cell;
    }
    let tint = crate::model::Tint(rule.tint);
    let font = egui::TextStyle::Small.resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(rule.label.clone(), font, tints::ink(tint));
    let size = galley.size() + vec2(8.0, 0.0);
    let chip = Rect::from_min_size(egui::pos2(cell.left(), cell.center().y - size.y / 2.0), size);
    ui.painter().rect_filled(chip, 3.0, tints::color(tint));
    ui.painter().galley(chip.min + vec2(4.0, 0.0), galley, tints::ink(tint));
    cell.with_min_x((chip.right() + paint::GAP / 2.0).min(cell.right()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        model::{Direction, Protocol, Verdict},
        ui::View,
    };

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
    }

    fn row(id: i64, direction: Direction, context: Option<&str>, answers: Option<PacketId>) -> PacketRow {
        PacketRow {
            id: PacketId(id),
            received: at(0),
            protocol: Protocol::Gt06,
            direction,
            peer: "".into(),
            connection: 1,
            device: None,
            kind: "heartbeat".into(),
            verdict: Verdict::Ok,
            bytes: Arc::from([]),
            context: context.map(Into::into),
            answers,
        }
    }

    #[test]
    fn a_colour_comes_when_an_answer_is_overdue_and_goes_when_it_comes() {
        let rule = Rule { on: true, filter: "tap.differs".to_owned(), tint: [255, 0, 0], label: String::new() };
        let mut view = View::default();
        view.packets.rules = vec![rule];
        let mut data = Data::default();
        data.packets.push_back(row(1, Direction::In, Some(r#"{"tap":"t","ours":"78"}"#), None));
        // No tap, and nothing to wait for.
        data.packets.push_back(row(2, Direction::In, None, None));
        let mut cells = Cells::default();
        let mut look = |data: &Data, ms: i64| {
            cells.under(&Cx { data, view: &view, now: at(ms), actions: &mut Vec::new() });
            let mut coloured =
                |n: usize| cells.rule(data, &Profile::default(), &data.packets[n], String::new).is_some();
            let coloured = [coloured(0), coloured(1)];
            (coloured, cells.ripe_in().map(|left| left.as_millis()))
        };
        assert_eq!(look(&data, 500), ([false, false], Some(1_501)));
        assert_eq!(look(&data, 2_000), ([false, false], Some(1)));
        assert_eq!(look(&data, 2_001), ([true, false], None));
        data.packets.push_back(row(3, Direction::Out, None, Some(PacketId(1))));
        assert_eq!(look(&data, 2_500), ([false, false], None));
    }

    #[test]
    fn spans_are_short() {
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        let cases = [(250, "+0.250"), (61_150, "+1:01.1"), (10_800_000, "+3:00:00"), (-1_500, "-1.500")];
        for (ms, text) in cases {
            assert_eq!(apart(at(1_000_000), at(1_000_000 + ms)), text);
        }
    }
}
