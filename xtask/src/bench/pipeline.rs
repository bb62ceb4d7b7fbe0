//! Measures a whole training from image files, started the way a user does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use tempfile::TempDir;

use super::{BATCH, Conditions};
use crate::checkout::{Checkout, run_to_end};

const CLASSES: [&str; 4] = ["A", "B", "C", "D"];
/// Copies of each image, so that a set of 16 images gives several steps per epoch.
const COPIES: usize = 4;

/// Images in a layout that both sides read: `CC_R/test/<CLASS>/*.png` in a temporary folder.
#[derive(Debug)]
pub(super) struct ImageFolder(TempDir);

impl ImageFolder {
    /// Copies every PNG file in folders A to D below `source` (or below the default test set) four times.
    pub(super) fn make(checkout: &Checkout, source: Option<&Path>) -> anyhow::Result<Self> {
        let known = ["../shared/seed/TestSet", "testset"].map(|folder| checkout.root.join(folder));
        let source = match source {
            Some(source) => source.to_owned(),
            None => known.into_iter().find(|folder| folder.is_dir()).context("testset/ is missing")?,
        };
        let mut images = Vec::new();
        find_images(&source, &mut images)?;
        if images.is_empty() {
            bail!("{} contains no PNG file in a folder A, B, C or D", source.display());
        }
        let folder = tempfile::tempdir().context("make a temporary folder")?;
        for (subject, (class, image)) in (1..).zip(images.iter().flat_map(|image| [image; COPIES])) {
            let target = folder.path().join("CC_R/test").join(class);
            fs::create_dir_all(&target).with_context(|| format!("make {}", target.display()))?;
            let target = target.join(format!("{subject}_1_{class}_CC_R.png"));
            fs::copy(image, &target).with_context(|| format!("copy {}", image.display()))?;
        }
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Collects class and path of every image below a folder, ordered by name.
fn find_images(folder: &Path, images: &mut Vec<(&'static str, PathBuf)>) -> anyhow::Result<()> {
    let class = CLASSES.into_iter().find(|class| folder.ends_with(class));
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.with_context(|| format!("read {}", folder.display()))?;
    entries.sort_by_key(fs::DirEntry::path);
    for path in entries.iter().map(fs::DirEntry::path) {
        match class {
            None if path.is_dir() => find_images(&path, images)?,
            Some(class) if path.extension().is_some_and(|extension| extension == "png") => images.push((class, path)),
            _ => {}
        }
    }
    Ok(())
}

/// Training images per second, without validation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// In the first epoch and everything before it, such as reading the files and building the network.
    pub(super) first_epoch: f64,
    /// In the later epochs.
    pub(super) later_epochs: f64,
}

/// Trains with the reference's recipe, including augmentation, and derives the speed from the run's events.
pub(super) fn train_from_files(
    program: &Path,
    conditions: &Conditions,
    size: u32,
    precision: &str,
) -> anyhow::Result<Rates> {
    let folder = tempfile::tempdir().context("make a temporary folder")?;
    // Epochs are short at small sizes.
    let epochs = if size > 300 { 3 } else { 12 };
    let threads = &conditions.threads;
    let settings = format!("size={size},precision={precision},epochs={epochs},batch_size={BATCH},threads={threads}");
    let mut command = Command::new(program);
    command.arg("--workspace").arg(folder.path()).args(["train", "--data"]).arg(conditions.images.path());
    command.args(["--view", "CC_R", "--preset", "seed", "--all-as-train", "--device", "cpu", "--follow"]);
    let status = run_to_end(command.args(["--set", &settings]).stdin(Stdio::null()).stdout(Stdio::null()))?;
    if !status.success() {
        bail!("mammoscope train failed ({status})");
    }
    let runs = folder.path().join("runs");
    let run = fs::read_dir(&runs).with_context(|| format!("read {}", runs.display()))?.next();
    let events = run.context("the training left no run")??.path().join("events.jsonl");
    let text = fs::read_to_string(&events).with_context(|| format!("read {}", events.display()))?;
    let events = text.lines().map(serde_json::from_str).collect::<Result<Vec<Event>, _>>();
    rates(&events.context("read the events of the run")?).context("the run has too few reports")
}

/// The needed part of a run's event.
#[derive(Debug, Deserialize)]
struct Event {
    time: DateTime<Utc>,
    #[serde(rename = "event")]
    kind: String,
    epoch: Option<u32>,
    step: Option<u64>,
}

/// Computes the rates of a training. Each epoch counts up to its last report; validation follows.
fn rates(events: &[Event]) -> Option<Rates> {
    let mut epochs: BTreeMap<u32, (&Event, &Event)> = BTreeMap::new();
    for event in events {
        match (event.kind.as_str(), event.epoch) {
            ("epoch_started", Some(epoch)) => {
                epochs.insert(epoch, (event, event));
            }
            ("step_reported", Some(epoch)) => epochs.get_mut(&epoch)?.1 = event,
            _ => {}
        }
    }
    let images = |first: &Event, last: &Event| Some((last.step? - first.step?) as f64 * f64::from(BATCH));
    let seconds = |first: &Event, last: &Event| (last.time - first.time).as_seconds_f64();
    let started = events.iter().find(|event| event.kind == "started")?;
    let (first, last) = epochs.remove(&1)?;
    let first_epoch = images(first, last)? / seconds(started, last);
    let (mut later_images, mut later_seconds) = (0.0, 0.0);
    for (first, last) in epochs.values() {
        later_images += images(first, last)?;
        later_seconds += seconds(first, last);
    }
    (later_images > 0.0 && first_epoch > 0.0).then(|| Rates { first_epoch, later_epochs: later_images / later_seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_exclude_validation_and_include_the_preparation() {
        let lines = [
            r#"{"time": "2026-11-23T10:00:00Z", "event": "created", "preset": "seed", "epochs": 2}"#,
            r#"{"time": "2026-11-23T10:00:10Z", "event": "started", "pid": 7}"#,
            r#"{"time": "2026-11-23T10:00:12Z", "event": "epoch_started", "epoch": 1, "step": 0}"#,
            r#"{"time": "2026-11-23T10:00:16Z", "event": "step_reported", "epoch": 1, "step": 2}"#,
            r#"{"time": "2026-11-23T10:00:20Z", "event": "step_reported", "epoch": 1, "step": 5}"#,
            r#"{"time": "2026-11-23T10:00:29Z", "event": "epoch_ended", "epoch": 1, "step": 5}"#,
            r#"{"time": "2026-11-23T10:00:30Z", "event": "epoch_started", "epoch": 2, "step": 5}"#,
            r#"{"time": "2026-11-23T10:00:32.5Z", "event": "step_reported", "epoch": 2, "step": 10}"#,
        ];
        let events: Vec<Event> = lines.iter().map(|line| serde_json::from_str(line).expect("an event")).collect();
        assert_eq!(rates(&events), Some(Rates { first_epoch: 2.0, later_epochs: 8.0 }));
        assert_eq!(rates(&events[..6]), None);
    }

    #[test]
    fn only_images_in_class_folders_are_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for path in ["CC_R/A/1.png", "CC_R/A/masks/1.png", "CC_L/test/D/2.png", "CC_L/test/D/notes.txt", "phantom.png"]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("room on disk");
            fs::write(path, "").expect("room on disk");
        }
        let mut images = Vec::new();
        find_images(folder.path(), &mut images).expect("a folder");
        let found = [("D", folder.path().join("CC_L/test/D/2.png")), ("A", folder.path().join("CC_R/A/1.png"))];
        assert_eq!(images, found);
    }
}
