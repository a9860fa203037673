//! A login under another IMEI.

use super::redact::seal;
use crate::wire::Dissection;

/// The frame with `imei` in place of the one that it carries, under a checksum that fits as well as before. `None` where it carries none,
/// or not in packed digits. `imei`: 15 digits.
pub fn with_imei(frame: &[u8], dissection: &Dissection, imei: &str) -> Option<Vec<u8>> {
    let field = dissection.fields.iter().find(|field| field.name == "IMEI" && field.span.len() == 8)?;
    let packed = u64::from_str_radix(imei, 16).ok().filter(|_| imei.len() == 15)?;
    let mut out = frame.to_vec();
    out.get_mut(field.span.clone())?.copy_from_slice(&packed.to_be_bytes());
    seal(frame, &mut out, dissection);
    Some(out)
}
