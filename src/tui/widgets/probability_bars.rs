//! The probabilities of the four classes in one line, each as a small bar and a number.

use ratatui::style::Modifier;
use ratatui::text::Span;

use super::figure_text::figure;
use crate::tui::theme::Theme;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::probabilities::Probabilities;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The width of the line with bars of this width.
pub(in crate::tui) const fn cells_of(bar: usize) -> usize {
    DensityClass::COUNT * (bar + 6)
}

/// Letter, bar and number of each class. The true class is underlined, so that it stands out without colours, too.
pub(in crate::tui) fn probability_spans(
    probabilities: &Probabilities,
    truth: DensityClass,
    bar: usize,
    theme: &Theme,
) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for class in DensityClass::ALL {
        let share = probabilities.of(class);
        let letter = theme.class(class).add_modifier(if class == truth {
            Modifier::UNDERLINED | Modifier::BOLD
        } else {
            Modifier::empty()
        });
        spans.push(Span::styled(class.letter(), letter));
        spans.push(Span::styled(format!(" {}", bar_text(share, bar, theme)), theme.class(class)));
        spans.push(Span::raw(format!("{:>3} ", figure(Some(share), 2, theme))));
    }
    spans
}

/// A share as a bar, padded to exactly `cells` cells.
pub(in crate::tui) fn bar_text(share: f64, cells: usize, theme: &Theme) -> String {
    let eighths = (share.clamp(0.0, 1.0) * cells as f64 * 8.0).round() as usize;
    let (full, part) = (eighths / 8, eighths % 8);
    let mut text = theme.sign("█", "#").repeat(full);
    let mut used = full;
    if part > 0 && !theme.ascii {
        text.push_str(EIGHTHS[part]);
        used += 1;
    }
    text.push_str(&" ".repeat(cells - used));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::testing::empty_shared_state;
    use crate::tui::widgets::fitted::width;

    proptest! {
        #[test]
        fn bars_have_the_requested_width(share in -0.5_f64..1.5, cells in 0_usize..12, ascii: bool) {
            let theme = Theme { ascii, ..empty_shared_state().theme };
            prop_assert_eq!(width(&bar_text(share, cells, &theme)), cells);
        }
    }

    #[test]
    fn a_line_has_the_announced_width() {
        let probabilities = Probabilities([0.01, 0.12, 0.83, 0.04]);
        let spans = probability_spans(&probabilities, DensityClass::B, 4, &empty_shared_state().theme);
        let text: String = spans.iter().map(|span| span.content.as_ref()).collect();
        assert_eq!(text, "A     .01 B ▌   .12 C ███▍.83 D ▏   .04 ");
        assert_eq!(width(&text), cells_of(4));
    }
}
