//! Faces of cards: decoded on a thread of their own, small and round.

use std::{collections::BTreeMap, io::Cursor, sync::mpsc, thread};

use base64::Engine as _;
use egui::{Color32, ColorImage, Context, Painter, Pos2, Rect, Stroke, TextureHandle, TextureOptions, Vec2, pos2};

use crate::model::{DeviceId, PacketId, PhoneRow};

/// Pixels along the side of a face as it is kept: enough for the details at a scale of two.
const SIDE: u32 = 72;
/// Faces that are kept at most.
const MOST: usize = 1_000;
/// A picture with a longer side is not decoded.
const MOST_PIXELS: u32 = 4_096;
/// Memory that decoding one may take.
const MOST_BYTES: u64 = 64 << 20;

/// A face that can be drawn.
pub struct Face {
    /// The packet that brought it; another one, another face.
    packet: PacketId,
    /// `None`: it cannot be read as a picture.
    texture: Option<TextureHandle>,
}

impl Face {
    /// A picture in base64, decoded at once: for whoever may wait.
    pub fn read(ctx: &Context, packet: PacketId, text: &str) -> Self {
        Self::new(ctx, packet, decode(text))
    }

    fn new(ctx: &Context, packet: PacketId, image: Option<ColorImage>) -> Self {
        let load = |image| ctx.load_texture(format!("face {}", packet.0), image, TextureOptions::LINEAR);
        Self { packet, texture: image.map(load) }
    }

    /// Draws it as a disc.
    pub fn paint(&self, painter: &Painter, centre: Pos2, radius: f32, edge: Color32) {
        let Some(texture) = &self.texture else { return };
        let rect = Rect::from_center_size(centre, Vec2::splat(2.0 * radius));
        let mut mesh = egui::Mesh::with_texture(texture.id());
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        mesh.add_rect_with_uv(rect, whole, Color32::WHITE);
        painter.add(mesh);
        painter.circle_stroke(centre, radius, Stroke::new(1.0, edge));
    }

    /// True where there is something to draw.
    pub fn is_there(&self) -> bool {
        self.texture.is_some()
    }
}

/// The thread that decodes, and what it has decoded.
#[derive(Default)]
pub(super) struct Decoder {
    decoded: Option<mpsc::Receiver<(DeviceId, PacketId, Option<ColorImage>)>>,
}

impl Decoder {
    pub(super) fn busy(&self) -> bool {
        self.decoded.is_some()
    }

    /// Has those decoded that are new, and forgets those that are gone.
    pub(super) fn want(&mut self, rows: &BTreeMap<DeviceId, PhoneRow>, faces: &mut BTreeMap<DeviceId, Face>) {
        let face = |row: &PhoneRow| row.card.as_ref().and_then(|c| Some((c.packet, c.card.face.clone()?)));
        faces.retain(|id, _| rows.get(id).is_some_and(|row| face(row).is_some()));
        let new: Vec<_> = rows
            .values()
            .filter_map(|row| face(row).map(|(packet, text)| (row.device, packet, text)))
            .filter(|(id, packet, _)| faces.get(id).is_none_or(|known| known.packet != *packet))
            .take(MOST.saturating_sub(faces.len()))
            .collect();
        if new.is_empty() || self.decoded.is_some() {
            return;
        }
        let (tell, told) = mpsc::channel();
        self.decoded = Some(told);
        thread::spawn(move || {
            for (id, packet, text) in new {
                if tell.send((id, packet, decode(&text))).is_err() {
                    return;
                }
            }
        });
    }

    /// Takes what was decoded. True when all of it is there: other faces may have come meanwhile.
    pub(super) fn take(&mut self, ctx: &Context, faces: &mut BTreeMap<DeviceId, Face>) -> bool {
        let mut done = false;
        while let Some(told) = &self.decoded {
            match told.try_recv() {
                Ok((id, packet, image)) => {
                    faces.insert(id, Face::new(ctx, packet, image));
                }
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => {
                    self.decoded = None;
                    done = true;
                }
            }
        }
        done
    }
}

/// A picture in base64 as a small disc; `None` where it is none.
fn decode(text: &str) -> Option<ColorImage> {
    let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').collect();
    let bytes = base64::prelude::BASE64_STANDARD_NO_PAD.decode(text).ok()?;
    let mut reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MOST_PIXELS);
    limits.max_image_height = Some(MOST_PIXELS);
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let picture = reader.decode().ok()?.resize_to_fill(SIDE, SIDE, image::imageops::FilterType::Triangle).to_rgba8();
    let side = SIDE as usize;
    let mut image = ColorImage::from_rgba_unmultiplied([side, side], picture.as_raw());
    round(&mut image);
    Some(image)
}

/// Cuts the corners off, softly.
#[expect(clippy::cast_precision_loss, reason = "a few pixels")]
fn round(image: &mut ColorImage) {
    let [width, _] = image.size;
    let radius = width as f32 / 2.0;
    for (at, pixel) in image.pixels.iter_mut().enumerate() {
        let (x, y) = ((at % width) as f32 + 0.5 - radius, (at / width) as f32 + 0.5 - radius);
        let inside = (radius - x.hypot(y)).clamp(0.0, 1.0);
        *pixel = pixel.gamma_multiply(inside);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_becomes_a_small_disc() {
        let mut png = Cursor::new(Vec::new());
        image::RgbImage::from_pixel(10, 30, image::Rgb([200, 10, 10]))
            .write_to(&mut png, image::ImageFormat::Png)
            .unwrap();
        let text = base64::prelude::BASE64_STANDARD.encode(png.into_inner());
        let face = decode(&text).unwrap();
        let side = SIDE as usize;
        assert_eq!(face.size, [side, side]);
        assert_eq!(face.pixels[0].a(), 0, "the corner is cut off");
        assert_eq!(face.pixels[side * side / 2 + side / 2], Color32::from_rgb(200, 10, 10));
    }

    #[test]
    fn what_is_no_picture_is_no_face() {
        for text in ["", "aGVsbG8=", "iVBORw0KGgoAAAA", "not base64 \u{e9}"] {
            assert!(decode(text).is_none(), "{text}");
        }
    }
}
