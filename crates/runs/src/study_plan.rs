//! From a plan with one run for each manifest to a study: every manifest at every point of a sweep, with every seed.

use chrono::Utc;

use crate::training_plan::{RequestedRun, TrainingPlan};
use mammoscope_domain::study::study_member::StudyMember;
use mammoscope_domain::study::study_spec::{STUDY_SCHEMA, StudySpec};
use mammoscope_domain::study::sweep::SweepPoint;
use mammoscope_domain::training::config_error::ConfigError;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_storage::runs::study_folder::StudyFolder;
use mammoscope_storage::runs::workspace::new_group_id;

/// What makes a plan a study.
#[derive(Clone, Debug)]
pub struct StudyRequest<'a> {
    /// The swept keys as they were given, such as `learning_rate=0.003,0.01`.
    pub sweep: &'a [String],
    /// The points of the sweep: one without a sweep.
    pub points: &'a [SweepPoint],
    /// The number of seeds of each point: that of the configuration and those that follow it.
    pub seeds: u32,
    /// The number of folds, and their table.
    pub folds: Option<(u32, Vec<u8>)>,
    /// The seed by which the folds, and the points of a random sweep, were drawn.
    pub seed: u64,
}

impl StudyRequest<'_> {
    /// Makes the plan, which has one run for each manifest, a study. An error is a seed that is too large.
    pub fn apply(self, plan: &mut TrainingPlan) -> Result<(), ConfigError> {
        let created = Utc::now();
        let id = new_group_id(created, &plan.label);
        let mut runs = Vec::new();
        for (point, place) in (1..).zip(self.points) {
            for repetition in 1..=self.seeds {
                let seed = place.config.seed + u64::from(repetition - 1);
                let config = TrainingConfig { seed, ..place.config.clone() };
                config.check_for_start()?;
                for (manifest, images) in plan.manifests.iter().enumerate() {
                    let fold = images.split_file.as_ref().and_then(|file| file.fold);
                    let member = StudyMember {
                        id: id.clone(),
                        point,
                        values: place.values.clone(),
                        repetition,
                        fold: fold.filter(|_| self.folds.is_some()),
                    };
                    runs.push(RequestedRun { manifest, config: config.clone(), member: Some(member) });
                }
            }
        }
        let mut views: Vec<_> = plan.manifests.iter().map(|manifest| manifest.view).collect();
        views.sort_by_key(|view| *view as u8);
        views.dedup();
        let (folds, table) = self.folds.unzip();
        let spec = StudySpec {
            schema: STUDY_SCHEMA,
            id,
            created,
            preset: plan.preset.clone(),
            data: plan.data.clone(),
            views,
            runs: runs.len(),
            points: self.points.len(),
            repetitions: self.seeds,
            sweep: self.sweep.to_vec(),
            folds,
            seed: self.seed,
        };
        plan.runs = runs;
        plan.study = Some(StudyFolder { spec, folds: table });
        Ok(())
    }
}
