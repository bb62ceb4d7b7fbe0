//! Predictions of the one-feature baseline for the images of a run.

use super::one_feature_baseline::OneFeatureBaseline;
use crate::run::dataset_manifest::{DatasetManifest, PixelFacts};
use crate::subject::prediction::PredictionRow;
use crate::subject::split::Split;

impl DatasetManifest {
    /// Predictions of a classifier that knows nothing but the spread of grey ([`PixelFacts::grey_deviation`],
    /// [`OneFeatureBaseline`]) for the usable images of a split, in their order. It is fitted to the training images.
    /// An image in which no breast was found gets the class shares of the training images.
    ///
    /// Empty if nothing can be fitted, as before the images are read.
    #[must_use]
    pub fn baseline_rows(&self, split: Split) -> Vec<PredictionRow> {
        let spread = |pixels: &Option<PixelFacts>| pixels.as_ref().and_then(|pixels| pixels.grey_deviation);
        let training: Vec<_> = self
            .of_split(Split::Train)
            .filter_map(|(_, sample)| Some((spread(&sample.pixels)?, sample.label)))
            .collect();
        let Some(baseline) = OneFeatureBaseline::fit(&training) else { return Vec::new() };
        self.of_split(split)
            .map(|(_, sample)| {
                let value = spread(&sample.pixels).unwrap_or(f64::NAN);
                self.prediction_row(sample, baseline.predict(value))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::dataset_manifest::{MANIFEST_SCHEMA, ManifestSample, SplitSource};
    use crate::subject::density::DensityClass::{self, A, D};
    use crate::subject::subject_id::SubjectId;
    use crate::subject::view::View;

    fn sample(split: Split, label: DensityClass, grey_deviation: Option<f64>) -> ManifestSample {
        ManifestSample {
            file: format!("{split}_{label}_{grey_deviation:?}.png").into(),
            subject: SubjectId("7".to_owned()),
            exam: None,
            label,
            votes: None,
            split,
            pixels: Some(PixelFacts { sha256: String::new(), width: 1, height: 1, grey_deviation, findings: None }),
            unusable: None,
        }
    }

    fn manifest(samples: Vec<ManifestSample>) -> DatasetManifest {
        DatasetManifest {
            schema: MANIFEST_SCHEMA,
            root: "/data".into(),
            view: View::CcR,
            split_source: SplitSource::Folders,
            split_seed: 1,
            split_file: None,
            grey_range: crate::image::grey_range::GreyRange::Auto,
            allow_duplicates: false,
            samples,
        }
    }

    #[test]
    fn only_training_images_are_fitted() {
        let train = [(A, 4.0), (A, 5.0), (A, 6.0), (D, 15.0), (D, 17.0), (D, 19.0)];
        let mut samples: Vec<_> =
            train.iter().map(|&(label, value)| sample(Split::Train, label, Some(value))).collect();
        // These would swap the classes if they were fitted.
        samples.extend((0..20).map(|_| sample(Split::Test, A, Some(17.0))));
        samples.push(sample(Split::Test, D, Some(5.0)));
        samples.push(sample(Split::Test, D, None));
        samples.push(ManifestSample { unusable: Some("is empty".to_owned()), ..sample(Split::Test, A, None) });
        let manifest = manifest(samples);
        let rows = manifest.baseline_rows(Split::Test);
        assert_eq!(rows.len(), 22, "unusable images are not predicted");
        assert!(rows[..20].iter().all(|row| row.predicted == D && row.label == Some(A) && row.view == Some(View::CcR)));
        assert_eq!(rows[20].predicted, A);
        let shares = rows[21].probabilities.0.map(|share| (share * 2.0).round() as u8);
        assert_eq!(shares, [1, 0, 0, 1], "without a breast, the shares of the classes");
        assert_eq!(manifest.baseline_rows(Split::Train).len(), 6);
        assert!(manifest.baseline_rows(Split::Validation).is_empty());
    }

    #[test]
    fn unread_images_have_no_rows() {
        let unread = ManifestSample { pixels: None, ..sample(Split::Train, A, None) };
        assert!(manifest(vec![unread; 5]).baseline_rows(Split::Train).is_empty());
    }
}
