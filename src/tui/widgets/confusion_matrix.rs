//! A confusion matrix with a cursor. Every cell has its number; colour is never the only sign.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use serde::{Deserialize, Serialize};

use super::figure_text::{figure, signed};
use super::fitted::{fitted, padded_start, width};
use crate::terminal::color_depth::ColorDepth;
use crate::terminal::input::Mouse;
use crate::terminal::sizes::Cells;
use crate::tui::theme::Theme;
use mammoscope_domain::metrics::classification_report::ClassificationReport;
use mammoscope_domain::metrics::confusion_matrix::ConfusionMatrix;
use mammoscope_domain::subject::density::DensityClass;

const CLASSES: usize = DensityClass::COUNT;
/// Columns of the class letters on the left and of the recalls on the right.
const LETTERS: u16 = 5;
const RECALL: u16 = 8;
/// Lines besides the cells: two headings and the precisions.
const FURTHER_ROWS: u16 = 3;
/// The smallest and the largest cell of the matrix; an odd number of rows has a middle.
const MIN_CELL: Cells = Cells { columns: 6, rows: 1 };
const MAX_CELL: Cells = Cells { columns: 11, rows: 3 };

/// The normalisation of the cells' numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum Normalisation {
    /// Numbers of cases.
    #[default]
    Counts,
    /// Shares of the true class.
    Rows,
    /// Shares of the predicted class.
    Columns,
}

impl Normalisation {
    pub(in crate::tui) const ALL: [Self; 3] = [Self::Counts, Self::Rows, Self::Columns];

    /// The next normalisation, cyclically.
    pub(in crate::tui) fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    pub(in crate::tui) const fn title(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Rows => "row %",
            Self::Columns => "column %",
        }
    }
}

/// The share of a cell among the cases of its true or its predicted class; `None` if there are none.
fn share(matrix: &ConfusionMatrix, truth: DensityClass, predicted: DensityClass, by: Normalisation) -> Option<f64> {
    let whole = match by {
        Normalisation::Columns => matrix.predictions_of(predicted),
        Normalisation::Counts | Normalisation::Rows => matrix.support(truth),
    };
    (whole > 0).then(|| matrix.count(truth, predicted) as f64 / whole as f64)
}

/// A view of one matrix, or of the difference of two.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct MatrixView<'a> {
    pub(in crate::tui) matrix: &'a ConfusionMatrix,
    /// The matrix to subtract.
    pub(in crate::tui) minus: Option<&'a ConfusionMatrix>,
    pub(in crate::tui) normalisation: Normalisation,
    /// The cell under the cursor: true class, predicted class.
    pub(in crate::tui) cursor: (DensityClass, DensityClass),
    /// True if the arrow keys move the cursor.
    pub(in crate::tui) focused: bool,
}

/// The area in which a matrix was drawn, for the mouse.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct MatrixArea {
    cells: Rect,
    cell: Cells,
}

impl Default for MatrixArea {
    fn default() -> Self {
        Self { cells: Rect::default(), cell: MIN_CELL }
    }
}

impl MatrixArea {
    /// The cell under the mouse: true class, predicted class.
    pub(in crate::tui) fn cell_at(&self, mouse: Mouse) -> Option<(DensityClass, DensityClass)> {
        if !self.cells.contains((mouse.column, mouse.row).into()) {
            return None;
        }
        let column = (mouse.column - self.cells.x) / self.cell.columns;
        let row = (mouse.row - self.cells.y) / self.cell.rows;
        Some((DensityClass::from_index(row.into())?, DensityClass::from_index(column.into())?))
    }
}

/// The size of one cell of a matrix that fills an area.
fn cell_size(area: Rect) -> Cells {
    let columns = area.width.saturating_sub(LETTERS + RECALL) / CLASSES as u16;
    let rows = area.height.saturating_sub(FURTHER_ROWS) / CLASSES as u16;
    let rows = if rows >= MAX_CELL.rows { MAX_CELL.rows } else { MIN_CELL.rows };
    Cells { columns: columns.clamp(MIN_CELL.columns, MAX_CELL.columns), rows }
}

impl MatrixView<'_> {
    /// Draws the matrix into the upper left corner of an area; returns where the cells are.
    pub(in crate::tui) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) -> MatrixArea {
        let cell = cell_size(area);
        let Cells { columns, rows } = cell;
        let cells = Rect::new(area.x + LETTERS, area.y + 2, columns * CLASSES as u16, rows * CLASSES as u16);
        let put = |frame: &mut Frame<'_>, x: u16, y: u16, line: Line<'static>| {
            let place = Rect::new(x, y, line.width() as u16, 1).intersection(area);
            frame.render_widget(Paragraph::new(line), place);
        };
        let heading = format!("{:^1$}", "predicted", usize::from(cells.width));
        put(frame, cells.x, area.y, Line::styled(heading, theme.dim()));
        put(frame, area.x, area.y + 1, Line::styled("true", theme.dim()));
        put(frame, cells.right(), area.y + 1, Line::styled(padded_start("recall", RECALL.into()), theme.dim()));
        let recalls = self.margin(|class| (class.recall, class.support > 0), theme);
        let precisions = self.margin(|class| (class.precision, true), theme);
        for class in DensityClass::ALL {
            let at = class.index() as u16;
            let letter = format!("{:^1$}", class.letter(), usize::from(columns));
            let style = theme.class(class).add_modifier(Modifier::BOLD);
            put(frame, cells.x + at * columns, area.y + 1, Line::styled(letter, style));
            let middle = cells.y + at * rows + rows / 2;
            put(frame, area.x, middle, Line::styled(format!(" {class}"), style));
            put(frame, cells.right(), middle, Line::raw(padded_start(&recalls[class.index()], RECALL.into())));
            let precision = format!("{:^1$}", precisions[class.index()], usize::from(columns));
            put(frame, cells.x + at * columns, cells.bottom(), Line::raw(precision));
        }
        put(frame, area.x, cells.bottom(), Line::styled("prec", theme.dim()));
        for truth in DensityClass::ALL {
            for predicted in DensityClass::ALL {
                let (x, y) = (cells.x + predicted.index() as u16 * columns, cells.y + truth.index() as u16 * rows);
                let place = Rect::new(x, y, columns, rows).intersection(area);
                self.draw_cell(frame, place, (truth, predicted), theme);
            }
        }
        MatrixArea { cells: cells.intersection(area), cell }
    }

    fn margin(
        &self,
        of: impl Fn(&mammoscope_domain::metrics::classification_report::ClassFigures) -> (f64, bool),
        theme: &Theme,
    ) -> [String; CLASSES] {
        let report = |matrix: &ConfusionMatrix| ClassificationReport::of(matrix).per_class.0;
        let value = |figures| Some(of(figures)).filter(|(_, defined)| *defined).map(|(value, _)| value);
        let here = report(self.matrix);
        match self.minus.map(report) {
            None => here.each_ref().map(|class| figure(value(class), 3, theme)),
            Some(there) => std::array::from_fn(|class| {
                let difference = value(&here[class]).zip(value(&there[class])).map(|(here, there)| here - there);
                signed(difference, 3, theme)
            }),
        }
    }

    /// The number in a cell as text.
    pub(in crate::tui) fn text(&self, truth: DensityClass, predicted: DensityClass) -> String {
        let of = |matrix: &ConfusionMatrix| share(matrix, truth, predicted, self.normalisation);
        match (self.normalisation, self.minus) {
            (Normalisation::Counts, None) => self.matrix.count(truth, predicted).to_string(),
            (Normalisation::Counts, Some(minus)) => {
                let difference = self.matrix.count(truth, predicted) as i64 - minus.count(truth, predicted) as i64;
                if difference == 0 { "0".to_owned() } else { format!("{difference:+}") }
            }
            (_, None) => of(self.matrix).map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", 100.0 * share)),
            (_, Some(minus)) => of(self.matrix).zip(of(minus)).map_or_else(
                || "-".to_owned(),
                |(here, there)| {
                    let points = (100.0 * (here - there)).round() as i64;
                    if points == 0 { "0 %".to_owned() } else { format!("{points:+} %") }
                },
            ),
        }
    }

    /// The strength of a cell's shade: its share, or an amplified difference of shares.
    fn weight(&self, truth: DensityClass, predicted: DensityClass) -> f64 {
        let of = |matrix: &ConfusionMatrix| share(matrix, truth, predicted, self.normalisation).unwrap_or(0.0);
        match self.minus {
            None => of(self.matrix),
            // A few percentage points are a large difference.
            Some(minus) => (4.0 * (of(self.matrix) - of(minus))).clamp(-1.0, 1.0),
        }
    }

    fn draw_cell(&self, frame: &mut Frame<'_>, place: Rect, cell: (DensityClass, DensityClass), theme: &Theme) {
        let (truth, predicted) = cell;
        let mut style = shade(self.weight(truth, predicted), theme);
        if truth == predicted {
            style = style.add_modifier(Modifier::BOLD);
        }
        let chosen = cell == self.cursor;
        let middle = Rect::new(place.x, place.y + place.height / 2, place.width, 1).intersection(place);
        frame.render_widget(Block::new().style(style), place);
        let inner = usize::from(place.width.saturating_sub(2));
        let text = fitted(&self.text(truth, predicted), inner);
        let text = format!("{text:>0$}", inner - (inner - width(&text)) / 2);
        let text = super::fitted::padded(&text, inner);
        let (left, right) = if chosen { ("[", "]") } else { (" ", " ") };
        let mark = if self.focused { theme.accent() } else { theme.dim() };
        let spans = vec![Span::styled(left, mark), Span::raw(text), Span::styled(right, mark)];
        frame.render_widget(Paragraph::new(Line::from(spans)).style(style), middle);
        if chosen && place.height >= 3 {
            // A tall cell gets a whole frame.
            let rule = theme.sign("─", "-").repeat(inner);
            let [upper, lower] = if theme.ascii { ["++", "++"] } else { ["╭╮", "╰╯"] };
            for (corners, y) in [(upper, place.y), (lower, place.bottom() - 1)] {
                let (left, right) = corners.split_at(corners.len() / 2);
                let line = Line::styled(format!("{left}{rule}{right}"), mark);
                frame.render_widget(Paragraph::new(line), Rect::new(place.x, y, place.width, 1));
            }
        }
    }
}

/// The background for a weight from -1 to 1, with a text colour that is readable on it; none on terminals with few
/// colours.
fn shade(weight: f64, theme: &Theme) -> Style {
    type Ramp = ((u8, u8, u8), [u8; 5]);
    const LEVELS: f64 = 4.0;
    let level = (weight.abs() * LEVELS).round() as usize;
    let (base, (end, indexed), text): ((u8, u8, u8), Ramp, Color) = match (theme.light, weight < 0.0) {
        (false, false) => ((32, 34, 40), ((24, 96, 156), [235, 236, 23, 24, 25]), Color::Rgb(238, 238, 242)),
        (false, true) => ((32, 34, 40), ((150, 76, 8), [235, 236, 58, 94, 130]), Color::Rgb(238, 238, 242)),
        (true, false) => ((244, 244, 247), ((138, 192, 238), [255, 254, 189, 153, 117]), Color::Rgb(20, 20, 24)),
        (true, true) => ((244, 244, 247), ((250, 190, 120), [255, 254, 230, 223, 216]), Color::Rgb(20, 20, 24)),
    };
    match theme.depth {
        ColorDepth::None | ColorDepth::Sixteen => Style::new(),
        ColorDepth::Indexed => {
            let text = if theme.light { 234 } else { 255 };
            Style::new().bg(Color::Indexed(indexed[level.min(4)])).fg(Color::Indexed(text))
        }
        ColorDepth::True => {
            let mix = |from: u8, to: u8| {
                (f64::from(from) + (f64::from(to) - f64::from(from)) * weight.abs().clamp(0.0, 1.0)).round() as u8
            };
            Style::new().bg(Color::Rgb(mix(base.0, end.0), mix(base.1, end.1), mix(base.2, end.2))).fg(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view<'a>(matrix: &'a ConfusionMatrix, minus: Option<&'a ConfusionMatrix>, by: Normalisation) -> MatrixView<'a> {
        let cursor = (DensityClass::A, DensityClass::A);
        MatrixView { matrix, minus, normalisation: by, cursor, focused: true }
    }

    #[test]
    fn cell_texts_match_hand_computed_ones() {
        use DensityClass::{A, B, C, D};
        let here = ConfusionMatrix::new([[3, 1, 0, 0], [1, 1, 0, 0], [0; 4], [0, 0, 0, 8]]);
        let there = ConfusionMatrix::new([[1, 3, 0, 0], [1, 1, 0, 0], [0; 4], [0, 0, 0, 8]]);
        assert_eq!(view(&here, None, Normalisation::Counts).text(A, A), "3");
        assert_eq!(view(&here, None, Normalisation::Rows).text(A, B), "25 %");
        assert_eq!(view(&here, None, Normalisation::Columns).text(A, B), "50 %");
        assert_eq!(view(&here, None, Normalisation::Rows).text(C, B), "-", "there is no case of C");
        assert_eq!(view(&here, Some(&there), Normalisation::Counts).text(A, A), "+2");
        assert_eq!(view(&here, Some(&there), Normalisation::Counts).text(A, B), "-2");
        assert_eq!(view(&here, Some(&there), Normalisation::Rows).text(A, B), "-50 %");
        assert_eq!(view(&here, Some(&there), Normalisation::Rows).text(D, D), "0 %");
    }

    proptest! {
        #[test]
        fn the_differences_of_a_row_of_shares_cancel_out(
            here in prop::array::uniform4(prop::array::uniform4(1_u64..400)),
            there in prop::array::uniform4(prop::array::uniform4(1_u64..400)),
        ) {
            let (here, there) = (ConfusionMatrix::new(here), ConfusionMatrix::new(there));
            let points = |text: String| text.trim_end_matches(" %").parse::<i64>().unwrap();
            for truth in DensityClass::ALL {
                let compared = view(&here, Some(&there), Normalisation::Rows);
                let sum: i64 = DensityClass::ALL.iter().map(|class| points(compared.text(truth, *class))).sum();
                // Each of the four is rounded.
                prop_assert!(sum.abs() <= 2, "{}", sum);
            }
        }
    }
}
