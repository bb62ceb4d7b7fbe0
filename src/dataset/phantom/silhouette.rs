//! Which pixels show the breast and the pectoral muscle, and how deep under the skin they lie.

use super::outline::Outline;
use super::skin_distance::skin_distance;

/// The pixels of an outline, row by row, chest wall at the left.
pub(super) struct Silhouette {
    /// Pixels along each side.
    pub(super) size: usize,
    /// The breast, pectoral muscle included.
    pub(super) breast: Vec<bool>,
    /// The pectoral muscle.
    pub(super) pectoral: Vec<bool>,
    /// Distance from the skin, in image sides; 0 outside the breast.
    pub(super) depth: Vec<f32>,
}

impl Silhouette {
    pub(super) fn of(outline: &Outline, size: usize) -> Self {
        let side = size as f64;
        let mut breast = vec![false; size * size];
        let mut pectoral = vec![false; size * size];
        // Pixels whose centre lies within `width` of the chest wall.
        let pixels = |width: f64| (width * side - 0.5).ceil().clamp(0.0, side) as usize;
        for row in 0..size {
            let y = (row as f64 + 0.5) / side;
            let skin = pixels(outline.width(row));
            breast[row * size..][..skin].fill(true);
            pectoral[row * size..][..pixels(outline.pectoral_width(y)).min(skin)].fill(true);
        }
        let mut depth = skin_distance(&breast, size);
        for distance in &mut depth {
            *distance /= size as f32;
        }
        Self { size, breast, pectoral, depth }
    }

    /// Whether a pixel shows breast tissue proper.
    pub(super) fn is_tissue(&self, at: usize) -> bool {
        self.breast[at] && !self.pectoral[at]
    }

    /// The centre of a pixel, (x, y) in image sides.
    pub(super) fn centre(&self, at: usize) -> (f32, f32) {
        let side = self.size as f32;
        (((at % self.size) as f32 + 0.5) / side, ((at / self.size) as f32 + 0.5) / side)
    }
}
