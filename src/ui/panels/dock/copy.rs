//! Bytes as text for other programs.

use std::fmt::Write;

use crate::wire::hex;

/// A dress that bytes can be copied in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyAs {
    /// Digits alone.
    Hex,
    /// Offset, hex and text, sixteen bytes a line.
    Dump,
    /// An array of C.
    C,
    /// An array of Rust.
    Rust,
    /// A bytes literal of Python.
    Python,
    /// An array of numbers.
    Json,
}

impl CopyAs {
    /// Every dress, in the order of the menu.
    pub const ALL: [Self; 6] = [Self::Hex, Self::Dump, Self::C, Self::Rust, Self::Python, Self::Json];

    /// The name in the menu.
    pub fn title(self) -> &'static str {
        match self {
            Self::Hex => "Hex",
            Self::Dump => "Hex dump",
            Self::C => "C array",
            Self::Rust => "Rust array",
            Self::Python => "Python bytes",
            Self::Json => "JSON array",
        }
    }

    /// The bytes in this dress.
    pub fn dress(self, bytes: &[u8]) -> String {
        let numbers = |separator: &str| bytes.iter().map(|b| format!("0x{b:02x}")).collect::<Vec<_>>().join(separator);
        match self {
            Self::Hex => hex(bytes),
            Self::Dump => dump(bytes),
            Self::C => format!("unsigned char packet[{}] = {{ {} }};", bytes.len(), numbers(", ")),
            Self::Rust => format!("let packet: [u8; {}] = [{}];", bytes.len(), numbers(", ")),
            Self::Python => {
                let escapes = bytes.iter().fold(String::new(), |mut out, b| {
                    write!(out, "\\x{b:02x}").expect("writing to a String cannot fail");
                    out
                });
                format!("packet = b\"{escapes}\"")
            }
            Self::Json => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                format!("[{}]", numbers.join(", "))
            }
        }
    }
}

fn dump(bytes: &[u8]) -> String {
    let lines = bytes.chunks(16).enumerate().map(|(n, line)| {
        let pairs: Vec<String> = line.iter().map(|b| format!("{b:02x}")).collect();
        let (left, right) = pairs.split_at(pairs.len().min(8));
        let hex = format!("{}  {}", left.join(" "), right.join(" "));
        let text: String = line.iter().map(|&b| printable(b).unwrap_or('.')).collect();
        format!("{:08x}  {hex:<48}  |{text}|", n * 16)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The character of a byte that is plain ASCII text.
pub fn printable(byte: u8) -> Option<char> {
    (byte == b' ' || byte.is_ascii_graphic()).then_some(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dress_is_what_its_language_takes() {
        let check = |dress: CopyAs, text: &str| assert_eq!(dress.dress(&[0x78, 0x0D]), text, "{dress:?}");
        check(CopyAs::Hex, "780d");
        check(CopyAs::Dump, "00000000  78 0d                                             |x.|");
        check(CopyAs::C, "unsigned char packet[2] = { 0x78, 0x0d };");
        check(CopyAs::Rust, "let packet: [u8; 2] = [0x78, 0x0d];");
        check(CopyAs::Python, r#"packet = b"\x78\x0d""#);
        check(CopyAs::Json, "[120, 13]");
    }

    #[test]
    fn a_dump_breaks_after_sixteen() {
        let bytes: Vec<u8> = (0x41..0x41 + 18).collect();
        assert_eq!(
            CopyAs::Dump.dress(&bytes),
            "00000000  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  |ABCDEFGHIJKLMNOP|\n\
             00000010  51 52                                             |QR|"
        );
    }
}
