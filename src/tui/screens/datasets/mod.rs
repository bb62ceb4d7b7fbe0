//! The screen Datasets: folders, the images in them, and a preview of the selected one.

mod balance;
mod explained;
mod flags;
mod folders_view;
mod images_view;
mod keys;
mod messages;
mod open_field;
mod preview;
mod samples;
mod tree;
mod update;
mod view;

use std::path::PathBuf;

use open_field::{OpenField, Typed};
use ratatui::Frame;
use ratatui::layout::Rect;
use samples::Samples;
use serde::{Deserialize, Serialize};
use tree::FolderTree;

use crate::terminal::input::{Key, Mouse};
use crate::tui::protocol::binding::{Action, KeyTables};
use crate::tui::protocol::datasets::DatasetsEffect;
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::pictures::{PictureMessage, PicturePlace};
use crate::tui::screens::screen::Screen;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::picture::PictureView;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use mammoscope_imaging::intensity_window::WindowChoice;

pub(in crate::tui) use samples::Shown;

/// The saved state of the screen.
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
    window: WindowChoice,
    picture: PictureView,
    open: Option<OpenField>,
    /// Data sets nearby, offered while none is open; `None` until the search is done.
    offered: Option<Vec<PathBuf>>,
    offers: ScrollList,
    /// Images whose headers have to be requested.
    unread: Vec<PathBuf>,
    entered: bool,
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
            window: view.window,
            picture: PictureView::new(PicturePlace::Preview),
            open: None,
            offered: None,
            offers: ScrollList::default(),
            unread: Vec::new(),
            entered: false,
            restored: view,
        }
    }

    /// The state to save.
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
}

impl Screen for DatasetsScreen {
    fn bindings(&self, _model: &SharedState) -> KeyTables {
        match self.tree {
            None => keys::NOTHING,
            Some(_) if self.in_images => keys::IMAGES,
            Some(_) => keys::FOLDERS,
        }
    }

    fn act(&mut self, action: Action, shared: &SharedState) -> Vec<Effect> {
        match action {
            Action::Datasets(action) => self.update(action, shared),
            _ => Vec::new(),
        }
    }

    fn move_cursor(&mut self, motion: ListMotion, _model: &SharedState) -> Vec<Effect> {
        self.step(motion)
    }

    fn type_key(&mut self, key: Key, _model: &SharedState) -> Option<Vec<Effect>> {
        if let Some(open) = &mut self.open {
            return Some(match open.press(key) {
                Typed::Continues(effects) => effects,
                Typed::Open(path) => {
                    self.open = None;
                    vec![Effect::Datasets(DatasetsEffect::Open(path.into()))]
                }
                Typed::Cancelled => {
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

    fn paste(&mut self, text: &str, _model: &SharedState) -> Vec<Effect> {
        if let Some(open) = &mut self.open {
            return open.paste(text);
        }
        if self.typing {
            self.filter.paste(text);
            self.stale = true;
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        match &mut self.open {
            Some(open) => open.mouse(mouse),
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
        std::slice::from_mut(&mut self.picture)
    }

    fn on_picture(&mut self, message: &PictureMessage) {
        self.take_picture(message);
    }

    fn after_draw(&mut self) -> Vec<Effect> {
        let unread = std::mem::take(&mut self.unread);
        let headers = (!unread.is_empty()).then_some(Effect::Datasets(DatasetsEffect::ReadHeaders(unread)));
        headers.into_iter().chain(self.picture.take_request()).collect()
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, shared: &SharedState) {
        self.picture.covered |= self.open.is_some();
        self.relist();
        self.draw_panes(frame, area, shared);
        if let Some(open) = &mut self.open {
            open.draw(frame, area, shared);
        }
    }
}

#[cfg(test)]
mod tests;
