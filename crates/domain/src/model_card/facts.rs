//! The facts that a model card is made of.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::grey_range::GreyRange;
use crate::network::input_route::InputRoute;
use crate::network::network_plan::WidthFactor;
use crate::run::dataset_manifest::{DatasetManifest, SplitFile, SplitSource};
use crate::subject::density::DensityClass;
use crate::subject::split::Split;
use crate::subject::view::View;
use crate::training::config_keys::KEYS;
use crate::training::preset::Preset;
use crate::training::training_changes::SettingChange;
use crate::training::training_config::TrainingConfig;

use super::card_evaluation::CardEvaluation;

/// The facts about a model. Texts may be of any origin: they are escaped where they are written. None may be an absolute
/// path or name a patient.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCardFacts {
    /// The name of the model: that of its run or of its file.
    pub name: String,
    pub weights: WeightsFacts,
    /// The view that the model was trained on; `None` serves any view.
    pub view: Option<View>,
    /// Input height and width in pixels.
    pub size: usize,
    pub width: WidthFactor,
    pub input_route: InputRoute,
    pub data: DataFacts,
    pub training: TrainingFacts,
    pub figures: CardFigures,
    /// Other facts about the origin of the weights, by name.
    pub provenance: BTreeMap<String, String>,
}

/// The form of the weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsForm {
    /// A model file of this program.
    Mammoscope,
    /// An ONNX file.
    Onnx,
    /// The tensors of a PyTorch export, and the name of the program beside them.
    Pytorch { script: String },
}

/// The file with the weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsFacts {
    pub form: WeightsForm,
    /// The path from the card.
    pub file: String,
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
    /// The number of values in all tensors.
    pub parameters: usize,
    /// The SHA-256 of the model file that an export was made from.
    pub exported_from: Option<String>,
}

/// The images that a model was trained on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DataFacts {
    /// The name of the data set's folder.
    pub name: Option<String>,
    pub origin: DataOrigin,
    /// The fingerprint of `dataset.json`, in hexadecimal.
    pub fingerprint: Option<String>,
    /// Where the splits come from, with the seed of drawn ones and the table, if any.
    pub splits: Option<(SplitSource, u64, Option<SplitFile>)>,
    /// Images and subjects of each split by class; of a model without its run, empty.
    pub counts: Vec<SplitCounts>,
    /// Subjects of each split, as the model file has them; empty if it has none.
    pub subjects: Vec<(Split, usize)>,
    pub grey_range: GreyRange,
    /// The appearance of the training images, in words.
    pub appearance: Option<String>,
    /// The number of images that could not be used.
    pub unusable: usize,
    /// The number of images that do not look like mammograms as expected.
    pub doubtful: usize,
    /// True if the network is trained on the shares of readers.
    pub soft_labels: bool,
    /// True if a subject, or the same pixels, may be in two splits.
    pub allow_duplicates: bool,
}

/// What the folder of the images says about their origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DataOrigin {
    /// Nothing.
    #[default]
    Unknown,
    /// They are phantoms of this program.
    Phantoms {
        subjects: u64,
        size: u64,
        seed: u64,
        /// The bands of the classes overlap.
        overlap: bool,
        /// A mark goes with the class.
        confounder: bool,
    },
    /// They were prepared by `mammoscope preprocess`.
    Prepared { sources: usize },
}

/// The images of a split by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SplitCounts {
    pub split: Split,
    pub images: [usize; DensityClass::COUNT],
    pub subjects: [usize; DensityClass::COUNT],
    /// A subject with images of several classes counts once.
    pub all_subjects: usize,
}

/// The training run of a model, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingFacts {
    pub preset: Option<String>,
    /// The keys that differ from the preset; `None` if the configuration is not known.
    pub recipe: Option<Recipe>,
    /// The settings that were changed during the run.
    pub changes: Vec<SettingChange>,
    /// The epoch of these weights, and the monitored metric and its value there.
    pub best: Option<(String, String, String)>,
    pub epochs: Option<u32>,
    pub seed: Option<String>,
    /// The device and precision, in words.
    pub device: Option<String>,
    /// The date of the request, such as `2026-11-30`.
    pub date: Option<String>,
    /// The version of the program that trained it.
    pub version: Option<String>,
}

/// A configuration in terms of its preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// The keys that differ from a preset of this program: name, the preset's value, the value.
    Changed(Vec<[String; 3]>),
    /// All keys with their values: the preset is a file.
    Whole(Vec<[String; 2]>),
}

/// The evaluations that a card reports.
#[derive(Clone, Debug, PartialEq)]
pub enum CardFigures {
    /// Those that are stored, and the splits whose evaluation is older than the weights and is left out.
    Stored { evaluations: Vec<CardEvaluation>, outdated: Vec<Split> },
    /// Whether there are any is not known. An update keeps what the card says.
    Unknown,
}

impl CardFigures {
    /// The evaluations to report.
    #[must_use]
    pub fn evaluations(&self) -> &[CardEvaluation] {
        match self {
            Self::Stored { evaluations, .. } => evaluations,
            Self::Unknown => &[],
        }
    }
}

impl DataFacts {
    /// The facts in a manifest.
    #[must_use]
    pub fn of_manifest(manifest: &DatasetManifest, origin: DataOrigin) -> Self {
        let name = manifest.root.file_name().map(|name| name.to_string_lossy().into_owned());
        let doubtful = |sample: &crate::run::dataset_manifest::ManifestSample| {
            let findings = sample.pixels.as_ref().and_then(|pixels| pixels.findings.as_ref());
            sample.unusable.is_none() && findings.is_some_and(|findings| !findings.doubts.is_empty())
        };
        Self {
            name,
            origin,
            fingerprint: Some(manifest.fingerprint()),
            splits: Some((manifest.split_source, manifest.split_seed, manifest.split_file.clone())),
            counts: [Split::Train, Split::Validation, Split::Test]
                .map(|split| SplitCounts::of(manifest, split))
                .to_vec(),
            subjects: Vec::new(),
            grey_range: manifest.grey_range,
            appearance: None,
            unusable: manifest.samples.iter().filter(|sample| sample.unusable.is_some()).count(),
            doubtful: manifest.samples.iter().filter(|sample| doubtful(sample)).count(),
            soft_labels: manifest.samples.iter().any(|sample| sample.votes.is_some()),
            allow_duplicates: manifest.allow_duplicates,
        }
    }

    /// True if the validation images are the training images.
    #[must_use]
    pub fn all_as_train(&self) -> bool {
        matches!(self.splits, Some((SplitSource::AllAsTrain, ..)))
    }

    /// True if the images are known to be synthetic.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        matches!(self.origin, DataOrigin::Phantoms { .. })
    }
}

impl SplitCounts {
    fn of(manifest: &DatasetManifest, split: Split) -> Self {
        let mut images = [0; DensityClass::COUNT];
        let mut of_class: [BTreeSet<&str>; DensityClass::COUNT] = Default::default();
        for (_, sample) in manifest.of_split(split) {
            images[sample.label.index()] += 1;
            of_class[sample.label.index()].insert(sample.subject.0.as_str());
        }
        let all_subjects = of_class.iter().flatten().collect::<BTreeSet<_>>().len();
        Self { split, images, subjects: of_class.map(|subjects| subjects.len()), all_subjects }
    }
}

impl Recipe {
    /// A configuration in terms of a preset, by the preset's name.
    #[must_use]
    pub fn of(preset: &str, config: &TrainingConfig) -> Self {
        let Ok(preset) = Preset::named(preset) else {
            return Self::Whole(KEYS.iter().map(|key| [key.name.to_owned(), key.value(config).to_string()]).collect());
        };
        let values = KEYS.iter().map(|key| (key, key.value(&preset.config), key.value(config)));
        let changed = values.filter(|(_, before, now)| before != now);
        Self::Changed(
            changed.map(|(key, before, now)| [key.name.to_owned(), before.to_string(), now.to_string()]).collect(),
        )
    }
}
