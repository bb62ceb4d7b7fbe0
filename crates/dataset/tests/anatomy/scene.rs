//! Raw pictures made from phantoms: with margins, letters, tape, borders, and a noisy background that is not 0.

use mammoscope_dataset::phantom::PhantomView;
use mammoscope_domain::subject::view::Side;
use mammoscope_imaging::anatomy::PixelBox;
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::raster::{Channels, Raster};

/// The surroundings of a phantom. Lengths are shares of the phantom's side.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Surroundings {
    /// Background above and below the phantom, and beyond the skin.
    pub(crate) margin: f64,
    /// Background between the chest wall and the picture's edge.
    pub(crate) chest_wall_margin: f64,
    /// Width of a white border around the picture.
    pub(crate) border: f64,
    /// Width of a white border at the chest wall only.
    pub(crate) collimator: f64,
    /// Grey of the background.
    pub(crate) background: u8,
    /// Standard deviation of the noise, everywhere but in borders.
    pub(crate) noise: f64,
    /// Letters in the upper corner away from the chest wall.
    pub(crate) letters: bool,
    /// A strip of bright tape in the lower corner away from the chest wall.
    pub(crate) tape: bool,
}

/// A raw picture with its truth.
pub(crate) struct Scene {
    pub(crate) image: Raster<u8>,
    pub(crate) breast: Mask,
    pub(crate) skin_box: PixelBox,
}

/// The letters MLO, five pixels wide and seven high.
const LETTERS: [[u8; 7]; 3] =
    [[17, 27, 21, 21, 17, 17, 17], [16, 16, 16, 16, 16, 16, 31], [14, 17, 17, 17, 17, 17, 14]];

impl Surroundings {
    /// The picture of a phantom in these surroundings, with the chest wall on its proper side.
    pub(crate) fn around(&self, view: &PhantomView, side: Side, seed: u64) -> Scene {
        let size = view.image.width() as usize;
        let pixels = |share: f64| (share * size as f64).round() as usize;
        let (margin, border) = (pixels(self.margin), pixels(self.border));
        let wall = pixels(self.chest_wall_margin) + pixels(self.collimator);
        let (width, height) = (wall + size + margin + 2 * border, size + 2 * margin + 2 * border);
        // Drawn with the chest wall at the left, and mirrored at the end.
        let (left, top) = (border + wall, border + margin);
        let mut samples = vec![self.background; width * height];
        let mut breast = vec![false; width * height];
        for (x, y, pixel) in view.breast.enumerate_pixels() {
            let column = if side == Side::Left { x as usize } else { size - 1 - x as usize };
            if pixel.0[0] > 0 {
                let at = (top + y as usize) * width + left + column;
                // Fog adds to the exposure everywhere.
                samples[at] = view.image.get_pixel(x, y).0[0].saturating_add(self.background);
                breast[at] = true;
            }
        }
        let mut paint = |area: PixelBox, grey: u8| {
            for row in area.top..area.bottom.min(height) {
                for at in row * width + area.left..row * width + area.right.min(width) {
                    if !breast[at] {
                        samples[at] = grey;
                    }
                }
            }
        };
        let (right, bottom) = (width - border, height - border);
        if self.letters {
            let dot = (size / 80).max(1);
            for (index, letter) in LETTERS.iter().enumerate() {
                for (row, bits) in letter.iter().enumerate() {
                    for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                        let left = right - (18 - 6 * index - column) * dot;
                        let top = border + (1 + row) * dot;
                        paint(PixelBox { left, top, right: left + dot, bottom: top + dot }, 250);
                    }
                }
            }
        }
        if self.tape {
            let (length, thickness) = (size / 4, (size / 25).max(2));
            paint(PixelBox { left: right - length, top: bottom - thickness, right, bottom }, 140);
        }
        let mut noise = Noise(seed);
        for sample in &mut samples {
            *sample = (f64::from(*sample) + self.noise * noise.next()).round().clamp(0.0, 255.0) as u8;
        }
        let collimated = border + pixels(self.collimator);
        for (at, sample) in samples.iter_mut().enumerate() {
            let (x, y) = (at % width, at / width);
            if x < collimated || x >= right || y < border || y >= bottom {
                *sample = 255;
            }
        }
        if side == Side::Right {
            samples.chunks_exact_mut(width).for_each(<[u8]>::reverse);
            breast.chunks_exact_mut(width).for_each(<[bool]>::reverse);
        }
        let breast = Mask::new(width, height, breast);
        let skin_box = PixelBox::around(&breast).unwrap();
        Scene { image: Raster::new(width, height, Channels::Grey, samples), breast, skin_box }
    }
}

/// Nearly normal numbers: the sum of twelve uniform ones from a linear congruential generator (Knuth's MMIX).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut uniform = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f64 / f64::from(1_u32 << 24)
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }
}
