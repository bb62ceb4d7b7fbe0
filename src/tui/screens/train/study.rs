//! The fields that make the runs a study: folds, seeds and a sweep; and the number of runs side by side.

use super::fields::Field;
use super::form::TrainForm;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::train::{SplitChoice, StudyChoice};
use mammoscope_dataset::subject_split::Division;
use mammoscope_domain::study::sweep::{Sweep, SweepError, SweepPoint, SweptKey};
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::training::placement_limits::JobCount;
use mammoscope_domain::training::training_config::TrainingConfig;

/// The heading of the fields.
pub(super) const STUDY: &str = "study";
/// The fields of the section.
pub(super) const STUDY_FIELDS: [Field; 4] = [Field::Folds, Field::Seeds, Field::Sweep, Field::Jobs];
/// The most seeds of a study, as on the command line.
const MAX_SEEDS: u32 = 1_000;

/// The typed values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StudyFields {
    pub(super) folds: String,
    pub(super) seeds: String,
    /// Swept keys with spaces between them.
    pub(super) sweep: String,
    pub(super) jobs: String,
}

impl Default for StudyFields {
    fn default() -> Self {
        Self { folds: String::new(), seeds: String::new(), sweep: String::new(), jobs: "auto".to_owned() }
    }
}

impl StudyFields {
    pub(super) fn text(&self, field: Field) -> &str {
        match field {
            Field::Folds => &self.folds,
            Field::Seeds => &self.seeds,
            Field::Sweep => &self.sweep,
            Field::Jobs => &self.jobs,
            _ => "",
        }
    }

    /// Sets a field to a text that was checked; an empty one means the default.
    pub(super) fn put(&mut self, field: Field, text: &str) {
        match field {
            Field::Folds => text.clone_into(&mut self.folds),
            Field::Seeds => text.clone_into(&mut self.seeds),
            Field::Sweep => self.sweep = text.split_whitespace().collect::<Vec<_>>().join(" "),
            Field::Jobs if text.is_empty() => Self::default().jobs.clone_into(&mut self.jobs),
            Field::Jobs => text.clone_into(&mut self.jobs),
            _ => {}
        }
    }

    /// Checks a text for a field, the sweep for the configuration that it would change.
    pub(super) fn check(field: Field, text: &str, config: &TrainingConfig) -> Result<(), Failure> {
        let text = text.trim();
        match field {
            _ if text.is_empty() => Ok(()),
            Field::Folds => {
                let folds = text.parse().map_err(|_| Failure::new("folds: type a whole number, or nothing"))?;
                let division = Division::Folds { folds, test: 0.0 };
                // The message is that of the command line.
                division.check().map_err(|error| Failure::new(error.to_string().trim_start_matches("--").to_owned()))
            }
            Field::Seeds if matches!(text.parse(), Ok(1..=MAX_SEEDS)) => Ok(()),
            Field::Seeds => {
                let most = grouped(MAX_SEEDS as usize);
                Err(Failure::new(format!("seeds: type a whole number from 1 to {most}, or nothing")))
            }
            Field::Sweep => points_of(text, config).map(drop).map_err(Failure::new),
            Field::Jobs => text.parse::<JobCount>().map(drop).map_err(|error| Failure::new(format!("jobs: {error}"))),
            _ => Ok(()),
        }
    }

    pub(super) fn folds(&self) -> Option<u32> {
        self.folds.parse().ok()
    }

    pub(super) fn jobs(&self) -> JobCount {
        self.jobs.parse().unwrap_or_default()
    }

    /// The study; `None` if the fields ask for none.
    pub(super) fn choice(&self) -> Option<StudyChoice> {
        let seeds = self.seeds.parse().ok();
        let sweep: Vec<String> = self.sweep.split_whitespace().map(str::to_owned).collect();
        (self.folds().is_some() || seeds.is_some() || !sweep.is_empty()).then_some(StudyChoice { seeds, sweep })
    }
}

/// The points of a sweep with spaces between its keys.
fn points_of(sweep: &str, config: &TrainingConfig) -> Result<Vec<SweepPoint>, SweepError> {
    let keys = sweep.split_whitespace().map(str::parse).collect::<Result<Vec<SweptKey>, _>>()?;
    Sweep::new(keys, None)?.points(config)
}

impl TrainForm {
    /// The numbers that multiply into the runs of each view: points of the sweep, seeds and folds, each with its noun.
    fn factors(&self) -> [(usize, &'static str); 3] {
        let points = points_of(&self.study.sweep, &self.config).map_or(1, |points| points.len());
        let number = |text: &str| text.parse().unwrap_or(1);
        [(number(&self.study.folds), "fold"), (points, "point"), (number(&self.study.seeds), "seed")]
    }

    /// The number of views that are checked.
    pub(super) fn checked_views(&self) -> usize {
        self.views.iter().filter(|on| **on).count()
    }

    /// The number of runs of each view.
    pub(super) fn runs_per_view(&self) -> usize {
        self.factors().iter().fold(1, |runs, (number, _)| runs.saturating_mul(*number))
    }

    /// `4 views × 5 folds = 20 runs`; `None` without a study.
    pub(super) fn study_text(&self, views: usize) -> Option<String> {
        self.study.choice()?;
        let mut factors = vec![counted(views, "view")];
        factors.extend(
            self.factors().into_iter().filter(|(number, _)| *number > 1).map(|(number, of)| counted(number, of)),
        );
        let runs = views.saturating_mul(self.runs_per_view());
        let plural = if runs == 1 { "" } else { "s" };
        Some(format!("{} = {} run{plural}", factors.join(" × "), grouped(runs)))
    }

    /// The reason why the study is not possible.
    pub(super) fn study_problem(&self) -> Option<String> {
        if self.study.folds().is_some() && self.splits != SplitChoice::OwnOrDrawn {
            return Some("folds replace the splits: set splits to the data's own, or clear folds".to_owned());
        }
        let points = match points_of(&self.study.sweep, &self.config) {
            Ok(points) => points,
            Err(error) => return Some(format!("sweep: {error}")),
        };
        let changes = self.changes();
        let swept = points.first().and_then(|point| point.values.keys().find(|key| changes.contains_key(*key)));
        if let Some(key) = swept {
            return Some(format!("{key} is both changed in the form and swept; reset it or leave it out of the sweep"));
        }
        let more_seeds = self.study.seeds.parse::<u64>().unwrap_or(1).saturating_sub(1);
        let last = TrainingConfig { seed: self.config.seed.saturating_add(more_seeds), ..self.config.clone() };
        last.check().err().map(|error| format!("seeds: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(folds: &str, seeds: &str, sweep: &str) -> TrainForm {
        let mut form = TrainForm { data: "/data".to_owned(), ..TrainForm::default() };
        form.put(Field::Folds, folds).unwrap();
        form.put(Field::Seeds, seeds).unwrap();
        form.put(Field::Sweep, sweep).unwrap();
        form
    }

    #[test]
    fn runs_are_counted_by_views_folds_points_and_seeds() {
        assert_eq!((form("", "", "").study_text(4), form("", "", "").runs_per_view()), (None, 1));
        assert_eq!(form("5", "", "").study_text(4).unwrap(), "4 views × 5 folds = 20 runs");
        let all = form("5", "3", " learning_rate=0.003,0.01   batch_size=4,8 ");
        assert_eq!(all.study_text(4).unwrap(), "4 views × 5 folds × 4 points × 3 seeds = 240 runs");
        assert_eq!(all.study.choice().unwrap().sweep, ["learning_rate=0.003,0.01", "batch_size=4,8"]);
        assert_eq!(form("", "1", "").study_text(1).unwrap(), "1 view = 1 run");
    }

    #[test]
    fn values_are_checked_as_on_the_command_line() {
        let form = TrainForm::default();
        let refused = |field: Field, text: &str| form.check_text(field, text).unwrap_err().text().to_owned();
        assert_eq!(
            refused(Field::Folds, "1"),
            "folds 1: at least 2 are needed, 3 for one that validates, and at most 100 are possible"
        );
        assert_eq!(refused(Field::Folds, "five"), "folds: type a whole number, or nothing");
        assert_eq!(refused(Field::Seeds, "0"), "seeds: type a whole number from 1 to 1,000, or nothing");
        assert!(refused(Field::Sweep, "learning_rate").contains("write it as key=a,b,c"));
        assert!(refused(Field::Sweep, "lerning_rate=1,2").contains("learning_rate"));
        assert!(refused(Field::Sweep, "learning_rate=0.1,9e9").contains("out of range"));
        assert!(refused(Field::Sweep, "seed=1,2").contains("cannot be swept"));
        assert!(refused(Field::Sweep, "batch_size=4,8 batch_size=2").contains("swept twice"));
        assert!(refused(Field::Jobs, "0").contains("give auto, or the number of runs"));
        for (field, text) in
            [(Field::Folds, " "), (Field::Seeds, ""), (Field::Sweep, ""), (Field::Jobs, "auto"), (Field::Jobs, "3")]
        {
            assert!(form.check_text(field, text).is_ok(), "{}", field.name());
        }
    }

    #[test]
    fn a_study_that_contradicts_the_form_is_a_problem() {
        assert_eq!(form("5", "2", "batch_size=4,8").problem(), None);
        let mut folds = form("5", "", "");
        folds.splits = SplitChoice::AllAsTrain;
        assert!(folds.problem().unwrap().contains("folds replace the splits"));
        let mut swept = form("", "", "batch_size=4,8");
        swept.config.set("batch_size", "2").unwrap();
        assert!(swept.problem().unwrap().contains("batch_size is both changed in the form and swept"));
        let mut seeds = form("", "3", "");
        seeds.config.seed = 9_007_199_254_740_991;
        assert!(seeds.problem().unwrap().starts_with("seeds: "), "{:?}", seeds.problem());
    }
}
