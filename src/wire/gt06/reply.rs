//! What a server answers to a frame (gt06.md §2.1).

use crate::model::Timestamp;

use super::{
    encode::{self, Start},
    layout::Answered,
    told::Told,
};

/// The exact bytes of the answer, under the serial of the frame it answers.
pub(super) fn to(answered: Answered, kind: u8, serial: u16, told: &Told, now: Timestamp) -> Option<Vec<u8>> {
    match answered {
        Answered::Never => None,
        Answered::Short => Some(encode::acknowledge(Start::Short, kind, serial)),
        Answered::Long => Some(encode::acknowledge(Start::Long, kind, serial)),
        Answered::Time => Some(encode::time(now, serial)),
        Answered::Address => Some(address(told, serial)),
    }
}

/// The address of a place we have no address of: its coordinates as text.
fn address(told: &Told, serial: u16) -> Vec<u8> {
    let chinese = told.address_query.as_ref().is_some_and(|query| query.language == 1);
    let phone = told.address_query.as_ref().map(|query| query.phone.clone()).unwrap_or_default();
    let text = match told.place {
        Some(place) => {
            let (lat, lon) = (place.place.lat_deg(), place.place.lon_deg());
            let (ns, ew) = (if lat < 0.0 { 'S' } else { 'N' }, if lon < 0.0 { 'W' } else { 'E' });
            format!("{ns}{:.6},{ew}{:.6}", lat.abs(), lon.abs())
        }
        None if chinese => "无定位".to_owned(),
        None => "No fix".to_owned(),
    };
    encode::address(&text, &phone, chinese, serial)
}
