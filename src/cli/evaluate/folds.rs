//! Runs of the folds of one table, whose held-out images are evaluated together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::bail;

use crate::cli::console::{Console, WrongUse};
use mammoscope_domain::metrics::fold_pool::{FoldPool, FoldSpread};
use mammoscope_domain::run::dataset_manifest::{DatasetManifest, SplitFile};
use mammoscope_domain::subject::examination::InconsistentRows;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::counted::counted_as;
use mammoscope_domain::text::printable::printable;

/// A run that may hold out a fold.
pub(super) struct FoldRun<'m> {
    pub(super) name: String,
    pub(super) manifest: &'m DatasetManifest,
}

/// Runs of different folds of one table, and their predictions.
#[derive(Debug)]
pub(in crate::cli) struct PooledRuns {
    file: SplitFile,
    missing: BTreeMap<View, Vec<u32>>,
    rows: BTreeMap<u32, Vec<PredictionRow>>,
}

impl FoldRun<'_> {
    fn file(&self) -> Option<(&SplitFile, u32)> {
        let file = self.manifest.split_file.as_ref()?;
        Some((file, file.fold?))
    }

    /// The fold that it holds out.
    pub(super) fn fold(&self) -> Option<u32> {
        Some(self.file()?.1)
    }

    fn shown(&self) -> String {
        printable(&self.name)
    }
}

impl PooledRuns {
    /// Checks that runs can be evaluated together: one for each view, or one for each view and fold of the same table,
    /// which makes a pool. Folds that are missing are named in a warning.
    pub(super) fn of(runs: &[FoldRun<'_>], split: Split, console: &Console) -> anyhow::Result<Option<Self>> {
        let folds: BTreeSet<u32> = runs.iter().filter_map(|run| Some(run.file()?.1)).collect();
        let views: BTreeSet<View> = runs.iter().map(|run| run.manifest.view).collect();
        if folds.len() < 2 && views.len() == runs.len() {
            if let Some((file, fold)) = runs.first().and_then(FoldRun::file) {
                let (count, name) = (file.folds.len(), printable(&file.name));
                console.note(format!("fold {fold} of the {count} of {name}; name the runs of all folds to pool them"));
            }
            return Ok(None);
        }
        let mut first_of: HashMap<(View, Option<u32>), &FoldRun<'_>> = HashMap::new();
        for run in runs {
            let (view, fold) = (run.manifest.view, run.file().map(|(_, fold)| fold));
            if let Some(other) = first_of.insert((view, fold), run) {
                let (one, two) = (other.shown(), run.shown());
                return Err(WrongUse(match fold {
                    Some(fold) => format!("{one} and {two} both hold out fold {fold} of {view}; name one of them"),
                    None => format!("{one} and {two} are both of {view}; compare them with --against"),
                })
                .into());
            }
        }
        let Some((first, (file, _))) = runs.iter().find_map(|run| Some((run, run.file()?))) else { return Ok(None) };
        for run in runs {
            let (one, two) = (first.shown(), run.shown());
            match run.file() {
                None => {
                    let message = format!("{one} holds out a fold and {two} does not, so they cannot be pooled");
                    return Err(WrongUse(message).into());
                }
                Some((other, _)) if other.sha256 != file.sha256 => {
                    let (file, other) = (printable(&file.name), printable(&other.name));
                    let different = if file == other { ", which has changed in between" } else { "" };
                    return Err(WrongUse(format!(
                        "{one} holds out a fold of {file} and {two} one of {other}{different}; only folds of the same table \
                         are pooled"
                    ))
                    .into());
                }
                Some(_) => {}
            }
        }
        refuse_repeated_subjects(runs, split)?;
        let mut missing: BTreeMap<View, Vec<u32>> = BTreeMap::new();
        for view in views {
            let absent = file.folds.iter().copied().filter(|&fold| !first_of.contains_key(&(view, Some(fold))));
            let absent: Vec<u32> = absent.collect();
            if !absent.is_empty() {
                missing.insert(view, absent);
            }
        }
        let file = SplitFile { fold: None, ..file.clone() };
        let pooled = Self { file, missing, rows: BTreeMap::new() };
        pooled.warn(console);
        Ok(Some(pooled))
    }

    /// Warns of missing folds, with the views that lack the same ones together.
    fn warn(&self, console: &Console) {
        let mut views_of: BTreeMap<&[u32], Vec<&str>> = BTreeMap::new();
        for (view, folds) in &self.missing {
            views_of.entry(folds).or_default().push(view.name());
        }
        for (folds, views) in views_of {
            let numbers = folds.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            let are = counted_as(folds.len(), "fold is", "folds are");
            console.warn(format!(
                "{are} missing in {} ({numbers} of {}): the pool lacks the subjects held out there",
                views.join(", "),
                printable(&self.file.name)
            ));
        }
    }

    /// Adds the predictions of one of the runs.
    pub(super) fn add(&mut self, manifest: &DatasetManifest, rows: &[PredictionRow]) {
        if let Some(fold) = manifest.split_file.as_ref().and_then(|file| file.fold) {
            self.rows.entry(fold).or_default().extend_from_slice(rows);
        }
    }

    /// The figures of each fold and their spread.
    pub(in crate::cli) fn spread(&self, fusion: Fusion) -> Result<FoldPool, InconsistentRows> {
        Ok(FoldPool {
            file: printable(&self.file.name),
            sha256: self.file.sha256.clone(),
            folds: self.file.folds.clone(),
            missing: self.missing.clone(),
            sets: FoldSpread::of_rows(&self.rows, fusion)?,
        })
    }
}

/// A subject counts once per view: the network that predicts her must not have seen her.
fn refuse_repeated_subjects(runs: &[FoldRun<'_>], split: Split) -> anyhow::Result<()> {
    let mut held_out: HashMap<(View, IdKey), &FoldRun<'_>> = HashMap::new();
    for run in runs {
        let subjects: BTreeSet<&str> =
            run.manifest.of_split(split).map(|(_, sample)| sample.subject.0.as_str()).collect();
        // Two spellings within a run are not two runs.
        let keys: BTreeMap<IdKey, &str> = subjects.into_iter().map(|subject| (IdKey::of(subject), subject)).collect();
        for (key, subject) in keys {
            if let Some(other) = held_out.insert((run.manifest.view, key), run) {
                bail!(
                    "subject {} is among the {split} images of both {} and {} ({}), so the runs cannot be pooled: was the \
                     data set changed between them?",
                    printable(subject),
                    other.shown(),
                    run.shown(),
                    run.manifest.view
                );
            }
        }
    }
    Ok(())
}
