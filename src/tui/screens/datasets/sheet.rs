//! The contact sheet of the listed images.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use serde::{Deserialize, Serialize};

use super::DatasetsScreen;
use super::flags::Flag;
use super::samples::{SampleRow, Samples};
use super::tree::FolderTree;
use crate::tui::protocol::effect::Effect;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::contact_sheet::{SheetContent, SheetTile, TILE};
use crate::tui::widgets::fitted::fitted;
use mammoscope_dataset::subject_audit::sample_name;
use mammoscope_domain::text::printable::printable;

/// The arrangement of the listed images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::tui) enum Arrangement {
    /// A list with a preview.
    #[default]
    List,
    /// Thumbnails.
    Sheet,
}

impl DatasetsScreen {
    /// Shows the images as a list or as a contact sheet.
    pub(super) fn next_arrangement(&mut self) -> Vec<Effect> {
        self.arrangement = match self.arrangement {
            Arrangement::List => Arrangement::Sheet,
            Arrangement::Sheet => Arrangement::List,
        };
        self.in_images = self.tree.is_some();
        // A sheet that was not on screen may have been lost by the terminal.
        self.sheet.forget();
        self.picture.forget();
        vec![Effect::SaveView]
    }

    /// Moves the cursor of the sheet by images.
    pub(super) fn step_on_sheet(&mut self, images: isize) {
        self.relist();
        self.restored.image = None;
        self.images.cursor = self.sheet.stepped(images, self.images.cursor, self.samples.len());
    }

    /// Draws the thumbnails, and the caption of the selected image below them.
    pub(super) fn draw_sheet(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let Some(tree) = &self.tree else { return };
        let [tiles, caption] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
        let (samples, range) = (&self.samples, self.range());
        let tile = |at: usize| {
            let row = samples.row(at);
            let path = row.map(|row| Samples::path(tree, row)).unwrap_or_default();
            let is_in_range = range.as_ref().is_some_and(|range| range.contains(&at));
            let label = row.map(|row| label(tree, samples, row, is_in_range, &shared.theme)).unwrap_or_default();
            SheetTile { path, label }
        };
        let (length, cursor) = (samples.len(), self.images.cursor);
        let content = SheetContent { length, cursor, focused: self.in_images, tile };
        self.sheet.draw(frame, tiles, shared, content);
        if let Some(row) = self.samples.row(self.images.cursor) {
            let image = self.listed_image(tree, row);
            let text = fitted(&format!(" {}", printable(&image.caption)), caption.width.into());
            frame.render_widget(Paragraph::new(Line::styled(text, shared.theme.dim())), caption);
        }
    }
}

/// Mark, class, subject, view and flag of an image.
fn label(tree: &FolderTree, samples: &Samples, row: SampleRow, is_in_range: bool, theme: &Theme) -> Line<'static> {
    let context = tree.folder(Samples::folder(row)).context;
    let file = Samples::name(tree, row);
    let flags = samples.flags(tree, row);
    let is_bad = flags.iter().any(Flag::is_bad);
    // A mark hides the sign of a flag, which the caption has in words.
    let (sign, style) = match (samples.is_marked(&Samples::path(tree, row)), flags.is_empty()) {
        (true, _) => (theme.sign("●", "*"), theme.accent()),
        (false, _) if is_in_range => (theme.sign("·", "."), theme.accent()),
        (false, true) => (" ", theme.text()),
        (false, false) if is_bad => (theme.sign("✖", "x"), theme.bad()),
        (false, false) => ("!", theme.warning()),
    };
    let mut spans = vec![Span::styled(sign, style)];
    if let Some(class) = context.class {
        spans.push(Span::styled(format!("{class} "), theme.class(class)));
    }
    let name = sample_name(file);
    let view = context.view.or(name.as_ref().map(|name| name.view));
    let subject = name.map_or_else(|| printable(file), |name| printable(&name.subject.0));
    spans.push(Span::raw(subject));
    let label = Line::from(spans);
    let Some(view) = view.map(|view| Span::styled(format!(" {view}"), theme.dim())) else { return label };
    // The caption has the view of the image under the cursor, too.
    if label.width() + view.width() >= usize::from(TILE) { label } else { label + view }
}
