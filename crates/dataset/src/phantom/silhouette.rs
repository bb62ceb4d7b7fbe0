//! The pixels of the breast and the pectoral muscle, and their depth under the skin.

use super::outline::Outline;
use super::skin_distance::skin_distance;

/// The pixels of an outline, with the chest wall on the left.
pub(super) struct Silhouette {
    /// Side of the image in pixels.
    pub(super) size: usize,
    rows: Vec<Row>,
    /// Distance from the skin, in image sides; 0 outside the breast.
    pub(super) depth: Vec<f32>,
}

/// A row of pixels: muscle before the column `muscle`, then tissue before the column `skin`, then background.
#[derive(Clone, Copy)]
struct Row {
    muscle: usize,
    skin: usize,
}

impl Silhouette {
    pub(super) fn of(outline: &Outline, size: usize) -> Self {
        let side = size as f64;
        // The number of pixels whose centre is within `width` of the chest wall.
        let pixels = |width: f64| (width * side - 0.5).ceil().clamp(0.0, side) as usize;
        let skins: Vec<usize> = outline.widths().iter().map(|&width| pixels(width)).collect();
        let margin = outline.margin();
        // One column of background beyond the image, so that a nipple at the image edge has its skin there.
        let distances = skin_distance(&skins, size + 1);
        let depth = distances
            .chunks_exact(size + 1)
            .skip(margin)
            .take(size)
            .flat_map(|row| row[..size].iter().map(|distance| distance / size as f32))
            .collect();
        let row = |(row, &skin): (usize, &usize)| {
            let muscle = pixels(outline.pectoral_width((row as f64 + 0.5) / side));
            Row { muscle: muscle.min(skin), skin }
        };
        Self { size, rows: skins[margin..][..size].iter().enumerate().map(row).collect(), depth }
    }

    /// True for each pixel of the breast, pectoral muscle included.
    pub(super) fn breast(&self) -> impl Iterator<Item = bool> {
        self.rows.iter().flat_map(|row| (0..self.size).map(|column| column < row.skin))
    }

    /// True for each pixel of the pectoral muscle.
    pub(super) fn pectoral(&self) -> impl Iterator<Item = bool> {
        self.rows.iter().flat_map(|row| (0..self.size).map(|column| column < row.muscle))
    }

    /// True for a pixel of the breast outside the pectoral muscle.
    pub(super) fn is_tissue(&self, column: usize, row: usize) -> bool {
        (self.rows[row].muscle..self.rows[row].skin).contains(&column)
    }

    /// The indices of the breast's pixels outside the pectoral muscle, each with the pixel's centre (x, y) in image sides.
    pub(super) fn tissue(&self) -> impl Iterator<Item = (usize, f32, f32)> {
        let side = self.size as f32;
        self.rows.iter().enumerate().flat_map(move |(row, &Row { muscle, skin })| {
            let y = (row as f32 + 0.5) / side;
            (muscle..skin).map(move |column| (row * self.size + column, (column as f32 + 0.5) / side, y))
        })
    }
}

#[cfg(test)]
mod tests {
    use mammoscope_domain::subject::view::Projection;

    use super::super::anatomy::Anatomy;
    use super::super::phantom_stream::PhantomStream;
    use super::*;
    use mammoscope_domain::random_stream::RandomStream;

    #[test]
    fn the_skin_is_at_the_image_edge_where_the_breast_touches_it() {
        let size = 200;
        for subject in 1..=20 {
            let mut stream = RandomStream::new(13, PhantomStream::Subject(subject));
            let anatomy = Anatomy::draw(&mut stream);
            for projection in [Projection::Cc, Projection::Mlo] {
                let silhouette = Silhouette::of(&Outline::draw(&anatomy, projection, size, None, &mut stream), size);
                let edge = silhouette.depth.iter().skip(size - 1).step_by(size);
                let deepest = edge.copied().fold(0.0, f32::max);
                assert!(deepest * 200.0 < 1.0, "a pixel of the edge column is {} pixels deep", deepest * 200.0);
                assert!(silhouette.breast().skip(size - 1).step_by(size).any(|inside| inside));
            }
        }
    }
}
