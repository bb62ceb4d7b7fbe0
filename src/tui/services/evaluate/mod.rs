//! The service of the screen Evaluate: finds runs with predictions, evaluates and compares them.

mod export;
mod scanners;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread;

use scanners::Scanners;

use super::datasets::paths::{completions, expand};
use crate::analysis::kept_evaluation::{KeptPredictions, kept_splits};
use crate::analysis::prediction_folder::read_prediction_folder;
use crate::tui::protocol::evaluate::{
    ComparedPair, EvaluateEffect, EvaluateMessage, OpenedSet, OpenedSets, PredictionSource,
};
use crate::tui::protocol::evaluation_curves::SetCurves;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::calibration::Reliability;
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::metrics::paired_comparison::PairedComparison;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// The service of the screen Evaluate.
pub(in crate::tui) struct EvaluateService {
    workspace: Workspace,
    inbox: Sender<UiMessage>,
    /// The number of the latest request of each kind; work for an earlier one is given up.
    opened: Arc<AtomicU64>,
    compared: Arc<AtomicU64>,
}

impl EvaluateService {
    pub(super) fn new(workspace: &Workspace, inbox: &Sender<UiMessage>) -> Self {
        Self { workspace: workspace.clone(), inbox: inbox.clone(), opened: Arc::default(), compared: Arc::default() }
    }

    pub(super) fn perform(&mut self, effect: EvaluateEffect) {
        let inbox = self.inbox.clone();
        let send = move |message| inbox.send(UiMessage::Evaluate(message)).is_ok();
        match effect {
            EvaluateEffect::Look { runs } => {
                thread::spawn(move || send(EvaluateMessage::Looked { kept: look(runs) }));
            }
            EvaluateEffect::Open { request, source, split, first } => {
                let superseded = superseded(&self.opened, request);
                thread::spawn(move || open(request, &source, split, first, Cancellation::new(&superseded), &send));
            }
            EvaluateEffect::Compare { request, source, with, split, first } => {
                let superseded = superseded(&self.compared, request);
                thread::spawn(move || {
                    compare(request, [&source, &with], split, first, Cancellation::new(&superseded), &send);
                });
            }
            EvaluateEffect::ExportFigures(exported) => {
                let workspace = self.workspace.clone();
                thread::spawn(move || {
                    let outcome = export::export_figures(&workspace, &exported);
                    send(EvaluateMessage::Exported { outcome })
                });
            }
            EvaluateEffect::Complete(typed) => {
                thread::spawn(move || {
                    let found =
                        completions(&typed, |path| path.extension().is_some_and(|extension| extension == "csv"));
                    send(EvaluateMessage::Completed { typed, found })
                });
            }
            EvaluateEffect::Check(typed) => {
                thread::spawn(move || {
                    let path = expand(&typed);
                    let outcome = read_prediction_folder(&path, &[]).map(|_| path).map_err(Failure::new);
                    send(EvaluateMessage::Checked { typed, outcome })
                });
            }
        }
    }
}

/// The predictions of a source; a folder that cannot be read has none, and says why.
fn read(source: &PredictionSource, split: Option<Split>) -> KeptPredictions {
    match source {
        PredictionSource::Runs(runs) => KeptPredictions::read(runs, split),
        PredictionSource::Folder { path, data } => {
            read_prediction_folder(path, data).unwrap_or_else(|error| KeptPredictions {
                split: None,
                rows: Vec::new(),
                images: Vec::new(),
                sets: Vec::new(),
                baseline: Vec::new(),
                problems: vec![error.to_string()],
            })
        }
    }
}

/// Makes this the latest request; the closure returns true once there is a later one.
fn superseded(latest: &Arc<AtomicU64>, request: u64) -> impl Fn() -> bool + Sync + use<> {
    latest.store(request, Ordering::Relaxed);
    let latest = Arc::clone(latest);
    move || latest.load(Ordering::Relaxed) != request
}

fn look(runs: Vec<RunDir>) -> HashMap<RunDir, Vec<Split>> {
    runs.into_iter()
        .map(|run| {
            let splits = kept_splits(&run);
            (run, splits)
        })
        .filter(|(_, splits)| !splits.is_empty())
        .collect()
}

/// Sends the metrics of all sets first, then each set with intervals, beginning with the set `first`.
fn open(
    request: u64,
    source: &PredictionSource,
    split: Option<Split>,
    first: Option<SetName>,
    cancellation: Cancellation<'_>,
    send: &dyn Fn(EvaluateMessage) -> bool,
) {
    let kept = read(source, split);
    let scanners = Scanners::of(&kept);
    let sets = kept
        .sets
        .iter()
        .filter_map(|set| {
            let evaluated = kept.evaluate(set, Bootstrap::NONE)?;
            let rows = kept.rows_of_cases(set);
            let curves = SetCurves::of(&set.cases, &evaluated.evaluation.ece15_bins);
            let subgroups = scanners.subgroups(set, &rows, Bootstrap::NONE);
            Some(OpenedSet { evaluated, rows, resampled: false, curves, subgroups })
        })
        .collect();
    let other_split = |other: Split| source.runs().iter().any(|run| kept_splits(&run.run).contains(&other));
    let other = if kept.split == Some(Split::Test) { Split::Validation } else { Split::Test };
    let opened = OpenedSets {
        split: kept.split,
        has_other_split: kept.split.is_some() && other_split(other),
        rows: kept.rows.clone(),
        images: kept.images.clone(),
        problems: kept.problems.clone(),
        sets,
    };
    if cancellation.is_cancelled() || !send(EvaluateMessage::Opened { request, opened: Box::new(opened) }) {
        return;
    }
    let mut order: Vec<_> = kept.sets.iter().collect();
    order.sort_by_key(|set| Some(set.name) != first);
    for set in order {
        if cancellation.is_cancelled() {
            return;
        }
        let Some(evaluated) = kept.evaluate(set, Bootstrap::default()) else { continue };
        let subgroups = scanners.subgroups(set, &kept.rows_of_cases(set), Bootstrap::default());
        if !send(EvaluateMessage::Resampled { request, evaluated: Box::new(evaluated), subgroups }) {
            return;
        }
    }
}

/// Sends the differences of all common sets first, then again with intervals.
fn compare(
    request: u64,
    [source, with]: [&PredictionSource; 2],
    split: Option<Split>,
    first: Option<SetName>,
    cancellation: Cancellation<'_>,
    send: &dyn Fn(EvaluateMessage) -> bool,
) {
    let (here, there) = (read(source, split), read(with, split));
    let mut order: Vec<_> = here.sets.iter().collect();
    order.sort_by_key(|set| Some(set.name) != first);
    // Tables have no split that could differ.
    let differ = here.split.zip(there.split).is_some_and(|(here, there)| here != there);
    let with_curves = |set: EvaluationSet| {
        let bins: Vec<_> = Reliability::of(&set.cases).bins().collect();
        let curves = SetCurves::of(&set.cases, &bins);
        (Arc::new(set), Arc::new(curves))
    };
    let others: Vec<_> = there.sets.into_iter().map(with_curves).collect();
    for (bootstrap, resampled) in [(Bootstrap::NONE, false), (Bootstrap::default(), true)] {
        for set in &order {
            let name = set.name;
            let other = others.iter().find(|(other, _)| other.name == name && name != SetName::Unspecified);
            let compared = match other {
                _ if differ => Err(Failure::from("it has no predictions of this split")),
                None => Err("it has no predictions of this set".into()),
                Some((other, curves)) => match PairedComparison::of(set, other, bootstrap) {
                    Ok(Some(comparison)) => {
                        let (there, curves) = (Arc::clone(other), Arc::clone(curves));
                        Ok(Box::new(ComparedPair { comparison, there, curves }))
                    }
                    Ok(None) => Err("no examinations in common".into()),
                    Err(error) => {
                        Err(error.to_string().lines().next().unwrap_or_default().trim_end_matches(':').into())
                    }
                },
            };
            if cancellation.is_cancelled() || !send(EvaluateMessage::Compared { request, name, compared, resampled }) {
                return;
            }
        }
    }
}
