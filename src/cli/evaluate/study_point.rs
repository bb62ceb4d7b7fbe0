//! The choice of the runs of a study that are evaluated together: those of one point, with one seed.

use clap::Args;

use crate::cli::console::{Console, WrongUse};
use crate::report::study_text::ranking_text;
use mammoscope_domain::run::run_status::RunPhase;
use mammoscope_domain::study::study_member::StudyMember;
use mammoscope_domain::study::study_ranking::{RankedRun, StudyRanking};
use mammoscope_domain::text::counted::{counted, counted_as};
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_catalog::RunEntry;
use mammoscope_storage::runs::run_dir::RunDir;

/// The options for studies.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::cli) struct StudyChoice {
    /// The point of a study [default: the one that ranks first by the monitored metric on the validation images]
    #[arg(long, value_name = "N")]
    point: Option<u32>,
    /// The seed of a study with several, counted from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    repetition: u32,
}

impl Default for StudyChoice {
    fn default() -> Self {
        Self { point: None, repetition: 1 }
    }
}

/// The runs of a study that can be evaluated together: the views and folds of a point with one seed.
pub(super) fn runs_of_point(
    study: &str,
    runs: Vec<RunDir>,
    choice: StudyChoice,
    console: &Console,
) -> anyhow::Result<Vec<RunDir>> {
    let entries: Vec<RunEntry> = runs.into_iter().map(RunEntry::read).collect();
    let point = match choice.point {
        Some(point) => point,
        None => best_point(study, &entries, console)?,
    };
    let is_chosen = |member: &StudyMember| member.point == point && member.repetition == choice.repetition;
    let members = || entries.iter().filter_map(RunEntry::study);
    let repetitions = members().map(|member| member.repetition).max().unwrap_or(1);
    if !members().any(is_chosen) {
        let points = members().map(|member| member.point).max().unwrap_or(1);
        let message = format!(
            "{} has no point {point} with seed {}: it has {} and {}",
            printable(study),
            choice.repetition,
            counted(points as usize, "point"),
            counted(repetitions as usize, "seed")
        );
        return Err(WrongUse(message).into());
    }
    let values = members().find(|member| is_chosen(member)).map(StudyMember::values_text).unwrap_or_default();
    let mut chosen = Vec::new();
    if !values.is_empty() {
        chosen.push(format!("point {point}, {}", printable(&values)));
    }
    if repetitions > 1 {
        chosen.push(format!("seed {} of {repetitions}", choice.repetition));
    }
    if !chosen.is_empty() {
        console.note(format!("evaluating {}", chosen.join(", ")));
    }
    let entries: Vec<RunEntry> = entries.into_iter().filter(|entry| entry.study().is_some_and(is_chosen)).collect();
    let is_unfinished =
        |entry: &&RunEntry| !entry.status.as_ref().is_ok_and(|status| status.state == RunPhase::Completed);
    let unfinished = entries.iter().filter(is_unfinished).count();
    if unfinished > 0 {
        console.warn(format!(
            "{} not completed; evaluated by the best checkpoint so far. `mammoscope resume {}` continues what has ended",
            counted_as(unfinished, "run is", "runs are"),
            printable(study)
        ));
    }
    Ok(entries.into_iter().map(|entry| entry.run).collect())
}

/// The point that ranks first; the ranking is printed where there is a choice.
fn best_point(study: &str, entries: &[RunEntry], console: &Console) -> anyhow::Result<u32> {
    let ranked: Vec<RankedRun> = entries
        .iter()
        .filter_map(|entry| RankedRun::of(entry.spec.as_ref().ok()?, entry.status.as_ref().ok()))
        .collect();
    let first = ranked.first().map_or(1, |run| run.member.point);
    if ranked.iter().all(|run| run.member.point == first) {
        return Ok(first);
    }
    let monitors = entries.iter().filter_map(|entry| Some(entry.spec.as_ref().ok()?.config.monitor));
    let Some(monitor) = monitors.into_iter().next() else { return Ok(first) };
    let ranking = StudyRanking::of(&ranked, monitor);
    if ranking.lacks_validation() {
        console.warn(format!(
            "the runs of {} have no validation images, so no point is the best: point {first} is evaluated, --point N chooses \
             another",
            printable(study)
        ));
        return Ok(first);
    }
    let Some(best) = ranking.best() else {
        anyhow::bail!(
            "no point of {} is complete yet, so none is the best; `mammoscope runs --study {}` shows the progress, --point N \
             chooses one all the same",
            printable(study),
            printable(study)
        );
    };
    console.note(ranking_text(&ranking).trim_end());
    Ok(best.point)
}
