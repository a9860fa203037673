//! The fields of a packet as a tree: who is part of whom, in which colour, and which field holds a byte.

use crate::wire::Field;

/// Leaves that stay plain: bytes that nobody understands, and the brackets of JSON.
const PLAIN: [&str; 3] = ["Undecoded", "Open", "Close"];

/// The shape of a field tree. Indices are those of the dissection's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    nodes: Vec<Node>,
    /// Leaves in pre-order, so in order of their bytes.
    leaves: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    parent: Option<usize>,
    /// Index after the last field below it.
    end: usize,
    hue: Option<usize>,
}

impl Outline {
    /// The shape of these fields; cheap enough for every frame.
    pub fn of(fields: &[Field]) -> Self {
        let mut nodes: Vec<Node> = Vec::with_capacity(fields.len());
        let mut open: Vec<usize> = Vec::new();
        for (index, field) in fields.iter().enumerate() {
            while open.last().is_some_and(|&i| fields[i].depth >= field.depth) {
                let closed = open.pop().expect("the loop's condition saw it");
                nodes[closed].end = index;
            }
            nodes.push(Node { parent: open.last().copied(), end: fields.len(), hue: None });
            open.push(index);
        }
        let leaves: Vec<usize> = (0..fields.len()).filter(|&i| nodes[i].end == i + 1).collect();
        let mut next_hue = 0;
        let mut last: Option<usize> = None;
        for &leaf in &leaves {
            let field = &fields[leaf];
            if PLAIN.contains(&field.name.as_ref()) || field.span.is_empty() {
                continue;
            }
            // Leaves that share a word's bytes are one colour.
            let shared = last.filter(|&l| fields[l].span == field.span).and_then(|l| nodes[l].hue);
            nodes[leaf].hue = Some(shared.unwrap_or_else(|| {
                next_hue += 1;
                next_hue - 1
            }));
            last = Some(leaf);
        }
        Self { nodes, leaves }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The field that this one is part of.
    pub fn parent(&self, index: usize) -> Option<usize> {
        self.nodes.get(index)?.parent
    }

    /// Every field that this one is part of, the nearest first.
    pub fn ancestors(&self, index: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.parent(index), |&i| self.parent(i))
    }

    /// Index after the last field below this one.
    pub fn end(&self, index: usize) -> usize {
        self.nodes.get(index).map_or(index + 1, |n| n.end)
    }

    /// True where no field is part of this one.
    pub fn is_leaf(&self, index: usize) -> bool {
        self.end(index) == index + 1
    }

    /// Which colour a leaf has; `None` for groups and for leaves that stay plain.
    pub fn hue(&self, index: usize) -> Option<usize> {
        self.nodes.get(index)?.hue
    }

    /// The colour of a leaf, or of the one that shares a word's bytes, for a field that is either.
    pub fn hue_of_word(&self, index: usize) -> Option<usize> {
        self.hue(index).or_else(|| (index + 1..self.end(index)).find_map(|i| self.hue(i)))
    }

    /// The first leaf that holds this byte.
    pub fn leaf_at(&self, fields: &[Field], offset: usize) -> Option<usize> {
        let after = self.leaves.partition_point(|&l| fields[l].span.end <= offset);
        self.leaves[after..].iter().copied().find(|&l| fields[l].span.contains(&offset))
    }

    /// The field that a byte means: its leaf, or the word where several leaves share that byte.
    pub fn field_at(&self, fields: &[Field], offset: usize) -> Option<usize> {
        let first = self.leaf_at(fields, offset)?;
        let sharing: Vec<usize> = self.sharing(fields, first).filter(|&l| touches(&fields[l], offset)).collect();
        match sharing[..] {
            [only] => Some(only),
            _ => self.parent(first).filter(|&p| fields[p].span == fields[first].span).or(Some(first)),
        }
    }

    /// The leaf of the same word that holds this bit of it, bit 0 the least significant.
    pub fn bit_at(&self, fields: &[Field], word: usize, bit: u8) -> Option<usize> {
        let leaf = if self.is_leaf(word) { word } else { (word + 1..self.end(word)).find(|&i| self.is_leaf(i))? };
        self.sharing(fields, leaf).find(|&l| fields[l].bits.is_some_and(|(low, high)| (low..=high).contains(&bit)))
    }

    /// All leaves with the same bytes as this leaf.
    fn sharing<'a>(&'a self, fields: &'a [Field], leaf: usize) -> impl Iterator<Item = usize> + 'a {
        let span = &fields[leaf].span;
        let from = self.leaves.partition_point(|&l| fields[l].span.end <= span.start);
        self.leaves[from..]
            .iter()
            .copied()
            .take_while(move |&l| fields[l].span.start <= span.start)
            .filter(move |&l| fields[l].span == *span)
    }

    /// The smallest field that holds all of these bytes.
    pub fn around(&self, fields: &[Field], span: &std::ops::Range<usize>) -> Option<usize> {
        let exact = (0..fields.len()).find(|&i| fields[i].span == *span);
        exact.or_else(|| {
            let holds = |f: &Field| f.span.start <= span.start && span.end <= f.span.end;
            (0..fields.len()).filter(|&i| holds(&fields[i])).min_by_key(|&i| fields[i].span.len())
        })
    }
}

/// True where some of the field's bits lie in this byte of its word.
fn touches(field: &Field, offset: usize) -> bool {
    let Some((low, high)) = field.bits else { return true };
    let Some(behind) = field.span.end.checked_sub(offset + 1) else { return false };
    let byte_low = behind.saturating_mul(8);
    usize::from(low) < byte_low + 8 && usize::from(high) >= byte_low
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::wire::Value;

    fn field(name: &'static str, span: Range<usize>, depth: u8, bits: Option<(u8, u8)>) -> Field {
        Field { name: name.into(), span, bits, depth, value: Value::Group, unit: "", source: "" }
    }

    fn location() -> Vec<Field> {
        vec![
            field("Start", 0..2, 0, None),
            field("Body", 2..8, 0, None),
            field("Latitude", 2..6, 1, None),
            field("Course and flags", 6..8, 1, None),
            field("Course", 6..8, 2, Some((0, 9))),
            field("North", 6..8, 2, Some((10, 10))),
            field("Fix", 6..8, 2, Some((12, 12))),
            field("Undecoded", 8..10, 0, None),
        ]
    }

    #[test]
    fn fields_know_their_group_and_where_it_ends() {
        let outline = Outline::of(&location());
        assert_eq!(outline.ancestors(5).collect::<Vec<_>>(), [3, 1]);
        assert_eq!((outline.end(1), outline.end(3), outline.end(0)), (7, 7, 1));
        assert!(outline.is_leaf(2) && !outline.is_leaf(3));
    }

    #[test]
    fn leaves_of_one_word_share_a_colour_and_the_undecoded_stays_plain() {
        let outline = Outline::of(&location());
        let hues: Vec<_> = (0..8).map(|i| outline.hue(i)).collect();
        assert_eq!(hues, [Some(0), None, Some(1), None, Some(2), Some(2), Some(2), None]);
        assert_eq!(outline.hue_of_word(3), Some(2));
    }

    #[test]
    fn a_byte_means_its_leaf_and_a_shared_byte_means_the_word() {
        let fields = location();
        let outline = Outline::of(&fields);
        let at: Vec<_> = (0..11).map(|offset| outline.field_at(&fields, offset)).collect();
        // The low byte of the word is course alone; the high byte holds course, north and fix.
        let expected = [Some(0), Some(0), Some(2), Some(2), Some(2), Some(2), Some(3), Some(4), Some(7), Some(7), None];
        assert_eq!(at, expected);
        assert_eq!(outline.bit_at(&fields, 3, 10), Some(5));
        assert_eq!(outline.bit_at(&fields, 4, 12), Some(6));
        assert_eq!(outline.bit_at(&fields, 3, 15), None);
    }

    #[test]
    fn a_span_is_found_exactly_or_by_what_holds_it() {
        let fields = location();
        let outline = Outline::of(&fields);
        assert_eq!(outline.around(&fields, &(6..8)), Some(3));
        assert_eq!(outline.around(&fields, &(3..5)), Some(2));
        assert_eq!(outline.around(&fields, &(5..7)), Some(1));
        assert_eq!(outline.around(&fields, &(0..10)), None);
    }
}
