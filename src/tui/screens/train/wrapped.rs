//! Text wrapped to a number of cells.

use crate::tui::widgets::fitted::{fitted, width};

/// A text broken between words into lines of at most `cells` cells; a longer word is truncated.
pub(super) fn wrapped(text: &str, cells: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= cells => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fitted(word, cells)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_stay_whole() {
        assert_eq!(wrapped("no image of class D", 9), ["no image", "of class", "D"]);
        assert_eq!(wrapped("unbreakable", 5), ["unbr…"]);
        assert!(wrapped(" ", 5).is_empty());
    }

    proptest! {
        #[test]
        fn no_line_is_wider(text in any::<String>(), cells in 0_usize..40) {
            for line in wrapped(&text, cells) {
                prop_assert!(width(&line) <= cells);
            }
        }
    }
}
