//! Two packets side by side: which fields belong together, and which bytes differ.
//!
//! Fields are aligned by name and depth, in order, as a diff of texts aligns lines: what only one of them has stands alone.

use std::ops::Range;

use super::{Dissection, Field};

/// More pairs than this are not weighed; fields are aligned as they come then.
const MOST_WEIGHED: usize = 4_000_000;

/// A line of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Index of the field in the first packet; `None`: only the second has it.
    pub left: Option<usize>,
    pub right: Option<usize>,
    /// They say something else, or one of them is missing.
    pub differs: bool,
}

/// Two packets, aligned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// In the order of both.
    pub pairs: Vec<Pair>,
    /// For each byte of the first packet, whether it differs from the one that it belongs with.
    pub left_bytes: Vec<bool>,
    pub right_bytes: Vec<bool>,
}

impl Comparison {
    /// How many leaves differ.
    pub fn differing(&self) -> usize {
        self.pairs.iter().filter(|pair| pair.differs).count()
    }
}

/// Aligns two packets.
pub fn compare(left: (&Dissection, &[u8]), right: (&Dissection, &[u8])) -> Comparison {
    let (a, b) = (&left.0.fields, &right.0.fields);
    let pairs = align(a, b);
    let (mut left_bytes, mut right_bytes) = (vec![true; left.1.len()], vec![true; right.1.len()]);
    for (l, r) in pairs.iter().filter_map(|pair| Some((pair.left?, pair.right?))) {
        if is_leaf(a, l) && is_leaf(b, r) {
            let (one, other) = (a[l].span.clone(), b[r].span.clone());
            mark(&mut left_bytes, left.1, &one, &mut right_bytes, right.1, &other);
        }
    }
    Comparison { pairs, left_bytes, right_bytes }
}

/// Which fields belong together.
pub fn align(left: &[Field], right: &[Field]) -> Vec<Pair> {
    let same = |l: usize, r: usize| left[l].name == right[r].name && left[l].depth == right[r].depth;
    let kept = if left.len().saturating_mul(right.len()) <= MOST_WEIGHED {
        longest_common(left.len(), right.len(), same)
    } else {
        (0..left.len().min(right.len())).filter(|n| same(*n, *n)).map(|n| (n, n)).collect()
    };
    let (mut pairs, mut l, mut r) = (Vec::with_capacity(left.len().max(right.len())), 0, 0);
    for (to_l, to_r) in kept.into_iter().chain([(left.len(), right.len())]) {
        pairs.extend((l..to_l).map(|n| Pair { left: Some(n), right: None, differs: true }));
        pairs.extend((r..to_r).map(|n| Pair { left: None, right: Some(n), differs: true }));
        if to_l < left.len() {
            let differs = says(left, to_l) != says(right, to_r);
            pairs.push(Pair { left: Some(to_l), right: Some(to_r), differs });
        }
        (l, r) = (to_l + 1, to_r + 1);
    }
    pairs
}

/// What a field says to a person. The bytes of a group are told by its parts.
fn says(fields: &[Field], n: usize) -> String {
    fields[n].text()
}

fn is_leaf(fields: &[Field], n: usize) -> bool {
    fields.get(n + 1).is_none_or(|next| next.depth <= fields[n].depth)
}

/// Marks the bytes of two fields that are alike as such.
fn mark(left: &mut [bool], a: &[u8], one: &Range<usize>, right: &mut [bool], b: &[u8], other: &Range<usize>) {
    for (l, r) in one.clone().zip(other.clone()) {
        if let (Some(x), Some(y), Some(lit), Some(also)) = (a.get(l), b.get(r), left.get_mut(l), right.get_mut(r))
            && x == y
        {
            (*lit, *also) = (false, false);
        }
    }
}

/// The longest run of pairs that stand in the same order on both sides.
fn longest_common(n: usize, m: usize, same: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
    let wide = m + 1;
    let mut longest = vec![0_u32; (n + 1) * wide];
    for l in (0..n).rev() {
        for r in (0..m).rev() {
            longest[l * wide + r] = if same(l, r) {
                longest[(l + 1) * wide + r + 1] + 1
            } else {
                longest[(l + 1) * wide + r].max(longest[l * wide + r + 1])
            };
        }
    }
    let (mut l, mut r, mut kept) = (0, 0, Vec::new());
    while l < n && r < m {
        if same(l, r) {
            kept.push((l, r));
            (l, r) = (l + 1, r + 1);
        } else if longest[(l + 1) * wide + r] >= longest[l * wide + r + 1] {
            l += 1;
        } else {
            r += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Profile, Protocol, Timestamp},
        wire::{Value, dissect},
    };

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<char> = hex.chars().filter(char::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
    }

    fn field(name: &'static str, value: u64) -> Field {
        Field {
            name: name.into(),
            span: 0..0,
            bits: None,
            depth: 0,
            value: Value::Unsigned(value),
            unit: "",
            source: "",
        }
    }

    /// `a` alike, `a!` differs, `-a` only left, `+a` only right.
    fn spelled(left: &[Field], right: &[Field]) -> String {
        let word = |pair: &Pair| match (pair.left, pair.right) {
            (Some(l), Some(_)) => format!("{}{}", left[l].name, if pair.differs { "!" } else { "" }),
            (Some(l), None) => format!("-{}", left[l].name),
            (None, Some(r)) => format!("+{}", right[r].name),
            (None, None) => "?".to_owned(),
        };
        align(left, right).iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// Names and values of fields.
    type Spec<'a> = &'a [(&'a str, u64)];

    #[test]
    fn fields_are_aligned_by_name_and_order() {
        let make = |spec: &[(&'static str, u64)]| spec.iter().map(|(n, v)| field(n, *v)).collect::<Vec<_>>();
        let cases: &[(Spec<'_>, Spec<'_>, &str)] = &[
            (&[], &[], ""),
            (&[("a", 1)], &[("a", 1)], "a"),
            (&[("a", 1)], &[("a", 2)], "a!"),
            (&[("a", 1), ("b", 1)], &[("a", 1), ("x", 1), ("b", 1)], "a +x b"),
            (&[("a", 1), ("x", 1), ("b", 1)], &[("a", 1), ("b", 2)], "a -x b!"),
            (&[("a", 1), ("a", 2)], &[("a", 1), ("a", 3), ("a", 2)], "a a! +a"),
            (&[("a", 1)], &[("b", 1)], "-a +b"),
        ];
        for (left, right, expected) in cases {
            assert_eq!(spelled(&make(left), &make(right)), *expected);
        }
    }

    #[test]
    fn bytes_that_differ_are_those_of_fields_that_differ() {
        let (left, right) =
            (bytes("78780d01012345678901234500018cdd0d0a"), bytes("78780d01012345678901234600028cdd0d0a"));
        let now = Timestamp::UNIX_EPOCH;
        let read = |bytes: &[u8]| dissect(Protocol::Gt06, bytes, &Profile::default(), now);
        let compared = compare((&read(&left), &left), (&read(&right), &right));
        let marked: Vec<usize> = (0..left.len()).filter(|n| compared.left_bytes[*n]).collect();
        assert_eq!(marked, [11, 13], "the last digits of the identity, and the serial");
        assert_eq!(compared.left_bytes, compared.right_bytes);
        let same = compare((&read(&left), &left), (&read(&left), &left));
        assert_eq!((same.differing(), same.left_bytes.iter().any(|b| *b)), (0, false));
        let none = compare((&read(&left), &left), (&Dissection::default(), &[]));
        assert!(none.pairs.iter().all(|pair| pair.differs) && none.left_bytes.iter().all(|b| *b));
    }
}
