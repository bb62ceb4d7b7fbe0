//! The one-feature baseline of a data set against its majority class: what a network has to beat.

use std::collections::BTreeMap;

use serde::Serialize;

use mammoscope_domain::metrics::agreement::{KappaWeights, cohen_kappa};
use mammoscope_domain::metrics::confusion_matrix::ConfusionMatrix;
use mammoscope_domain::metrics::one_feature_baseline::OneFeatureBaseline;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::id_spelling::IdKey;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;

use super::audited_image::AuditedImage;

/// The parts of a cross-validation.
const FOLDS: usize = 5;
/// The smallest number of subjects of a view whose baseline is computed.
const MIN_SUBJECTS: usize = 8;

/// The images on which the baseline was fitted and measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaselineMethod {
    /// Fitted to the training images and measured on the others.
    HeldOut,
    /// Five-fold cross-validation by subject, for data without splits.
    CrossValidation,
}

/// The one-feature baseline of all views together, and of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditBaseline {
    /// The feature in words.
    pub feature: &'static str,
    pub method: BaselineMethod,
    #[serde(flatten)]
    pub all: BaselineScores,
    pub views: BTreeMap<View, BaselineScores>,
}

/// Figures on the images that were not fitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaselineScores {
    /// Number of images.
    pub n: u64,
    /// The share of correct predictions.
    pub accuracy: f64,
    /// The share of correct predictions if every image is given the most frequent class of those that were fitted.
    pub majority_accuracy: f64,
    pub kappa_linear: Option<f64>,
}

/// Correct and wrong predictions so far.
#[derive(Clone, Copy, Default)]
struct Tally {
    predicted: ConfusionMatrix,
    majority_correct: u64,
}

impl Tally {
    fn scores(&self) -> Option<BaselineScores> {
        let n = self.predicted.total();
        (n > 0).then(|| BaselineScores {
            n,
            accuracy: self.predicted.correct() as f64 / n as f64,
            majority_accuracy: self.majority_correct as f64 / n as f64,
            kappa_linear: cohen_kappa(&self.predicted, KappaWeights::Linear),
        })
    }
}

/// An image with a class and a value.
#[derive(Clone, Copy)]
struct Case<'i> {
    subject: &'i IdKey,
    class: DensityClass,
    value: f64,
    split: Option<Split>,
}

/// The baseline, each view fitted on its own as networks are; `None` if no view has enough labelled subjects of two
/// classes.
pub(super) fn baseline(images: &[AuditedImage<'_>]) -> Option<AuditBaseline> {
    let mut by_view: BTreeMap<View, Vec<Case<'_>>> = BTreeMap::new();
    for image in images {
        let value = image.measures.as_ref().map(|measures| measures.grey_deviation.unwrap_or(f64::NAN));
        if let (Some(view), Some(class), Some(value)) = (image.sample.view, image.sample.label, value) {
            by_view.entry(view).or_default().push(Case { subject: &image.key, class, value, split: image.split });
        }
    }
    let is_train = |case: &Case<'_>| case.split == Some(Split::Train);
    let cases = || by_view.values().flatten();
    let held_out = cases().any(is_train) && cases().any(|case| case.split.is_some() && !is_train(case));
    let method = if held_out { BaselineMethod::HeldOut } else { BaselineMethod::CrossValidation };
    let (mut all, mut views) = (Tally::default(), BTreeMap::new());
    for (view, cases) in &by_view {
        let mut tally = Tally::default();
        if held_out {
            let train: Vec<Case<'_>> = cases.iter().filter(|case| is_train(case)).copied().collect();
            let others = cases.iter().filter(|case| case.split.is_some() && !is_train(case));
            measure(&train, others.copied(), &mut [&mut tally, &mut all]);
        } else {
            let folds = folds(cases);
            if folds.len() < MIN_SUBJECTS {
                continue;
            }
            for fold in 0..FOLDS {
                let (inside, outside): (Vec<_>, Vec<_>) = cases.iter().partition(|case| folds[case.subject] == fold);
                measure(&outside, inside.into_iter(), &mut [&mut tally, &mut all]);
            }
        }
        views.extend(tally.scores().map(|scores| (*view, scores)));
    }
    let all = all.scores()?;
    Some(AuditBaseline { feature: "standard deviation of grey within the breast", method, all, views })
}

/// The fold of each subject, dealt out within each class.
fn folds<'i>(cases: &[Case<'i>]) -> BTreeMap<&'i IdKey, usize> {
    let classes: BTreeMap<&IdKey, DensityClass> = cases.iter().map(|case| (case.subject, case.class)).collect();
    let mut by_class: Vec<(DensityClass, &IdKey)> = classes.into_iter().map(|(key, class)| (class, key)).collect();
    by_class.sort_unstable();
    by_class.into_iter().enumerate().map(|(rank, (_, subject))| (subject, rank % FOLDS)).collect()
}

fn measure<'i>(fitted: &[Case<'i>], measured: impl Iterator<Item = Case<'i>>, tallies: &mut [&mut Tally; 2]) {
    let values: Vec<(f64, DensityClass)> = fitted.iter().map(|case| (case.value, case.class)).collect();
    let count = |class: DensityClass| fitted.iter().filter(|case| case.class == class).count();
    let majority = DensityClass::ALL.into_iter().rev().max_by_key(|&class| count(class)).unwrap_or(DensityClass::A);
    if count(majority) == fitted.len() {
        return;
    }
    let Some(baseline) = OneFeatureBaseline::fit(&values) else { return };
    for case in measured {
        let predicted = baseline.predict(case.value).most_probable();
        for tally in &mut *tallies {
            tally.predicted.add(case.class, predicted, 1);
            tally.majority_correct += u64::from(case.class == majority);
        }
    }
}
