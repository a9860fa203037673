//! Turns a scanned JSON text into fields whose leaves tile it.

use std::{borrow::Cow, ops::Range};

use super::{
    findings::Findings,
    keys::{Sort, key, meaning},
    location::is_tracker,
    object::{Object, number},
    scan::{Doc, Kind, Node},
    time::{Epoch, epoch},
};
use crate::wire::{Field, Value};

/// A longer text is shown by its beginning.
const MOST_CHARS: usize = 256;

/// The fields of `doc`, the outermost at `depth`.
pub(super) fn of(doc: &Doc<'_>, depth: u8) -> Vec<Field> {
    let mut fields = Vec::with_capacity(doc.nodes.len() + 8);
    if doc.bom {
        fields.push(leaf("Byte order mark", 0..3, depth, Value::Raw(vec![0xef, 0xbb, 0xbf])));
    }
    let mut undecoded_depth = depth;
    if let Some(root) = doc.nodes.first() {
        let first = fields.len();
        node(doc, 0, depth, false, &mut fields);
        if !root.closed {
            // The broken text is one thing: what could not be read stands inside it.
            undecoded_depth = depth + 1;
            if let Some(group) = fields.get_mut(first) {
                group.span.end = doc.body.len();
            }
        }
    }
    if doc.read_to < doc.body.len() {
        let span = doc.read_to..doc.body.len();
        let rest = doc.body.get(span.clone()).unwrap_or_default();
        fields.push(leaf("Undecoded", span, undecoded_depth, Value::Raw(rest.to_vec())));
    }
    fields
}

fn leaf(name: &'static str, span: Range<usize>, depth: u8, value: Value) -> Field {
    Field { name: Cow::Borrowed(name), span, bits: None, depth, value, unit: "", source: "" }
}

fn node(doc: &Doc<'_>, index: usize, depth: u8, tracker: bool, fields: &mut Vec<Field>) {
    let Some(this) = doc.nodes.get(index) else { return };
    let empty = this.next == index + 1 && this.closed;
    match this.kind {
        Kind::Object | Kind::Array if !empty => {}
        Kind::Object | Kind::Array | Kind::Text(_) | Kind::Number(_) | Kind::Bool(_) | Kind::Null | Kind::Deep => {
            fields.push(scalar(doc, this, depth, tracker));
            return;
        }
    }
    let tracker = Object::at(doc, index, &mut Findings::default()).is_some_and(|o| is_tracker(&o));
    fields.push(Field { value: Value::Group, ..named(this, depth, None) });
    let text = |span: Range<usize>| {
        let written = String::from_utf8_lossy(doc.body.get(span).unwrap_or_default());
        Value::Text(written.trim().to_owned())
    };
    let open = this.whole.start..this.inside;
    fields.push(leaf("Open", open.clone(), depth + 1, text(open)));
    for (n, (child, _)) in doc.children(index).enumerate() {
        let first = fields.len();
        node(doc, child, depth + 1, tracker, fields);
        if this.kind == Kind::Array
            && let Some(element) = fields.get_mut(first)
        {
            element.name = Cow::Owned(format!("[{n}]"));
        }
    }
    if this.closed {
        let close = this.value.end - 1..this.whole.end;
        fields.push(leaf("Close", close.clone(), depth + 1, text(close)));
    }
}

fn scalar(doc: &Doc<'_>, node: &Node<'_>, depth: u8, tracker: bool) -> Field {
    let known = node.name.as_deref().and_then(key);
    let mut unit = known.map_or("", |k| k.unit);
    let value = known.filter(|k| k.sort == Sort::Time).and_then(|_| moment(node));
    let value = value.unwrap_or_else(|| match &node.kind {
        Kind::Text(text) => Value::Text(beginning(text)),
        Kind::Number(written) => a_number(written),
        Kind::Bool(b) => Value::Bool(*b),
        Kind::Null => Value::Absent,
        Kind::Object => Value::Text("{}".to_owned()),
        Kind::Array => Value::Text("[]".to_owned()),
        Kind::Deep => {
            Value::Text(beginning(&String::from_utf8_lossy(doc.body.get(node.value.clone()).unwrap_or_default())))
        }
    });
    if !matches!(value, Value::Unsigned(_) | Value::Signed(_) | Value::Real(_)) {
        unit = "";
    }
    let code = match &node.kind {
        Kind::Text(text) => Some(text.as_ref()),
        Kind::Number(written) => Some(*written),
        Kind::Object | Kind::Array | Kind::Bool(_) | Kind::Null | Kind::Deep => None,
    };
    let words = code
        .filter(|_| known.is_some_and(|k| k.sort == Sort::Code))
        .and_then(|code| meaning(node.name.as_deref()?, code, tracker));
    Field { value, unit, ..named(node, depth, words) }
}

/// A field called after its member: `vel (speed)`, `t (trigger: sent by hand)`.
fn named(node: &Node<'_>, depth: u8, words: Option<&str>) -> Field {
    let name = match node.name.as_deref() {
        None => Cow::Borrowed("Body"),
        Some("") => Cow::Borrowed("\"\""),
        Some(name) => Cow::Owned(match (key(name), words) {
            (Some(key), Some(words)) => format!("{name} ({}: {words})", key.label),
            (Some(key), None) if key.label != name => format!("{name} ({})", key.label),
            (Some(_) | None, _) => beginning(name),
        }),
    };
    let source = if node.name.as_deref().and_then(key).is_some() { "owntracks.md §2" } else { "" };
    Field { name, span: node.whole.clone(), bits: None, depth, value: Value::Group, unit: "", source }
}

/// A time, where the number is one.
fn moment(node: &Node<'_>) -> Option<Value> {
    match epoch(number(node).ok()??) {
        Epoch::Seconds(at) | Epoch::Milliseconds(at) => Some(Value::Time(at)),
        Epoch::Unusable => None,
    }
}

fn a_number(written: &str) -> Value {
    if let Ok(n) = written.parse::<u64>() {
        Value::Unsigned(n)
    } else if let Ok(n) = written.parse::<i64>() {
        Value::Signed(n)
    } else {
        match written.parse::<f64>() {
            Ok(n) if n.is_finite() => Value::Real(n),
            Ok(_) | Err(_) => Value::Text(beginning(written)),
        }
    }
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS) {
        Some((cut, _)) => format!("{}… ({} bytes)", &text[..cut], text.len()),
        None => text.to_owned(),
    }
}
