//! The tree of a data set's folders, as far as it is known, with the numbers of their images.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::tui::protocol::failure::Failure;
use mammoscope_dataset::folder_listing::{FolderContext, FolderListing};
use mammoscope_dataset::folder_problem::FolderProblem;

/// The state of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FolderState {
    /// Still to be read.
    Waiting,
    Listed,
    /// Unreadable, for this reason.
    Failed(String),
}

/// A folder of the tree.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) parent: Option<usize>,
    /// The depth below the root.
    pub(super) depth: usize,
    pub(super) children: Vec<usize>,
    pub(super) context: FolderContext,
    /// File names.
    pub(super) images: Vec<Box<str>>,
    pub(super) problems: Vec<FolderProblem>,
    pub(super) state: FolderState,
    /// The number of images in the folder and all its subfolders.
    pub(super) below: usize,
    /// The number of folders still to be read, among this one and all its subfolders.
    pub(super) waiting: usize,
    pub(super) expanded: bool,
}

/// The folders of a data set. Indices stay valid; a folder that disappears is only unlinked.
#[derive(Debug)]
pub(super) struct FolderTree {
    folders: Vec<Folder>,
    by_path: HashMap<PathBuf, usize>,
}

impl FolderTree {
    /// A tree with an unread root.
    pub(super) fn new(root: &Path) -> Self {
        let mut tree = Self { folders: Vec::new(), by_path: HashMap::new() };
        tree.add(root.to_owned(), root.to_string_lossy().into_owned(), None);
        tree.folders[0].expanded = true;
        tree.folders[0].waiting = 1;
        tree
    }

    fn add(&mut self, path: PathBuf, name: String, parent: Option<usize>) -> usize {
        let depth = parent.map_or(0, |parent| self.folders[parent].depth + 1);
        let at = self.folders.len();
        self.by_path.insert(path.clone(), at);
        self.folders.push(Folder {
            name,
            path,
            parent,
            depth,
            children: Vec::new(),
            context: FolderContext::default(),
            images: Vec::new(),
            problems: Vec::new(),
            state: FolderState::Waiting,
            below: 0,
            waiting: 0,
            expanded: false,
        });
        at
    }

    pub(super) fn folder(&self, at: usize) -> &Folder {
        &self.folders[at]
    }

    /// The index of the folder with this path.
    pub(super) fn position(&self, path: &Path) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Expands or collapses a folder.
    pub(super) fn expand(&mut self, at: usize, expanded: bool) {
        self.folders[at].expanded = expanded;
    }

    /// Takes the content of a folder; returns `false` if the folder is not in the tree.
    pub(super) fn on_listing(
        &mut self,
        path: &Path,
        context: FolderContext,
        outcome: Result<FolderListing, Failure>,
    ) -> bool {
        let Some(at) = self.position(path) else { return false };
        if self.folders[at].state == FolderState::Waiting {
            self.change(at, 0, -1);
        }
        let (listing, state) = match outcome {
            Ok(listing) => (listing, FolderState::Listed),
            Err(error) => (FolderListing::default(), FolderState::Failed(error.into())),
        };
        let more = listing.images.len() as isize - self.folders[at].images.len() as isize;
        self.change(at, more, 0);
        for child in std::mem::take(&mut self.folders[at].children) {
            if listing.subfolders.iter().any(|name| **name == *self.folders[child].name) {
                self.folders[at].children.push(child);
            } else {
                let gone = &self.folders[child];
                let (below, waiting) = (gone.below as isize, gone.waiting as isize);
                self.change(at, -below, -waiting);
                self.forget(child);
            }
        }
        let mut children = Vec::with_capacity(listing.subfolders.len());
        for name in listing.subfolders {
            let known = self.folders[at].children.iter().copied().find(|&child| self.folders[child].name == *name);
            children.push(known.unwrap_or_else(|| {
                let child = self.add(path.join(&*name), name.into(), Some(at));
                self.change(child, 0, 1);
                child
            }));
        }
        let folder = &mut self.folders[at];
        folder.children = children;
        folder.context = context;
        folder.images = listing.images;
        folder.problems = listing.problems;
        folder.state = state;
        true
    }

    /// Changes the counts of a folder and of all folders around it.
    fn change(&mut self, at: usize, images: isize, waiting: isize) {
        let mut next = Some(at);
        while let Some(at) = next {
            let folder = &mut self.folders[at];
            folder.below = folder.below.saturating_add_signed(images);
            folder.waiting = folder.waiting.saturating_add_signed(waiting);
            next = folder.parent;
        }
    }

    fn forget(&mut self, at: usize) {
        let folder = &mut self.folders[at];
        self.by_path.remove(&folder.path);
        folder.images = Vec::new();
        for child in std::mem::take(&mut folder.children) {
            self.forget(child);
        }
    }

    /// The visible folders in display order.
    pub(super) fn rows(&self) -> Vec<usize> {
        let mut rows = Vec::new();
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            rows.push(at);
            if self.folders[at].expanded {
                open.extend(self.folders[at].children.iter().rev());
            }
        }
        rows
    }

    /// A folder and all its subfolders, in display order.
    pub(super) fn within(&self, at: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            found.push(at);
            open.extend(self.folders[at].children.iter().rev());
        }
        found
    }

    /// The largest number of images in a folder among the siblings of this one, for scaling bars.
    pub(super) fn most_beside(&self, at: usize) -> usize {
        let parent = self.folders[at].parent.map_or(&[][..], |parent| &self.folders[parent].children);
        parent.iter().map(|&child| self.folders[child].below).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn listing(subfolders: &[&str], images: usize) -> FolderListing {
        FolderListing {
            subfolders: subfolders.iter().map(|name| Box::from(*name)).collect(),
            images: (0..images).map(|number| format!("{number}.png").into()).collect(),
            problems: Vec::new(),
        }
    }

    fn on_listing(tree: &mut FolderTree, path: &str, listing: FolderListing) {
        tree.on_listing(Path::new(path), FolderContext::default(), Ok(listing));
    }

    #[test]
    fn counts_follow_the_listings() {
        let mut tree = FolderTree::new(Path::new("/d"));
        on_listing(&mut tree, "/d", listing(&["A", "B"], 0));
        assert_eq!((tree.folder(0).below, tree.folder(0).waiting), (0, 2));
        on_listing(&mut tree, "/d/A", listing(&[], 3));
        on_listing(&mut tree, "/d/B", listing(&["x"], 4));
        on_listing(&mut tree, "/d/B/x", listing(&[], 5));
        assert_eq!((tree.folder(0).below, tree.folder(0).waiting), (12, 0));
        let b = tree.position(Path::new("/d/B")).unwrap();
        assert_eq!(tree.folder(b).below, 9);
        on_listing(&mut tree, "/d/A", listing(&[], 1));
        assert_eq!(tree.folder(0).below, 10);
        on_listing(&mut tree, "/d", listing(&["A", "C"], 0));
        assert_eq!((tree.folder(0).below, tree.folder(0).waiting), (1, 1), "B is gone, C unread");
        assert_eq!(tree.position(Path::new("/d/B/x")), None);
        assert!(
            !tree.on_listing(Path::new("/d/B/x"), FolderContext::default(), Ok(listing(&[], 9))),
            "it is gone by now"
        );
        assert_eq!(tree.within(0).len(), 3);
    }

    proptest! {
        #[test]
        fn counts_are_sums(changes in prop::collection::vec((0_usize..4, 0_usize..4, 0_usize..4), 1..30)) {
            let mut tree = FolderTree::new(Path::new("/"));
            let paths = ["/", "/a", "/a/a", "/b"];
            for (at, subfolders, images) in changes {
                on_listing(&mut tree, paths[at], listing(&["a", "b", "c"][..subfolders.min(3)], images));
                for folder in tree.within(0) {
                    let inside = tree.within(folder);
                    let images: usize = inside.iter().map(|&at| tree.folder(at).images.len()).sum();
                    prop_assert_eq!(tree.folder(folder).below, images);
                    let waiting = inside.iter().filter(|&&at| tree.folder(at).state == FolderState::Waiting).count();
                    prop_assert_eq!(tree.folder(folder).waiting, waiting);
                }
            }
        }
    }
}
