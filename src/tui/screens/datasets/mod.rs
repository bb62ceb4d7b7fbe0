//! The screen Datasets: folders, the images in them, and a preview of the selected one.

mod balance;
mod explained;
mod flags;
mod folders_view;
mod images_view;
mod keys;
mod marks;
mod messages;
mod mouse;
mod order;
mod preparation;
mod prepared;
mod preview;
mod review;
mod samples;
mod sheet;
mod tree;
mod update;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;

use preparation::Preparation;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::Paragraph;
use review::ReviewPane;
use samples::Samples;
use serde::{Deserialize, Serialize};
use tree::FolderTree;

use crate::terminal::input::{Key, Mouse};
use crate::tui::protocol::binding::{Action, KeyTables, StateTables};
use crate::tui::protocol::datasets::DatasetsEffect;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::pictures::{PictureMessage, PicturePlace};
use crate::tui::protocol::verb::Verb;
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::contact_sheet::ContactSheet;
use crate::tui::widgets::path_field::{PathField, PathKey, PathPrompt};
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::window_field::WindowField;

pub(in crate::tui) use order::SampleOrder;
pub(in crate::tui) use samples::Shown;
pub(in crate::tui) use sheet::Arrangement;

/// The saved state of the screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct DatasetsView {
    root: Option<PathBuf>,
    folder: Option<PathBuf>,
    image: Option<PathBuf>,
    filter: String,
    shown: Shown,
    images: bool,
    order: SampleOrder,
    arrangement: Arrangement,
    /// The folders of sources by the folders of prepared images.
    sources: BTreeMap<PathBuf, PathBuf>,
}

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(in crate::tui) struct DatasetsScreen {
    /// The saved state; its selection is pursued until it is reached.
    restored: DatasetsView,
    tree: Option<FolderTree>,
    /// The selected folder.
    folder: usize,
    folders: ScrollList,
    samples: Samples,
    images: ScrollList,
    /// True if the list of images has to be made again.
    stale: bool,
    /// True if the images have the focus, false if the folders have it.
    in_images: bool,
    filter: TextField,
    typing: bool,
    shown: Shown,
    order: SampleOrder,
    arrangement: Arrangement,
    sheet: ContactSheet,
    /// The image at which a range of marks begins.
    range_start: Option<PathBuf>,
    picture: PictureView,
    /// The line for typing a grey window, while it is open.
    window_field: Option<WindowField>,
    open: Option<PathField>,
    /// Data sets nearby, offered while none is open; `None` until the search is done.
    offered: Option<Vec<PathBuf>>,
    offers: ScrollList,
    /// Images whose headers have to be requested.
    unread: Vec<PathBuf>,
    entered: bool,
    /// True if the data set was made by preprocessing.
    is_prepared: bool,
    /// The folders of sources by the folders of prepared images.
    sources: BTreeMap<PathBuf, PathBuf>,
    preparation: Preparation,
    /// The review of the data set, in place of its folders and images.
    review: Option<ReviewPane>,
}

impl Default for DatasetsScreen {
    fn default() -> Self {
        Self::new(DatasetsView::default())
    }
}

impl DatasetsScreen {
    /// The screen in its saved state.
    pub(in crate::tui) fn new(view: DatasetsView) -> Self {
        Self {
            tree: None,
            folder: 0,
            folders: ScrollList::default(),
            samples: Samples::default(),
            images: ScrollList::default(),
            stale: true,
            in_images: view.images && view.root.is_some(),
            filter: TextField::new(view.filter.clone()),
            typing: false,
            shown: view.shown,
            order: view.order,
            arrangement: view.arrangement,
            sheet: ContactSheet::default(),
            range_start: None,
            picture: PictureView::new(PicturePlace::Preview),
            window_field: None,
            open: None,
            offered: None,
            offers: ScrollList::default(),
            unread: Vec::new(),
            entered: false,
            is_prepared: false,
            sources: view.sources.clone(),
            preparation: Preparation::default(),
            review: None,
            restored: view,
        }
    }

    /// The state to save.
    pub(in crate::tui) fn view_state(&self) -> DatasetsView {
        let sources = self.sources.clone();
        let Some(tree) = &self.tree else { return DatasetsView { sources, ..self.restored.clone() } };
        let image = self.samples.row(self.images.cursor).map(|row| Samples::path(tree, row));
        DatasetsView {
            root: Some(tree.folder(0).path.clone()),
            folder: self.restored.folder.clone().or_else(|| Some(tree.folder(self.folder).path.clone())),
            image: self.restored.image.clone().or(image),
            filter: self.filter.text().to_owned(),
            shown: self.shown,
            images: self.in_images,
            order: self.order,
            arrangement: self.arrangement,
            sources,
        }
    }
}

impl DatasetsScreen {
    /// Opens a field for a path.
    fn ask_path(&mut self, prompt: PathPrompt, path: &str) -> Vec<Effect> {
        let open = self.open.insert(PathField::new(prompt, path));
        vec![Effect::Datasets(DatasetsEffect::Complete(open.text().to_owned()))]
    }

    fn after_path_key(&mut self, pressed: PathKey) -> Vec<Effect> {
        match pressed {
            PathKey::Nothing => Vec::new(),
            PathKey::Complete(typed) => vec![Effect::Datasets(DatasetsEffect::Complete(typed))],
            PathKey::Check(typed) => vec![Effect::Datasets(DatasetsEffect::Check(typed))],
            PathKey::Cancelled => {
                self.open = None;
                Vec::new()
            }
        }
    }

    /// Opens the submitted path, or leaves it in the field with the reason why not.
    fn on_checked(&mut self, typed: &str, outcome: Result<PathBuf, Failure>) -> Vec<Effect> {
        let Some(path) = self.open.as_mut().and_then(|open| open.on_checked(typed, outcome)) else {
            return Vec::new();
        };
        self.open = None;
        match &mut self.review {
            Some(review) => review.locate(&path.to_string_lossy()),
            None => vec![Effect::Datasets(DatasetsEffect::Open(path))],
        }
    }
}

impl Screen for DatasetsScreen {
    fn bindings(&self, _model: &SharedState) -> KeyTables {
        if let Some(bindings) = self.preparation.bindings() {
            return bindings;
        }
        if let Some(review) = &self.review {
            return review.bindings();
        }
        let is_sheet = self.arrangement == Arrangement::Sheet;
        match (self.tree.is_some(), self.in_images, self.is_prepared) {
            (false, _, _) => keys::NOTHING,
            (true, true, false) if is_sheet => keys::SHEET,
            (true, true, true) if is_sheet => keys::PREPARED_SHEET,
            (true, true, false) => keys::IMAGES,
            (true, true, true) => keys::PREPARED_IMAGES,
            (true, false, false) => keys::FOLDERS,
            (true, false, true) => keys::PREPARED_FOLDERS,
        }
    }

    fn states(&self) -> &'static [StateTables] {
        keys::STATES
    }

    fn act(&mut self, action: Action, shared: &SharedState) -> Vec<Effect> {
        match action {
            Action::Datasets(action) => self.update(action, shared),
            _ => Vec::new(),
        }
    }

    fn move_cursor(&mut self, motion: ListMotion, _model: &SharedState) -> Vec<Effect> {
        match &mut self.review {
            Some(review) => {
                review.step(motion);
                Vec::new()
            }
            None => self.step(motion),
        }
    }

    fn type_key(&mut self, key: Key, shared: &SharedState) -> Option<Vec<Effect>> {
        if let Some(open) = &mut self.open {
            let pressed = open.press(key);
            return Some(self.after_path_key(pressed));
        }
        if let Some(effects) = self.preparation.type_key(key) {
            return Some(effects);
        }
        if let Some(outcome) = WindowField::press_open(&mut self.window_field, key) {
            return Some(outcome.chosen().map(Effect::Window).into_iter().collect());
        }
        if self.typing {
            self.type_filter(key);
            return Some(Vec::new());
        }
        // The arrows move the crosshair of the preview while it is shown.
        let is_shown = self.in_images && self.picture.has_cursor() && self.review.is_none();
        let (across, down) = shared.keymap.verb_of(key).and_then(Verb::direction).filter(|_| is_shown)?;
        self.picture.arrow(across, down).then(Vec::new)
    }

    fn paste(&mut self, text: &str, _model: &SharedState) -> Vec<Effect> {
        if let Some(open) = &mut self.open {
            let pasted = open.paste(text);
            return self.after_path_key(pasted);
        }
        if let Some(effects) = self.preparation.paste(text) {
            return effects;
        }
        if let Some(field) = &mut self.window_field {
            field.paste(text);
            return Vec::new();
        }
        if self.typing {
            self.filter.paste(text);
            self.stale = true;
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        if let Some(open) = &mut self.open {
            let clicked = open.mouse(mouse);
            return self.after_path_key(clicked);
        }
        if self.preparation.is_shown() {
            return Vec::new();
        }
        match &mut self.review {
            Some(review) => {
                review.mouse(mouse);
                Vec::new()
            }
            None => self.mouse_here(mouse, shared),
        }
    }

    fn enter(&mut self, shared: &SharedState) -> Vec<Effect> {
        if std::mem::replace(&mut self.entered, true) {
            return Vec::new();
        }
        match &self.restored.root {
            Some(root) => vec![Effect::Datasets(DatasetsEffect::Open(root.clone()))],
            None => vec![Effect::Datasets(DatasetsEffect::LookForData(shared.workspace.clone()))],
        }
    }

    fn pictures_mut(&mut self) -> &mut [PictureView] {
        match &mut self.review {
            Some(review) => review.pictures_mut(),
            None => std::slice::from_mut(&mut self.picture),
        }
    }

    fn on_picture(&mut self, message: &PictureMessage) {
        match &mut self.review {
            Some(review) => review.pictures_mut().iter_mut().for_each(|picture| picture.on_message(message)),
            None => self.take_picture(message),
        }
    }

    fn sheet_mut(&mut self) -> Option<&mut ContactSheet> {
        Some(&mut self.sheet)
    }

    fn after_draw(&mut self) -> Vec<Effect> {
        if let Some(review) = &mut self.review {
            return review.after_draw();
        }
        let unread = std::mem::take(&mut self.unread);
        let headers = (!unread.is_empty()).then_some(Effect::Datasets(DatasetsEffect::ReadHeaders(unread)));
        headers.into_iter().chain(self.picture.take_request()).chain(self.sheet.take_request()).collect()
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        let covered = self.open.is_some() || self.preparation.is_shown();
        self.pictures_mut().iter_mut().for_each(|picture| picture.covered |= covered);
        self.sheet.covered |= covered;
        let status = self.preparation.status(shared);
        let [whole, below] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(u16::from(status.is_some()))]).areas(area);
        if let Some(review) = &mut self.review {
            review.draw(frame, whole, shared);
        } else {
            self.relist();
            self.draw_panes(frame, whole, shared);
        }
        if let Some(status) = status {
            frame.render_widget(Paragraph::new(status), below);
        }
        self.preparation.draw(frame, area, shared);
        if let Some(field) = &self.window_field {
            field.draw(frame, area, shared);
        }
        if let Some(open) = &mut self.open {
            open.draw(frame, area, shared);
        }
    }
}

#[cfg(test)]
mod tests;
