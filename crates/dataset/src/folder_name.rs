//! The interpretation of folder names.

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::folder_problem::FolderLevel;
use super::folder_tree::FolderTree;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::UNLABELLED;
use mammoscope_domain::subject::view::View;

/// The information given by the folders that contain a file.
#[derive(Clone, Copy, Default)]
pub(super) struct Context {
    pub(super) view: Option<View>,
    pub(super) split: Option<Split>,
    pub(super) class: Option<DensityClass>,
}

/// An interpreted folder name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderName {
    View(View),
    /// `train`, or `TrainingSet`: a folder of whole view trees.
    Split(Split),
    Class(DensityClass),
    /// `unlabelled`: beside class folders, the images without a class.
    Unlabelled,
    Other,
}

impl FolderName {
    pub(super) fn read(name: &str) -> Self {
        if let Ok(view) = name.parse() {
            return Self::View(view);
        }
        if let Ok(class) = name.parse() {
            return Self::Class(class);
        }
        let lower = name.to_ascii_lowercase();
        if lower == UNLABELLED {
            return Self::Unlabelled;
        }
        let set = lower.strip_suffix("set").map(|set| set.trim_end_matches(['_', '-', ' ']));
        set.unwrap_or(&lower).parse().map_or(Self::Other, Self::Split)
    }
}

/// The context given by the root's name and its parents', unless its contents decide: `…/CC_R/test/A` is a class folder,
/// but a folder `/data/d` with view folders in it is not.
pub(super) fn context_of_root<'a>(root: &Path, subfolders: impl Iterator<Item = &'a str>) -> Context {
    let mut context = context_of_path(root);
    for name in subfolders {
        match FolderName::read(name) {
            FolderName::View(_) => return Context::default(),
            FolderName::Split(_) => (context.split, context.class) = (None, None),
            FolderName::Class(_) | FolderName::Unlabelled => context.class = None,
            FolderName::Other => {}
        }
    }
    context
}

/// Reads the end of a path as `[VIEW/][split/][CLASS]`.
pub(super) fn context_of_path(path: &Path) -> Context {
    let mut context = Context::default();
    let mut names = path.iter().rev().map(|name| FolderName::read(name.to_str().unwrap_or_default())).peekable();
    if let Some(&FolderName::Class(class)) = names.peek() {
        context.class = Some(class);
        names.next();
    }
    if let Some(&FolderName::Split(split)) = names.peek() {
        context.split = Some(split);
        names.next();
    }
    if let Some(&FolderName::View(view)) = names.peek() {
        context.view = Some(view);
    }
    // A set folder (`TestSet`) gives the split of its views only beside other set folders.
    let is_set = |name: &OsStr| name.to_ascii_lowercase().to_string_lossy().ends_with("set");
    if context.class.is_none() && path.file_name().is_some_and(is_set) {
        context.split = None;
    }
    context
}

/// The absolute path with the actual folder names, also for `.` and `..`. Links are resolved only in those cases.
pub(super) fn absolute(path: &Path) -> io::Result<PathBuf> {
    let named = path.components().all(|component| component != Component::ParentDir)
        && path.file_name().is_some_and(|name| name != ".");
    if named { std::path::absolute(path) } else { path.canonicalize() }
}

/// The kind of name expected of an unknown folder; `None` if any name is allowed.
pub(super) fn expected_level(
    tree: &FolderTree,
    folder: usize,
    beside: &[FolderName],
    context: Context,
) -> Option<FolderLevel> {
    if context.class.is_some() {
        return None;
    }
    let is = |names: &[FolderName], level: FolderLevel| {
        names.iter().any(|name| match name {
            FolderName::View(_) => level == FolderLevel::View,
            FolderName::Split(_) => level == FolderLevel::Split,
            FolderName::Class(_) | FolderName::Unlabelled => level == FolderLevel::Class,
            FolderName::Other => false,
        })
    };
    if let Some(level) =
        [FolderLevel::Class, FolderLevel::View, FolderLevel::Split].into_iter().find(|&level| is(beside, level))
    {
        return Some(level);
    }
    if context.view.is_some() || context.split.is_some() {
        return Some(FolderLevel::Class);
    }
    // A folder that contains splits or classes but no views is where a view folder is expected.
    let within = names_within(tree, folder);
    let deeper = tree.folders[folder].subfolders.iter().flat_map(|&inner| names_within(tree, inner));
    let holds_views = is(&within, FolderLevel::View) || is(&deeper.collect::<Vec<_>>(), FolderLevel::View);
    let holds_parts = is(&within, FolderLevel::Split) || is(&within, FolderLevel::Class);
    (holds_parts && !holds_views).then_some(FolderLevel::View)
}

pub(super) fn names_within(tree: &FolderTree, folder: usize) -> Vec<FolderName> {
    tree.folders[folder].subfolders.iter().map(|&inner| FolderName::read(tree.folders[inner].name())).collect()
}
