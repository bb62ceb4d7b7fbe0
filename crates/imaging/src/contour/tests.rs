use proptest::prelude::*;

use super::*;

fn map(width: usize, values: &[f32]) -> Raster<f32> {
    Raster::new(width, values.len() / width, Channels::Grey, values.to_vec())
}

fn points(line: &Contour) -> Vec<(f32, f32)> {
    line.points.iter().map(|point| (point.x, point.y)).collect()
}

#[test]
fn the_contour_of_a_peak_is_a_diamond() {
    let peak = map(3, &[0.0, 0.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]);
    let lines = contours(&peak, 1.0);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].closed);
    let mut found = points(&lines[0]);
    found.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(found, [(0.25, 1.0), (1.0, 0.25), (1.0, 1.75), (1.75, 1.0)]);
}

#[test]
fn a_line_ends_at_the_edge() {
    let slope = map(3, &[0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    let lines = contours(&slope, 0.5);
    assert_eq!(lines.len(), 1);
    assert!(!lines[0].closed);
    assert_eq!(points(&lines[0]), [(0.5, 0.0), (0.5, 1.0), (0.5, 2.0)]);
    assert_eq!(contours(&slope, 9.0), []);
    assert_eq!(contours(&map(1, &[0.0, 1.0]), 0.5), [], "no square, no line");
}

#[test]
fn the_mean_decides_a_saddle() {
    // High corners at the upper left and lower right.
    let joined = |level: f32| {
        let lines = contours(&map(2, &[4.0, 0.0, 0.0, 4.0]), level);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| !line.closed && line.points.len() == 2));
        // True if a line cuts off the upper left corner.
        lines.iter().any(|line| points(line).iter().all(|&(x, y)| x + y < 1.0))
    };
    // The mean is 2. Above it the high corners are cut off, below it the low ones.
    assert!(joined(3.5));
    let low_cut_off = contours(&map(2, &[4.0, 0.0, 0.0, 4.0]), 1.0);
    let upper_right = low_cut_off.iter().any(|line| points(line).iter().all(|&(x, y)| x - y >= 0.5));
    assert!(upper_right, "{low_cut_off:?}");
}

#[test]
fn no_line_passes_through_values_that_are_not_finite() {
    let hole = map(3, &[0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0, 4.0, 4.0, 4.0]);
    assert_eq!(contours(&hole, 1.0), []);
}

#[test]
fn lines_are_drawn_at_their_position() {
    let picture = Raster::new(5, 3, Channels::Grey, vec![10; 15]);
    let line = Contour { points: vec![Point { x: 0.0, y: 1.0 }, Point { x: 4.0, y: 1.0 }], closed: false };
    let drawn = drawn(&picture, &[line], [200, 0, 0], 1.0);
    assert_eq!(drawn.row(1), [200, 0, 0].repeat(5));
    assert_eq!(drawn.row(0), [10; 15]);
    assert_eq!(drawn.row(2), [10; 15]);
}

#[test]
fn a_mask_has_one_closed_outline() {
    let mut inside = vec![false; 36];
    for at in [14, 15, 20, 21] {
        inside[at] = true;
    }
    let lines = outline(&Mask::new(6, 6, inside));
    assert_eq!((lines.len(), lines[0].closed, lines[0].points.len()), (1, true, 8));
}

prop_compose! {
    fn any_map()(width in 2_usize..9, height in 2_usize..9)
        (values in prop::collection::vec(-2_i8..=2, width * height), width in Just(width)) -> Raster<f32> {
        map(width, &values.iter().map(|&value| f32::from(value)).collect::<Vec<_>>())
    }
}

proptest! {
    /// Every crossed edge is on exactly one line, open lines end at the edge of the map, and closed lines have no gaps.
    #[test]
    fn every_crossing_is_on_one_line(map in any_map(), level in -2.5_f32..2.5) {
        let lines = contours(&map, level);
        let high = |x: usize, y: usize| map.row(y)[x] >= level;
        let (width, height) = (map.width(), map.height());
        let across = (0..height).flat_map(|y| (1..width).map(move |x| (x, y))).filter(|&(x, y)| high(x, y) != high(x - 1, y));
        let down = (1..height).flat_map(|y| (0..width).map(move |x| (x, y))).filter(|&(x, y)| high(x, y) != high(x, y - 1));
        prop_assert_eq!(across.count() + down.count(), lines.iter().map(|line| line.points.len()).sum::<usize>());
        let at_edge = |point: Point| {
            point.x <= 0.0 || point.y <= 0.0 || point.x >= (width - 1) as f32 || point.y >= (height - 1) as f32
        };
        for line in &lines {
            prop_assert!(line.points.len() >= 2);
            let (first, last) = (line.points[0], line.points[line.points.len() - 1]);
            if line.closed {
                prop_assert!(line.points.len() >= 4);
                // The ends belong to one square.
                prop_assert!((first.x - last.x).abs() <= 1.0 && (first.y - last.y).abs() <= 1.0);
            } else {
                prop_assert!(at_edge(first) && at_edge(last), "{:?}", line);
            }
            for pair in line.points.windows(2) {
                prop_assert!((pair[0].x - pair[1].x).abs() <= 1.0 && (pair[0].y - pair[1].y).abs() <= 1.0);
            }
        }
    }
}
