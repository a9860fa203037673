//! One JSON object of a body, asked by name.

use std::{borrow::Cow, collections::HashMap, ops::Range};

use serde_json::{Map, Value};

use super::{
    findings::Findings,
    scan::{Doc, Kind, Node},
};
use crate::model::Group;

/// Longest value of a body that becomes a reading; photographs and the like stay in the packet.
pub(super) const MOST_BYTES: usize = 4096;

/// An object; of members with the same name the last one counts.
pub(super) struct Object<'d, 'a> {
    doc: &'d Doc<'a>,
    /// Names and indices of the members that count, in the order they stand.
    members: Vec<(&'d str, usize)>,
    /// The object's own bytes.
    pub(super) span: Range<usize>,
}

/// Members of an object while they are gathered.
#[derive(Default)]
struct Members<'d> {
    /// Names and indices; `None` where a later one has the same name.
    all: Vec<(&'d str, Option<usize>)>,
    /// Where the last of each name stands among them, of more than [`FEW`].
    place_of: HashMap<&'d str, usize>,
}

/// So many names are looked through faster than they are hashed.
const FEW: usize = 24;

impl<'d> Members<'d> {
    /// Adds a member. True where there was one of its name.
    fn add(&mut self, name: &'d str, index: usize) -> bool {
        let place = self.all.len();
        if place == FEW {
            let known = self.all.iter().enumerate().filter(|(_, (_, index))| index.is_some());
            self.place_of = known.map(|(at, (name, _))| (*name, at)).collect();
        }
        let earlier = if place < FEW {
            self.all.iter().position(|(known, index)| *known == name && index.is_some())
        } else {
            self.place_of.insert(name, place)
        };
        if let Some((_, slot)) = earlier.and_then(|at| self.all.get_mut(at)) {
            *slot = None;
        }
        self.all.push((name, Some(index)));
        earlier.is_some()
    }
}

impl<'d, 'a> Object<'d, 'a> {
    /// The object at `index`; `None` where the value there is something else.
    pub(super) fn at(doc: &'d Doc<'a>, index: usize, findings: &mut Findings) -> Option<Self> {
        let node = doc.nodes.get(index).filter(|n| n.kind == Kind::Object)?;
        let mut members = Members { all: Vec::with_capacity(FEW), ..Members::default() };
        for (child, member) in doc.children(index) {
            let name = member.name.as_deref().unwrap_or_default();
            if members.add(name, child) {
                findings.note(
                    Group::Json,
                    &member.whole,
                    format!("`{}` occurs more than once, the last one counts", clipped(name)),
                );
            }
        }
        let members = members.all.into_iter().filter_map(|(name, index)| Some((name, index?))).collect();
        Some(Self { doc, members, span: node.value.clone() })
    }

    /// Index in the document, name and value of every member, each name once.
    pub(super) fn members(&self) -> impl Iterator<Item = (usize, &'d str, &'d Node<'a>)> {
        self.members.iter().filter_map(|&(name, index)| Some((index, name, self.doc.nodes.get(index)?)))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'d Node<'a>> {
        let (_, index) = self.members.iter().find(|(known, _)| *known == name)?;
        self.doc.nodes.get(*index)
    }

    /// A member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<&'d str> {
        match &self.get(name)?.kind {
            Kind::Text(text) => Some(text),
            Kind::Object | Kind::Array | Kind::Number(_) | Kind::Bool(_) | Kind::Null | Kind::Deep => None,
        }
    }

    /// A member that names something: a string, or a number as it is written. `None` for an empty one.
    pub(super) fn label(&self, name: &str) -> Option<&'d str> {
        let label = match &self.get(name)?.kind {
            Kind::Text(text) => text.as_ref(),
            Kind::Number(number) => number,
            Kind::Object | Kind::Array | Kind::Bool(_) | Kind::Null | Kind::Deep => return None,
        };
        (!label.is_empty()).then_some(label)
    }

    /// Finds fault with a member that should name something and cannot.
    pub(super) fn expect_label(&self, name: &str, findings: &mut Findings) {
        if let Some(node) = self.get(name)
            && matches!(node.kind, Kind::Object | Kind::Array | Kind::Bool(_) | Kind::Deep)
        {
            let text = format!("`{name}` is {}, not a text, and is left out", self.shown(node));
            findings.warn(Group::Json, &node.value, text);
        }
    }

    /// A member that is a number, or a string that spells one. What is neither is a finding; absent and null are not.
    pub(super) fn number(&self, name: &str, findings: &mut Findings) -> Option<f64> {
        let node = self.get(name)?;
        match number(node) {
            Ok(number) => number,
            Err(why) => {
                findings.warn(
                    Group::Json,
                    &node.value,
                    format!("`{name}` is {}, {why}, and is left out", shown(self.doc, node)),
                );
                None
            }
        }
    }

    /// A value as it may be shown in a finding.
    pub(super) fn shown(&self, node: &Node<'_>) -> String {
        shown(self.doc, node)
    }

    /// The value at `index` as JSON; `None` for null, for what is too large to be a reading or nested too deep.
    pub(super) fn json(&self, index: usize) -> Option<Value> {
        let node = self.doc.nodes.get(index).filter(|n| n.value.len() <= MOST_BYTES)?;
        Some(json(self.doc, index)).filter(|v| !v.is_null() && node.kind != Kind::Deep)
    }
}

/// A number, `None` for null, or why it is none. The protocol's own samples write numbers as strings, so those count.
pub(super) fn number(node: &Node<'_>) -> Result<Option<f64>, &'static str> {
    let written = match &node.kind {
        Kind::Number(number) => number,
        Kind::Text(text) => text.trim(),
        Kind::Null => return Ok(None),
        Kind::Object | Kind::Array | Kind::Bool(_) | Kind::Deep => return Err("not a number"),
    };
    // Rust reads "NaN" and "inf" as numbers, too.
    if !written.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return Err("not a number");
    }
    match written.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Some(number)),
        Ok(_) => Err("beyond any number"),
        Err(_) => Err("not a number"),
    }
}

/// A number as JSON: whole ones without a decimal point.
pub(super) fn json_number(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        return Value::from(number as i64);
    }
    Value::from(number)
}

fn json(doc: &Doc<'_>, index: usize) -> Value {
    let Some(node) = doc.nodes.get(index) else { return Value::Null };
    match &node.kind {
        Kind::Object => {
            let members = doc.children(index).map(|(i, child)| {
                let name = child.name.as_ref().map_or_else(String::new, |n| n.clone().into_owned());
                (name, json(doc, i))
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Kind::Array => Value::Array(doc.children(index).map(|(i, _)| json(doc, i)).collect()),
        Kind::Text(text) => Value::String(text.clone().into_owned()),
        Kind::Number(number) => match number.parse::<i64>() {
            Ok(whole) => Value::from(whole),
            Err(_) => number.parse::<f64>().map_or(Value::Null, Value::from),
        },
        Kind::Bool(b) => Value::Bool(*b),
        Kind::Null | Kind::Deep => Value::Null,
    }
}

fn shown(doc: &Doc<'_>, node: &Node<'_>) -> String {
    clipped(&String::from_utf8_lossy(doc.body.get(node.value.clone()).unwrap_or_default())).into_owned()
}

/// At most 40 characters of a text, without control characters.
pub(super) fn clipped(text: &str) -> Cow<'_, str> {
    const MOST_CHARS: usize = 40;
    if text.chars().count() <= MOST_CHARS && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut clipped: String =
        text.chars().take(MOST_CHARS).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if text.chars().nth(MOST_CHARS).is_some() {
        clipped.push('…');
    }
    Cow::Owned(clipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_members_with_one_name_the_last_counts_however_many_there_are() {
        for count in [3, FEW, FEW + 1, 3 * FEW] {
            // Each name three times, in another order each time.
            let numbers = (0..count).chain((0..count).rev()).chain(0..count);
            let members: Vec<_> = numbers.enumerate().map(|(at, n)| format!(r#""n{n}":{at}"#)).collect();
            let body = format!("{{{}}}", members.join(","));
            let (doc, mut findings) = (Doc::scan(body.as_bytes()), Findings::default());
            let object = Object::at(&doc, 0, &mut findings).expect("an object");
            let told: Vec<_> = object.members().map(|(_, name, _)| name.to_owned()).collect();
            assert_eq!(told, (0..count).map(|n| format!("n{n}")).collect::<Vec<_>>());
            assert!((0..count).all(|n| object.label(&format!("n{n}")) == Some(&(2 * count + n).to_string())));
            assert!(findings.into_problems().len() >= 2 * count.min(50));
        }
    }
}
