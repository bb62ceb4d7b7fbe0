//! The listed cases as a contact sheet, and paths for the clipboard.

use std::path::PathBuf;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::EvaluateScreen;
use super::case_list::ListedCase;
use super::opened::Opened;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::evaluate::PredictionSource;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::contact_sheet::{ContactSheet, SheetContent, SheetTile};
use crate::tui::widgets::figure_text::figure;
use crate::tui::widgets::fitted::fitted_parts;
use crate::tui::widgets::pane::draw_pane;

impl EvaluateScreen {
    /// True while the arrows move on the contact sheet.
    pub(super) fn is_on_sheet(&self) -> bool {
        self.shows_sheet && self.opened.as_ref().is_some_and(|opened| opened.in_cases)
    }

    /// Shows the listed cases as a list or as a contact sheet.
    pub(super) fn next_arrangement(&mut self) -> Vec<Effect> {
        self.shows_sheet ^= true;
        // A sheet that was not on screen may have been lost by the terminal.
        self.sheet.forget();
        vec![Effect::SaveView]
    }

    /// Moves the cursor of the sheet by images.
    pub(super) fn step_on_sheet(&mut self, images: isize) {
        if let Some(opened) = &mut self.opened {
            let cases = &mut opened.cases;
            cases.list.cursor = self.sheet.stepped(images, cases.list.cursor, cases.cases.len());
        }
    }

    /// Copies the path of the selected case's first image or, elsewhere, of the evaluation under the cursor.
    pub(super) fn copy_path(&self, shared: &SharedState) -> Vec<Effect> {
        let path = match (self.chooser, &self.opened) {
            (Some(list), _) => self.others(shared).get(list.cursor).and_then(|other| other.path(shared)),
            (None, Some(opened)) if opened.in_cases => {
                opened.cases.selected().and_then(|selected| opened.image_of(selected))
            }
            (None, Some(Opened { source: PredictionSource::Folder { path, .. }, .. })) => Some(path.clone()),
            (None, Some(_)) => self.selected_run(shared).map(|run| run.path().to_owned()),
            (None, None) => self.listed(shared).get(self.list.cursor).and_then(|listed| listed.path(shared)),
        };
        path.map(|path| Effect::Copy(path.to_string_lossy().into_owned())).into_iter().collect()
    }
}

impl Opened {
    /// The first image of a case.
    fn image_of(&self, case: ListedCase) -> Option<PathBuf> {
        let row = *self.set()?.rows.get(case.place)?.first()?;
        self.sets.as_ref()?.images.get(row).cloned()
    }

    /// True and predicted class and subject of a case.
    fn tile_label(&self, case: ListedCase, theme: &Theme) -> Line<'static> {
        let Some(set) = self.set() else { return Line::default() };
        let Some(prediction) = set.evaluated.set.cases.get(case.place) else { return Line::default() };
        let (truth, predicted) = (prediction.label, prediction.predicted());
        let sign = if truth == predicted { theme.sign("✔", "+") } else { theme.sign("✖", "x") };
        let style = if truth == predicted { theme.good() } else { theme.bad() };
        Line::from(vec![
            Span::styled(sign, style),
            Span::styled(truth.letter(), theme.class(truth)),
            Span::styled(theme.sign("→", ">"), theme.dim()),
            Span::styled(predicted.letter(), theme.class(predicted)),
            Span::raw(format!(" {}", Self::case_name(&set.evaluated, case.place))),
        ])
    }
}

/// Draws the listed cases as thumbnails; a fused case has that of its first view.
pub(super) fn draw_case_sheet(
    frame: &mut Frame<'_>,
    area: Rect,
    sheet: &mut ContactSheet,
    opened: &Opened,
    shared: &SharedState,
) {
    let theme = &shared.theme;
    let (length, cursor) = (opened.cases.cases.len(), opened.cases.list.cursor);
    let right = format!("{} of {length} · {}", cursor + 1, opened.cases.order_title());
    let inner = draw_pane(frame, area, theme, true, [&opened.list_title(), &right]);
    let [tiles, caption] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(inner);
    let tile = |at: usize| {
        let case = opened.cases.cases.get(at).copied();
        SheetTile {
            path: case.and_then(|case| opened.image_of(case)).unwrap_or_default(),
            label: case.map(|case| opened.tile_label(case, theme)).unwrap_or_default(),
        }
    };
    sheet.draw(frame, tiles, shared, SheetContent { length, cursor, focused: true, tile });
    let text = opened.cases.selected().and_then(|case| {
        let set = opened.set()?;
        let prediction = set.evaluated.set.cases.get(case.place)?;
        let (truth, predicted) = (prediction.label, prediction.predicted());
        let probability = figure(Some(prediction.probabilities.of(predicted)), 2, theme);
        let name = Opened::case_name(&set.evaluated, case.place);
        Some(format!(" subject {name} · true {truth} · predicted {predicted} {probability}"))
    });
    let text = fitted_parts(&text.unwrap_or_default(), caption.width.into());
    frame.render_widget(Paragraph::new(Line::styled(text, theme.dim())), caption);
}
