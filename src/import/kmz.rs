//! KMZ: the KML document in a ZIP archive. The archive is read as it comes, entry by entry, without its directory at the end, so that a file of any
//! size takes no more room than its KML does. Written by hand: of ZIP there are three heads and one way to pack, which is there already.

use std::io::{self, BufRead, Read};

use flate2::bufread::DeflateDecoder;

use super::{
    kml,
    sink::{Halt, Sink},
    source::{Source, too_long},
};

/// Before an entry, before the directory, and of an empty archive.
const ENTRY: [u8; 4] = *b"PK\x03\x04";
/// Behind an entry whose lengths nobody knew when it was begun.
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// Entries before the document at most: pictures come behind it.
const MOST_ENTRIES: usize = 10_000;

/// True where a file begins like a ZIP archive.
pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(&ENTRY)
}

/// Reads the first KML document of an archive. Its records stand at the places that they have in the document.
pub(super) fn read<R: Read>(source: &mut Source<'_, R>, sink: &mut Sink<'_>) -> Result<(), Halt> {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    first_document(source, sink).map_err(|halt| match halt {
        Halt::Io(error) if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) => {
            let why = too_long(&error).unwrap_or_else(|| "the archive is damaged or cut off".to_owned());
            Halt::broken(source.mark(), why)
        }
        other => other,
    })
}

fn first_document<R: Read>(source: &mut Source<'_, R>, sink: &mut Sink<'_>) -> Result<(), Halt> {
    for _ in 0..MOST_ENTRIES {
        let at = source.mark();
        let broken = |why: &str| Halt::broken(at, why);
        let Some(entry) = Entry::read(source)? else {
            return Err(broken("this ZIP archive has no KML document in it"));
        };
        if entry.encrypted {
            return Err(broken("the archive is encrypted"));
        }
        let is_document = entry.name.to_ascii_lowercase().ends_with(b".kml");
        let mut packed = Pieces(source);
        match (entry.method, entry.packed_bytes) {
            (0, Some(bytes)) if is_document => return document(packed.take(bytes), sink),
            (8, _) if is_document => return document(DeflateDecoder::new(packed), sink),
            _ if is_document => return Err(broken("its KML document is packed in a way that is not read")),
            (_, Some(bytes)) => {
                io::copy(&mut packed.take(bytes), &mut io::sink())?;
            }
            // Its end is known only to who unpacks it.
            (8, None) => {
                io::copy(&mut DeflateDecoder::new(&mut packed), &mut io::sink())?;
                skip_descriptor(source)?;
            }
            (_, None) => return Err(broken("the archive does not say how long its parts are")),
        }
    }
    Err(Halt::broken(source.mark(), "this ZIP archive has no KML document among its first entries"))
}

fn document(unpacked: impl Read, sink: &mut Sink<'_>) -> Result<(), Halt> {
    // How far it is, the archive tells.
    let mut passed = |_| {};
    kml::read(&mut Source::new(unpacked, &mut passed), sink)
}

/// The head of an entry.
struct Entry {
    name: Vec<u8>,
    method: u16,
    encrypted: bool,
    /// How long it is as it stands; `None` where that is told behind it.
    packed_bytes: Option<u64>,
}

impl Entry {
    /// `None` where no entry begins.
    fn read<R: Read>(source: &mut Source<'_, R>) -> Result<Option<Self>, Halt> {
        if !source.peek(|head| head.len() >= ENTRY.len())?.starts_with(&ENTRY) {
            return Ok(None);
        }
        let mut head = [0; 30];
        let mut pieces = Pieces(source);
        pieces.read_exact(&mut head)?;
        let short = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let long = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let mut name = vec![0; short(26).into()];
        pieces.read_exact(&mut name)?;
        let mut more = vec![0; short(28).into()];
        pieces.read_exact(&mut more)?;
        let (flags, packed) = (short(6), long(18));
        let packed_bytes = match packed {
            _ if flags & 8 != 0 => None,
            u32::MAX => wide(&more),
            packed => Some(packed.into()),
        };
        Ok(Some(Self { name, method: short(8), encrypted: flags & 1 != 0, packed_bytes }))
    }
}

/// The packed length among the further fields of a long entry (ZIP64): behind the one of what comes out of it.
fn wide(mut fields: &[u8]) -> Option<u64> {
    while let [a, b, c, d, rest @ ..] = fields {
        let (kind, len) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
        if kind == 1 {
            return rest.get(8..16).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
        }
        fields = rest.get(len..)?;
    }
    None
}

/// Checksum and lengths behind an entry, with or without their own mark.
fn skip_descriptor<R: Read>(source: &mut Source<'_, R>) -> io::Result<()> {
    let marked = source.peek(|head| head.len() >= DESCRIPTOR.len())?.starts_with(&DESCRIPTOR);
    let len = if marked { 16 } else { 12 };
    io::copy(&mut Pieces(source).take(len), &mut io::sink()).map(drop)
}

/// The bytes of an archive, which has no lines and no pieces that could be too long.
struct Pieces<'s, 'a, R>(&'s mut Source<'a, R>);

impl<R: Read> Read for Pieces<'_, '_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let n = ready.len().min(into.len());
        into[..n].copy_from_slice(&ready[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for Pieces<'_, '_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.piece();
        self.0.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.0.consume(n);
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use flate2::{Compression, write::DeflateEncoder};
    use proptest::prelude::*;

    use super::*;
    use crate::import::{Ended, Ground, Item, Kind};

    const KML: &str = r#"<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>Tour</name><Placemark><TimeStamp><when>2026-11-20T08:00:00Z</when></TimeStamp><Point><coordinates>4.0,51.0</coordinates></Point></Placemark></Document></kml>"#;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// An entry, with its lengths before it or behind it.
    fn entry(name: &str, bytes: &[u8], pack: bool, lengths_behind: bool) -> Vec<u8> {
        let packed = if pack { deflated(bytes) } else { bytes.to_vec() };
        let mut out = ENTRY.to_vec();
        let lengths = [0u32, u32::try_from(packed.len()).unwrap(), u32::try_from(bytes.len()).unwrap()];
        let short = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
        out.extend([20, 0]);
        out.extend(short(if lengths_behind { 8 } else { 0 }));
        out.extend(short(if pack { 8 } else { 0 }));
        out.extend([0; 4]);
        out.extend(lengths.iter().flat_map(|n| if lengths_behind { [0; 4] } else { n.to_le_bytes() }));
        out.extend(short(name.len()));
        out.extend(short(0));
        out.extend(name.as_bytes());
        out.extend(&packed);
        if lengths_behind {
            out.extend(DESCRIPTOR);
            out.extend(lengths.iter().flat_map(|n| n.to_le_bytes()));
        }
        out
    }

    fn found(bytes: &[u8]) -> (usize, Ended) {
        let ground = Ground {
            now: crate::model::Timestamp::UNIX_EPOCH,
            zone: jiff::tz::TimeZone::UTC,
            path: std::path::PathBuf::new(),
        };
        let mut records = 0;
        let mut each = |item| {
            records += usize::from(matches!(item, Item::Record(_)));
            ControlFlow::Continue(())
        };
        let ended = crate::import::read(Kind::Kml, bytes, &ground, &mut |_| {}, &mut each);
        (records, ended.unwrap_or(Ended::Stopped))
    }

    #[test]
    fn the_document_is_found_wherever_it_stands_and_however_it_is_packed() {
        let picture = vec![7; 100_000];
        for (pack, behind) in [(false, false), (true, false), (true, true)] {
            let document = entry("doc.kml", KML.as_bytes(), pack, behind);
            assert_eq!(found(&document), (1, Ended::Whole), "alone, {pack} {behind}");
            let before = entry("files/a.png", &picture, pack, behind);
            assert_eq!(found(&[before, document].concat()), (1, Ended::Whole), "behind, {pack} {behind}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let reason = |bytes: &[u8]| match found(bytes) {
            (0, Ended::Broken(reject)) => reject.why,
            other => panic!("{other:?}"),
        };
        let other = [entry("a.txt", b"words", true, false), b"PK\x01\x02".to_vec()].concat();
        assert_eq!(reason(&other), "this ZIP archive has no KML document in it");
        let mut secret = entry("doc.kml", KML.as_bytes(), true, false);
        secret[6] |= 1;
        assert_eq!(reason(&secret), "the archive is encrypted");
        let mut odd = entry("doc.kml", KML.as_bytes(), true, false);
        odd[8] = 12;
        assert_eq!(reason(&odd), "its KML document is packed in a way that is not read");
        let whole = entry("doc.kml", KML.as_bytes(), true, false);
        assert_eq!(reason(&whole[..60]), "the archive is damaged or cut off");
    }

    proptest! {
        #[test]
        fn no_archive_panics(at in 0usize..200, noise in prop::collection::vec(any::<u8>(), 1..40), behind in any::<bool>()) {
            let mut bytes = [entry("a.png", &[1; 50], true, behind), entry("doc.kml", KML.as_bytes(), true, behind)].concat();
            for (n, byte) in noise.iter().enumerate() {
                if let Some(to) = bytes.get_mut(at + n) {
                    *to = *byte;
                }
            }
            found(&bytes);
            bytes.truncate(at);
            found(&bytes);
        }
    }
}
