//! `mammoscope model card`: writes or updates the card of a model.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;

use super::console::{Console, Outcome, WrongUse};
use super::model_choice::open_models;
use mammoscope_domain::image::grey_range::GreyRange;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation_document::{EvaluatedSet, EvaluationDocument, Provenance};
use mammoscope_domain::metrics::evaluation_set::SetName;
use mammoscope_domain::model_card::{CardEvaluation, CardFigures, ModelCardFacts};
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::{printable_os, printable_path};
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::pixel_checksum::pixel_sha256;
use mammoscope_storage::cards::card_file::{CardChange, write_card};
use mammoscope_storage::cards::run_card::{facts_of_model, run_of_best};
use mammoscope_storage::models::model_set::ModelEntry;
use mammoscope_storage::regular_file::read_regular_file;
use mammoscope_storage::runs::model_splits::ModelSplits;
use mammoscope_storage::tables::prediction_table::{FILE_NAME, read_table};

/// The size limit of the notes beside predictions, in bytes.
const MAX_NOTES: u64 = 1 << 26;
const NOTES_FILE: &str = "predictions.json";

/// Write the card of a model, or update an existing one
///
/// A card is Markdown with a head that Hugging Face reads: what the model is for, what it was made from, and its figures. That
/// of a run is `RUN/model_card.md`, which training and `evaluate` keep up to date; that of a model file is NAME.md beside it.
/// Only the sections between the lines marked `<!-- mammoscope: … -->` are updated; the rest is yours.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope model card models/CC_R.safetensors
  mammoscope model card latest
  mammoscope predict --model cc_r.safetensors --data DIR --split test \\
      --out predictions
  mammoscope model card cc_r.safetensors --predictions predictions
                                  with the figures of these predictions")]
pub(super) struct CardArguments {
    /// A model file, a folder of models, a run or a group
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// A folder that `predict` wrote with this model: its figures become the card's
    #[arg(long, value_name = "DIR")]
    predictions: Option<PathBuf>,
    /// The card to write or update, if there is one model
    #[arg(long, value_name = "FILE.md")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &CardArguments, workspace: Option<&Path>, console: &Console) -> anyhow::Result<Outcome> {
    let models = open_models(&arguments.model, workspace, console)?;
    if arguments.out.is_some() && models.entries().len() > 1 {
        let message = format!("--out names one card, and there are {} models", models.entries().len());
        return Err(WrongUse(message).into());
    }
    for model in models.entries() {
        let mut facts = facts_of_model(&model.path).with_context(|| printable_path(&model.path))?;
        if let Some(folder) = &arguments.predictions {
            let evaluations =
                evaluations(folder, model).with_context(|| format!("--predictions {}", printable_path(folder)))?;
            facts.figures = CardFigures::Stored { evaluations, outdated: Vec::new() };
        }
        let card = card_path(arguments.out.as_deref(), &model.path, &mut facts);
        let change = write_card(&card, &facts).with_context(|| format!("write {}", printable_path(&card)))?;
        let done = match change {
            CardChange::Written => "written",
            CardChange::Updated => "updated",
            CardChange::Unchanged => "up to date already",
        };
        console.note(format!("{}: {done}", printable_path(&card)));
    }
    Ok(Outcome::Done)
}

/// The place of a model's card. The path of the weights in the card is made to fit it.
fn card_path(out: Option<&Path>, model: &Path, facts: &mut ModelCardFacts) -> PathBuf {
    match (out, run_of_best(model)) {
        (None, Some(run)) => run.model_card(),
        (None, None) => model.with_extension("md"),
        (Some(out), _) => {
            facts.weights.file = model.file_name().map(printable_os).unwrap_or_default();
            out.to_owned()
        }
    }
}

#[derive(Deserialize)]
struct Notes {
    models: Vec<ModelNote>,
    grey_range: GreyRange,
}

#[derive(Deserialize)]
struct ModelNote {
    view: Option<View>,
    model: PathBuf,
}

/// Evaluates predictions that were made with a model: those of its views, and all views fused. Fails if they were made with
/// another model, or are of images that the model was trained on.
fn evaluations(folder: &Path, model: &ModelEntry) -> anyhow::Result<Vec<CardEvaluation>> {
    let (table, notes) = (folder.join(FILE_NAME), folder.join(NOTES_FILE));
    let notes = read_regular_file(&notes, MAX_NOTES).with_context(|| printable_path(&notes))?;
    let notes: Notes = serde_json::from_slice(&notes).with_context(|| NOTES_FILE)?;
    let this = fs::canonicalize(&model.path)?;
    let is_this = |note: &&ModelNote| fs::canonicalize(&note.model).is_ok_and(|path| path == this);
    let views: BTreeSet<Option<View>> = notes.models.iter().filter(is_this).map(|note| note.view).collect();
    if views.is_empty() {
        let others: Vec<String> = notes.models.iter().map(|note| printable_path(&note.model)).collect();
        bail!(
            "the predictions were made with {}, not with {}; run this in the folder that `predict` was run in, or predict again",
            others.join(", "),
            printable_path(&model.path)
        );
    }
    let written = |path: &Path| fs::metadata(path).and_then(|facts| facts.modified()).ok();
    if written(&table).zip(written(&model.path)).is_some_and(|(predicted, trained)| predicted < trained) {
        bail!("the predictions are older than {}; predict again", printable_path(&model.path));
    }
    let rows = read_table(&table)?;
    let split = split_of(&rows, &views, notes.grey_range, model)?;
    let bootstrap = Bootstrap::default();
    let sets = EvaluatedSet::of_rows(&rows, &[], Fusion::Mean, bootstrap).map_err(|error| error.of_tables(1))?;
    let provenance = Provenance { split, rows: rows.len(), ..Provenance::default() };
    let document = EvaluationDocument::new(provenance, Fusion::Mean, bootstrap, sets);
    let document = serde_json::from_str(&document.to_json())?;
    let names = views.iter().map(|view| view.map_or(SetName::Unspecified, SetName::View)).chain([SetName::Total]);
    let found: Vec<CardEvaluation> =
        names.filter_map(|name| CardEvaluation::of_document(&document, name.name(), split)).collect();
    if found.is_empty() {
        bail!("none of the predictions has a label, so there are no figures");
    }
    Ok(found)
}

/// The split of the predicted subjects by the model's own list; `None` if the model has none, or if the images are of another
/// data set. Ids of another data set may be the same by chance; its images are not.
fn split_of(
    rows: &[PredictionRow],
    views: &BTreeSet<Option<View>>,
    range: GreyRange,
    model: &ModelEntry,
) -> anyhow::Result<Option<Split>> {
    let Some(splits) = ModelSplits::of_model(&model.path, &model.metadata) else { return Ok(None) };
    let own: Vec<&PredictionRow> = rows.iter().filter(|row| views.contains(&row.view) && row.label.is_some()).collect();
    let found: BTreeSet<Option<Split>> = own.iter().map(|row| splits.split_of(&row.subject)).collect();
    if found.contains(&Some(Split::Train)) {
        let is_strange = |row: &&&PredictionRow| {
            let levels = decode_file(Path::new(&row.file)).and_then(|image| image.into_levels(range)).ok();
            levels.and_then(|levels| splits.was_fitted_to(&pixel_sha256(&levels.raster))) == Some(false)
        };
        let known = own.iter().filter(|row| splits.split_of(&row.subject) == Some(Split::Train));
        if known.clone().filter(is_strange).count() < known.count() {
            bail!(
                "{} was trained on subjects that are among the predictions, which says nothing about others; predict with \
                 --split test",
                printable_path(&model.path)
            );
        }
        return Ok(None);
    }
    match found.iter().collect::<Vec<_>>().as_slice() {
        [one] => Ok(**one),
        [] => Ok(None),
        _ => bail!("the predictions are of several splits of the model; predict with --split test"),
    }
}
