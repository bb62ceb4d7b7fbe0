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
        let rows: Vec<usize> = outline.widths().iter().map(|&width| pixels(width)).collect();
        let margin = outline.margin();
        let distances = skin_distance(&rows, size);
        let depth = distances[margin * size..][..size * size].iter().map(|distance| distance / size as f32).collect();
        let mut breast = vec![false; size * size];
        for (row, &inside) in breast.chunks_exact_mut(size).zip(&rows[margin..]) {
            row[..inside].fill(true);
        }
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

    /// The pixels that show tissue proper, row by row, each with its centre (x, y) in image sides.
    pub(super) fn tissue(&self) -> impl Iterator<Item = (usize, f32, f32)> {
        let side = self.size as f32;
        (0..self.size).flat_map(move |row| {
            let y = (row as f32 + 0.5) / side;
            (0..self.size)
                .map(move |column| (row * self.size + column, (column as f32 + 0.5) / side, y))
                .filter(|&(at, ..)| self.is_tissue(at))
        })
    }
}
