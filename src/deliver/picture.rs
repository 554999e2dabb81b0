//! A drawing as PNG, in twice the pixels of its size, for screens that have them.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Pixels per unit of the drawing.
const SCALE: f32 = 2.0;

/// Pixels on a side at most.
const SIDE_MAX: f32 = 4096.0;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[error("the picture cannot be drawn: {0}")]
pub struct PictureError(String);

/// Draws SVG without text.
pub fn png(svg: &str) -> Result<Vec<u8>, PictureError> {
    let tree = Tree::from_str(svg, &Options::default()).map_err(|e| PictureError(e.to_string()))?;
    let (width, height) = (tree.size().width() * SCALE, tree.size().height() * SCALE);
    if !(width <= SIDE_MAX && height <= SIDE_MAX) {
        return Err(PictureError(format!("{width} x {height} pixels are more than {SIDE_MAX} on a side")));
    }
    let none = || PictureError("it has no size".into());
    let mut pixels = Pixmap::new(width.ceil() as u32, height.ceil() as u32).ok_or_else(none)?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|e| PictureError(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(png: &[u8]) -> (u32, u32) {
        let of = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        (of(16), of(20))
    }

    #[test]
    fn a_drawing_has_twice_its_pixels_and_its_colours() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"60\" height=\"10\"><rect width=\"60\" height=\"10\" fill=\"#6e0b14\"/></svg>";
        let drawn = png(svg).unwrap();
        assert_eq!(&drawn[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(size(&drawn), (120, 20));
        assert_eq!(drawn, png(svg).unwrap());
        let pixels = Pixmap::decode_png(&drawn).unwrap();
        let pixel = pixels.pixel(60, 10).unwrap();
        assert_eq!((pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()), (0x6e, 0x0b, 0x14, 255));
    }

    #[test]
    fn what_is_no_drawing_or_too_large_is_an_error() {
        let large = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1e9\" height=\"10\"></svg>";
        for svg in ["", "no", large] {
            assert!(png(svg).is_err(), "{svg}");
        }
    }
}
