//! Runs whose data is in another folder now: verified before anything is changed, then recorded in each of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::console::{Console, Interrupted};
use mammoscope_dataset::moved_images::NeededImages;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_runs::resume_checks::check_writable;
use mammoscope_runs::resumption::lock_when_free;
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::data_move::{is_recorded, record_data_move};
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;

/// Runs with the folder that their data is in, where their files name another one.
#[derive(Debug, Default)]
pub(super) struct MovedData {
    runs: Vec<MovedRun>,
    verified: usize,
}

#[derive(Debug)]
struct MovedRun {
    run: RunDir,
    root: PathBuf,
    /// The fingerprint of the verified images.
    fingerprint: String,
}

impl MovedData {
    /// Verifies that the images of all runs are below `root`, with the pixels that the runs have recorded. Without a new
    /// root, only moves are found whose recording was interrupted.
    pub(super) fn verify<'r>(
        runs: impl IntoIterator<Item = &'r RunDir>,
        root: Option<&Path>,
        cancellation: Cancellation<'_>,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let (mut moved, mut needed) = (Vec::new(), NeededImages::default());
        for run in runs {
            let (spec, manifest) = (read_run_spec(&run.spec())?, read_manifest(&run.manifest())?);
            let to = root.unwrap_or(&manifest.root);
            if *to == manifest.root && is_recorded(&spec, &manifest) {
                continue;
            }
            check_writable(run)?;
            if *to != manifest.root {
                let lost = lost_images(run, &manifest);
                needed.add(&manifest, &|file| lost.contains(file));
            }
            moved.push(MovedRun { run: run.clone(), root: to.to_owned(), fingerprint: manifest.fingerprint() });
        }
        if let Some(root) = root.filter(|_| !needed.is_empty()) {
            console.note(format!("verifying {} in {}", counted(needed.len(), "image"), printable_path(root)));
            let missed = needed.look_in(root, cancellation, &|_| {}).ok_or(Interrupted)?;
            anyhow::ensure!(
                missed.is_empty(),
                "{} does not have the images of {}: {missed}; nothing was changed",
                printable_path(root),
                named(&moved)
            );
        }
        Ok(Self { runs: moved, verified: needed.len() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Records the moves.
    pub(super) fn record(self, console: &Console) -> anyhow::Result<()> {
        for MovedRun { run, root, fingerprint } in &self.runs {
            let record = || -> anyhow::Result<()> {
                let lock = lock_when_free(run)?;
                let (spec, manifest) = (read_run_spec(&run.spec())?, read_manifest(&run.manifest())?);
                anyhow::ensure!(manifest.fingerprint() == *fingerprint, "dataset.json was changed in the meantime");
                Ok(record_data_move(run, &lock, &spec, &manifest, root)?)
            };
            record().with_context(|| format!("record the new place of the data of {}", printable(&run.name())))?;
        }
        if let Some(MovedRun { root, .. }) = self.runs.first().filter(|_| self.verified > 0) {
            console.note(format!("the data of {} is now {}", named(&self.runs), printable_path(root)));
        }
        Ok(())
    }
}

/// One run by its name, several by their number.
fn named(runs: &[MovedRun]) -> String {
    match runs {
        [only] => printable(&only.run.name()),
        several => counted(several.len(), "run"),
    }
}

/// The training images that a run has lost while it was trained, by their paths in the manifest: it continues without
/// them, wherever its data is.
fn lost_images(run: &RunDir, manifest: &DatasetManifest) -> BTreeSet<PathBuf> {
    let checkpoint = [run.last_checkpoint(), run.previous_checkpoint()];
    let Some(checkpoint) = checkpoint.iter().find_map(|path| Checkpoint::read(path).ok()) else {
        return BTreeSet::new();
    };
    let lost = checkpoint.counters("state/lost_images").unwrap_or_default();
    let is_lost = |index: usize| i64::try_from(index).is_ok_and(|index| lost.contains(&index));
    let train = manifest.of_split(Split::Train).enumerate();
    train.filter(|(index, _)| is_lost(*index)).map(|(_, (_, sample))| sample.file.clone()).collect()
}
