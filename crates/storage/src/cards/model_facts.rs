//! The facts about a model that its own file has.

use std::collections::BTreeMap;
use std::path::Path;

use crate::models::model_file::ModelFacts;
use crate::runs::model_splits::ModelSplits;
use mammoscope_domain::image::training_images::TrainingImages;
use mammoscope_domain::model_card::{CardFigures, DataFacts, ModelCardFacts, TrainingFacts, WeightsFacts, WeightsForm};
use mammoscope_domain::text::printable::printable_os;

/// The entries of a model's provenance that a card shows as they are. Others have a place of their own in a card, or none:
/// the list of subjects, for example, is not for publication.
const SHOWN: [&str; 7] = ["source", "source_sha256", "imported_by", "imported_at", "keras_version", "dropout", "run"];

/// Returns the facts in the metadata of a model file.
pub(super) fn facts_of_metadata(path: &Path, facts: &ModelFacts) -> ModelCardFacts {
    let metadata = &facts.metadata;
    let entry = |key: &str| metadata.provenance.get(key).cloned();
    let subjects = ModelSplits::of_provenance(&metadata.provenance).map(|splits| splits.counts()).unwrap_or_default();
    let shown = |key: &&str| Some(((*key).to_owned(), entry(key)?));
    ModelCardFacts {
        name: path.file_stem().map(printable_os).unwrap_or_default(),
        weights: WeightsFacts {
            form: WeightsForm::Mammoscope,
            file: path.file_name().map(printable_os).unwrap_or_default(),
            bytes: facts.bytes,
            sha256: facts.sha256.clone(),
            parameters: facts.parameters,
            exported_from: None,
        },
        view: metadata.view,
        size: metadata.size,
        width: metadata.width,
        input_route: metadata.input_route,
        data: DataFacts {
            fingerprint: entry("dataset_sha256"),
            subjects,
            grey_range: metadata.grey_range(),
            appearance: TrainingImages::of_provenance(&metadata.provenance).map(|images| images.in_words()),
            ..DataFacts::default()
        },
        training: TrainingFacts {
            preset: entry("preset"),
            best: entry("epoch")
                .zip(entry("monitor"))
                .zip(entry("value"))
                .map(|((epoch, monitor), value)| (epoch, monitor, value)),
            seed: entry("seed"),
            version: entry("version"),
            ..TrainingFacts::default()
        },
        figures: CardFigures::Unknown,
        provenance: SHOWN.iter().filter_map(shown).collect::<BTreeMap<_, _>>(),
    }
}
