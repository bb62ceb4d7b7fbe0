//! The numbers of flips in a cell.

use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, width};
use mammoscope_domain::metrics::flips::FlipCounts;

/// Numbers of flips in one line: in words, or with signs where room is short.
pub(super) fn flip_text(counts: FlipCounts, cells: usize, theme: &Theme) -> String {
    let FlipCounts { fixed, broken, moved } = counts;
    if fixed + broken + moved == 0 {
        return theme.sign("·", ".").to_owned();
    }
    let (good, bad) = (theme.sign("✔", "+"), theme.sign("✖", "-"));
    let candidates = [
        format!("{fixed} fixed, {broken} broken"),
        format!("{fixed} {good} {broken} {bad}"),
        format!("{fixed}{good} {broken}{bad}"),
        format!("{fixed}{good}{broken}{bad}"),
    ];
    let last = candidates[3].clone();
    candidates.into_iter().find(|text| width(text) <= cells).unwrap_or_else(|| fitted(&last, cells))
}

/// Numbers of flips in three lines: fixed, other errors and broken.
pub(super) fn tall_flip_texts(counts: FlipCounts, cells: usize, theme: &Theme) -> Vec<String> {
    let FlipCounts { fixed, broken, moved } = counts;
    if fixed + broken + moved == 0 {
        return vec![String::new(), theme.sign("·", ".").to_owned(), String::new()];
    }
    let (good, bad) = (theme.sign("✔", "+"), theme.sign("✖", "-"));
    let line = |number: u64, word: &str, sign: &str| {
        let text = format!("{number} {word}");
        if width(&text) <= cells { text } else { fitted(&format!("{number} {sign}"), cells) }
    };
    let others = if moved == 0 { String::new() } else { line(moved, "other", theme.sign("↔", "~")) };
    vec![line(fixed, "fixed", good), others, line(broken, "broken", bad)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::testing::empty_shared_state;

    #[test]
    fn words_become_signs_where_room_is_short() {
        let theme = empty_shared_state().theme;
        let counts = FlipCounts { fixed: 3, broken: 15, moved: 1 };
        assert_eq!(flip_text(counts, 20, &theme), "3 fixed, 15 broken");
        assert_eq!(flip_text(counts, 9, &theme), "3 ✔ 15 ✖");
        assert_eq!(flip_text(counts, 6, &theme), "3✔ 15✖");
        assert_eq!(flip_text(FlipCounts::default(), 6, &theme), "·");
        assert_eq!(tall_flip_texts(counts, 9, &theme), ["3 fixed", "1 other", "15 broken"]);
        assert_eq!(tall_flip_texts(counts, 7, &theme), ["3 fixed", "1 other", "15 ✖"]);
    }

    proptest! {
        #[test]
        fn texts_fit(fixed in 0_u64..2000, broken in 0_u64..2000, moved in 0_u64..2000, cells in 0_usize..24) {
            let theme = empty_shared_state().theme;
            let counts = FlipCounts { fixed, broken, moved };
            prop_assume!(cells > 0);
            prop_assert!(width(&flip_text(counts, cells, &theme)) <= cells);
            for text in tall_flip_texts(counts, cells, &theme) {
                prop_assert!(width(&text) <= cells, "{}", text);
            }
        }
    }
}
