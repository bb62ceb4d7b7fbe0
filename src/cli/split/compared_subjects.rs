//! The subjects of a data set in units that are not divided: those who share a picture stay together.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::console::{Console, Interrupted};
use crate::cli::data_arguments::GreyArguments;
use crate::cli::interruption::Interruption;
use mammoscope_dataset::copied_images::CopyKind;
use mammoscope_dataset::picture_copies::{PictureCopy, find_copies, read_identities};
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_dataset::split::densest_classes;
use mammoscope_dataset::subject_split::{Division, SubjectUnit, subject_units, subjects_with_copies};
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::subject::subject_id::SubjectId;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The most pairs of subjects with a common picture that are named.
const MAX_NAMED: usize = 3;

/// Labelled images whose subjects are divided.
#[derive(Clone, Copy)]
pub(in crate::cli) struct ComparedSubjects<'a> {
    pub(in crate::cli) labelled: &'a [&'a DatasetSample],
    /// The data set's root, which messages leave out.
    pub(in crate::cli) root: &'a Path,
    pub(in crate::cli) grey: &'a GreyArguments,
}

impl ComparedSubjects<'_> {
    /// The units of subjects for a division, and the images that could not be compared. Reads all images.
    pub(in crate::cli) fn units(
        &self,
        division: &Division,
        console: &Console,
    ) -> anyhow::Result<(Vec<SubjectUnit>, Vec<FileProblem>)> {
        let classes = densest_classes(self.labelled);
        // Before the images are read, which takes a while.
        division.check_folds(&subject_units(&classes, &[]))?;
        let Pictures { shared, unreadable } = Pictures::compare(self, console)?;
        let units = subject_units(&classes, &shared);
        division.check_folds(&units)?;
        Ok((units, unreadable))
    }
}

/// The comparison of all pictures.
struct Pictures {
    /// The pairs of subjects with a common picture.
    shared: Vec<[SubjectId; 2]>,
    unreadable: Vec<FileProblem>,
}

impl Pictures {
    fn compare(compared: &ComparedSubjects<'_>, console: &Console) -> anyhow::Result<Self> {
        let ComparedSubjects { labelled, root, grey } = *compared;
        let paths: Vec<PathBuf> = labelled.iter().map(|sample| sample.path.clone()).collect();
        grey.check(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), console)?;
        let interruption = Interruption::watch()?;
        let is_interrupted = || interruption.requested();
        let cancellation = Cancellation::new(&is_interrupted);
        let bar = progress_bar(paths.len(), console);
        let read = read_identities(&paths, grey.range(), cancellation, &|| bar.inc(1));
        bar.finish_and_clear();
        let (mut unreadable, mut identities) = (Vec::new(), Vec::with_capacity(paths.len()));
        for (path, identity) in paths.iter().zip(read.ok_or(Interrupted)?) {
            match identity {
                Ok(identity) => identities.push(Some(identity)),
                Err(reason) => {
                    let problem = FileProblem::new(path, reason);
                    console.warn(format!("{problem}; not compared with the others"));
                    unreadable.push(problem);
                    identities.push(None);
                }
            }
        }
        let copies = find_copies(&identities, cancellation).ok_or(Interrupted)?;
        let shared = shared_pictures(labelled, &copies, root, console);
        Ok(Self { shared, unreadable })
    }
}

fn progress_bar(images: usize, console: &Console) -> ProgressBar {
    if !console.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("reading {wide_bar} {pos}/{len} images  {per_sec:.1}  {eta} left");
    ProgressBar::new(images as u64).with_style(style.expect("a fixed template"))
}

/// The pairs of subjects with a common picture; the first few are named in a warning.
fn shared_pictures(
    labelled: &[&DatasetSample],
    copies: &[PictureCopy],
    root: &Path,
    console: &Console,
) -> Vec<[SubjectId; 2]> {
    let pairs = subjects_with_copies(labelled, copies);
    let below = |at: usize| printable_path(labelled[at].path.strip_prefix(root).unwrap_or(&labelled[at].path));
    let named: Vec<String> = pairs
        .iter()
        .take(MAX_NAMED)
        .map(|([one, other], copy)| {
            let mirrored = if copy.kind == CopyKind::Mirrored { ", mirrored" } else { "" };
            let (earlier, later) = (below(copy.earlier), below(copy.later));
            format!("{} and {} ({earlier} and {later}{mirrored})", printable(&one.0), printable(&other.0))
        })
        .collect();
    if !pairs.is_empty() {
        let count = counted_as(
            pairs.len(),
            "pair of subjects shares a picture and stays together",
            "pairs of subjects share a picture and stay together",
        );
        let more = if pairs.len() > MAX_NAMED { ", …" } else { "" };
        console.warn(format!("{count}: {}{more}; check the ids", named.join(", ")));
    }
    pairs.into_keys().collect()
}
