//! The card of a run, `model_card.md` in its directory, about its best checkpoint; and the facts about any model file.

use std::path::Path;

use super::card_file::{CardChange, CardError, write_card};
use super::data_origin::data_origin;
use super::model_facts::facts_of_metadata;
use crate::models::model_file::{ModelError, ModelFacts};
use crate::regular_file::read_regular_file;
use crate::runs::best_checkpoint::{NoBestCheckpoint, best_checkpoint};
use crate::runs::event_tail::{EventTail, TailEntry};
use crate::runs::manifest_file::read_manifest;
use crate::runs::run_dir::RunDir;
use crate::runs::run_spec_file::read_run_spec;
use mammoscope_domain::model_card::{CardEvaluation, CardFigures, DataFacts, ModelCardFacts, Recipe};
use mammoscope_domain::run::run_spec::RunSpec;
use mammoscope_domain::run::run_state::RunState;
use mammoscope_domain::run::run_summary::RunSummary;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::printable::printable_os;

/// The largest evaluation that is read.
const LIMIT: u64 = 1 << 28;

/// A run's card that was not written. An existing one is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RunCardError {
    #[error(transparent)]
    NoModel(#[from] NoBestCheckpoint),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Card(#[from] CardError),
}

/// Writes or updates the card of a run from everything that the run has stored.
pub fn write_run_card(run: &RunDir) -> Result<CardChange, RunCardError> {
    let best = best_checkpoint(run)?;
    let facts = ModelFacts::read(&best)?;
    Ok(write_card(&run.model_card(), &facts_of_run(run, &best, &facts))?)
}

/// Returns the facts about a model file: those of its run if it is the best checkpoint in a run directory, otherwise those
/// in its metadata.
pub fn facts_of_model(path: &Path) -> Result<ModelCardFacts, ModelError> {
    let facts = ModelFacts::read(path)?;
    Ok(match run_of_best(path) {
        Some(run) => facts_of_run(&run, path, &facts),
        None => facts_of_metadata(path, &facts),
    })
}

/// Returns the run whose best checkpoint a file is. Another file in a run directory was not evaluated there.
#[must_use]
pub fn run_of_best(path: &Path) -> Option<RunDir> {
    let run = path.parent().and_then(Path::parent).map(RunDir::new)?;
    (run.spec().is_file() && best_checkpoint(&run).is_ok_and(|best| best == path)).then_some(run)
}

/// The facts about the best checkpoint of a run. A file of the run that cannot be read leaves its facts out.
fn facts_of_run(run: &RunDir, best: &Path, facts: &ModelFacts) -> ModelCardFacts {
    let mut card = facts_of_metadata(best, facts);
    card.name = run.name();
    let file = best.file_name().map(printable_os).unwrap_or_default();
    card.weights.file = format!("checkpoints/{file}");
    if let Ok(manifest) = read_manifest(&run.manifest()) {
        let appearance = card.data.appearance.take();
        card.data = DataFacts { appearance, ..DataFacts::of_manifest(&manifest, data_origin(&manifest.root)) };
    }
    let spec = read_run_spec(&run.spec()).ok();
    if let Some(spec) = &spec {
        card.training.recipe = Some(Recipe::of(&spec.preset, &spec.config));
        card.training.preset = Some(spec.preset.clone());
        card.training.epochs = Some(spec.config.epochs);
        card.training.date = Some(spec.created.format("%Y-%m-%d").to_string());
        if let Some(summary) = summary(run, spec) {
            add_events(&mut card, &summary);
        }
    }
    card.figures = figures(run, best, facts);
    card
}

/// The state of a run by its events; `None` if they cannot be read.
fn summary(run: &RunDir, spec: &RunSpec) -> Option<RunSummary> {
    let new = || RunState::new(spec.config.monitor, spec.config.epochs);
    let mut state = new();
    let read = EventTail::new(&run.events()).read(|entry| match entry {
        TailEntry::Event(event) => state.apply(&event),
        TailEntry::Restarted => state = new(),
        TailEntry::BadLine(_) => {}
    });
    read.ok().map(|()| state.summary)
}

fn add_events(card: &mut ModelCardFacts, summary: &RunSummary) {
    let training = &mut card.training;
    training.epochs = Some(summary.epochs);
    training.changes = summary.changes.iter().map(|change| change.record.clone()).collect();
    if let Some(setup) = &summary.setup {
        training.device = Some(format!("{} in {}, {} threads", setup.device, setup.precision, setup.threads));
    }
}

/// The evaluations that the run has stored of its own view. One that is older than the best checkpoint was made by other
/// weights.
fn figures(run: &RunDir, best: &Path, facts: &ModelFacts) -> CardFigures {
    let (mut evaluations, mut outdated) = (Vec::new(), Vec::new());
    let written = |path: &Path| std::fs::metadata(path).and_then(|facts| facts.modified()).ok();
    for split in [Split::Test, Split::Validation] {
        let path = run.evaluation(split);
        let Ok(bytes) = read_regular_file(&path, LIMIT) else { continue };
        if written(&path).zip(written(best)).is_some_and(|(evaluated, trained)| evaluated < trained) {
            outdated.push(split);
            continue;
        }
        let Ok(document) = serde_json::from_slice(&bytes) else { continue };
        let set = facts.metadata.view.map_or("unspecified", |view| view.name());
        evaluations.extend(CardEvaluation::of_document(&document, set, Some(split)));
    }
    CardFigures::Stored { evaluations, outdated }
}
