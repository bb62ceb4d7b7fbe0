//! The outcome for images: explained, or failed.

use std::collections::BTreeMap;

use crate::cli::chosen_images::ImagesOfView;
use crate::cli::prediction_progress::PredictionProgress;
use mammoscope_dataset::sample::DatasetSample;
use mammoscope_domain::explanation::coarse_map::CoarseMap;
use mammoscope_domain::explanation::explanation_map::ExplanationMap;
use mammoscope_domain::explanation::explanation_scores::ExplanationScores;
use mammoscope_domain::explanation::explanation_summary::ScoredMap;
use mammoscope_domain::explanation::map_status::MapStatus;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::text::file_problem::FileProblem;
use mammoscope_storage::shards::explanation_shard::{
    ExplainedEntry, ExplainedFiles, ExplainedView, ExplanationOutcome, NamedPart,
};
use mammoscope_storage::tables::score_table::ScoreRow;

/// An image that was explained.
#[derive(Clone, Debug)]
pub(super) struct Explained {
    pub(super) row: ScoreRow,
    /// Its position among the images of its view.
    pub(super) index: usize,
    /// The name of the view.
    pub(super) view: &'static str,
    /// The map as the network gave it, if the cascade needs it: all of them would fill the memory.
    pub(super) map: Option<ExplanationMap>,
    /// The scores of a random map of the same image.
    pub(super) control: ExplanationScores,
    /// A caution, if the map has few positions.
    pub(super) coarse: Option<CoarseMap>,
    /// The files, in a shard.
    pub(super) written: Option<Written>,
}

/// The files of an explained image, as the record of a shard has them.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) stem: String,
    pub(super) files: Vec<NamedPart>,
    /// The line of facts on the contact sheet; `None` for a map that is not painted.
    pub(super) facts: Option<String>,
}

impl Explained {
    /// The part that summaries need.
    pub(super) fn scored(&self) -> ScoredMap {
        let ScoreRow { prediction, status, scores, .. } = &self.row;
        ScoredMap { subject: prediction.subject.clone(), label: prediction.label, status: *status, scores: *scores }
    }

    /// The same for the random map; without scores if the map has none, so that both are averaged over the same images.
    pub(super) fn scored_control(&self) -> ScoredMap {
        let scored = self.scored();
        let scores = if scored.has_scores() { self.control } else { ExplanationScores::default() };
        ScoredMap { status: MapStatus::Sound, scores, ..scored }
    }
}

/// The outcome for a view's images, each with its position among the images of the view.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) explained: Vec<Explained>,
    /// The file of each image without a map, and the reason.
    pub(super) failures: Vec<(usize, FileProblem)>,
    /// The file of each image that was explained without one of its masks, and the reason.
    pub(super) mask_problems: Vec<(usize, FileProblem)>,
    /// The findings in the explained images.
    pub(super) findings: Vec<(usize, ImageFindings)>,
    /// The conditions of the computation.
    pub(super) conditions: Vec<(String, String)>,
}

impl Done {
    /// Adds an image without a map.
    pub(super) fn fail(&mut self, sample: (usize, &DatasetSample), reason: &str, progress: &PredictionProgress<'_>) {
        let (index, sample) = sample;
        let problem = FileProblem::new(&sample.path, reason);
        progress.warn(&problem.to_string());
        self.failures.push((index, problem));
    }

    /// The record of a view in a shard: what became of each of its images.
    pub(super) fn recorded(&self, group: &ImagesOfView<'_>) -> ExplainedView {
        let findings: BTreeMap<usize, &ImageFindings> =
            self.findings.iter().map(|(index, findings)| (*index, findings)).collect();
        let mut outcomes: BTreeMap<usize, ExplanationOutcome> = self
            .failures
            .iter()
            .map(|(index, problem)| (*index, ExplanationOutcome::Failed(problem.reason.clone())))
            .collect();
        for one in &self.explained {
            let Some(Written { stem, files, facts }) = one.written.clone() else { continue };
            let files = ExplainedFiles { row: one.row.clone(), control: one.control, stem, files, facts };
            outcomes.insert(one.index, ExplanationOutcome::Explained(Box::new(files)));
        }
        let entry = |(index, outcome): (usize, ExplanationOutcome)| ExplainedEntry {
            position: group.positions[index],
            file: group.samples[index].path.to_string_lossy().into_owned(),
            findings: findings.get(&index).map(|findings| (*findings).clone()),
            mask_problems: self
                .mask_problems
                .iter()
                .filter(|(of, _)| *of == index)
                .map(|(_, problem)| problem.reason.clone())
                .collect(),
            outcome,
        };
        ExplainedView {
            view: group.view,
            model: group.model.path.to_string_lossy().into_owned(),
            training: TrainingImages::of_provenance(&group.model.metadata.provenance),
            all: group.all,
            images: outcomes.into_iter().map(entry).collect(),
        }
    }
}
