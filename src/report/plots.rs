//! Pictures of an evaluation.

use std::io::Cursor;

use image::{ImageFormat, ImageResult, Rgb, RgbImage};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight};

use super::bitmap_text::{Anchor, Face, write, write_upwards};
use mammoscope_domain::metrics::confusion_matrix::ConfusionMatrix;
use mammoscope_domain::subject::density::DensityClass;

const TITLE: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size32 };
const COUNT: Face = Face { weight: FontWeight::Bold, height: RasterHeight::Size32 };
const LABEL: Face = Face { weight: FontWeight::Regular, height: RasterHeight::Size24 };
const SMALL: Face = Face { weight: FontWeight::Regular, height: RasterHeight::Size20 };

const INK: Rgb<u8> = Rgb([34, 34, 34]);
const PAPER: Rgb<u8> = Rgb([255; 3]);

/// The share at which dark and white text have equal contrast with the cell's colour.
const EQUAL_CONTRAST: f64 = 0.61;

/// The side of a cell, and the gap between cells, in pixels.
const CELL: u32 = 150;
const GAP: u32 = 3;
/// The left and upper edge of the matrix.
const LEFT: u32 = 130;
const TOP: u32 = 120;
const MATRIX: u32 = DensityClass::COUNT as u32 * CELL;
/// The colour bar, right of the matrix.
const BAR_LEFT: u32 = LEFT + MATRIX + 36;
const BAR_WIDTH: u32 = 24;
const WIDTH: u32 = BAR_LEFT + BAR_WIDTH + 130;
const HEIGHT: u32 = TOP + MATRIX + 110;

/// Draws a confusion matrix as a PNG, true classes in rows and predicted ones in columns. Each cell shows its count and
/// its share of the row, and is coloured by that share on a perceptually uniform scale. `cases` names the cases, as in
/// `128 images`.
pub fn confusion_matrix_png(title: &str, cases: &str, matrix: &ConfusionMatrix) -> ImageResult<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    confusion_matrix(title, cases, matrix).write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn confusion_matrix(title: &str, cases: &str, matrix: &ConfusionMatrix) -> RgbImage {
    let mut picture = RgbImage::from_pixel(WIDTH, HEIGHT, PAPER);
    let middle = LEFT + MATRIX / 2;
    write(&mut picture, title, TITLE, INK, (middle, 40), Anchor::Center);
    let summary = format!("{cases}   accuracy {:.1} %", 100.0 * matrix.accuracy());
    write(&mut picture, &summary, LABEL, INK, (middle, 82), Anchor::Center);
    for truth in DensityClass::ALL {
        for predicted in DensityClass::ALL {
            cell(&mut picture, matrix, truth, predicted);
        }
    }
    for class in DensityClass::ALL {
        let along = class.index() as u32 * CELL + CELL / 2;
        write(&mut picture, class.letter(), TITLE, INK, (LEFT - 62 / 2, TOP + along), Anchor::Center);
        write(&mut picture, class.letter(), TITLE, INK, (LEFT + along, TOP + MATRIX + 30), Anchor::Center);
    }
    write(&mut picture, "predicted class", LABEL, INK, (middle, TOP + MATRIX + 76), Anchor::Center);
    write_upwards(&mut picture, "true class", LABEL, INK, (44, TOP + MATRIX / 2));
    color_bar(&mut picture);
    picture
}

fn cell(picture: &mut RgbImage, matrix: &ConfusionMatrix, truth: DensityClass, predicted: DensityClass) {
    let (count, support) = (matrix.count(truth, predicted), matrix.support(truth));
    let share = if support == 0 { 0.0 } else { count as f64 / support as f64 };
    let color = sequential_color(share);
    let (left, top) = (LEFT + predicted.index() as u32 * CELL, TOP + truth.index() as u32 * CELL);
    fill(picture, (left, top), (CELL - GAP, CELL - GAP), color);
    let ink = ink_on(share);
    let (x, y) = (left + (CELL - GAP) / 2, top + (CELL - GAP) / 2);
    write(picture, &count.to_string(), COUNT, ink, (x, y - 14), Anchor::Center);
    let percentage = if support == 0 { "no cases".to_owned() } else { format!("{:.1} %", 100.0 * share) };
    write(picture, &percentage, SMALL, ink, (x, y + 20), Anchor::Center);
}

/// White or dark text, whichever has more contrast with the colour of a share.
pub(super) fn ink_on(share: f64) -> Rgb<u8> {
    if share > EQUAL_CONTRAST { PAPER } else { INK }
}

fn color_bar(picture: &mut RgbImage) {
    let height = MATRIX - GAP;
    for y in 0..height {
        let share = 1.0 - f64::from(y) / f64::from(height - 1);
        fill(picture, (BAR_LEFT, TOP + y), (BAR_WIDTH, 1), sequential_color(share));
    }
    for quarter in 0..=4_u32 {
        let y = TOP + (height - 1) * (4 - quarter) / 4;
        fill(picture, (BAR_LEFT + BAR_WIDTH, y), (6, 1), INK);
        let text = format!("{} %", 25 * quarter);
        write(picture, &text, SMALL, INK, (BAR_LEFT + BAR_WIDTH + 12, y), Anchor::Left);
    }
    write_upwards(picture, "share of the true class", SMALL, INK, (BAR_LEFT + BAR_WIDTH + 98, TOP + height / 2));
}

fn fill(picture: &mut RgbImage, (left, top): (u32, u32), (width, height): (u32, u32), color: Rgb<u8>) {
    for y in top..top + height {
        for x in left..left + width {
            picture.put_pixel(x, y, color);
        }
    }
}

/// White to dark blue for 0 to 1, perceptually uniform: a straight line in Oklab.
pub(super) fn sequential_color(share: f64) -> Rgb<u8> {
    const LIGHT: [f64; 3] = [0.98, -0.004, -0.008];
    const DARK: [f64; 3] = [0.36, -0.025, -0.125];
    oklab_to_srgb(std::array::from_fn(|axis| LIGHT[axis] + share.clamp(0.0, 1.0) * (DARK[axis] - LIGHT[axis])))
}

/// Ottosson, "A perceptual color space for image processing" (2020).
fn oklab_to_srgb([l, a, b]: [f64; 3]) -> Rgb<u8> {
    let cone = [
        l + 0.396_337_777_4 * a + 0.215_803_757_3 * b,
        l - 0.105_561_345_8 * a - 0.063_854_172_8 * b,
        l - 0.089_484_177_5 * a - 1.291_485_548_0 * b,
    ]
    .map(|response| response.powi(3));
    let linear = [
        [4.076_741_662_1, -3.307_711_591_3, 0.230_969_929_2],
        [-1.268_438_004_6, 2.609_757_401_1, -0.341_319_396_5],
        [-0.004_196_086_3, -0.703_418_614_7, 1.707_614_701_0],
    ]
    .map(|row| row.iter().zip(cone).map(|(weight, response)| weight * response).sum::<f64>());
    Rgb(linear.map(|value| {
        let value = value.clamp(0.0, 1.0);
        let encoded = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (255.0 * encoded).round() as u8
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(Rgb([r, g, b]): Rgb<u8>) -> f64 {
        let linear = |channel: u8| (f64::from(channel) / 255.0).powf(2.2);
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    #[test]
    fn the_scale_darkens_steadily() {
        let luminances: Vec<_> = (0..=50).map(|step| luminance(sequential_color(f64::from(step) / 50.0))).collect();
        assert!(luminances.windows(2).all(|pair| pair[0] > pair[1]), "{luminances:?}");
        assert_eq!(oklab_to_srgb([1.0, 0.0, 0.0]), Rgb([255; 3]));
        assert_eq!(oklab_to_srgb([0.0, 0.0, 0.0]), Rgb([0; 3]));
    }

    #[test]
    fn text_can_be_read_on_every_cell() {
        for step in 0..=100 {
            let share = f64::from(step) / 100.0;
            let (ground, ink) = (luminance(sequential_color(share)), ink_on(share));
            let (light, dark) = (ground.max(luminance(ink)), ground.min(luminance(ink)));
            // WCAG 2.1 requires 3 to 1 for large text; the best that two inks can do in the middle is about 4 to 1.
            let contrast = (light + 0.05) / (dark + 0.05);
            assert!(contrast > 3.7, "share {share}: {contrast}");
        }
    }

    #[test]
    fn a_cell_has_the_colour_of_its_share_of_the_row() {
        let matrix = ConfusionMatrix::new([[10, 0, 0, 0], [5, 5, 0, 0], [0, 0, 0, 0], [0, 0, 0, 7]]);
        let bytes = confusion_matrix_png("CC_R", "27 images", &matrix).unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        let corner = |row: u32, column: u32| *picture.get_pixel(LEFT + column * CELL + 4, TOP + row * CELL + 4);
        assert_eq!(corner(0, 0), sequential_color(1.0));
        assert_eq!(corner(1, 0), sequential_color(0.5));
        assert_eq!(corner(1, 1), sequential_color(0.5));
        assert_eq!(corner(2, 2), sequential_color(0.0), "a class without cases");
        assert_eq!(corner(0, 3), sequential_color(0.0));
    }

    #[test]
    fn no_text_is_cut_off_at_the_edges() {
        let matrix = ConfusionMatrix::new([[123_456; 4]; 4]);
        let cases = "1975296 examinations, 123456 lack views";
        let picture = confusion_matrix("total: weighted mean of CC_R, CC_L, MLO_R, MLO_L", cases, &matrix);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let at_edge = x < 4 || y < 4 || x >= WIDTH - 4 || y >= HEIGHT - 4;
            assert!(!at_edge || *pixel == PAPER, "ink at {x}, {y}");
        }
    }
}
