//! The prediction of all views, and what it is compared with.

use anyhow::Context as _;

use super::PredictArguments;
use super::calibrated::Temperatures;
use super::comparing::{Alternative, ComparisonNote, compare};
use super::group_job::{GroupJob, JobFindings};
use super::members::Members;
use super::passes::{Pass, mean_of, mean_of_some};
use super::report::{MemberNote, MethodNotes, Report};
use crate::cli::chosen_images::ImagesOfView;
use crate::cli::console::Console;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::subject::prediction::PredictionRow;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_engine_client::engine_process::EngineProcess;
use mammoscope_engine_protocol::command::JobId;
use mammoscope_storage::shards::prediction_shard::{PredictedImage, PredictionOutcome};
use mammoscope_storage::tables::prediction_table::PredictionWriter;

/// A prediction in progress.
pub(super) struct Prediction<'a> {
    pub(super) arguments: &'a PredictArguments,
    pub(super) console: &'a Console,
    pub(super) members: &'a Members,
    pub(super) writer: PredictionWriter,
    pub(super) report: &'a mut Report,
    pub(super) temperatures: Option<&'a mut Temperatures>,
    /// What the predictions are compared with.
    pub(super) alternatives: Vec<(Kept, Alternative)>,
    /// The predictions so far, if they are compared.
    pub(super) rows: Vec<PredictionRow>,
    pub(super) jobs: u64,
}

/// The passes whose mean is the alternative.
#[derive(Clone, Copy)]
pub(super) enum Kept {
    /// Those of one member.
    Member(usize),
    /// Those of the images as they are.
    Plain,
}

impl Kept {
    fn holds(self, pass: &Pass<'_>) -> bool {
        match self {
            Self::Member(member) => pass.is_of(member),
            Self::Plain => pass.augmented.is_none(),
        }
    }
}

/// The images of a view, as the record of a shard needs them.
#[derive(Default)]
pub(super) struct PredictedGroup {
    pub(super) images: Vec<PredictedImage>,
    pub(super) conditions: Vec<(String, String)>,
}

impl Prediction<'_> {
    /// Decides what the predictions are compared with: an ensemble with its best network by validation, and copies with the
    /// images as they are.
    pub(super) fn plan_comparisons(&mut self) {
        if self.members.is_ensemble() {
            let what = format!("the ensemble of {}", counted(self.members.all.len(), "network"));
            match self.members.best() {
                Some(best) => {
                    let against = format!("its best network by validation, {}", printable(&self.members.all[best].name));
                    self.alternatives.push((Kept::Member(best), Alternative { what, against, rows: Vec::new() }));
                }
                None => self.console.note(format!(
                    "whether {what} helped is not known: not all of its networks have a validation metric, so none is the best"
                )),
            }
        }
        if let Some(copies) = self.arguments.tta.filter(|copies| *copies > 1) {
            let (what, against) = (format!("the mean of {copies} copies"), "the images as they are".to_owned());
            self.alternatives.push((Kept::Plain, Alternative { what, against, rows: Vec::new() }));
        }
    }

    /// Predicts the images of a view.
    pub(super) fn predict(
        &mut self,
        group: &ImagesOfView<'_>,
        passes: &[Pass<'_>],
        engine: &mut EngineProcess,
        cancellation: Cancellation<'_>,
    ) -> anyhow::Result<PredictedGroup> {
        let mut done = PredictedGroup::default();
        let is_kept = self.arguments.sharding.shard.is_some();
        let (arguments, console) = (self.arguments, self.console);
        let mut all: Vec<Vec<PredictedImage>> = Vec::new();
        for (place, pass) in passes.iter().enumerate() {
            let id = JobId(self.jobs);
            self.jobs += 1;
            let job = GroupJob { arguments, console, group, pass, id };
            let mut images = Vec::new();
            let JobFindings { images: findings, conditions } = if passes.len() == 1 {
                job.run(engine, cancellation, &mut |image| {
                    let (problem, image) = self.write(image)?;
                    if is_kept {
                        images.push(image);
                    }
                    Ok(problem)
                })?
            } else {
                job.run(engine, cancellation, &mut |image| {
                    images.push(image);
                    Ok(None)
                })?
            };
            if place == 0 {
                self.report.notes.compare(group.model, findings.iter());
                done.conditions = conditions;
            }
            all.push(images);
        }
        if passes.len() == 1 {
            done.images = all.pop().unwrap_or_default();
            return Ok(done);
        }
        for place in 0..group.samples.len() {
            let images: Vec<&PredictedImage> = all.iter().filter_map(|pass| pass.get(place)).collect();
            let image = mean_of(passes, &images)?;
            if let PredictionOutcome::Predicted(row) = &image.outcome {
                self.rows.push(row.clone());
                for (kept, alternative) in &mut self.alternatives {
                    alternative.rows.extend(mean_of_some(passes, &images, |pass| kept.holds(pass)));
                }
            }
            if let (Some(problem), _) = self.write(image)? {
                console.warn(problem);
            }
        }
        Ok(done)
    }

    /// Writes the outcome for an image, calibrated if it is to be. Returns the problem of one that failed, and the outcome
    /// as written.
    fn write(&mut self, mut image: PredictedImage) -> anyhow::Result<(Option<String>, PredictedImage)> {
        if let (PredictionOutcome::Predicted(row), Some(temperatures)) = (&mut image.outcome, &mut self.temperatures) {
            temperatures.apply(row);
        }
        let written = self.report.add(&image, &mut self.writer);
        let problem = written.with_context(|| format!("write to {}", printable_path(&self.arguments.out)))?;
        Ok((problem.map(ToString::to_string), image))
    }

    /// Says whether an ensemble or copies helped.
    pub(super) fn compare(&self) -> anyhow::Result<Vec<ComparisonNote>> {
        let mut notes = Vec::new();
        for (_, alternative) in &self.alternatives {
            notes.extend(compare(&self.rows, alternative, self.console)?);
        }
        Ok(notes)
    }
}

/// How the probabilities were made.
pub(super) fn method_notes(
    arguments: &PredictArguments,
    members: &Members,
    temperatures: Option<&Temperatures>,
    comparisons: Vec<ComparisonNote>,
) -> MethodNotes {
    let note = |member: &super::members::Member| MemberNote {
        name: member.name.clone(),
        models: member.models.entries().iter().map(|entry| entry.path.to_string_lossy().into_owned()).collect(),
    };
    MethodNotes {
        ensemble: if members.is_ensemble() { members.all.iter().map(note).collect() } else { Vec::new() },
        copies: arguments.tta,
        calibration: temperatures.map(Temperatures::note),
        comparisons,
    }
}
