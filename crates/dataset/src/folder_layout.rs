//! The folder layout of the reference implementation:
//! `<root>/<VIEW>/[split/]<CLASS>/<subject>_<exam>_<class>_<view>.png`.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use super::folder_name::{
    Context, FolderName, absolute, context_of_path, context_of_root, expected_level, names_within,
};
use super::folder_problem::{FolderProblem, FolderProblemKind};
use super::folder_tree::FolderTree;
use super::natural_order::natural_order;
use super::not_data::IgnoredFiles;
use super::sample::DatasetSample;
use super::stated::{FoundLabel, LabelFileError, StatedIds, StatedLabel};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::subject_id::{SampleName, SubjectId};
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable_path;

/// The images in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderScan {
    /// The requested folder, or the parent folder of a single image.
    pub root: PathBuf,
    /// The samples by view, split, class and name in natural order.
    pub samples: Vec<DatasetSample>,
    /// The problems, ordered by path.
    pub problems: Vec<FolderProblem>,
    pub facts: ScanFacts,
    /// Files that were skipped because they are not data.
    pub ignored: IgnoredFiles,
    /// Files, or subjects, of the label file that the data does not have.
    pub stated_but_missing: Vec<String>,
}

impl FolderScan {
    /// The result of a scan that found problems only ([`ScanError::NoSamples`]).
    #[must_use]
    pub fn without_images(root: PathBuf, problems: Vec<FolderProblem>) -> Self {
        Self {
            root,
            samples: Vec::new(),
            problems,
            facts: ScanFacts::default(),
            ignored: IgnoredFiles::default(),
            stated_but_missing: Vec::new(),
        }
    }
}

/// The user's statements about a data set.
#[derive(Clone, Debug, Default)]
pub struct ScanOptions {
    /// Reads the folders inside class folders as well.
    pub nested: bool,
    /// Statements about images, which override their names and folders.
    pub stated: StatedIds,
}

/// The information in the names of a data set's folders and files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanFacts {
    /// Samples with the view in a folder's name.
    pub views_by_folder: usize,
    /// Samples with the split in a folder's name.
    pub splits_by_folder: usize,
    /// Samples with the class in a folder's name or in the label file; the others have no label.
    pub labels_by_folder: usize,
    /// Samples without a subject in their names; each is treated as a subject of its own.
    pub names_without_ids: usize,
}

/// An error that prevents a data set from being read at all.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The root does not exist or cannot be read.
    #[error("{}: cannot be read: {error}", printable_path(path))]
    Unreadable { path: PathBuf, error: io::Error },
    /// The label file does not match the data.
    #[error("--labels {0}")]
    Labels(#[from] LabelFileError),
    /// A single file whose name cannot be written to a table.
    #[error("{}: the name is not UTF-8; rename the file", printable_path(path))]
    NameNotUtf8 { path: PathBuf },
    /// There is no usable image.
    #[error(
        "{}: no image found{}; expected <VIEW>/[train|validation|test/]<A|B|C|D>/*.png with the views CC_R, CC_L, \
         MLO_R and MLO_L, or a folder of PNG, JPEG or TIFF images",
        printable_path(path),
        first_problem(problems)
    )]
    NoSamples { path: PathBuf, problems: Vec<FolderProblem> },
}

fn first_problem(problems: &[FolderProblem]) -> String {
    match problems {
        [] => String::new(),
        [only] => format!(" ({only})"),
        [first, rest @ ..] => format!(" ({first}; and {} more)", rest.len()),
    }
}

/// Reads a data set: a tree in any form of the reference, one of its view, split or class folders, a flat folder, or one
/// image. Files are listed but not opened. A folder named `masks` holds ground truth, not samples.
///
/// The label comes from the class folder, never from the file name; the view from the folder, otherwise from the name.
pub fn scan(root: &Path) -> Result<FolderScan, ScanError> {
    scan_with(root, &ScanOptions::default())
}

/// [`scan`] with the user's statements about the data set. Images that a table or pattern does not cover are left out and
/// reported together.
pub fn scan_with(root: &Path, options: &ScanOptions) -> Result<FolderScan, ScanError> {
    let unreadable = |error| ScanError::Unreadable { path: root.to_owned(), error };
    let mut scanner = Scanner::new(root, options);
    if std::fs::metadata(root).map_err(unreadable)?.is_dir() {
        let tree = FolderTree::read(root).map_err(unreadable)?;
        let names = tree.folders[0].subfolders.iter().map(|&subfolder| tree.folders[subfolder].name());
        let context = context_of_root(&absolute(root).map_err(unreadable)?, names);
        scanner.visit(&tree, 0, context);
        scanner.problems.extend(tree.problems);
        scanner.ignored = tree.ignored;
    } else {
        // The user named this file, so it counts as an image whatever its extension is.
        if root.file_name().and_then(OsStr::to_str).is_none() {
            return Err(ScanError::NameNotUtf8 { path: root.to_owned() });
        }
        let folder = absolute(root).map_err(unreadable)?.parent().map(Path::to_owned).unwrap_or_default();
        scanner.add(root, context_of_path(&folder));
    }
    scanner.finish(root)
}

struct Scanner<'o> {
    root: &'o Path,
    options: &'o ScanOptions,
    ignored: IgnoredFiles,
    /// Images without a statement, by the option that should have covered them.
    unstated: BTreeMap<&'static str, Vec<PathBuf>>,
    /// Images to which several labels may apply.
    ambiguous: Vec<PathBuf>,
    /// All images that are left out for want of a statement or label, with their subjects if known, else an empty id.
    left_out: Vec<(PathBuf, SubjectId)>,
    samples: Vec<DatasetSample>,
    /// Indices of samples without ids in their names.
    unnamed: Vec<usize>,
    problems: Vec<FolderProblem>,
    facts: ScanFacts,
}

impl<'o> Scanner<'o> {
    fn new(root: &'o Path, options: &'o ScanOptions) -> Self {
        Self {
            root,
            options,
            ignored: IgnoredFiles::default(),
            unstated: BTreeMap::new(),
            ambiguous: Vec::new(),
            left_out: Vec::new(),
            samples: Vec::new(),
            unnamed: Vec::new(),
            problems: Vec::new(),
            facts: ScanFacts::default(),
        }
    }

    fn visit(&mut self, tree: &FolderTree, folder: usize, context: Context) {
        let names = names_within(tree, folder);
        let folder = &tree.folders[folder];
        let has_known = names.iter().any(|&name| name != FolderName::Other);
        for image in &folder.images {
            if has_known {
                self.report(image, FolderProblemKind::BesideFolders);
            } else {
                self.add(image, context);
            }
        }
        for (&subfolder, &name) in folder.subfolders.iter().zip(&names) {
            let path = &tree.folders[subfolder].path;
            let mut inner = context;
            match name {
                FolderName::View(view) => {
                    self.contradiction(path, view.name(), context.view.map(View::name));
                    inner.view = Some(view);
                }
                FolderName::Split(split) => {
                    self.contradiction(path, split.name(), context.split.map(Split::name));
                    inner.split = Some(split);
                }
                FolderName::Class(class) => {
                    self.contradiction(path, class.letter(), context.class.map(DensityClass::letter));
                    inner.class = Some(class);
                    if tree.images_below(subfolder) == 0 {
                        self.report(path, FolderProblemKind::EmptyClassFolder);
                    }
                }
                FolderName::Unlabelled => {}
                FolderName::Other if context.class.is_some() && !self.options.nested => {
                    let images = tree.images_below(subfolder);
                    if images > 0 {
                        self.report(path, FolderProblemKind::Nested { images: Some(images) });
                    }
                    continue;
                }
                FolderName::Other => {
                    if let Some(expected) = expected_level(tree, subfolder, &names, context) {
                        let images = tree.images_below(subfolder);
                        if images > 0 {
                            self.report(path, FolderProblemKind::UnknownFolder { expected, images });
                        }
                        continue;
                    }
                }
            }
            self.visit(tree, subfolder, inner);
        }
    }

    fn contradiction(&mut self, path: &Path, inner: &'static str, outer: Option<&'static str>) {
        if let Some(outer) = outer.filter(|&outer| outer != inner) {
            self.report(path, FolderProblemKind::FolderAgainstFolder { inner, outer });
        }
    }

    fn add(&mut self, path: &Path, context: Context) {
        let below = path.strip_prefix(self.root).ok().filter(|below| !below.as_os_str().is_empty());
        let below = below.map_or_else(|| PathBuf::from(path.file_name().unwrap_or_default()), Path::to_owned);
        let mut stated = match self.options.stated.of(&below) {
            Ok(stated) => stated,
            Err(option) => {
                self.left_out.push((below.clone(), SubjectId(String::new())));
                return self.unstated.entry(option).or_default().push(below);
            }
        };
        let stem = path.file_stem().and_then(OsStr::to_str).expect("names that are not UTF-8 were left out");
        // If the subject is stated, a name that looks like one of the reference's is not interpreted.
        let name = SampleName::parse(stem).filter(|_| stated.subject.is_none());
        let view = stated.view().or(context.view).or(name.as_ref().map(|name| name.view));
        let has_ids = name.is_some() || stated.subject.is_some();
        let (subject, exam) = match (stated.subject.take(), &name) {
            (Some(subject), _) => (subject, stated.exam.take()),
            (None, Some(name)) => (name.subject.clone(), stated.exam.take().or_else(|| Some(name.exam.clone()))),
            (None, None) => (SubjectId::new(stem), stated.exam.take()),
        };
        if let Some(labels) = self.options.stated.labels.as_ref().filter(|labels| !labels.is_by_file()) {
            match labels.find(&subject, exam.as_ref(), view) {
                FoundLabel::Label(StatedLabel { class, votes }) => (stated.class, stated.votes) = (Some(class), votes),
                FoundLabel::NoClass => {}
                FoundLabel::Ambiguous => {
                    self.left_out.push((below.clone(), subject));
                    return self.ambiguous.push(below);
                }
                FoundLabel::Missing => {
                    self.left_out.push((below.clone(), subject));
                    return self.unstated.entry("--labels").or_default().push(below);
                }
            }
        }
        if let Some(name) = &name {
            if let Some(folder) =
                context.class.filter(|&class| name.class.is_some_and(|name| name != class) && stated.class.is_none())
            {
                let name = name.class.expect("compared above");
                self.report(path, FolderProblemKind::ClassAgainstName { folder, name });
            }
            if let Some(folder) = context.view.filter(|&view| view != name.view && stated.view().is_none()) {
                self.report(path, FolderProblemKind::ViewAgainstName { folder, name: name.view });
            }
        }
        if let (Some(folder), Some(table)) = (context.class, stated.class)
            && folder != table
        {
            self.report(path, FolderProblemKind::ClassAgainstTable { folder, table });
        }
        if let (Some(folder), Some(stated)) = (context.view, stated.view())
            && folder != stated
        {
            self.report(path, FolderProblemKind::ViewAgainstStatement { folder, stated });
        }
        if !has_ids {
            self.unnamed.push(self.samples.len());
        }
        let label = stated.class.or(context.class);
        self.facts.views_by_folder += usize::from(context.view.is_some());
        self.facts.splits_by_folder += usize::from(context.split.is_some());
        self.facts.labels_by_folder += usize::from(label.is_some());
        let (path, split, votes) = (path.to_owned(), context.split, stated.votes);
        self.samples.push(DatasetSample { path, subject, exam, view, label, votes, split });
    }

    fn report(&mut self, path: &Path, kind: FolderProblemKind) {
        self.problems.push(FolderProblem { path: path.to_owned(), kind });
    }

    fn finish(mut self, root: &Path) -> Result<FolderScan, ScanError> {
        let stated_but_missing = self.stated_but_missing()?;
        for (option, files) in std::mem::take(&mut self.unstated) {
            self.report(root, FolderProblemKind::Unstated { option, files });
        }
        if let Some(labels) = &self.options.stated.labels {
            let subjects = self.samples.iter().map(|sample| &sample.subject);
            let alike = labels.spelled_differently(subjects.chain(self.left_out.iter().map(|(_, subject)| subject)));
            if !alike.is_empty() {
                self.report(root, FolderProblemKind::SpelledDifferently { alike });
            }
        }
        if !self.ambiguous.is_empty() {
            let files = std::mem::take(&mut self.ambiguous);
            self.report(root, FolderProblemKind::AmbiguousLabel { files });
        }
        self.problems.sort_by(|left, right| left.path.cmp(&right.path));
        if self.samples.is_empty() {
            return Err(ScanError::NoSamples { path: root.to_owned(), problems: self.problems });
        }
        self.facts.names_without_ids = self.unnamed.len();
        self.disambiguate_unnamed(root);
        self.samples.sort_by(|left, right| {
            let key = |sample: &DatasetSample| {
                (
                    sample.view.is_none(),
                    sample.view,
                    sample.split.is_none(),
                    sample.split,
                    sample.label.is_none(),
                    sample.label,
                )
            };
            key(left)
                .cmp(&key(right))
                .then_with(|| natural_order(&left.path.to_string_lossy(), &right.path.to_string_lossy()))
        });
        let folder = if root.is_dir() { Some(root) } else { root.parent() };
        // A bare file name has an empty parent.
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let root = folder.to_owned();
        Ok(FolderScan {
            root,
            samples: self.samples,
            problems: self.problems,
            facts: self.facts,
            ignored: self.ignored,
            stated_but_missing,
        })
    }

    /// The files or subjects of the label file that the data does not have; an error if it has none of them.
    fn stated_but_missing(&self) -> Result<Vec<String>, LabelFileError> {
        let Some(labels) = &self.options.stated.labels else { return Ok(Vec::new()) };
        let of_samples = self
            .samples
            .iter()
            .map(|sample| (sample.path.strip_prefix(self.root).unwrap_or(&sample.path), &sample.subject));
        labels.missing_from(of_samples.chain(self.left_out.iter().map(|(path, subject)| (path.as_path(), subject))))
    }

    /// Identifies files without ids that share their stem (`A/1.png` and `B/1.png`) by their paths below the root, so that
    /// each remains a subject of its own.
    fn disambiguate_unnamed(&mut self, root: &Path) {
        let mut counts: HashMap<SubjectId, usize> = HashMap::new();
        for sample in &self.samples {
            *counts.entry(sample.subject.clone()).or_default() += 1;
        }
        for &at in &self.unnamed {
            let sample = &mut self.samples[at];
            if counts[&sample.subject] > 1 {
                let below = sample.path.strip_prefix(root).unwrap_or(&sample.path);
                sample.subject = SubjectId(below.to_string_lossy().into_owned());
            }
        }
    }
}
