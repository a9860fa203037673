//! Writes history out in the formats other programs read.

/// A format that history can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// GPX 1.1 with Garmin's TrackPointExtension v2 for speed and course.
    Gpx,
}

impl Format {
    /// Every format; menus and command line read it.
    pub const ALL: [Self; 1] = [Self::Gpx];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gpx => "gpx",
        }
    }

    /// The file extension, without the dot.
    pub fn extension(self) -> &'static str {
        self.as_str()
    }
}
