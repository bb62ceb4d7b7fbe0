//! The charts of a report: SVG for pages and print, PNG for slides, and their numbers as CSV.

mod agreement;
mod axes;
mod curves;
mod learning;
mod matrix;
mod palette;
mod png;
mod reliability;
mod thresholds;

pub use agreement::{AgreementRow, kappa_chart};
pub use curves::curve_chart;
pub use learning::{LearningCurve, LearningMetric, learning_chart};
pub use matrix::matrix_chart;
pub use palette::DARK_RULES;
pub use png::svg_to_png;
pub use reliability::{ReliabilityLine, reliability_chart};
pub use thresholds::{ThresholdChart, threshold_charts};

/// A chart with everything that it takes to use it without its report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The stem of its files, as in `roc-dense-total`.
    pub name: String,
    pub title: String,
    /// What the chart shows, in words: its text alternative.
    pub description: String,
    /// A whole SVG document, without a background.
    pub svg: String,
    /// The numbers drawn, with a header line.
    pub csv: String,
}

/// A chart that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("draw the chart {chart}: {reason}")]
pub struct ChartFault {
    pub chart: String,
    pub reason: String,
}
