//! The screen Datasets: folders, the images in them, and the one under the cursor.

mod balance;
mod bindings;
mod explained;
mod flags;
mod folders_view;
mod images_view;
mod open_field;
mod preview;
mod samples;
mod steering;
mod tree;
mod view;

use std::path::PathBuf;

use open_field::{OpenField, Typed};
use ratatui::Frame;
use ratatui::layout::Rect;
use samples::Samples;
use serde::{Deserialize, Serialize};
use tree::FolderTree;

use crate::terminal::input::{Key, Mouse};
use crate::tui::model::Model;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::datasets::{DatasetsEffect, DatasetsMessage};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::pictures::{PictureMessage, PicturePlace};
use crate::tui::screens::screen::Screen;
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use mammoscope_imaging::intensity_window::WindowChoice;

pub(in crate::tui) use samples::Shown;

/// What is restored the next time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::tui) struct DatasetsView {
    root: Option<PathBuf>,
    folder: Option<PathBuf>,
    image: Option<PathBuf>,
    filter: String,
    shown: Shown,
    window: WindowChoice,
    images: bool,
}

/// The screen.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub(in crate::tui) struct DatasetsScreen {
    /// As it was left; the selection is followed as far as it is not reached yet.
    restored: DatasetsView,
    tree: Option<FolderTree>,
    /// The chosen folder.
    folder: usize,
    folders: ScrollList,
    samples: Samples,
    images: ScrollList,
    /// Whether the list of images is to be made anew.
    stale: bool,
    /// Whether the images have the focus, or the folders.
    in_images: bool,
    filter: TextField,
    typing: bool,
    shown: Shown,
    window: WindowChoice,
    picture: PictureView,
    open: Option<OpenField>,
    /// Data sets at hand, as long as none is open; `None` before they were looked for.
    offered: Option<Vec<PathBuf>>,
    offers: ScrollList,
    /// Headers to ask for.
    unread: Vec<PathBuf>,
    asked: bool,
}

impl Default for DatasetsScreen {
    fn default() -> Self {
        Self::new(DatasetsView::default())
    }
}

impl DatasetsScreen {
    /// The screen as it was left.
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
            window: view.window,
            picture: PictureView::new(PicturePlace::Preview),
            open: None,
            offered: None,
            offers: ScrollList::default(),
            unread: Vec::new(),
            asked: false,
            restored: view,
        }
    }

    /// What is to be restored.
    pub(in crate::tui) fn view_state(&self) -> DatasetsView {
        let Some(tree) = &self.tree else { return self.restored.clone() };
        let image = self.samples.row(self.images.cursor).map(|row| Samples::path(tree, row));
        DatasetsView {
            root: Some(tree.folder(0).path.clone()),
            folder: self.restored.folder.clone().or_else(|| Some(tree.folder(self.folder).path.clone())),
            image: self.restored.image.clone().or(image),
            filter: self.filter.text().to_owned(),
            shown: self.shown,
            window: self.window,
            images: self.in_images,
        }
    }

    /// Takes news.
    pub(in crate::tui) fn on_message(&mut self, message: DatasetsMessage, _model: &Model) -> Vec<Effect> {
        match message {
            DatasetsMessage::Opened { asked, root } => self.on_opened(&asked, &root),
            DatasetsMessage::Listed { root, folder, context, outcome } => {
                self.keep_image();
                if let Some(tree) = self.tree.as_mut().filter(|tree| tree.folder(0).path == root) {
                    if tree.on_listing(&folder, context, outcome) {
                        self.samples.forget_folder(&folder);
                    }
                    self.stale = true;
                    self.keep_folder();
                    return self.restore_folder(&folder);
                }
                Vec::new()
            }
            DatasetsMessage::Audited { root, audit } => {
                if self.is_open(&root) {
                    self.list_flagged_anew();
                    (self.samples.audit, self.samples.audited) = (audit, true);
                    return vec![Effect::Datasets(DatasetsEffect::Inspect(self.folders_with_images()))];
                }
                Vec::new()
            }
            DatasetsMessage::Headers { read, passed } => {
                if self.samples.on_headers(read, &passed) {
                    self.list_flagged_anew();
                }
                Vec::new()
            }
            DatasetsMessage::Unreadable(images) => {
                for (path, problem) in images {
                    if self.samples.on_problem(path, &problem) {
                        self.list_flagged_anew();
                    }
                }
                Vec::new()
            }
            DatasetsMessage::Doubtful(images) => {
                for (path, doubts) in images {
                    if self.samples.on_doubts(&path, &doubts) {
                        self.list_flagged_anew();
                    }
                }
                Vec::new()
            }
            DatasetsMessage::Duplicates { root, audit } => {
                if !self.is_open(&root) {
                    return Vec::new();
                }
                self.list_flagged_anew();
                vec![Effect::done(self.samples.on_duplicates(audit))]
            }
            DatasetsMessage::Completed { typed, found } => {
                if let Some(open) = &mut self.open {
                    open.on_message(&typed, found);
                }
                Vec::new()
            }
            DatasetsMessage::Offered(offered) => {
                self.offered = Some(offered);
                Vec::new()
            }
        }
    }

    /// Takes a picture that is decoded or drawn.
    pub(in crate::tui) fn on_picture(&mut self, message: &PictureMessage) {
        self.picture.on_message(message);
        let path = &message.request.path;
        let is_news = match &message.outcome {
            // A header may be whole and the rest not.
            Err(problem) => self.samples.on_problem(path.clone(), problem),
            Ok(picture) => picture.facts.as_ref().is_some_and(|facts| self.samples.on_doubts(path, &facts.doubts)),
        };
        if is_news {
            self.list_flagged_anew();
        }
    }

    /// The picture beside the list.
    pub(in crate::tui) fn picture(&mut self) -> &mut PictureView {
        &mut self.picture
    }

    /// What is wanted by what was drawn last.
    pub(in crate::tui) fn take_wanted(&mut self) -> Vec<Effect> {
        let unread = std::mem::take(&mut self.unread);
        let headers = (!unread.is_empty()).then_some(Effect::Datasets(DatasetsEffect::ReadHeaders(unread)));
        headers.into_iter().chain(self.picture.take_wanted()).collect()
    }
}

impl Screen for DatasetsScreen {
    fn bindings(&self, _model: &Model) -> &'static [Binding] {
        match self.tree {
            None => bindings::NOTHING,
            Some(_) if self.in_images => bindings::IMAGES,
            Some(_) => bindings::FOLDERS,
        }
    }

    fn act(&mut self, action: Action, model: &Model) -> Vec<Effect> {
        match action {
            Action::Datasets(action) => self.act_here(action, model),
            _ => Vec::new(),
        }
    }

    fn type_key(&mut self, key: Key, _model: &Model) -> Option<Vec<Effect>> {
        if let Some(open) = &mut self.open {
            return Some(match open.press(key) {
                Typed::Continues(effects) => effects,
                Typed::Open(path) => {
                    self.open = None;
                    vec![Effect::Datasets(DatasetsEffect::Open(path.into()))]
                }
                Typed::Dropped => {
                    self.open = None;
                    Vec::new()
                }
            });
        }
        if self.typing {
            self.type_filter(key);
            return Some(Vec::new());
        }
        None
    }

    fn paste(&mut self, text: &str, _model: &Model) -> Vec<Effect> {
        if let Some(open) = &mut self.open {
            return open.paste(text);
        }
        if self.typing {
            self.filter.paste(text);
            self.stale = true;
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, model: &Model) -> Vec<Effect> {
        match &mut self.open {
            Some(open) => open.mouse(mouse),
            None => self.mouse_here(mouse, model),
        }
    }

    fn enter(&mut self, model: &Model) -> Vec<Effect> {
        if std::mem::replace(&mut self.asked, true) {
            return Vec::new();
        }
        match &self.restored.root {
            Some(root) => vec![Effect::Datasets(DatasetsEffect::Open(root.clone()))],
            None => vec![Effect::Datasets(DatasetsEffect::LookForData(model.workspace.clone()))],
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        self.picture.covered |= self.open.is_some();
        self.relist();
        self.draw_panes(frame, area, model);
        if let Some(open) = &mut self.open {
            open.draw(frame, area, model);
        }
    }
}

#[cfg(test)]
mod tests;
