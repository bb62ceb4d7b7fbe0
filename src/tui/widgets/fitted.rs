//! Text truncated or padded to a number of cells.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The width of a text in cells.
pub(in crate::tui) fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of a text, ending in `…` if it was truncated.
pub(in crate::tui) fn fitted(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    if cells == 0 {
        return String::new();
    }
    let mut kept = taken(text.graphemes(true), cells - 1).concat();
    kept.push('…');
    kept
}

/// The end of a text, starting with `…` if it was truncated; for paths, whose end says more.
pub(in crate::tui) fn fitted_start(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    if cells == 0 {
        return String::new();
    }
    let mut kept = taken(text.graphemes(true).rev(), cells - 1);
    kept.reverse();
    format!("…{}", kept.concat())
}

/// A text in exactly `cells` cells: truncated, or followed by spaces.
pub(in crate::tui) fn padded(text: &str, cells: usize) -> String {
    let mut shown = fitted(text, cells);
    shown.push_str(&" ".repeat(cells.saturating_sub(width(&shown))));
    shown
}

/// A text in exactly `cells` cells, aligned to the right.
pub(in crate::tui) fn padded_start(text: &str, cells: usize) -> String {
    let shown = fitted(text, cells);
    " ".repeat(cells.saturating_sub(width(&shown))) + &shown
}

fn taken<'a>(graphemes: impl Iterator<Item = &'a str>, cells: usize) -> Vec<&'a str> {
    let mut used = 0;
    graphemes
        .take_while(|grapheme| {
            used += width(grapheme);
            used <= cells
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_truncated_between_characters() {
        assert_eq!(fitted("density", 7), "density");
        assert_eq!(fitted("density", 6), "densi…");
        assert_eq!(fitted("乳房撮影", 5), "乳房…");
        assert_eq!(fitted("density", 0), "");
        assert_eq!(fitted_start("/data/density", 8), "…density");
        assert_eq!(padded("ab", 4), "ab  ");
        assert_eq!(padded_start("ab", 4), "  ab");
        assert_eq!(padded("abcdef", 4), "abc…");
    }
}
