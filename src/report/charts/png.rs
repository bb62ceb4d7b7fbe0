//! Charts as PNG.

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::ChartFault;

/// Renders the SVG document of a chart on white, at its own size in pixels, with a font of the program's own, so that
/// pictures are the same on every machine.
pub fn svg_to_png(chart: &str, svg: &str) -> Result<Vec<u8>, ChartFault> {
    let fault = |reason: String| ChartFault { chart: chart.to_owned(), reason };
    let mut options = Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    let family = fonts.faces().next().and_then(|face| Some(face.families.first()?.0.clone()));
    fonts.set_sans_serif_family(family.ok_or_else(|| fault("its font cannot be read".to_owned()))?);
    let tree = Tree::from_str(svg, &options).map_err(|error| fault(error.to_string()))?;
    let size = tree.size().to_int_size();
    let mut picture =
        Pixmap::new(size.width(), size.height()).ok_or_else(|| fault("it is too large for a picture".to_owned()))?;
    picture.fill(Color::WHITE);
    resvg::render(&tree, Transform::default(), &mut picture.as_mut());
    picture.encode_png().map_err(|error| fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_shapes_are_drawn_on_white() {
        let svg = |text: &str| {
            format!(
                "<svg width=\"200\" height=\"50\" viewBox=\"0 0 200 50\" xmlns=\"http://www.w3.org/2000/svg\">\
                 <text x=\"10\" y=\"30\" font-family=\"sans-serif\" font-size=\"25\" fill=\"#000000\">{text}</text></svg>"
            )
        };
        let dark = |text: &str| {
            let png = svg_to_png("one", &svg(text)).unwrap();
            let picture = image::load_from_memory(&png).unwrap().to_luma8();
            assert_eq!((picture.dimensions(), picture.get_pixel(0, 0).0), ((200, 50), [255]));
            picture.pixels().filter(|pixel| pixel.0[0] < 128).count()
        };
        assert_eq!(dark(""), 0);
        // The font has every letter that charts use.
        for text in ["κ", "–", "×", "≤", "ä", "%"] {
            assert!(dark(text) > 10 && dark(text) != dark("\u{10FFFF}"), "{text}: {}", dark(text));
        }
        assert!(svg_to_png("one", "<svg").unwrap_err().to_string().starts_with("draw the chart one: "));
    }
}
