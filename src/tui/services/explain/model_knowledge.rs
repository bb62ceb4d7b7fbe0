//! What a model's file says about its training.

use std::path::Path;

use super::maps::{Stamp, stamped};
use mammoscope_dataset::subject_audit::sample_name;
use mammoscope_domain::explanation::verdict::TrainingEvidence;
use mammoscope_domain::image::image_findings::ImageFindings;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::subject::split::Split;
use mammoscope_storage::models::model_file::ModelMetadata;
use mammoscope_storage::models::model_set::ModelEntry;
use mammoscope_storage::runs::model_splits::ModelSplits;

/// What the file of the latest model says about its training.
#[derive(Default)]
pub(super) struct ModelKnowledge {
    latest: Option<((std::path::PathBuf, Stamp), Training)>,
}

/// The training of a model.
#[derive(Default)]
struct Training {
    images: Option<TrainingImages>,
    splits: Option<ModelSplits>,
}

impl ModelKnowledge {
    /// The evidence about an image with these findings.
    pub(super) fn evidence(
        &mut self,
        model: &ModelEntry,
        image: &Path,
        findings: Option<&ImageFindings>,
    ) -> TrainingEvidence {
        let training = self.of(model);
        let name = image.file_name().and_then(|name| name.to_str()).and_then(sample_name);
        let split = training.splits.as_ref().zip(name).and_then(|(splits, name)| splits.split_of(&name.subject));
        if let Some(split @ (Split::Train | Split::Validation)) = split {
            return TrainingEvidence::Used(split);
        }
        let Some((images, findings)) = training.images.as_ref().zip(findings) else {
            return TrainingEvidence::Unknown;
        };
        match images.unlike(findings) {
            Some(difference) => TrainingEvidence::Unlike(difference),
            None => TrainingEvidence::Alike { images: images.images },
        }
    }

    fn of(&mut self, model: &ModelEntry) -> &Training {
        let key = stamped(&model.path);
        if self.latest.as_ref().is_none_or(|(known, _)| *known != key) {
            // The entry of a run's checkpoint has no provenance of its own; the file may have.
            let metadata = ModelMetadata::read(&model.path).unwrap_or_else(|_| model.metadata.clone());
            let training = Training {
                images: TrainingImages::of_provenance(&metadata.provenance),
                splits: ModelSplits::of_model(&model.path, &metadata),
            };
            self.latest = Some((key, training));
        }
        self.latest.as_ref().map(|(_, training)| training).expect("it was just read")
    }
}
