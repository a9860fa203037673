//! What a server answers to a frame (gt06.md §2.1).

use crate::geo::LatLon;

use super::{
    addresses::Tongue,
    decode::Setting,
    encode::{self, Start},
    layout::Answered,
    told::{Picture, Told},
};

/// Bytes of a picture that are asked for at once.
const PIECE: u32 = 1024;

/// The exact bytes of the answer, under the serial of the frame it answers.
pub(super) fn to(answered: Answered, kind: u8, serial: u16, told: &Told, setting: Setting<'_>) -> Option<Vec<u8>> {
    match answered {
        Answered::Never => None,
        Answered::Short => Some(encode::acknowledge(Start::Short, kind, serial)),
        Answered::Long => Some(encode::acknowledge(Start::Long, kind, serial)),
        Answered::Time => Some(encode::time(setting.received, serial)),
        Answered::Address => Some(address(told, serial, setting)),
        Answered::Picture => {
            next_piece(told.picture?, setting).map(|body| encode::seal(Start::Short, 0x36, &body, serial))
        }
    }
}

/// Id, offset and size of the piece to ask for next; `None` when the picture is whole, or was offered to nobody here.
fn next_piece(picture: Picture, setting: Setting<'_>) -> Option<Vec<u8>> {
    let (id, offset, length) = match picture {
        Picture::Offered { id, length } => (id, 0, length),
        Picture::Piece { id, offset, size } => {
            let (offered, length) = setting.state.picture()?;
            // An empty piece would be asked for without end.
            (id, (offered == id && size > 0).then(|| offset.saturating_add(size))?, length)
        }
    };
    let size = u16::try_from(length.checked_sub(offset)?.min(PIECE)).ok().filter(|&size| size > 0)?;
    Some([id.to_be_bytes().as_slice(), &offset.to_be_bytes(), &size.to_be_bytes()].concat())
}

/// The address of the place that was asked about; where nobody knows it, the coordinates as text.
fn address(told: &Told, serial: u16, setting: Setting<'_>) -> Vec<u8> {
    let chinese = told.address_query.as_ref().is_some_and(|query| query.language == 1);
    let phone = told.address_query.as_ref().map(|query| query.phone.clone()).unwrap_or_default();
    let tongue = if chinese { Tongue::Chinese } else { Tongue::English };
    let text = match told.place.map(|place| place.at) {
        Some(at) => setting.addresses.and_then(|source| source.find(at, tongue)).unwrap_or_else(|| coordinates(at)),
        None if chinese => "无定位".to_owned(),
        None => "No fix".to_owned(),
    };
    encode::address(&text, &phone, chinese, serial)
}

fn coordinates(at: LatLon) -> String {
    let (lat, lon) = (at.lat_deg(), at.lon_deg());
    let (ns, ew) = (if lat < 0.0 { 'S' } else { 'N' }, if lon < 0.0 { 'W' } else { 'E' });
    format!("{ns}{:.6},{ew}{:.6}", lat.abs(), lon.abs())
}
