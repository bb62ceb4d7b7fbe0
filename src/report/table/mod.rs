//! Tables of an evaluation, described once and rendered in every format.

mod figures_csv;
mod latex;
mod markdown;
mod plain;

use std::ops::Range;

use mammoscope_domain::metrics::bootstrap::Interval;
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::subject::density::DensityClass;

/// A format of tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    /// Plain text for 80 columns.
    #[default]
    Plain,
    /// Pipe tables, as GitHub and pandoc read them.
    Markdown,
    /// Floats with a caption, a label and a `tabular` of the package booktabs.
    Latex,
    /// One long table with a line for each number.
    Csv,
}

impl TableFormat {
    /// The report in this format; it ends with a line feed.
    #[must_use]
    pub fn render(self, blocks: &[Block]) -> String {
        match self {
            Self::Plain => plain::text(blocks),
            Self::Markdown => markdown::text(blocks),
            Self::Latex => latex::text(blocks),
            Self::Csv => figures_csv::text(blocks),
        }
    }
}

/// A part of a report, in the order in which it is printed.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A title, which is underlined in plain text, and a line below it.
    Heading {
        title: String,
        below: Option<String>,
    },
    /// Notes, indented in plain text. A line break within a note keeps plain text within 80 columns; the other formats
    /// join its lines.
    Notes {
        indent: usize,
        notes: Vec<String>,
    },
    Table(Table),
    /// A line of plain text and nothing else: the other formats say the same in captions.
    Line(String),
    /// Numbers that stand in CSV only.
    Numbers(Vec<Number>),
    /// A blank line of plain text; the other formats separate blocks themselves.
    Gap,
}

impl Block {
    /// A note at the margin.
    pub(super) fn note(note: impl Into<String>) -> Self {
        Self::Notes { indent: 0, notes: vec![note.into()] }
    }
}

/// A table: each row has a cell for each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The set that all rows are of, if it is one.
    pub(super) set: Option<SetName>,
    /// What the table shows, as in `confusion-matrix`; with the set, the label in LaTeX.
    pub(super) topic: String,
    pub(super) caption: String,
    pub(super) indent: Indent,
    /// A title over several columns.
    pub(super) spanner: Option<Spanner>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// The columns of plain text to the left of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Indent {
    pub(super) titles: usize,
    pub(super) rows: usize,
}

impl Indent {
    pub(super) const fn all(columns: usize) -> Self {
        Self { titles: columns, rows: columns }
    }
}

/// A title over several columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spanner {
    pub(super) title: &'static str,
    pub(super) columns: Range<usize>,
    /// The column of plain text at which the title ends.
    pub(super) plain_end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) title: String,
    /// The title in plain text, if it is another one.
    plain_title: Option<&'static str>,
    pub(super) align: Align,
    /// The width in plain text.
    pub(super) width: usize,
    /// The spaces before the column in plain text.
    pub(super) gap: usize,
}

impl Column {
    pub(super) fn left(title: impl Into<String>, width: usize) -> Self {
        Self { title: title.into(), plain_title: None, align: Align::Left, width, gap: 0 }
    }

    pub(super) fn right(title: impl Into<String>, width: usize) -> Self {
        Self { align: Align::Right, ..Self::left(title, width) }
    }

    /// A last column, after so many spaces, that has no title in plain text.
    pub(super) fn remark(title: &str, gap: usize) -> Self {
        Self { plain_title: Some(""), gap, ..Self::left(title, 0) }
    }

    /// The column after so many spaces in plain text.
    pub(super) fn after(self, gap: usize) -> Self {
        Self { gap, ..self }
    }

    pub(super) fn with_plain_title(self, title: &'static str) -> Self {
        Self { plain_title: Some(title), ..self }
    }

    pub(super) fn plain_title(&self) -> &str {
        self.plain_title.unwrap_or(&self.title)
    }
}

/// A cell: its text, and the number that the text shows unless another cell shows the same one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) number: Option<Number>,
}

impl Cell {
    pub(super) fn of(text: impl Into<String>, number: Number) -> Self {
        Self { text: text.into(), number: Some(number) }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), number: None }
    }
}

/// A number of an evaluation with everything that it takes to understand it without its table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Number {
    pub(super) set: Option<SetName>,
    pub(super) quantity: Quantity,
    /// The name of the figure in `evaluation.json`.
    pub(super) figure: &'static str,
    pub(super) class: Option<DensityClass>,
    /// The predicted class, of a cell of a confusion matrix.
    pub(super) predicted: Option<DensityClass>,
    /// The bin of a reliability diagram, from 0.
    pub(super) bin: Option<usize>,
    /// `None` if the figure is undefined.
    pub(super) value: Option<f64>,
    /// The ends of the 95 % interval, or of a published range.
    pub(super) ends: Option<[f64; 2]>,
    /// The number of cases that it is of.
    pub(super) n: Option<u64>,
    /// The file or publication that it comes from, if not the predictions that are evaluated.
    pub(super) source: String,
}

impl Number {
    /// A number of a set, of so many cases.
    pub(super) fn of(set: SetName, n: u64) -> Self {
        Self { set: Some(set), n: Some(n), ..Self::default() }
    }

    pub(super) fn with_interval(self, interval: Option<Interval>) -> Self {
        Self { ends: interval.map(|Interval { low, high, .. }| [low, high]), ..self }
    }
}

/// What a number is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quantity {
    /// The predictions that are evaluated, on all cases.
    #[default]
    Network,
    /// The one-feature baseline.
    Baseline,
    /// The predictions minus the one-feature baseline.
    BaselineDifference,
    /// The predictions, on the cases in common with the other ones.
    CommonNetwork,
    /// The other predictions, on the cases in common.
    CommonOther,
    /// The predictions minus the other ones, on the cases in common.
    CommonDifference,
    FoldMean,
    FoldSd,
    FoldMin,
    FoldMax,
    /// What was fitted to the validation predictions.
    Fitted,
    ValidationBefore,
    ValidationAfter,
    TestBefore,
    TestAfter,
    /// Calibrated minus as predicted, on the test images.
    TestDifference,
    /// At an operating point.
    ValidationDecision,
    TestDecision,
    /// Published kappas of readers and networks.
    Published,
}

impl Quantity {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Baseline => "baseline",
            Self::BaselineDifference => "network_minus_baseline",
            Self::CommonNetwork => "common_network",
            Self::CommonOther => "common_other",
            Self::CommonDifference => "common_difference",
            Self::FoldMean => "fold_mean",
            Self::FoldSd => "fold_sd",
            Self::FoldMin => "fold_min",
            Self::FoldMax => "fold_max",
            Self::Fitted => "fitted",
            Self::ValidationBefore => "validation_uncalibrated",
            Self::ValidationAfter => "validation_calibrated",
            Self::TestBefore => "test_uncalibrated",
            Self::TestAfter => "test_calibrated",
            Self::TestDifference => "test_calibrated_minus_uncalibrated",
            Self::ValidationDecision => "validation_decision",
            Self::TestDecision => "test_decision",
            Self::Published => "published",
        }
    }
}

/// A note in one line.
pub(super) fn joined(note: &str) -> String {
    note.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
