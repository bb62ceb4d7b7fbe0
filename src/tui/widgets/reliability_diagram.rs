//! A reliability diagram: accuracy against confidence, as bars of text cells.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::tui::theme::Theme;
use mammoscope_domain::metrics::calibration::{BINS, ReliabilityBin};

/// Columns of the axis labels on the left.
const AXIS: u16 = 6;
/// Lines below the bars: the axis, its labels, and the number of cases per bin.
const BELOW: u16 = 3;
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws each bin as a bar as high as its accuracy, with a mark at its mean confidence, where the bar of a perfectly
/// calibrated classifier would end.
pub(in crate::tui) fn draw_reliability(frame: &mut Frame<'_>, area: Rect, bins: &[ReliabilityBin], theme: &Theme) {
    let column_cells = area.width.saturating_sub(AXIS + 1) / BINS as u16;
    if area.height < BELOW + 3 || column_cells == 0 {
        return;
    }
    let column_cells = usize::from(column_cells.min(4));
    let rows = area.height - BELOW;
    let by_number: [Option<&ReliabilityBin>; BINS] =
        std::array::from_fn(|number| bins.iter().find(|bin| bin.bin == number));
    let most = bins.iter().map(|bin| bin.cases).max().unwrap_or(1).max(1);
    let bar_cells = column_cells.saturating_sub(1).max(1);
    let mut lines = Vec::new();
    for row in 0..rows {
        // Rows are counted from the top.
        let level = rows - 1 - row;
        let label = axis_label(row, rows);
        let tick = if label.trim().is_empty() { theme.sign("│", "|") } else { theme.sign("┤", "+") };
        let mut spans = vec![Span::styled(format!("{label}{tick}"), theme.dim())];
        for bin in by_number {
            let (sign, style) = bin.map_or((" ", Style::new()), |bin| bar_cell(bin, level, rows, theme));
            spans.push(Span::styled(sign.repeat(bar_cells), style));
            spans.push(Span::raw(" ".repeat(column_cells - bar_cells)));
        }
        lines.push(Line::from(spans));
    }
    let wide = column_cells * BINS;
    let axis = format!("     {}{}", theme.sign("└", "+"), theme.sign("─", "-").repeat(wide));
    lines.push(Line::styled(axis, theme.dim()));
    let numbers = format!("      0{:>1$}", "probability of the predicted class  1", wide.saturating_sub(1));
    let short = format!("      0{:>1$}", "1", wide.saturating_sub(1));
    lines.push(Line::styled(if wide > 48 { numbers } else { short }, theme.dim()));
    let mut spans = vec![Span::styled(" cases", theme.dim())];
    for bin in by_number {
        let share = bin.map_or(0.0, |bin| bin.cases as f64 / most as f64);
        let sign = match (theme.ascii, bin) {
            (_, None) => " ",
            (true, Some(_)) => [".", ":", "|", "#"][((share * 3.0).round() as usize).min(3)],
            (false, Some(_)) => EIGHTHS[((share * 8.0).round() as usize).clamp(1, 8)],
        };
        spans.push(Span::styled(sign.repeat(bar_cells), theme.dim()));
        spans.push(Span::raw(" ".repeat(column_cells - bar_cells)));
    }
    lines.push(Line::from(spans));
    frame.render_widget(Paragraph::new(lines), area);
}

fn axis_label(row: u16, rows: u16) -> &'static str {
    match row {
        0 => "  1.0",
        row if row == (rows - 1) / 2 => "   .5",
        row if row + 1 == rows => "    0",
        _ => "     ",
    }
}

/// The content of one cell of a bin's column, `level` rows above the axis.
fn bar_cell(bin: &ReliabilityBin, level: u16, rows: u16, theme: &Theme) -> (&'static str, Style) {
    let eighths = |share: f64| (share.clamp(0.0, 1.0) * f64::from(rows) * 8.0).round() as u16;
    let filled = eighths(bin.accuracy).saturating_sub(8 * level).min(8);
    let expected = (eighths(bin.confidence).saturating_sub(1) / 8).min(rows - 1);
    let bar = theme.series(0);
    if expected == level {
        let mark = if theme.ascii { "=" } else { "━" };
        return (mark, theme.warning());
    }
    if theme.ascii {
        return (if filled >= 4 { "#" } else { " " }, bar);
    }
    (EIGHTHS[usize::from(filled)], bar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::empty_shared_state;

    #[test]
    fn the_bar_ends_at_the_accuracy_and_the_mark_is_at_the_confidence() {
        let theme = empty_shared_state().theme;
        let bin = ReliabilityBin { bin: 12, cases: 8, accuracy: 0.5, confidence: 0.85 };
        let column: Vec<&str> = (0..10).map(|level| bar_cell(&bin, level, 10, &theme).0).collect();
        assert_eq!(column, ["█", "█", "█", "█", "█", " ", " ", " ", "━", " "]);
        let part = ReliabilityBin { bin: 3, cases: 8, accuracy: 0.25, confidence: 1.0 };
        let column: Vec<&str> = (0..5).map(|level| bar_cell(&part, level, 5, &theme).0).collect();
        assert_eq!(column, ["█", "▂", " ", " ", "━"]);
    }
}
