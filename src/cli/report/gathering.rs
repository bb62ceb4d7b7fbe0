//! Gathers what a report says from runs, tables and folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::Utc;

use super::ReportArguments;
use super::pictures::add_pictures;
use super::repetition::commands;
use crate::analysis::report_facts::{
    GroupedFigures, LabelGroups, ReportFacts, ReportedPredictions, ReportedRun, prepared_data, read_explanations,
    scanner_groups, worst_cases,
};
use crate::cli::audit::audit_folder;
use crate::cli::console::{Console, WrongUse};
use crate::cli::evaluate::compare;
use crate::cli::evaluate::inputs::{Inputs, Predictions, read_seed_txt, read_tables};
use crate::cli::evaluate::runs::{RunSource, evaluate};
use crate::cli::evaluate::study_point::StudyChoice;
use mammoscope_dataset::audit::{PREPROCESS_MANIFEST, PreprocessManifest};
use mammoscope_dataset::phantom::manifest::PhantomManifest;
use mammoscope_domain::metrics::calibration_document::CalibrationDocument;
use mammoscope_domain::metrics::evaluation_document::EvaluatedSet;
use mammoscope_domain::run::run_condition::RunCondition;
use mammoscope_domain::subject::examination::UnlabelledRows;
use mammoscope_domain::subject::fusion::Fusion;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::{counted, counted_as};
use mammoscope_domain::text::printable::{printable, printable_os, printable_path};
use mammoscope_runs::condition::settle;
use mammoscope_runs::snapshot::RunSnapshot;
use mammoscope_storage::cards::run_card::write_run_card;
use mammoscope_storage::models::model_file::sha256_hex;
use mammoscope_storage::runs::best_checkpoint::best_checkpoint;
use mammoscope_storage::runs::calibration_file::{CalibrationFileError, read_calibration};
use mammoscope_storage::runs::manifest_file::read_manifest;
use mammoscope_storage::runs::run_dir::RunDir;

/// The rule by which views are fused, as in the runs' own evaluations.
const FUSION: Fusion = Fusion::Mean;

/// A run that the report is about, and where it is.
pub(super) struct ReportRun {
    pub(super) run: RunDir,
    pub(super) model: Option<PathBuf>,
    is_active: bool,
}

pub(super) fn gather(
    arguments: &ReportArguments,
    workspace: Option<&Path>,
    console: &Console,
) -> anyhow::Result<ReportFacts> {
    let inputs = Inputs::sort(&arguments.inputs, workspace, arguments.study, console)?;
    let against = Inputs::sort(&arguments.against, workspace, StudyChoice::default(), console).context("--against")?;
    if inputs.runs.is_empty() && arguments.split.is_some() {
        return Err(WrongUse("--split is for runs; a table contains whatever was predicted".to_owned()).into());
    }
    let (runs, reported) = read_runs(&inputs.runs)?;
    let name = arguments.name.as_deref().map_or_else(|| default_name(arguments, &reported), printable);
    let mut facts = ReportFacts {
        commands: commands(arguments, &name, &reported),
        so_far: so_far(&runs, &reported),
        name,
        made: Utc::now(),
        version: env!("CARGO_PKG_VERSION"),
        runs: reported,
        predictions: None,
        missing: Vec::new(),
        synthetic: false,
        prepared: None,
        audit: None,
        groups: Vec::new(),
        calibrations: Vec::new(),
        errors: Vec::new(),
        map_caution: None,
        explanations: None,
    };
    let roots = roots(arguments, &facts);
    facts.synthetic = roots.iter().any(|root| root.join(PhantomManifest::FILE_NAME).is_file());
    if let Some(maps) = &arguments.maps {
        facts.explanations = Some(read_explanations(maps, &arguments.bootstrap()).context("--maps")?);
    }
    let tables = if arguments.seed_txt.is_empty() {
        read_tables(&inputs.tables)?
    } else {
        read_seed_txt(&arguments.seed_txt, &arguments.class_counts)?
    };
    facts.predictions = predictions(arguments, tables, &runs, &against, &mut facts.missing, console)?;
    facts.calibrations = calibrations(&runs, &mut facts.missing);
    for root in &roots {
        match prepared_data(root) {
            Ok(Some(prepared)) => facts.prepared = Some(prepared),
            Ok(None) => {}
            Err(error) => facts.missing.push(format!("What preprocessing did is not known: {error}.")),
        }
    }
    if let (true, Some(root)) = (arguments.audit, roots.first()) {
        let range = facts.runs.first().map(|run| run.spec.grey_range).unwrap_or_default();
        facts.audit = Some(audit_folder(root, range, console).context("--audit")?);
    } else if arguments.audit {
        return Err(WrongUse("--audit needs the data set of the tables: --data DIR".to_owned()).into());
    }
    facts.groups = groups(arguments, &roots, &facts)?;
    if let Some(main) = facts.main_set() {
        let rows = facts.predictions.as_ref().map_or(&[][..], |predictions| &predictions.rows);
        facts.errors = worst_cases(&main.set, rows);
    }
    add_pictures(arguments, &runs, workspace, &mut facts, console)?;
    update_cards(&runs, console);
    Ok(facts)
}

/// The calibrations that the runs keep, each once; a stale one is named.
fn calibrations(runs: &[ReportRun], missing: &mut Vec<String>) -> Vec<CalibrationDocument> {
    let mut found: Vec<CalibrationDocument> = Vec::new();
    for run in runs {
        match read_calibration(&run.run) {
            Ok(calibration) if !found.contains(&calibration) => found.push(calibration),
            Ok(_) | Err(CalibrationFileError::Missing(_) | CalibrationFileError::Model(_)) => {}
            Err(error) => missing.push(format!("A calibration is left out: {error}.")),
        }
    }
    found
}

/// Brings the model cards of the runs up to date. A run at work has its card written by its trainer.
fn update_cards(runs: &[ReportRun], console: &Console) {
    for run in runs.iter().filter(|run| !run.is_active && run.model.is_some()) {
        if let Err(error) = write_run_card(&run.run) {
            console.note(format!("{} is not up to date: {error}", printable_path(&run.run.model_card())));
        }
    }
}

fn read_runs(runs: &[RunDir]) -> anyhow::Result<(Vec<ReportRun>, Vec<ReportedRun>)> {
    let mut shown: Vec<(RunSnapshot, Option<RunCondition>)> = runs
        .iter()
        .map(|run| {
            let snapshot = RunSnapshot::read(run.clone());
            let condition = snapshot.condition().ok();
            (snapshot, condition)
        })
        .collect();
    settle(shown.iter_mut().filter_map(|(snapshot, condition)| Some((snapshot.run(), condition.as_mut()?))));
    let (mut found, mut reported) = (Vec::new(), Vec::new());
    for (snapshot, condition) in shown {
        let run = snapshot.run().clone();
        let name = printable(&run.name());
        let spec = snapshot.spec().map_err(|error| anyhow::anyhow!("{name}: {error}"))?.clone();
        let model = best_checkpoint(&run).ok();
        let weights = model.as_ref().and_then(|model| fs::read(model).ok()).map(|bytes| sha256_hex(&bytes));
        reported.push(ReportedRun {
            name,
            spec,
            summary: snapshot.summary().clone(),
            condition: condition.as_ref().map_or_else(|| "damaged".to_owned(), |condition| condition.name().to_owned()),
            manifest: read_manifest(&run.manifest()).ok(),
            weights,
        });
        found.push(ReportRun { run, model, is_active: condition.is_some_and(|condition| condition.is_active()) });
    }
    Ok((found, reported))
}

/// What is still at work, in words.
fn so_far(runs: &[ReportRun], reported: &[ReportedRun]) -> Option<String> {
    let active: Vec<String> = runs
        .iter()
        .zip(reported)
        .filter(|(run, _)| run.is_active)
        .map(|(_, run)| format!("{} in epoch {} of {}", run.spec.view, run.summary.epoch, run.summary.epochs))
        .collect();
    if active.is_empty() {
        return None;
    }
    let are = if active.len() == 1 { "is" } else { "are" };
    Some(format!("{} of {} {are} still at work: {}.", active.len(), counted(runs.len(), "run"), active.join(", ")))
}

/// The study or group of the runs, the run, or the name of the table.
fn default_name(arguments: &ReportArguments, runs: &[ReportedRun]) -> String {
    let studies: BTreeSet<Option<&str>> =
        runs.iter().map(|run| run.spec.study.as_ref().map(|member| member.id.as_str())).collect();
    let groups: BTreeSet<&str> = runs.iter().map(|run| run.spec.group.as_str()).collect();
    match (runs, studies.first(), groups.first()) {
        ([run], ..) => run.name.clone(),
        ([_, ..], Some(Some(study)), _) if studies.len() == 1 => printable(study),
        ([_, ..], _, Some(group)) if groups.len() == 1 => printable(group),
        ([_, ..], ..) => counted(runs.len(), "run"),
        ([], ..) => {
            let paths = arguments.inputs.iter().chain(arguments.seed_txt.iter().map(|(_, path)| path));
            let names: Vec<String> = paths.filter_map(|path| path.file_name()).map(printable_os).collect();
            if names.is_empty() { "predictions".to_owned() } else { names.join(", ") }
        }
    }
}

/// The folders of the images.
fn roots(arguments: &ReportArguments, facts: &ReportFacts) -> Vec<PathBuf> {
    let of_runs = facts.runs.iter().filter_map(|run| run.manifest.as_ref()).map(|manifest| manifest.root.clone());
    let roots: BTreeSet<PathBuf> = of_runs.chain(arguments.data.iter().cloned()).collect();
    roots.into_iter().collect()
}

/// Collects and evaluates the predictions; `None` if there are none yet, which `missing` then says.
fn predictions(
    arguments: &ReportArguments,
    tables: Predictions,
    runs: &[ReportRun],
    against: &Inputs,
    missing: &mut Vec<String>,
    console: &Console,
) -> anyhow::Result<Option<ReportedPredictions>> {
    let mut here = tables;
    let mut there = read_tables(&against.tables).context("--against")?;
    let (mut split, mut ready) = (None, Vec::new());
    for run in runs {
        let name = printable(&run.run.name());
        let held_out = read_manifest(&run.run.manifest()).is_ok_and(|manifest| {
            [Split::Validation, Split::Test].iter().any(|split| manifest.of_split(*split).next().is_some())
        });
        if !held_out {
            missing.push(format!(
                "{name} has neither validation nor test images, so there are no figures of held-out images."
            ));
        } else if run.model.is_none() {
            missing.push(format!("{name} has no best checkpoint yet, so it has no predictions."));
        } else {
            ready.push(run);
        }
    }
    let dirs: Vec<RunDir> = ready.iter().map(|run| run.run.clone()).collect();
    if !dirs.is_empty() || !against.runs.is_empty() {
        let lists: [&[RunDir]; 2] = [&dirs, &against.runs];
        let stored = evaluate(&lists, arguments.split, RunSource::Stored, false, console);
        let evaluated = match stored {
            Ok(evaluated) => Some(evaluated),
            // The trainer needs the processor, and its checkpoint changes.
            Err(error) if ready.iter().any(|run| run.is_active) => {
                missing.push(format!("There are no predictions so far: {error:#}."));
                None
            }
            Err(error) => {
                console.note(format!("predicting, since the stored predictions cannot be used: {error:#}"));
                Some(evaluate(&lists, arguments.split, RunSource::Network, false, console)?)
            }
        };
        if let Some(evaluated) = evaluated {
            let [of_inputs, of_against] = evaluated.predictions;
            here.extend(of_inputs);
            there.extend(of_against);
            split = Some(evaluated.split);
            if evaluated.failed > 0 {
                missing.push(format!("{} could not be predicted.", counted(evaluated.failed, "image")));
            }
        }
    }
    if here.rows.is_empty() {
        return Ok(None);
    }
    let unlabelled = UnlabelledRows::of(&here.rows);
    if unlabelled.total() > 0 {
        missing.push(format!(
            "{} of {} no true class{}.",
            unlabelled.total(),
            counted_as(here.rows.len(), "prediction has", "predictions have"),
            if unlabelled.total() == here.rows.len() { ", so there is nothing to compare them with" } else { "" }
        ));
    }
    let bootstrap = arguments.bootstrap();
    let sets = EvaluatedSet::of_rows(&here.rows, &here.baseline, FUSION, bootstrap)
        .map_err(|error| error.of_tables(here.paths.len()))?;
    let comparison = compare(&sets, &there, FUSION, bootstrap)?;
    let pool = here.folds.as_ref().map(|folds| folds.spread(FUSION)).transpose()?;
    let tables = here.paths.iter().map(|path| {
        let hash = fs::read(path).map_or_else(|error| error.to_string(), |bytes| sha256_hex(&bytes));
        let name = path.file_name().map_or_else(|| "table".to_owned(), printable_os);
        let of_run = runs.iter().find(|run| path.starts_with(run.run.path())).map(|run| printable(&run.run.name()));
        (of_run.map_or_else(|| name.clone(), |run| format!("{name} of {run}")), hash)
    });
    let tables = tables.collect();
    Ok(Some(ReportedPredictions { split, rows: here.rows, sets, fusion: FUSION, bootstrap, pool, comparison, tables }))
}

/// The figures of the columns of `--labels`, or of the scanners that preprocessing recorded.
fn groups(arguments: &ReportArguments, roots: &[PathBuf], facts: &ReportFacts) -> anyhow::Result<Vec<GroupedFigures>> {
    let labels = arguments.labels.as_deref().map(LabelGroups::read).transpose().context("--labels")?;
    let Some(predictions) = &facts.predictions else { return Ok(Vec::new()) };
    let (rows, bootstrap) = (&predictions.rows, predictions.bootstrap);
    let mut found = labels.map(|labels| labels.figures(rows, FUSION, bootstrap)).unwrap_or_default();
    for root in roots {
        let path = root.join(PREPROCESS_MANIFEST);
        if !path.is_file() {
            continue;
        }
        let file = fs::File::open(&path).with_context(|| format!("read {}", printable_path(&path)))?;
        let manifest = PreprocessManifest::read(std::io::BufReader::new(file))
            .with_context(|| format!("read {}", printable_path(&path)))?;
        found.extend(scanner_groups(&manifest, rows, FUSION, bootstrap));
    }
    Ok(found)
}
