//! The screen Datasets' response to actions, keys and the mouse.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::DatasetsScreen;
use super::flags::Flag;
use super::order::{SampleOrder, SortKey};
use super::samples::{MAX_HEADERS, SampleRow, Samples, Shown};
use super::sheet::Arrangement;
use super::tree::{FolderState, FolderTree};
use crate::terminal::input::Key;
use crate::tui::protocol::datasets::{DatasetsAction, DatasetsEffect};
use crate::tui::protocol::effect::{Destination, Effect};
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::picture_action::PictureAction;
use crate::tui::protocol::preparation::PreparationAction;
use crate::tui::protocol::viewer::{ImageList, ListedImage};
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::path_field::PathPrompt;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::window_field::WindowField;
use mammoscope_dataset::subject_audit::sample_name;

/// The field for the path of a data set.
const PROMPT: PathPrompt =
    PathPrompt { title: "Open a data set", label: "folder", hint: "expected layout: <view>/[<split>/]<class>/<image>" };

/// The largest number of images for the viewer and for Explain; of a longer list, those around the cursor are taken.
pub(super) const MAX_VIEWED: usize = 5000;

impl DatasetsScreen {
    pub(super) fn update(&mut self, action: DatasetsAction, shared: &SharedState) -> Vec<Effect> {
        match action {
            DatasetsAction::Inward => return self.inward(),
            DatasetsAction::Outward => return self.outward(),
            DatasetsAction::ToImages => self.in_images = self.tree.is_some(),
            DatasetsAction::ToFolders => self.step_back(),
            DatasetsAction::View => return self.view_image(Destination::Viewer),
            DatasetsAction::Hanging => return self.view_image(Destination::Hanging),
            DatasetsAction::Explain => return self.explain(),
            DatasetsAction::Mark => self.mark(),
            DatasetsAction::MarkAll => {
                if let Some(tree) = &self.tree {
                    self.samples.toggle_all_marks(tree);
                }
                self.stale |= self.shown == Shown::Marked;
            }
            DatasetsAction::MarkRange => return self.mark_range(),
            DatasetsAction::Copy => return self.copy(),
            DatasetsAction::Sort => return self.set_order(self.order.next()),
            DatasetsAction::ReverseSort => return self.set_order(self.order.reverse()),
            DatasetsAction::Arrangement => return self.next_arrangement(),
            DatasetsAction::SheetLeft => self.step_on_sheet(-1),
            DatasetsAction::SheetRight => self.step_on_sheet(1),
            DatasetsAction::Filter => {
                self.typing = self.tree.is_some();
                self.in_images |= self.typing;
            }
            DatasetsAction::NextShown => {
                self.shown = self.shown.next();
                self.stale = true;
                self.in_images = true;
            }
            DatasetsAction::NextFlagged => return self.next_flagged(),
            DatasetsAction::FindDuplicates => return self.find_duplicates(),
            DatasetsAction::Open => {
                let start = self.tree.as_ref().map_or(&shared.workspace, |tree| &tree.folder(0).path);
                let start = start.parent().unwrap_or(start).to_string_lossy();
                let start = format!("{}/", start.trim_end_matches('/'));
                return self.ask_path(PROMPT, &start);
            }
            DatasetsAction::OpenOffered => {
                let offered = self.offered.as_ref().and_then(|offered| offered.get(self.offers.cursor));
                return offered.map(|path| open_effect(path.clone())).into_iter().collect();
            }
            DatasetsAction::Train => {
                let data = self.tree.as_ref().map(|tree| tree.folder(0).path.clone());
                return data
                    .map(|data| Effect::Navigate(Destination::NewTraining { data, like: None }))
                    .into_iter()
                    .collect();
            }
            // While images are prepared, this shows how far it is.
            DatasetsAction::Jobs if self.preparation.is_running() => {
                return self.prepare(PreparationAction::Open, shared);
            }
            DatasetsAction::Jobs => {
                return vec![Effect::Navigate(Destination::JobChoice { data: self.root() })];
            }
            DatasetsAction::Picture(action) => return self.act_on_picture(action, shared),
            DatasetsAction::Preparation(action) => return self.prepare(action, shared),
            DatasetsAction::Review(action) => return self.review(action, shared),
        }
        Vec::new()
    }

    /// Sorts the images, with the cursor on the one that it was on.
    fn set_order(&mut self, order: SampleOrder) -> Vec<Effect> {
        self.relist();
        self.keep_image();
        (self.order, self.stale) = (order, true);
        self.in_images = true;
        if order.key == SortKey::Size
            && let Some(tree) = &self.tree
        {
            let rows = (0..self.samples.len()).filter_map(|at| self.samples.row(at)).take(MAX_HEADERS);
            let paths: Vec<PathBuf> = rows.map(|row| Samples::path(tree, row)).collect();
            self.unread = self.samples.mark_requested(paths.into_iter());
        }
        vec![Effect::SaveView]
    }

    fn act_on_picture(&mut self, action: PictureAction, shared: &SharedState) -> Vec<Effect> {
        let action = if self.picture.resets_window(action) { PictureAction::ResetWindow } else { action };
        if let Some(window) = action.window(shared.window) {
            return vec![Effect::Window(window)];
        }
        if action == PictureAction::TypeWindow {
            let path = self.selected_path();
            let in_use = path.and_then(|path| self.picture.facts(&path)?.window);
            self.window_field = Some(WindowField::new(in_use));
        } else {
            self.picture.act(action);
        }
        Vec::new()
    }

    /// The path of the image under the cursor.
    pub(super) fn selected_path(&self) -> Option<PathBuf> {
        Some(Samples::path(self.tree.as_ref()?, self.samples.row(self.images.cursor)?))
    }

    pub(super) fn step(&mut self, motion: ListMotion) -> Vec<Effect> {
        let Some(tree) = &self.tree else {
            self.offers.move_by(motion, self.offered.as_ref().map_or(0, Vec::len));
            return Vec::new();
        };
        if self.in_images {
            self.relist();
            self.restored.image = None;
            match self.arrangement {
                Arrangement::List => self.images.move_by(motion, self.samples.len()),
                Arrangement::Sheet => {
                    self.images.cursor = self.sheet.moved(motion, self.images.cursor, self.samples.len());
                }
            }
            return Vec::new();
        }
        let rows = tree.rows();
        self.folders.move_by(motion, rows.len());
        self.choose(rows[self.folders.cursor.min(rows.len() - 1)])
    }

    /// Selects a folder; an unread one is read before all others.
    pub(super) fn choose(&mut self, folder: usize) -> Vec<Effect> {
        let Some(tree) = &self.tree else { return Vec::new() };
        self.restored.folder = None;
        if self.folder != folder {
            self.folder = folder;
            self.images = ScrollList::default();
            self.stale = true;
        }
        self.folders.cursor = tree.rows().iter().position(|&row| row == folder).unwrap_or(0);
        let chosen = tree.folder(folder);
        if chosen.state == FolderState::Waiting { vec![list_effect(&chosen.path)] } else { Vec::new() }
    }

    pub(super) fn inward(&mut self) -> Vec<Effect> {
        let Some(tree) = &mut self.tree else { return Vec::new() };
        let folder = tree.folder(self.folder);
        if folder.children.is_empty() && folder.state != FolderState::Waiting {
            self.in_images = true;
        } else if folder.expanded {
            if let Some(&child) = folder.children.first() {
                return self.choose(child);
            }
        } else {
            let wanted: Vec<Effect> = folder
                .children
                .iter()
                .filter(|&&child| tree.folder(child).state == FolderState::Waiting)
                .map(|&child| list_effect(&tree.folder(child).path))
                .collect();
            tree.expand(self.folder, true);
            return wanted;
        }
        Vec::new()
    }

    pub(super) fn outward(&mut self) -> Vec<Effect> {
        let Some(tree) = &mut self.tree else { return Vec::new() };
        let folder = tree.folder(self.folder);
        if folder.expanded && !folder.children.is_empty() && self.folder != 0 {
            tree.expand(self.folder, false);
            return Vec::new();
        }
        match folder.parent {
            Some(parent) => self.choose(parent),
            None => Vec::new(),
        }
    }

    /// Clears the filter or, without one, goes back to the folders.
    fn step_back(&mut self) {
        if self.range_start.take().is_some() {
            return;
        }
        if self.picture.has_cursor() || self.picture.is_zoomed() {
            self.picture.reset();
            return;
        }
        if self.filter.text().is_empty() && self.shown == Shown::All {
            self.in_images = false;
        } else {
            self.filter = TextField::default();
            self.shown = Shown::All;
            self.stale = true;
        }
    }

    pub(super) fn type_filter(&mut self, key: Key) {
        match key {
            Key::Enter | Key::Down | Key::Up | Key::Tab => self.typing = false,
            Key::Escape => {
                self.typing = false;
                self.filter = TextField::default();
                self.stale = true;
            }
            key => {
                self.filter.press(key);
                self.images.cursor = 0;
                self.stale = true;
            }
        }
    }

    fn next_flagged(&mut self) -> Vec<Effect> {
        self.relist();
        let Some(tree) = &self.tree else { return Vec::new() };
        let length = self.samples.len();
        let after = (1..=length).map(|step| (self.images.cursor + step) % length);
        let flagged = |at: &usize| self.samples.row(*at).is_some_and(|row| !self.samples.flags(tree, row).is_empty());
        match after.into_iter().find(flagged) {
            Some(at) => self.images.cursor = at,
            None => return vec![Effect::neutral("no image in this list is flagged")],
        }
        Vec::new()
    }

    fn find_duplicates(&mut self) -> Vec<Effect> {
        let Some(root) = self.tree.as_ref().map(|tree| tree.folder(0).path.clone()) else { return Vec::new() };
        if std::mem::replace(&mut self.samples.is_comparing, true) {
            return vec![Effect::neutral("the images are already being checked")];
        }
        let folders = self.folders_with_images();
        let notice = Effect::neutral("checking all images; duplicates and unexpected contents will be flagged");
        vec![Effect::Datasets(DatasetsEffect::FindDuplicates { root, folders }), notice]
    }

    /// All folders with images, those within the selected folder first.
    pub(super) fn folders_with_images(&self) -> Vec<PathBuf> {
        let Some(tree) = &self.tree else { return Vec::new() };
        let mut order = tree.within(self.folder);
        let chosen: HashSet<usize> = order.iter().copied().collect();
        order.extend(tree.within(0).into_iter().filter(|at| !chosen.contains(at)));
        let folders = order.into_iter().map(|at| tree.folder(at)).filter(|folder| !folder.images.is_empty());
        folders.map(|folder| folder.path.clone()).collect()
    }

    pub(super) fn is_open(&self, root: &Path) -> bool {
        self.tree.as_ref().is_some_and(|tree| tree.folder(0).path == root)
    }

    /// Makes the list of flagged images again after a change of flags; the cursor stays on its image.
    pub(super) fn relist_flagged(&mut self) {
        if self.shown == Shown::Flagged {
            self.keep_image();
            self.stale = true;
        }
    }

    /// The name of the folder that is listed; the data set's own is its whole path, which says less.
    pub(super) fn list_title(&self, tree: &FolderTree) -> String {
        if self.folder == 0 { "all images".to_owned() } else { tree.folder(self.folder).name.clone() }
    }

    pub(super) fn view_image(&mut self, shown: impl FnOnce(ImageList) -> Destination) -> Vec<Effect> {
        self.relist();
        let Some(tree) = self.tree.as_ref().filter(|_| self.samples.len() > 0) else { return Vec::new() };
        let first = self.images.cursor.saturating_sub(MAX_VIEWED / 2);
        let last = (first + MAX_VIEWED).min(self.samples.len());
        let rows = (first..last).filter_map(|at| self.samples.row(at));
        let images = rows.map(|row| self.listed_image(tree, row)).collect();
        let mut title = self.list_title(tree);
        if last - first < self.samples.len() {
            title = format!("{title} · {}–{} of {}", first + 1, last, self.samples.len());
        }
        vec![Effect::Navigate(shown(ImageList { title, images, position: self.images.cursor - first }))]
    }

    pub(super) fn listed_image(&self, tree: &FolderTree, row: SampleRow) -> ListedImage {
        let folder = tree.folder(Samples::folder(row));
        let mut parts = Vec::new();
        if let Some(name) = sample_name(Samples::name(tree, row)) {
            parts.push(format!("subject {}", name.subject));
            parts.push(format!("exam {}", name.exam));
        }
        parts.extend(folder.context.view.map(|view| view.name().to_owned()));
        parts.extend(folder.context.class.map(|class| format!("class {class}")));
        parts.extend(folder.context.split.map(|split| split.name().to_owned()));
        parts.extend(self.samples.flags(tree, row).iter().map(Flag::sentence));
        ListedImage { path: Samples::path(tree, row), caption: parts.join(" · ") }
    }

    /// Makes the list of images again if it is stale; the cursor stays on its image.
    pub(super) fn relist(&mut self) {
        let Some(tree) = &self.tree else { return };
        if !std::mem::replace(&mut self.stale, false) {
            return;
        }
        let kept = self.restored.image.clone();
        let shown = kept.or_else(|| self.samples.row(self.images.cursor).map(|row| Samples::path(tree, row)));
        self.samples.list(tree, self.folder, self.shown, self.filter.text(), self.order);
        if !self.typing
            && let Some(at) = shown.and_then(|path| self.samples.position(tree, &path))
        {
            self.images.cursor = at;
            self.restored.image = None;
        }
        self.images.cursor = self.images.cursor.min(self.samples.len().saturating_sub(1));
    }

    /// Remembers the image under the cursor by name before its position changes.
    pub(super) fn keep_image(&mut self) {
        if let (Some(tree), None, false) = (&self.tree, &self.restored.image, self.stale) {
            self.restored.image = self.samples.row(self.images.cursor).map(|row| Samples::path(tree, row));
        }
    }

    pub(super) fn on_opened(&mut self, requested: &Path, root: &Path) -> Vec<Effect> {
        let is_same = self.restored.root.as_deref() == Some(requested);
        if !is_same {
            // Of another data set only the grey window is kept.
            (self.restored.folder, self.restored.image) = (None, None);
            (self.filter, self.shown, self.in_images) = (TextField::default(), Shown::All, false);
        }
        self.restored.root = Some(root.to_owned());
        self.review = None;
        self.tree = Some(FolderTree::new(root));
        self.samples = Samples::default();
        (self.folder, self.folders, self.images) = (0, ScrollList::default(), ScrollList::default());
        self.stale = true;
        vec![Effect::SaveView]
    }

    /// Selects the root if the selected folder is gone.
    pub(super) fn keep_folder(&mut self) {
        let Some(tree) = &self.tree else { return };
        let rows = tree.rows();
        if tree.position(&tree.folder(self.folder).path) != Some(self.folder) {
            self.folder = 0;
            self.stale = true;
        }
        // Rows above may have appeared or disappeared.
        match rows.iter().position(|&row| row == self.folder) {
            Some(at) => self.folders.cursor = at,
            None => self.folder = 0,
        }
    }

    /// Expands the tree towards the folder that was selected when the screen was left.
    pub(super) fn restore_folder(&mut self, listed: &Path) -> Vec<Effect> {
        let (Some(tree), Some(wanted)) = (&mut self.tree, self.restored.folder.clone()) else { return Vec::new() };
        if !wanted.starts_with(listed) {
            return Vec::new();
        }
        if let Some(at) = tree.position(&wanted) {
            let mut around = tree.folder(at).parent;
            while let Some(folder) = around {
                tree.expand(folder, true);
                around = tree.folder(folder).parent;
            }
            return self.choose(at);
        }
        let next = wanted.ancestors().find(|path| tree.position(path).is_some());
        next.filter(|path| *path != listed).map(list_effect).into_iter().collect()
    }
}

fn list_effect(path: &Path) -> Effect {
    Effect::Datasets(DatasetsEffect::List(path.to_owned()))
}

fn open_effect(path: PathBuf) -> Effect {
    Effect::Datasets(DatasetsEffect::Open(path))
}
