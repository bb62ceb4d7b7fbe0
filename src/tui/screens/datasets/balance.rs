//! The class balance of a folder by view and split, and its problems.

use std::collections::BTreeMap;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::DatasetsScreen;
use super::folders_view::right;
use super::tree::FolderTree;
use crate::terminal::color_depth::ColorDepth;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, padded};
use crate::tui::widgets::pane::draw_pane;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable_path;

/// Cells of a table row without its bar; narrower panes get abbreviations.
const ROW: usize = 41;
/// The smallest useful width of a bar beside the numbers.
const MIN_BAR: usize = 8;
const MAX_LISTED_PROBLEMS: usize = 40;

type Place = (Option<View>, Option<Split>);

/// The numbers of images of each class and without a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ClassCounts {
    classes: [usize; 4],
    unlabelled: usize,
}

/// Counts the images in a folder and its subfolders by view and split.
fn counts(tree: &FolderTree, folder: usize) -> BTreeMap<Place, ClassCounts> {
    let mut found = BTreeMap::<Place, ClassCounts>::new();
    for at in tree.within(folder) {
        let folder = tree.folder(at);
        if folder.images.is_empty() {
            continue;
        }
        let counts = found.entry((folder.context.view, folder.context.split)).or_default();
        match folder.context.class {
            Some(class) => counts.classes[class.index()] += folder.images.len(),
            None => counts.unlabelled += folder.images.len(),
        }
    }
    found
}

impl DatasetsScreen {
    pub(super) fn draw_balance(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let Some(tree) = &self.tree else { return };
        let theme = &shared.theme;
        let chosen = tree.folder(self.folder);
        let state = if chosen.waiting > 0 { "counting" } else { "" };
        let inner = draw_pane(frame, area, theme, false, ["Classes by view and split", state]);
        let cells = usize::from(inner.width);
        let found = counts(tree, self.folder);
        let mut lines = table(&found, theme, cells);
        lines.push(Line::default());
        lines.extend(self.audit_lines(tree, shared));
        let problems: Vec<String> = tree
            .within(self.folder)
            .into_iter()
            .flat_map(|at| tree.folder(at).problems.iter())
            .take(MAX_LISTED_PROBLEMS)
            .map(|problem| {
                let path = problem.path.strip_prefix(&tree.folder(0).path).unwrap_or(&problem.path);
                format!(" {}: {}", printable_path(path), problem.kind)
            })
            .collect();
        if !problems.is_empty() {
            lines.push(Line::default());
            lines.push(Line::styled(fitted(" Files and folders to check", cells), theme.warning()));
            lines.extend(problems.into_iter().map(Line::raw));
        }
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), inner);
    }

    /// The findings of the audit of the whole data set.
    fn audit_lines(&self, tree: &FolderTree, shared: &SharedState) -> Vec<Line<'static>> {
        let theme = &shared.theme;
        if !self.samples.audited || tree.folder(0).below == 0 {
            return Vec::new();
        }
        let audit = &self.samples.audit;
        let counted =
            |count: usize, one: &str, many: &str| format!("{} {}", grouped(count), if count == 1 { one } else { many });
        let mut lines = Vec::new();
        let bad = theme.sign("✖", "x");
        match audit.subjects_in_several_splits() {
            0 => {}
            count => {
                let text = counted(count, "subject is in several splits", "subjects are in several splits");
                lines.push(Line::styled(format!(" {bad} {text}"), theme.bad()));
            }
        }
        match audit.incomplete_examinations() {
            0 => {}
            count => {
                let text = counted(count, "examination lacks a view", "examinations lack a view");
                lines.push(Line::styled(format!(" ! {text}"), theme.warning()));
            }
        }
        if lines.is_empty() {
            let good = theme.sign("✔", "ok");
            for text in ["no subject is in two splits", "no examination lacks a view"] {
                lines.push(Line::styled(format!(" {good} {text}"), theme.good()));
            }
        } else {
            let key = shared.keymap.keys_of(Verb::Listed).first().map_or_else(String::new, ToString::to_string);
            lines.push(Line::styled(format!("   {key} lists the images"), theme.dim()));
        }
        lines
    }
}

fn table(found: &BTreeMap<Place, ClassCounts>, theme: &Theme, cells: usize) -> Vec<Line<'static>> {
    let short = cells < ROW;
    let (split_cells, number_cells) = if short { (6, 5) } else { (10, 6) };
    let bar = cells.saturating_sub(ROW + 2).min(40);
    let bar = if bar < MIN_BAR { 0 } else { bar };
    let mut head = vec![Span::styled(format!(" view  {}", padded("split", split_cells)), theme.dim())];
    for class in DensityClass::ALL {
        head.push(Span::styled(format!("{:>number_cells$}", class.letter()), theme.class(class)));
    }
    let mut lines = vec![Line::from(head)];
    for ((view, split), counts) in found {
        let none = theme.sign("–", "-");
        let view = view.map_or(none, |view| view.name());
        let split = match split {
            Some(Split::Validation) if short => "valid",
            split => split.map_or(none, |split| split.name()),
        };
        let mut spans = vec![Span::raw(format!(" {}{}", padded(view, 6), padded(split, split_cells)))];
        if counts.classes.iter().sum::<usize>() == 0 {
            // The column of a narrow pane is too short for the noun.
            let noun = match (short, counts.unlabelled) {
                (true, _) => "",
                (false, 1) => " image",
                (false, _) => " images",
            };
            let text = format!("{}{noun} without a class", right(counts.unlabelled, number_cells));
            spans.push(Span::styled(text, theme.dim()));
            lines.push(Line::from(spans));
            continue;
        }
        for count in counts.classes {
            let style = if count == 0 { theme.warning() } else { theme.text() };
            spans.push(Span::styled(right(count, number_cells), style));
        }
        if bar > 0 {
            spans.push(Span::raw("  "));
            spans.extend(stacked(counts.classes, bar, theme));
        }
        lines.push(Line::from(spans));
        if bar == 0 {
            let mut spans = vec![Span::raw(" ".repeat(7))];
            spans.extend(stacked(counts.classes, cells.saturating_sub(8).min(34), theme));
            lines.push(Line::from(spans));
        }
    }
    if found.is_empty() {
        lines = vec![Line::styled(" no images yet", theme.dim())];
    }
    lines
}

/// A bar with a part for each class, drawn with the class letters if there are no colours.
fn stacked(counts: [usize; 4], cells: usize, theme: &Theme) -> Vec<Span<'static>> {
    let plain = theme.ascii || theme.depth == ColorDepth::None;
    DensityClass::ALL
        .into_iter()
        .zip(widths(counts, cells))
        .map(|(class, width)| {
            let sign = if plain { class.letter() } else { "█" };
            Span::styled(sign.repeat(width), theme.class(class))
        })
        .collect()
}

/// The cells of each class in a bar, in proportion to its count: equal counts have equal cells, so that a few cells may
/// be left over, and a larger count never has fewer than a smaller one.
fn widths(counts: [usize; 4], cells: usize) -> [usize; 4] {
    let total = counts.iter().sum::<usize>().max(1);
    let mut widths = counts.map(|count| count * cells / total);
    let mut left = cells.min(total * cells) - widths.iter().sum::<usize>();
    // The cells that rounding has left go to the largest remainders, to all of the same count or to none.
    let mut remainders: Vec<(usize, usize)> =
        counts.iter().map(|&count| (count * cells % total, count)).filter(|(remainder, _)| *remainder > 0).collect();
    remainders.sort_unstable_by(|one, other| other.cmp(one));
    remainders.dedup();
    for (_, count) in remainders {
        let equal = counts.iter().filter(|&&other| other == count).count();
        if equal <= left {
            left -= equal;
            for (width, &other) in widths.iter_mut().zip(&counts) {
                *width += usize::from(other == count);
            }
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_classes_have_equal_bars() {
        assert_eq!(widths([1, 1, 1, 1], 26), [6, 6, 6, 6]);
        assert_eq!(widths([1, 1, 1, 0], 26), [8, 8, 8, 0]);
        assert_eq!(widths([98, 361, 352, 97], 40), [4, 16, 16, 4]);
        assert_eq!(widths([0, 0, 0, 0], 26), [0; 4]);
    }

    proptest! {
        #[test]
        fn bars_are_in_proportion(counts in prop::array::uniform4(0_usize..10_000), cells in 0_usize..60) {
            let found = widths(counts, cells);
            let (drawn, total) = (found.iter().sum::<usize>(), counts.iter().sum::<usize>());
            prop_assert!(drawn <= cells && (total == 0 || drawn + 3 >= cells), "{found:?}");
            for (one, width) in counts.into_iter().zip(found) {
                let exact = one as f64 * cells as f64 / total.max(1) as f64;
                prop_assert!((width as f64 - exact).abs() < 1.0, "{found:?}");
                for (other, beside) in counts.into_iter().zip(found) {
                    prop_assert!(one < other || width >= beside, "{found:?}");
                }
            }
        }
    }
}
