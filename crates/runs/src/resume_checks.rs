//! The checks before a trainer resumes a run, beyond its state: all of them read only.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::snapshot::RunSnapshot;
use mammoscope_domain::run::dataset_manifest::DatasetManifest;
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_domain::training::lr_schedule::LearningRateSchedule;
use mammoscope_domain::training::rate_change::RateChange;
use mammoscope_domain::training::training_changes::initial_config;
use mammoscope_domain::training::training_config::{ScheduleKind, TrainingConfig};
use mammoscope_storage::runs::checkpoint_file::Checkpoint;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::run_spec_file::read_run_spec;

/// The folders above a run in which its data is looked for: the runs, the workspace, what is beside it, and one more.
const LEVELS_ABOVE: usize = 4;
/// The most last parts of the old path that are looked for there.
const MAX_PARTS: usize = 3;

/// The folder of a run's images is not there, or has none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct DataGone {
    /// What names the run, or its group, on the command line.
    asked: String,
    /// The run's name.
    run: String,
    root: PathBuf,
    /// True if the folder exists without the images.
    is_empty: bool,
    /// A folder nearby that has the first of the images.
    nearby: Option<PathBuf>,
}

impl DataGone {
    /// The same with advice for all runs of a group or a study, by its id.
    #[must_use]
    pub fn of_group(self, id: &str) -> Self {
        Self { asked: id.to_owned(), ..self }
    }

    fn text(&self) -> String {
        let Self { asked, run, root, is_empty, nearby } = self;
        let (asked, run, root) = (printable(asked), printable(run), printable_path(root));
        let gone = if *is_empty {
            format!("none of the images of {run} is in {root}")
        } else {
            format!("the data of {run} is not at {root}")
        };
        match nearby {
            None => format!("{gone}; if it was moved: mammoscope resume {asked} --data NEWROOT"),
            Some(nearby) => {
                let nearby = printable_path(nearby);
                format!("{gone}; is it {nearby}? If so: mammoscope resume {asked} --data {nearby}")
            }
        }
    }
}

/// Checks that the folder of a run's images exists and has at least one of them.
pub fn check_data(run: &RunDir, manifest: &DatasetManifest) -> Result<(), DataGone> {
    let is_there = manifest.root.is_dir();
    if is_there && (manifest.samples.is_empty() || manifest.paths().any(|path| path.exists())) {
        return Ok(());
    }
    Err(DataGone {
        asked: run.name(),
        run: run.name(),
        root: manifest.root.clone(),
        is_empty: is_there,
        nearby: nearby(run, manifest),
    })
}

/// A folder beside the run or its workspace that ends like the data's old path and has the first image.
fn nearby(run: &RunDir, manifest: &DatasetManifest) -> Option<PathBuf> {
    let first = &manifest.samples.iter().find(|sample| sample.unusable.is_none())?.file;
    let parts: Vec<_> = manifest.root.iter().skip(1).collect();
    let ends = (parts.len().saturating_sub(MAX_PARTS)..parts.len()).rev().map(|from| parts[from..].iter().collect());
    let ends: Vec<PathBuf> = ends.collect();
    let above = run.path().ancestors().skip(1).take(LEVELS_ABOVE);
    let candidates = above.flat_map(|above| ends.iter().map(move |end| above.join(end)));
    candidates
        .into_iter()
        .find(|folder| *folder != manifest.root && first.is_relative() && folder.join(first).is_file())
}

/// Checks that a trainer can write to a run, without writing.
pub fn check_writable(run: &RunDir) -> anyhow::Result<()> {
    // The folders in which files are made, and the files that are appended to.
    let folders = [run.path().to_owned(), run.checkpoints()];
    let files = [run.events(), run.log(), run.lock(), run.machine()];
    for path in folders.into_iter().chain(files).filter(|path| path.exists()) {
        rustix::fs::access(&path, rustix::fs::Access::WRITE_OK).map_err(std::io::Error::from).with_context(|| {
            let name = printable(&run.name());
            format!("{name} cannot be resumed: a trainer needs to write to {}", printable_path(&path))
        })?;
    }
    Ok(())
}

/// Checks that a run's checkpoint was made with its configuration and its images, as the trainer does.
pub fn check_origin(run: &RunDir, spec: &RunSpec, manifest: &DatasetManifest) -> anyhow::Result<()> {
    // A checkpoint that cannot be read is the trainer's business: it has a second one.
    let Ok(notes) = Checkpoint::read_notes(&run.last_checkpoint()) else { return Ok(()) };
    let snapshot = RunSnapshot::read(run.clone());
    let config = initial_config(&spec.config, snapshot.summary().changes.iter().map(|change| &change.record))?;
    let hashes = [
        ("config_sha256", "run.toml", "configuration", config.fingerprint()),
        ("dataset_sha256", "dataset.json", "data set", manifest.fingerprint()),
    ];
    for (key, file, what, hash) in hashes {
        anyhow::ensure!(
            notes.get(key).is_none_or(|noted| *noted == hash),
            "{} cannot be resumed: its checkpoint belongs to another {what}; was {file} edited? Undo that, or start a new run",
            printable(&run.name())
        );
    }
    Ok(())
}

/// The jump of a run's learning rate with another number of epochs; `None` if there is none or the run has no checkpoint
/// that can be read.
#[must_use]
pub fn rate_change(run: &RunDir, epochs: u32) -> Option<RateChange> {
    let spec = read_run_spec(&run.spec()).ok()?;
    if spec.config.schedule != ScheduleKind::Cosine {
        return None;
    }
    let snapshot = RunSnapshot::read(run.clone());
    let per_epoch = snapshot.summary().setup.as_ref()?.steps_per_epoch;
    let checkpoint = [run.last_checkpoint(), run.previous_checkpoint()];
    let checkpoint = checkpoint.iter().find_map(|path: &PathBuf| Checkpoint::read(path).ok())?;
    let step = u64::try_from(*checkpoint.counters("state/progress").ok()?.first()?).ok()?;
    let factor = *checkpoint.sums("state/schedule").ok()?.get(3)?;
    let schedule = |epochs| {
        let mut schedule = LearningRateSchedule::new(&TrainingConfig { epochs, ..spec.config.clone() }, per_epoch);
        schedule.set_rollback_factor(factor);
        schedule
    };
    let before = snapshot.summary().epochs;
    RateChange::at(step, (before, &schedule(before)), (epochs, &schedule(epochs)))
}

/// The folder that a user names as the new place of a run's data, in the form in which runs record it.
pub fn new_root(folder: &Path) -> anyhow::Result<PathBuf> {
    let root = folder.canonicalize().with_context(|| format!("--data: {}", printable_path(folder)))?;
    anyhow::ensure!(root.is_dir(), "--data: {} is not a folder", printable_path(folder));
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::image::grey_range::GreyRange;
    use mammoscope_domain::run::dataset_manifest::{MANIFEST_SCHEMA, ManifestSample, SplitSource};
    use mammoscope_domain::subject::density::DensityClass;
    use mammoscope_domain::subject::split::Split;
    use mammoscope_domain::subject::subject_id::SubjectId;
    use mammoscope_domain::subject::view::View;

    #[test]
    fn data_that_moved_with_its_workspace_is_suggested() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDir::new(folder.path().join("other/workspace/runs/run"));
        let sample = ManifestSample {
            file: PathBuf::from("CC_R/A/1_1_A_CC_R.png"),
            subject: SubjectId("1".to_owned()),
            exam: None,
            label: DensityClass::A,
            votes: None,
            split: Split::Train,
            pixels: None,
            unusable: None,
        };
        let manifest = DatasetManifest {
            schema: MANIFEST_SCHEMA,
            root: PathBuf::from("/before/sets/data"),
            view: View::CcR,
            split_source: SplitSource::Folders,
            split_seed: 0,
            split_file: None,
            grey_range: GreyRange::Auto,
            allow_duplicates: false,
            samples: vec![sample],
        };
        let gone = || check_data(&run, &manifest).unwrap_err().to_string();
        assert_eq!(
            gone(),
            "the data of run is not at /before/sets/data; if it was moved: mammoscope resume run --data NEWROOT"
        );
        // A folder of that name with other images is not suggested.
        std::fs::create_dir_all(folder.path().join("other/data/CC_R")).unwrap();
        assert!(gone().ends_with("NEWROOT"));
        let image = folder.path().join("other/sets/data/CC_R/A/1_1_A_CC_R.png");
        std::fs::create_dir_all(image.parent().unwrap()).unwrap();
        std::fs::write(&image, "").unwrap();
        let found = folder.path().join("other/sets/data");
        assert!(gone().ends_with(&format!("is it {0}? If so: mammoscope resume run --data {0}", found.display())));
        let empty = DatasetManifest { root: folder.path().join("other/data"), ..manifest.clone() };
        let error = check_data(&run, &empty).unwrap_err();
        assert!(error.to_string().starts_with("none of the images of run is in "), "{error}");
        check_data(&run, &DatasetManifest { root: found, ..manifest }).expect("it is there");
    }
}
