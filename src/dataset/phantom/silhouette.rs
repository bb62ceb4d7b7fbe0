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
        // Pixels whose centre lies within `width` of the chest wall.
        let pixels = |width: f64| (width * side - 0.5).ceil().clamp(0.0, side) as usize;
        let margin = outline.margin() * size;
        let mut extended = vec![false; outline.widths().len() * size];
        for (row, &width) in extended.chunks_exact_mut(size).zip(outline.widths()) {
            row[..pixels(width)].fill(true);
        }
        let distances = skin_distance(&extended, size);
        let depth = distances[margin..][..size * size].iter().map(|distance| distance / size as f32).collect();
        let breast = extended[margin..][..size * size].to_vec();
        let mut pectoral = vec![false; size * size];
        for (row, muscle) in pectoral.chunks_exact_mut(size).enumerate() {
            let width = outline.pectoral_width((row as f64 + 0.5) / side);
            muscle[..pixels(width)].copy_from_slice(&breast[row * size..][..pixels(width)]);
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
