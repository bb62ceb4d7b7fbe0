//! Ligaments, ducts and vessels: fine bright lines from the nipple to the chest wall.

use std::f64::consts::PI;

use super::anatomy::Anatomy;
use super::outline::Outline;
use super::silhouette::Silhouette;
use mammoscope_domain::random_stream::RandomStream;

/// Draws the strands of one view into a separate picture, in grey levels.
pub(super) fn draw_strands(
    anatomy: &Anatomy,
    outline: &Outline,
    silhouette: &Silhouette,
    stream: &mut RandomStream,
) -> Vec<f32> {
    let mut picture = vec![0.0; silhouette.depth.len()];
    let count = (anatomy.strands + 8.0 * stream.normal()).max(20.0) as usize;
    for _ in 0..count {
        let strand = Strand::draw(outline, stream);
        strand.trace(silhouette, &mut picture, stream);
    }
    picture
}

/// One strand; lengths in image sides.
struct Strand {
    x: f64,
    y: f64,
    /// Direction in radians; 0 points away from the chest wall.
    heading: f64,
    length: f64,
    half_width: f64,
    /// Grey levels above the surrounding tissue.
    brightness: f64,
}

impl Strand {
    fn draw(outline: &Outline, stream: &mut RandomStream) -> Self {
        let (x, y) = (stream.uniform(0.0, 0.92), stream.uniform(0.02, 0.98));
        // Towards a point beyond the nipple, with some spread; a few run across, like Cooper's ligaments.
        let spread = if stream.unit() < 0.2 { 0.7 } else { 0.22 };
        let heading = libm::atan2(outline.nipple_height - y, 1.5 - x) + spread * stream.normal();
        let (size, prominence) = (stream.unit(), stream.unit());
        Self {
            x,
            y,
            heading,
            length: 0.08 + 0.4 * stream.unit() * stream.unit(),
            half_width: 0.0008 + 0.0020 * size * size,
            brightness: 1.5 + 9.0 * prominence * prominence * prominence,
        }
    }

    fn trace(mut self, silhouette: &Silhouette, picture: &mut [f32], stream: &mut RandomStream) {
        let side = silhouette.size as f64;
        // A line finer than a pixel is drawn wider and proportionally fainter.
        let half_width = (self.half_width * side).max(0.6);
        let brightness = self.brightness * (self.half_width * side / half_width);
        let pen = Pen { half_width: half_width as f32, reach: (2.5 * half_width).ceil() as isize };
        let steps = (self.length * side).ceil().max(2.0);
        let mut turn = 1.5 * stream.normal();
        for step in 0..steps as usize {
            let (column, row) = ((self.x * side) as usize, (self.y * side) as usize);
            let inside = self.x >= 0.0 && self.y >= 0.0 && column < silhouette.size && row < silhouette.size;
            if !inside || !silhouette.is_tissue(column, row) {
                break;
            }
            let taper = libm::sin(PI * (step as f64 + 0.5) / steps);
            pen.dab(silhouette.size, picture, self.x * side, self.y * side, (brightness * taper) as f32);
            turn += stream.normal() * 14.0 / libm::sqrt(side) - 3.0 * turn / side;
            self.heading += turn / side;
            self.x += libm::cos(self.heading) / side;
            self.y += libm::sin(self.heading) / side;
        }
    }
}

/// A round pen with a soft edge, applied once per pixel.
struct Pen {
    half_width: f32,
    reach: isize,
}

impl Pen {
    fn dab(&self, size: usize, picture: &mut [f32], x: f64, y: f64, brightness: f32) {
        // ∫ (1 + t²/w²)⁻² dt = πw/2: dabs one pixel apart add up to the brightness on the line.
        let height = brightness * 2.0 / (std::f32::consts::PI * self.half_width);
        let width_squared = self.half_width * self.half_width;
        let (column, row) = (x as isize, y as isize);
        let limit = size as isize;
        for near_row in (row - self.reach).max(0)..=(row + self.reach).min(limit - 1) {
            for near_column in (column - self.reach).max(0)..=(column + self.reach).min(limit - 1) {
                let (dx, dy) = (near_column as f32 + 0.5 - x as f32, near_row as f32 + 0.5 - y as f32);
                let falloff = 1.0 + (dx * dx + dy * dy) / width_squared;
                picture[near_row as usize * size + near_column as usize] += height / (falloff * falloff);
            }
        }
    }
}
