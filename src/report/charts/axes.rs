//! Line charts on two axes, and what all charts have in common.

use std::fmt::Display;
use std::ops::Range;

use plotters::chart::{ChartBuilder, ChartContext, SeriesLabelPosition};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::element::{Circle, PathElement};
use plotters::prelude::{Cartesian2d, DrawingArea, IntoDrawingArea as _, IntoFont as _, SVGBackend};
use plotters::series::LineSeries;
use plotters::style::{Color as _, RGBColor, TRANSPARENT, TextStyle};

use super::ChartFault;
use super::palette::{GRID, INK};

/// Sizes of letters, of the document's units. SVG coordinates are whole numbers here, so documents are drawn large and
/// shown smaller.
const LABEL: f64 = 28.0;
const TITLE: f64 = 30.0;
/// A curve of more points is thinned to its extremes.
const MOST_POINTS: usize = 1_200;

/// The area that is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Plane<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

pub(super) fn text(size: f64, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color)
}

pub(super) fn label() -> TextStyle<'static> {
    text(LABEL, INK)
}

/// Draws an SVG document of this size.
pub(super) fn document(
    chart: &str,
    size: (u32, u32),
    draw: impl for<'a> FnOnce(&Area<'a>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String, ChartFault> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = draw(&root).and_then(|()| root.present().map_err(Into::into));
        drawn.map_err(|error| ChartFault { chart: chart.to_owned(), reason: error.to_string() })?;
    }
    Ok(svg)
}

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) title: String,
    pub(super) range: Range<f64>,
    pub(super) format: fn(f64) -> String,
}

impl Axis {
    /// An axis of shares from 0 to 1.
    pub(super) fn share(title: &str) -> Self {
        Self { title: title.to_owned(), range: 0.0..1.0, format: |value| format!("{value:.1}") }
    }
}

/// A curve of a chart.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Its entry in the legend; empty for none.
    pub(super) label: String,
    pub(super) color: RGBColor,
    pub(super) width: u32,
    pub(super) points: Vec<(f64, f64)>,
    /// Points that are marked.
    pub(super) marks: Vec<(f64, f64)>,
}

/// The corner of the legend.
#[derive(Clone, Copy, Debug)]
pub(super) enum Legend {
    UpperRight,
    LowerRight,
    LowerLeft,
}

/// Draws curves on two axes.
pub(super) fn line_chart(
    name: &str,
    size: (u32, u32),
    (x, y): (&Axis, &Axis),
    lines: &[Line],
    legend: Legend,
) -> Result<String, ChartFault> {
    document(name, size, |root| {
        let mut plane = plane(root, x, y)?;
        for Line { label, color, width, points, marks } in lines {
            let style = color.stroke_width(*width);
            for (place, part) in finite_parts(points).into_iter().enumerate() {
                let series = plane.draw_series(LineSeries::new(thinned(part), style))?;
                if place == 0 && !label.is_empty() {
                    let key = move |(x, y)| PathElement::new(vec![(x, y), (x + 36, y)], style);
                    series.label(label.clone()).legend(key);
                }
            }
            plane.draw_series(marks.iter().map(|&at| Circle::new(at, 8, color.filled())))?;
        }
        if lines.iter().any(|line| !line.label.is_empty()) {
            let position = match legend {
                Legend::UpperRight => SeriesLabelPosition::UpperRight,
                Legend::LowerRight => SeriesLabelPosition::LowerRight,
                Legend::LowerLeft => SeriesLabelPosition::LowerLeft,
            };
            let mut labels = plane.configure_series_labels();
            labels.position(position).margin(16).legend_area_size(44).label_font(label());
            labels.background_style(TRANSPARENT).border_style(TRANSPARENT).draw()?;
        }
        Ok(())
    })
}

/// Axes with their grid.
fn plane<'a>(root: &Area<'a>, x: &Axis, y: &Axis) -> Result<Plane<'a>, Box<dyn std::error::Error>> {
    let mut plane = ChartBuilder::on(root)
        .margin_top(14)
        .margin_right(34)
        .margin_bottom(8)
        .margin_left(8)
        .x_label_area_size(86)
        .y_label_area_size(112)
        .build_cartesian_2d(x.range.clone(), y.range.clone())?;
    let mut mesh = plane.configure_mesh();
    mesh.x_desc(x.title.clone()).y_desc(y.title.clone()).axis_style(INK.stroke_width(2));
    mesh.bold_line_style(GRID.stroke_width(2)).light_line_style(TRANSPARENT);
    mesh.label_style(label()).axis_desc_style(text(TITLE, INK)).x_labels(6).y_labels(6);
    let (of_x, of_y) = (x.format, y.format);
    let (of_x, of_y) = (move |value: &f64| of_x(*value), move |value: &f64| of_y(*value));
    mesh.x_label_formatter(&of_x).y_label_formatter(&of_y).draw()?;
    Ok(plane)
}

/// The parts of a curve between values that are not finite, which are gaps.
fn finite_parts(points: &[(f64, f64)]) -> Vec<&[(f64, f64)]> {
    points.split(|(x, y)| !(x.is_finite() && y.is_finite())).filter(|part| !part.is_empty()).collect()
}

/// The points of a curve; of very many, the lowest and the highest of each part of the axis.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(MOST_POINTS + 2);
    kept.extend(points.first());
    for part in points.chunks(points.len().div_ceil(MOST_POINTS / 2)) {
        let by_value = |one: &&(f64, f64), other: &&(f64, f64)| one.1.total_cmp(&other.1);
        let ends = [part.iter().min_by(by_value), part.iter().max_by(by_value)];
        let mut ends: Vec<(f64, f64)> = ends.into_iter().flatten().copied().collect();
        ends.sort_by(|one, other| one.0.total_cmp(&other.0));
        kept.extend(ends);
    }
    kept.extend(points.last());
    kept
}

/// Numbers as CSV.
pub(super) fn csv<const N: usize>(columns: [&str; N], lines: impl IntoIterator<Item = [String; N]>) -> String {
    crate::report::csv_text::csv_text(columns, lines.into_iter())
}

/// A number in CSV; empty if it is not finite or missing.
pub(super) fn number(value: impl Into<Option<f64>>) -> String {
    value.into().filter(|value| value.is_finite()).map_or_else(String::new, |value| value.to_string())
}

pub(super) fn cell(value: impl Display) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thinned_curve_keeps_its_peaks_and_ends() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|at| (f64::from(at), 1.0)).collect();
        points[54_321].1 = 9.0;
        let thin = thinned(&points);
        assert!(thin.len() <= MOST_POINTS + 4, "{}", thin.len());
        assert!(thin.contains(&(54_321.0, 9.0)));
        assert_eq!((thin.first(), thin.last()), (points.first(), points.last()));
        assert!(thin.is_sorted_by(|one, other| one.0 <= other.0));
        assert_eq!(thinned(&points[..5]), points[..5]);
    }

    #[test]
    fn values_that_are_not_finite_are_gaps() {
        let points = [(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.25), (4.0, 0.125), (5.0, f64::INFINITY)];
        assert_eq!(finite_parts(&points), [&points[..1], &points[2..4]]);
        assert!(finite_parts(&points[1..2]).is_empty());
    }
}
