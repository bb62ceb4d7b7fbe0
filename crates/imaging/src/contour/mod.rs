//! Contour lines of a map and their drawing.

use std::collections::HashMap;

use super::mask::Mask;
use super::overlay::blended;
use super::raster::{Channels, Raster};

/// A point of a picture in pixels: x to the right, y down, (0, 0) at the centre of the first pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

/// A line along which a map has the value of a level.
#[derive(Clone, Debug, PartialEq)]
pub struct Contour {
    /// The points in order; a closed line does not repeat the first one at the end.
    pub points: Vec<Point>,
    /// True if the last point is joined to the first. A line is open only if it ends at the edge of the map or beside
    /// values that are not finite.
    pub closed: bool,
}

/// The lines that separate values of at least `level` from smaller ones.
///
/// Marching squares with linear interpolation along the edges between neighbouring pixels (Lorensen and Cline 1987, in
/// the plane). At a saddle the mean of the four pixels decides which corners are joined. Open lines come first, then
/// closed ones, each ordered by row.
///
/// # Panics
/// If the map has more than one channel.
#[must_use]
pub fn contours(map: &Raster<f32>, level: f32) -> Vec<Contour> {
    assert_eq!(map.channels(), Channels::Grey, "a map has one value per position");
    let mut mesh = Mesh::default();
    for y in 1..map.height() {
        let (above, below) = (map.row(y - 1), map.row(y));
        for x in 1..map.width() {
            let corners = [above[x - 1], above[x], below[x], below[x - 1]];
            if corners.iter().all(|value| value.is_finite()) {
                mesh.add_square(x - 1, y - 1, corners, level);
            }
        }
    }
    mesh.lines(map, level)
}

/// The outline of a mask, halfway between the pixels inside and outside; open where the mask reaches the picture's edge.
#[must_use]
pub fn outline(mask: &Mask) -> Vec<Contour> {
    let inside = mask.pixels().iter().map(|&inside| f32::from(u8::from(inside))).collect();
    contours(&Raster::new(mask.width(), mask.height(), Channels::Grey, inside), 0.5)
}

/// A picture with lines drawn over it, `width` pixels wide and anti-aliased, as RGB.
#[must_use]
pub fn drawn(picture: &Raster<u8>, lines: &[Contour], color: [u8; 3], width: f32) -> Raster<u8> {
    let mut coverage = Raster::new(
        picture.width(),
        picture.height(),
        Channels::Grey,
        vec![0.0_f32; picture.width() * picture.height()],
    );
    for line in lines {
        let mut cover = |from, to| cover_segment(&mut coverage, from, to, width);
        line.points.windows(2).for_each(|pair| cover(pair[0], pair[1]));
        if let (true, [first, .., last]) = (line.closed, line.points.as_slice()) {
            cover(*last, *first);
        }
    }
    blended(picture, |at| {
        let covered = coverage.samples()[at];
        (covered > 0.0).then_some((color, covered))
    })
}

/// Adds the coverage of each pixel by one segment of a line; where segments meet, the larger coverage counts.
fn cover_segment(coverage: &mut Raster<f32>, from: Point, to: Point, width: f32) {
    let reach = width / 2.0 + 0.5;
    let pixels = |low: f32, high: f32, count: usize| {
        let first = (low - reach).ceil().max(0.0) as usize;
        let end = ((high + reach).floor() + 1.0).clamp(0.0, count as f32) as usize;
        first..end
    };
    let (across, down) = (to.x - from.x, to.y - from.y);
    let length = across * across + down * down;
    let columns = pixels(from.x.min(to.x), from.x.max(to.x), coverage.width());
    for y in pixels(from.y.min(to.y), from.y.max(to.y), coverage.height()) {
        for x in columns.clone() {
            let (dx, dy) = (x as f32 - from.x, y as f32 - from.y);
            let along = if length > 0.0 { ((dx * across + dy * down) / length).clamp(0.0, 1.0) } else { 0.0 };
            let distance = (dx - along * across).hypot(dy - along * down);
            let pixel = coverage.at_mut(x, y);
            *pixel = pixel.max((reach - distance).clamp(0.0, 1.0));
        }
    }
}

/// An edge between two neighbouring pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Edge {
    x: usize,
    y: usize,
    /// True if it leads from (x, y) down, false if it leads to the right.
    down: bool,
}

/// The edges that lines cross. Each is joined to at most two others, one in each of the squares that it belongs to.
#[derive(Default)]
struct Mesh {
    joined: HashMap<Edge, [Option<Edge>; 2]>,
    /// The edges in order of discovery.
    order: Vec<Edge>,
}

impl Mesh {
    /// Joins the crossed edges of a square; corners clockwise from the upper left.
    fn add_square(&mut self, x: usize, y: usize, corners: [f32; 4], level: f32) {
        let high = corners.map(|value| value >= level);
        let edges = [
            Edge { x, y, down: false },
            Edge { x: x + 1, y, down: true },
            Edge { x, y: y + 1, down: false },
            Edge { x, y, down: true },
        ];
        let crossed = |edge: usize| high[edge] != high[(edge + 1) % 4];
        if (0..4).all(crossed) {
            // A saddle. If the mean is high, the high corners are connected and a line cuts off each low one.
            let mean = corners.iter().map(|&value| f64::from(value)).sum::<f64>() / 4.0;
            let cut_off = usize::from((mean >= f64::from(level)) == high[0]);
            for corner in [cut_off, cut_off + 2] {
                self.join(edges[(corner + 3) % 4], edges[corner]);
            }
        } else {
            let mut ends = (0..4).filter(|&edge| crossed(edge));
            if let (Some(first), Some(second)) = (ends.next(), ends.next()) {
                self.join(edges[first], edges[second]);
            }
        }
    }

    fn join(&mut self, first: Edge, second: Edge) {
        for (from, to) in [(first, second), (second, first)] {
            let joined = self.joined.entry(from).or_insert_with(|| {
                self.order.push(from);
                [None; 2]
            });
            joined[usize::from(joined[0].is_some())] = Some(to);
        }
    }

    fn lines(mut self, map: &Raster<f32>, level: f32) -> Vec<Contour> {
        let order = std::mem::take(&mut self.order);
        let ends: Vec<Edge> = order.iter().copied().filter(|edge| self.joined[edge][1].is_none()).collect();
        let open = ends.len();
        let mut lines = Vec::new();
        for (index, start) in ends.into_iter().chain(order).enumerate() {
            let mut points = Vec::new();
            let mut next = self.joined.contains_key(&start).then_some(start);
            while let Some(edge) = next {
                points.push(crossing(map, edge, level));
                let neighbours = self.joined.remove(&edge).unwrap_or_default();
                next = neighbours.into_iter().flatten().find(|edge| self.joined.contains_key(edge));
            }
            if !points.is_empty() {
                lines.push(Contour { points, closed: index >= open });
            }
        }
        lines
    }
}

/// The point on an edge at which the interpolated value is the level.
fn crossing(map: &Raster<f32>, edge: Edge, level: f32) -> Point {
    let first = map.row(edge.y)[edge.x];
    let second = if edge.down { map.row(edge.y + 1)[edge.x] } else { map.row(edge.y)[edge.x + 1] };
    // In double precision the difference of two finite values is finite as well.
    let along = (f64::from(level) - f64::from(first)) / (f64::from(second) - f64::from(first));
    let along = along.clamp(0.0, 1.0) as f32;
    let (x, y) = (edge.x as f32, edge.y as f32);
    if edge.down { Point { x, y: y + along } } else { Point { x: x + along, y } }
}

#[cfg(test)]
mod tests;
