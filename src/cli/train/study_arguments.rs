//! The options of `mammoscope train` that make a study: folds, sweeps and seeds.

use anyhow::Context as _;
use chrono::Utc;
use clap::Args;

use crate::cli::console::WrongUse;
use mammoscope_domain::study::study_member::StudyMember;
use mammoscope_domain::study::study_spec::{STUDY_SCHEMA, StudySpec};
use mammoscope_domain::study::sweep::{Sweep, SweepPoint, SweptKey};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_runs::training_plan::{RequestedRun, TrainingPlan};
use mammoscope_storage::runs::study_folder::StudyFolder;
use mammoscope_storage::runs::workspace::new_group_id;

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
        folds: Option<Vec<u8>>,
    ) -> anyhow::Result<()> {
        let created = Utc::now();
        let id = new_group_id(created, &plan.label);
        let repetitions = self.seeds.unwrap_or(1);
        let mut runs = Vec::new();
        for (point, place) in (1..).zip(points) {
            for repetition in 1..=repetitions {
                let seed = place.config.seed + u64::from(repetition - 1);
                let config = TrainingConfig { seed, ..place.config.clone() };
                config.check().map_err(|error| WrongUse(format!("--seeds: {error}")))?;
                for (manifest, images) in plan.manifests.iter().enumerate() {
                    let member = StudyMember {
                        id: id.clone(),
                        point,
                        values: place.values.clone(),
                        repetition,
                        fold: images.split_file.as_ref().and_then(|file| file.fold).filter(|_| folds.is_some()),
                    };
                    runs.push(RequestedRun { manifest, config: config.clone(), member: Some(member) });
                }
            }
        }
        let mut views: Vec<_> = plan.manifests.iter().map(|manifest| manifest.view).collect();
        views.sort_by_key(|view| *view as u8);
        views.dedup();
        let spec = StudySpec {
            schema: STUDY_SCHEMA,
            id,
            created,
            preset: plan.preset.clone(),
            data: plan.data.clone(),
            views,
            runs: runs.len(),
            points: points.len(),
            repetitions,
            sweep: self.sweep.clone(),
            folds: self.folds,
            seed: config.seed,
        };
        plan.runs = runs;
        plan.study = Some(StudyFolder { spec, folds });
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
