//! A confusion matrix with a cursor. Every cell has its number; colour is never the only sign.

mod flip_texts;
mod shade;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use serde::{Deserialize, Serialize};

use flip_texts::{flip_text, tall_flip_texts};
use shade::{Merit, shade};

pub(in crate::tui) use shade::merit_legend;

use super::figure_text::{figure, signed};
use super::fitted::{fitted, padded, padded_start, width};
use crate::terminal::input::Mouse;
use crate::terminal::sizes::Cells;
use crate::tui::theme::Theme;
use mammoscope_domain::metrics::classification_report::ClassificationReport;
use mammoscope_domain::metrics::confusion_matrix::ConfusionMatrix;
use mammoscope_domain::metrics::flips::{FlipCounts, PairedCase};
use mammoscope_domain::subject::density::DensityClass;

const CLASSES: usize = DensityClass::COUNT;
/// Columns of the class letters on the left and of the recalls on the right; fewer of both in a narrow area.
const LETTERS: u16 = 5;
const RECALL: u16 = 8;
const NARROW_LETTERS: u16 = 4;
const NARROW_RECALL: u16 = 6;
/// The width from which on cells can be wide without narrow margins.
const WIDE: u16 = LETTERS + RECALL + 8 * CLASSES as u16;
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
    /// The cases whose flips are shown instead of differences.
    pub(in crate::tui) flips: Option<&'a [PairedCase]>,
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

/// The columns of the class letters and of the recalls.
const fn margins(area: Rect, has_recalls: bool) -> (u16, u16) {
    let (letters, recalls) = if area.width >= WIDE { (LETTERS, RECALL) } else { (NARROW_LETTERS, NARROW_RECALL) };
    (letters, if has_recalls { recalls } else { 0 })
}

/// The size of one cell of a matrix that fills an area beside these margins.
fn cell_size(area: Rect, (letters, recalls): (u16, u16)) -> Cells {
    let columns = area.width.saturating_sub(letters + recalls) / CLASSES as u16;
    let rows = area.height.saturating_sub(FURTHER_ROWS) / CLASSES as u16;
    let rows = if rows >= MAX_CELL.rows { MAX_CELL.rows } else { MIN_CELL.rows };
    Cells { columns: columns.clamp(MIN_CELL.columns, MAX_CELL.columns), rows }
}

impl MatrixView<'_> {
    /// Draws the matrix into the upper left corner of an area; returns where the cells are.
    pub(in crate::tui) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) -> MatrixArea {
        // Flips need the room of the recalls, whose differences are in the table of classes.
        let has_margins = self.flips.is_none();
        let (letters, recall_cells) = margins(area, has_margins);
        let cell = cell_size(area, (letters, recall_cells));
        let Cells { columns, rows } = cell;
        let recall_cells = usize::from(recall_cells);
        let cells = Rect::new(area.x + letters, area.y + 2, columns * CLASSES as u16, rows * CLASSES as u16);
        let put = |frame: &mut Frame<'_>, x: u16, y: u16, line: Line<'static>| {
            let place = Rect::new(x, y, line.width() as u16, 1).intersection(area);
            frame.render_widget(Paragraph::new(line), place);
        };
        let heading = format!("{:^1$}", "predicted", usize::from(cells.width));
        put(frame, cells.x, area.y, Line::styled(heading, theme.dim()));
        put(frame, area.x, area.y + 1, Line::styled("true", theme.dim()));
        if has_margins {
            put(frame, cells.right(), area.y + 1, Line::styled(padded_start("recall", recall_cells), theme.dim()));
            put(frame, area.x, cells.bottom(), Line::styled("prec", theme.dim()));
        }
        let recalls = self.margin(|class| (class.recall, class.support > 0), theme);
        let precisions = self.margin(|class| (class.precision, true), theme);
        for class in DensityClass::ALL {
            let at = class.index() as u16;
            let letter = format!("{:^1$}", class.letter(), usize::from(columns));
            let style = theme.class(class).add_modifier(Modifier::BOLD);
            put(frame, cells.x + at * columns, area.y + 1, Line::styled(letter, style));
            let middle = cells.y + at * rows + rows / 2;
            put(frame, area.x, middle, Line::styled(format!(" {class}"), style));
            if !has_margins {
                continue;
            }
            put(frame, cells.right(), middle, Line::raw(padded_start(&recalls[class.index()], recall_cells)));
            let precision = format!("{:^1$}", precisions[class.index()], usize::from(columns));
            put(frame, cells.x + at * columns, cells.bottom(), Line::raw(precision));
        }
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

    /// The strength of a cell's shade: its share, or an amplified difference of shares that is negative for the worse.
    fn weight(&self, truth: DensityClass, predicted: DensityClass) -> f64 {
        // A few percentage points are a large difference.
        let amplified = |gain: f64| (4.0 * gain).clamp(-1.0, 1.0);
        let of = |matrix: &ConfusionMatrix| share(matrix, truth, predicted, self.normalisation).unwrap_or(0.0);
        match (self.flips, self.minus) {
            (Some(flips), _) => {
                let counts = FlipCounts::of_cell(flips, (truth, predicted));
                let support = self.matrix.support(truth).max(1) as f64;
                amplified((counts.fixed as f64 - counts.broken as f64) / support)
            }
            (None, None) => of(self.matrix),
            (None, Some(minus)) => {
                let more = of(self.matrix) - of(minus);
                // Beside the diagonal are errors.
                amplified(if truth == predicted { more } else { -more })
            }
        }
    }

    /// Whether a cell's difference is for the better: more correct predictions, or fewer errors.
    fn merit(&self, truth: DensityClass, predicted: DensityClass) -> Merit {
        match self.weight(truth, predicted) {
            _ if self.minus.is_none() || self.flips.is_some() => Merit::Same,
            weight if weight > 0.0 => Merit::Better,
            weight if weight < 0.0 => Merit::Worse,
            _ => Merit::Same,
        }
    }

    /// The number in a cell, in a comparison with the sign of its merit; the unit is left out where room is short.
    fn cell_text(&self, (truth, predicted): (DensityClass, DensityClass), cells: usize, theme: &Theme) -> String {
        if let Some(flips) = self.flips {
            return flip_text(FlipCounts::of_cell(flips, (truth, predicted)), cells, theme);
        }
        let text = self.text(truth, predicted);
        let sign = self.merit(truth, predicted).sign(theme);
        if sign.is_empty() {
            return fitted(&text, cells);
        }
        let number = text.trim_end_matches(" %");
        let candidates = [format!("{text} {sign}"), format!("{number} {sign}"), format!("{number}{sign}")];
        candidates.into_iter().find(|text| width(text) <= cells).unwrap_or_else(|| fitted(number, cells))
    }

    /// The text of each row of a cell.
    fn cell_rows(&self, cell: (DensityClass, DensityClass), size: Cells, theme: &Theme) -> Vec<String> {
        let inner = usize::from(size.columns.saturating_sub(2));
        if let Some(flips) = self.flips.filter(|_| size.rows == MAX_CELL.rows) {
            return tall_flip_texts(FlipCounts::of_cell(flips, cell), inner, theme);
        }
        let mut rows = vec![String::new(); usize::from(size.rows)];
        if let Some(middle) = rows.get_mut(usize::from(size.rows / 2)) {
            *middle = self.cell_text(cell, inner, theme);
        }
        rows
    }

    fn draw_cell(&self, frame: &mut Frame<'_>, place: Rect, cell: (DensityClass, DensityClass), theme: &Theme) {
        let (truth, predicted) = cell;
        let mut style = shade(self.weight(truth, predicted), theme);
        if truth == predicted {
            style = style.add_modifier(Modifier::BOLD);
        }
        let chosen = cell == self.cursor;
        frame.render_widget(Block::new().style(style), place);
        let inner = usize::from(place.width.saturating_sub(2));
        let mark = if self.focused { theme.accent() } else { theme.dim() };
        let size = Cells { columns: place.width, rows: place.height };
        for (row, text) in self.cell_rows(cell, size, theme).into_iter().enumerate().take(size.rows.into()) {
            // A tall cell under the cursor gets a whole frame.
            let (left, right) = match (chosen, row) {
                (false, _) => (" ", " "),
                (true, 0) if size.rows > 1 => (theme.sign("╭", "+"), theme.sign("╮", "+")),
                (true, row) if size.rows > 1 && row + 1 == usize::from(size.rows) => {
                    (theme.sign("╰", "+"), theme.sign("╯", "+"))
                }
                (true, _) => ("[", "]"),
            };
            let middle = if text.is_empty() && chosen && left != "[" {
                Span::styled(theme.sign("─", "-").repeat(inner), mark)
            } else {
                let before = inner - inner.saturating_sub(width(&text)) / 2;
                Span::raw(padded(&format!("{text:>before$}"), inner))
            };
            let spans = vec![Span::styled(left, mark), middle, Span::styled(right, mark)];
            let line = Rect::new(place.x, place.y + row as u16, place.width, 1);
            frame.render_widget(Paragraph::new(Line::from(spans)).style(style), line);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view<'a>(matrix: &'a ConfusionMatrix, minus: Option<&'a ConfusionMatrix>, by: Normalisation) -> MatrixView<'a> {
        let cursor = (DensityClass::A, DensityClass::A);
        MatrixView { matrix, minus, flips: None, normalisation: by, cursor, focused: true }
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

    #[test]
    fn more_on_the_diagonal_and_fewer_errors_are_better() {
        use DensityClass::{A, B, C, D};
        let theme = crate::tui::testing::empty_shared_state().theme;
        let here = ConfusionMatrix::new([[3, 1, 0, 0], [2, 0, 0, 0], [0; 4], [0, 0, 0, 8]]);
        let there = ConfusionMatrix::new([[1, 3, 0, 0], [1, 1, 0, 0], [0; 4], [0, 0, 0, 8]]);
        for by in [Normalisation::Counts, Normalisation::Rows] {
            let compared = view(&here, Some(&there), by);
            assert_eq!(compared.merit(A, A), Merit::Better, "more are correct");
            assert_eq!(compared.merit(A, B), Merit::Better, "fewer errors");
            assert_eq!(compared.merit(B, A), Merit::Worse, "more errors");
            assert_eq!(compared.merit(B, B), Merit::Worse, "fewer are correct");
            assert_eq!((compared.merit(C, C), compared.merit(D, D)), (Merit::Same, Merit::Same));
            assert!(compared.weight(A, B) > 0.0 && compared.weight(B, A) < 0.0);
        }
        let shares = view(&here, Some(&there), Normalisation::Rows);
        assert_eq!(shares.cell_text((A, B), 9, &theme), "-50 % ✔");
        assert_eq!(shares.cell_text((A, B), 5, &theme), "-50 ✔");
        assert_eq!(shares.cell_text((B, A), 4, &theme), "+50✖");
        assert_eq!(view(&here, None, Normalisation::Counts).cell_text((A, A), 9, &theme), "3", "nothing is compared");
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
