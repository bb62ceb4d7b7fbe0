//! Text truncated or padded to a number of cells. Words stay whole where that costs little; of texts made of parts,
//! whole parts are left out.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The width of a text in cells.
pub(in crate::tui) fn width(text: &str) -> usize {
    text.width()
}

/// The separators of the parts of a text.
const SEPARATORS: [&str; 2] = [" · ", "  "];

/// The beginning of a text, ending in `…` if it was truncated: after a part or a word, if that keeps at least half of
/// what fits, and within a word otherwise.
pub(in crate::tui) fn fitted(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    if cells == 0 {
        return String::new();
    }
    let kept = taken(text.graphemes(true), cells - 1).concat();
    // The gap before the ellipsis takes a cell, too.
    let whole = taken(text.graphemes(true), cells.saturating_sub(2)).concat();
    let ends = [" · ", " "].map(|gap| {
        let end = if text[whole.len()..].starts_with(gap) { Some(whole.len()) } else { whole.rfind(gap) };
        end.map(|end| whole[..end].trim_end_matches([' ', ',', ';', ':', '·', '-', '–']))
    });
    match ends.into_iter().flatten().find(|shown| 2 * width(shown) >= cells && !shown.trim().is_empty()) {
        Some(shown) => format!("{shown} …"),
        None => kept + "…",
    }
}

/// As many whole parts from the beginning of a text as fit, the most important first; parts are separated by ` · ` or
/// by two spaces. A first part that does not fit is truncated.
pub(in crate::tui) fn fitted_parts(text: &str, cells: usize) -> String {
    let mut shown = text;
    while width(shown) > cells {
        let end = SEPARATORS.iter().filter_map(|separator| shown.trim_end().rfind(separator)).max();
        match end.map(|end| shown[..end].trim_end()).filter(|rest| !rest.trim().is_empty()) {
            Some(rest) => shown = rest,
            None => return fitted(shown, cells),
        }
    }
    shown.to_owned()
}

/// The first of several texts that fits, from the longest to the shortest; the last one is truncated if none does.
pub(in crate::tui) fn first_fitting<'a>(texts: impl IntoIterator<Item = &'a str>, cells: usize) -> String {
    let mut last = "";
    for text in texts {
        if width(text) <= cells {
            return text.to_owned();
        }
        last = text;
    }
    fitted_parts(last, cells)
}

/// The end of a path, from a folder's name on: `…/images/CC_R`. A last name that does not fit is truncated at its start.
pub(in crate::tui) fn fitted_path(path: &str, cells: usize) -> String {
    if width(path) <= cells {
        return path.to_owned();
    }
    // A separator at the very end is part of the last name.
    let starts = path.trim_end_matches('/').match_indices('/').map(|(at, _)| &path[at..]);
    if let Some(end) = starts.into_iter().find(|end| width(end) < cells) {
        return format!("…{end}");
    }
    let name = path.trim_end_matches('/').rfind('/').map_or(path, |at| &path[at + 1..]);
    fitted_start(name, cells)
}

/// A command with a path, such as `predict /data/images`: its first word and the end of the path.
pub(in crate::tui) fn fitted_command(text: &str, cells: usize) -> String {
    match text.split_once(' ') {
        Some((command, path)) if width(text) > cells && width(command) + 2 < cells => {
            format!("{command} {}", fitted_path(path, cells - width(command) - 1))
        }
        _ => fitted(text, cells),
    }
}

/// The end of a text, starting with `…` if it was truncated; for names whose end says more, and for text being typed.
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

/// A name without its middle if it was truncated: both ends of names tell them apart.
pub(in crate::tui) fn fitted_name(name: &str, cells: usize) -> String {
    if width(name) <= cells {
        return name.to_owned();
    }
    let start = taken(name.graphemes(true), cells.saturating_sub(1) / 2).concat();
    let end = fitted_start(&name[start.len()..], cells - width(&start));
    start + &end
}

/// A name in exactly `cells` cells: without its middle, or followed by spaces.
pub(in crate::tui) fn padded_name(name: &str, cells: usize) -> String {
    padded(&fitted_name(name, cells), cells)
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

    #[test]
    fn words_stay_whole_where_that_costs_little() {
        assert_eq!(
            fitted("loss was not finite at step 500, with a.png", 40),
            "loss was not finite at step 500, with …"
        );
        assert_eq!(fitted("loss was not finite at step 500, with a.png", 36), "loss was not finite at step 500 …");
        assert_eq!(fitted("CC_R CC_L · CC_R is running", 18), "CC_R CC_L …", "a part");
        assert_eq!(fitted("a unnamed-long-name", 12), "a unnamed-l…", "too little would be left");
        assert_eq!(fitted("one two", 5), "one …");
        assert_eq!(fitted("one two", 4), "one…");
    }

    #[test]
    fn whole_parts_are_left_out() {
        let title = "most confident first · 2 of 4";
        assert_eq!(fitted_parts(title, 40), title);
        assert_eq!(fitted_parts(title, 28), "most confident first");
        assert_eq!(fitted_parts(title, 12), "most confid…");
        assert_eq!(fitted_parts("12/32 images  8.1  3 s left", 18), "12/32 images  8.1");
        assert_eq!(fitted_parts(" · the end of a line", 10), " · the …");
        assert_eq!(first_fitting(["epoch 3 of 10", "epoch 3", "3"], 9), "epoch 3");
        assert_eq!(first_fitting(["epoch 3 of 10", "epoch 3"], 5), "epoc…");
    }

    #[test]
    fn names_keep_both_ends() {
        assert_eq!(fitted_name("P0123456789ab", 13), "P0123456789ab");
        assert_eq!(fitted_name("P0123456789ab", 8), "P01…89ab");
        assert_eq!(fitted_name("P0123456789ab", 1), "…");
        assert_eq!(fitted_name("P0123456789ab", 0), "");
        assert_eq!(padded_name("P01", 5), "P01  ");
    }

    #[test]
    fn paths_are_truncated_between_folders() {
        let path = "/density/workspace/runs";
        assert_eq!(fitted_path(path, 23), path);
        assert_eq!(fitted_path(path, 20), "…/workspace/runs");
        assert_eq!(fitted_path(path, 10), "…/runs");
        assert_eq!(fitted_path(path, 3), "…ns", "a single name may be cut");
        assert_eq!(fitted_path("/density/workspace/", 12), "…/workspace/");
        assert_eq!(fitted_command("phantom /density/workspace/datasets/phantoms", 30), "phantom …/datasets/phantoms");
        assert_eq!(fitted_command("predict", 4), "pre…");
    }
}
