//! The service of the screen Evaluate: finds runs with predictions, evaluates and compares them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::thread;

use crate::analysis::kept_evaluation::{KeptPredictions, NamedRun, kept_splits};
use crate::tui::protocol::evaluate::{ComparedPair, EvaluateEffect, EvaluateMessage, OpenedSet, OpenedSets};
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::metrics::bootstrap::Bootstrap;
use mammoscope_domain::metrics::evaluation_set::{EvaluationSet, SetName};
use mammoscope_domain::metrics::paired_comparison::PairedComparison;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::runs::run_dir::RunDir;
use mammoscope_storage::runs::workspace::Workspace;

/// The service of the screen Evaluate.
pub(in crate::tui) struct EvaluateService {
    inbox: Sender<UiMessage>,
    /// The number of the latest request of each kind; work for an earlier one is given up.
    opened: Arc<AtomicU64>,
    compared: Arc<AtomicU64>,
}

impl EvaluateService {
    pub(super) fn new(_workspace: &Workspace, inbox: &Sender<UiMessage>) -> Self {
        Self { inbox: inbox.clone(), opened: Arc::default(), compared: Arc::default() }
    }

    pub(super) fn perform(&mut self, effect: EvaluateEffect) {
        let inbox = self.inbox.clone();
        let send = move |message| inbox.send(UiMessage::Evaluate(message)).is_ok();
        match effect {
            EvaluateEffect::Look { runs } => {
                thread::spawn(move || send(EvaluateMessage::Looked { kept: look(runs) }));
            }
            EvaluateEffect::Open { request, runs, split, first } => {
                let superseded = superseded(&self.opened, request);
                thread::spawn(move || open(request, &runs, split, first, Cancellation::new(&superseded), &send));
            }
            EvaluateEffect::Compare { request, runs, with, split, first } => {
                let superseded = superseded(&self.compared, request);
                thread::spawn(move || {
                    compare(request, [&runs, &with], split, first, Cancellation::new(&superseded), &send);
                });
            }
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
    runs: &[NamedRun],
    split: Option<Split>,
    first: Option<SetName>,
    cancellation: Cancellation<'_>,
    send: &dyn Fn(EvaluateMessage) -> bool,
) {
    let kept = KeptPredictions::read(runs, split);
    let sets = kept
        .sets
        .iter()
        .filter_map(|set| {
            let evaluated = kept.evaluate(set, Bootstrap::NONE)?;
            Some(OpenedSet { evaluated, rows: kept.rows_of_cases(set), resampled: false })
        })
        .collect();
    let other_split = |other: Split| runs.iter().any(|run| kept_splits(&run.run).contains(&other));
    let opened = OpenedSets {
        split: kept.split,
        has_other_split: other_split(if kept.split == Split::Test { Split::Validation } else { Split::Test }),
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
        if let Some(evaluated) = kept.evaluate(set, Bootstrap::default())
            && !send(EvaluateMessage::Resampled { request, evaluated: Box::new(evaluated) })
        {
            return;
        }
    }
}

/// Sends the differences of all common sets first, then again with intervals.
fn compare(
    request: u64,
    [runs, with]: [&[NamedRun]; 2],
    split: Split,
    first: Option<SetName>,
    cancellation: Cancellation<'_>,
    send: &dyn Fn(EvaluateMessage) -> bool,
) {
    let (here, there) = (KeptPredictions::read(runs, Some(split)), KeptPredictions::read(with, Some(split)));
    let mut order: Vec<_> = here.sets.iter().collect();
    order.sort_by_key(|set| Some(set.name) != first);
    let others: Vec<Arc<EvaluationSet>> = there.sets.into_iter().map(Arc::new).collect();
    for (bootstrap, resampled) in [(Bootstrap::NONE, false), (Bootstrap::default(), true)] {
        for set in &order {
            let name = set.name;
            let other = others.iter().find(|other| other.name == name && name != SetName::Unspecified);
            let compared = match other {
                _ if here.split != there.split => Err(Failure::from(format!("it has no {} predictions", here.split))),
                None => Err("it has no predictions of this set".into()),
                Some(other) => match PairedComparison::of(set, other, bootstrap) {
                    Ok(Some(comparison)) => Ok(Box::new(ComparedPair { comparison, there: Arc::clone(other) })),
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
