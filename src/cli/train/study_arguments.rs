//! The options of `mammoscope train` that make a study: folds, sweeps and seeds.

use anyhow::Context as _;
use clap::Args;

use crate::cli::console::WrongUse;
use mammoscope_domain::study::sweep::{Sweep, SweepPoint, SweptKey};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_runs::study_plan::StudyRequest;
use mammoscope_runs::training_plan::TrainingPlan;

/// The options that make a study of many runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Study options")]
pub(in crate::cli) struct StudyArguments {
    /// Divide the subjects into K folds as `mammoscope split --folds` does, and train a run of every view for each fold
    /// that is held out; --fold chooses a single one
    #[arg(long, value_name = "K", conflicts_with_all = ["splits", "all_as_train"])]
    pub(in crate::cli) folds: Option<u32>,
    /// Values of a key to train with, as in `batch_size=4,8`; several of these options give all combinations
    #[arg(long, value_name = "KEY=A,B,…")]
    sweep: Vec<String>,
    /// Draw N points from the values of --sweep instead of all combinations; ranges such as
    /// `learning_rate=0.001..0.1` are possible then, and drawn on the scale of the key
    #[arg(long, value_name = "N", requires = "sweep", value_parser = clap::value_parser!(u32).range(1..))]
    random: Option<u32>,
    /// Repeat every point with N seeds: that of the configuration and those that follow it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: Option<u32>,
}

impl StudyArguments {
    /// True if any option makes the runs a study.
    pub(in crate::cli) fn is_given(&self) -> bool {
        self.folds.is_some() || !self.sweep.is_empty() || self.seeds.is_some()
    }

    /// The sweep; `set` are the options `--set`, which must not name a swept key.
    pub(super) fn sweep(&self, set: &[String]) -> anyhow::Result<Sweep> {
        let wrong = |error: &dyn std::fmt::Display| WrongUse(format!("--sweep: {error}"));
        let mut keys = Vec::with_capacity(self.sweep.len());
        for text in &self.sweep {
            let key: SweptKey = text.parse().map_err(|error| wrong(&error))?;
            let is_set = |part: &str| part.split('=').next().is_some_and(|name| name.trim() == key.name());
            if set.iter().flat_map(|set| set.split(',')).any(is_set) {
                return Err(WrongUse(format!("{} is in both --set and --sweep; leave one out", key.name())).into());
            }
            keys.push(key);
        }
        let random = self.random.map(|points| points as usize);
        Ok(Sweep::new(keys, random).map_err(|error| wrong(&error))?)
    }

    /// Makes the plan, which has one run for each manifest, a study: every manifest at every point with every seed.
    pub(super) fn make_study(
        &self,
        plan: &mut TrainingPlan,
        points: &[SweepPoint],
        config: &TrainingConfig,
        table: Option<Vec<u8>>,
    ) -> anyhow::Result<()> {
        let request = StudyRequest {
            sweep: &self.sweep,
            points,
            seeds: self.seeds.unwrap_or(1),
            folds: self.folds.zip(table),
            seed: config.seed,
        };
        request.apply(plan).map_err(|error| WrongUse(format!("--seeds: {error}")))?;
        plan.runs.first().context("a study has runs").map(drop)
    }
}

/// `study of 40 runs: 2 points × 5 folds × 4 views`.
pub(super) fn study_text(plan: &TrainingPlan, points: usize, arguments: &StudyArguments) -> String {
    let views = plan.study.as_ref().map_or(1, |study| study.spec.views.len());
    let mut factors = Vec::new();
    if points > 1 {
        factors.push(counted(points, "point"));
    }
    if let Some(seeds) = arguments.seeds.filter(|&seeds| seeds > 1) {
        factors.push(counted(seeds as usize, "seed"));
    }
    if let Some(folds) = arguments.folds {
        let held_out = plan.manifests.len() / views.max(1);
        factors.push(if held_out == folds as usize {
            counted(held_out, "fold")
        } else {
            format!("{held_out} of {}", counted(folds as usize, "fold"))
        });
    }
    factors.push(counted(views, "view"));
    format!("study of {}: {}", counted(plan.runs.len(), "run"), factors.join(" × "))
}
