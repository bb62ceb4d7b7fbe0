//! A metric of several runs over the epochs, value by value.

use super::axes::{Axis, Legend, Line, line_chart};
use super::palette::FOUR;
use super::{Chart, ChartFault};
use crate::report::run_csv::{CsvCurve, curves_csv};

/// The chart of curves; `None` if they have no finite value.
pub fn curve_chart(metric: &str, curves: &[CsvCurve<'_>]) -> Result<Option<Chart>, ChartFault> {
    let lines: Vec<Line> = (0..)
        .zip(curves)
        .map(|(place, curve): (usize, &CsvCurve<'_>)| {
            let [_, epochs, _] = curve.places;
            let values = curve.series.values().iter().map(|value| f64::from(*value));
            Line {
                label: format!("{}, {}", curve.run, curve.metric),
                color: FOUR[place % FOUR.len()],
                width: 3,
                points: epochs.iter().copied().zip(values).collect(),
                marks: Vec::new(),
            }
        })
        .collect();
    let finite = || lines.iter().flat_map(|line| &line.points).filter(|(x, y)| x.is_finite() && y.is_finite());
    let (Some(low), Some(high)) =
        (finite().map(|point| point.1).min_by(f64::total_cmp), finite().map(|point| point.1).max_by(f64::total_cmp))
    else {
        return Ok(None);
    };
    let first = finite().map(|point| point.0).fold(f64::INFINITY, f64::min);
    let last = finite().map(|point| point.0).fold(first + 1e-3, f64::max);
    let margin = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-9);
    let format: fn(f64) -> String = match high - low {
        range if range >= 50.0 => |value| format!("{value:.0}"),
        range if range >= 0.5 => |value| format!("{value:.1}"),
        range if range >= 0.005 => |value| format!("{value:.3}"),
        _ => |value| format!("{value:.1e}"),
    };
    let x = Axis { title: "epoch".to_owned(), range: first..last, format: |value| format!("{value:.0}") };
    let y = Axis { title: metric.to_owned(), range: low - margin..high + margin, format };
    let svg = line_chart("curves", (960, 600), (&x, &y), &lines, Legend::UpperRight)?;
    let names: Vec<&str> = lines.iter().map(|line| line.label.as_str()).collect();
    Ok(Some(Chart {
        name: "curves".to_owned(),
        title: metric.to_owned(),
        description: format!("Line chart of {metric} over the epochs: {}.", names.join("; ")),
        svg,
        csv: curves_csv(curves.iter().copied()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::run::metric_series::MetricSeries;

    #[test]
    fn curves_are_drawn_over_epochs_with_their_gaps() {
        let mut series = MetricSeries::default();
        for value in [0.5, 0.75, f32::NAN, 0.25, 0.125] {
            series.push(value);
        }
        let places = [1.0, 2.0, 3.0, 4.0, 5.0];
        let curve = CsvCurve { run: "one<two>", metric: "loss", places: [&places; 3], series: &series };
        let chart = curve_chart("loss", &[curve]).unwrap().unwrap();
        assert!(chart.svg.contains("one&lt;two&gt;, loss"), "{}", chart.svg);
        let blue = chart.svg.matches("stroke=\"#0072B2\"").count();
        assert_eq!(blue, 3, "two parts and the legend");
        let empty = MetricSeries::default();
        let none = CsvCurve { places: [&[]; 3], series: &empty, ..curve };
        assert_eq!(curve_chart("loss", &[none]).unwrap(), None);
    }
}
