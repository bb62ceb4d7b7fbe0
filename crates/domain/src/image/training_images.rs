//! The appearance of the images that a model was trained on, and the distance of other images from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::grey_range::white_in_words;
use super::image_findings::{ImageFindings, ImageTraits, TRAIT_NAMES, TRAITS};

/// The key in a model's metadata.
pub const PROVENANCE_KEY: &str = "training_images";
/// The index of the breast's mean grey among the features.
const MEAN_GREY: usize = 1;
/// The index of the logarithm of width / height.
const ASPECT: usize = TRAITS - 1;

/// The smallest spread assumed of each feature: one that hardly varies in training would otherwise make every other
/// image look far away. In the order of [`TRAIT_NAMES`] and the units of [`ImageTraits`].
const MIN_SPREAD: [f64; TRAITS] = [0.025, 4.0, 2.5, 4.0, 4.0, 0.125, 1.5, 0.125, 0.075];
/// An image is unlike the training images if its distance exceeds that of the farthest of them by this factor …
const MARGIN: f64 = 1.5;
/// … and is larger than this. Measured with training sets of 22 to 192 phantoms or films: no other image of the same
/// kind exceeds both limits; mammograms have distances from 1.9 to phantoms and from 3.4 to films, and films from 4.9
/// to phantoms.
const MIN_DISTANCE: f64 = 1.7;
/// A data set is reported if more than this share of its images is unlike the training images.
const REPORTED_SHARE: f64 = 0.05;
/// Images whose sides are larger or smaller than those of the training images by more than this factor are reported.
const SIZE_FACTOR: f64 = 3.0;
/// The number of features that are named at most …
const MAX_NAMED: usize = 3;
/// … among those whose mean is off by at least this many standard deviations.
const MIN_DEVIATION: f64 = 1.5;

/// A statistical summary of training images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingImages {
    /// The number of images in which a breast is found.
    pub images: usize,
    /// The mean of each feature of [`ImageTraits`].
    pub mean: [f64; TRAITS],
    /// The covariance of the features, its lower triangle row by row: that of `i` and `j ≤ i` is at `i (i + 1) / 2 +
    /// j`.
    pub covariance: Vec<f64>,
    /// The largest distance of a training image, see [`TrainingImages::distance`].
    pub farthest: f64,
    /// The geometric mean of width × height as stored.
    pub pixels: f64,
    /// The white level of most images; 255 for 8-bit images.
    pub white: u16,
}

impl TrainingImages {
    /// Summarises images; `None` if no breast is found in any of them.
    #[must_use]
    pub fn of<'f>(images: impl Iterator<Item = &'f ImageFindings> + Clone) -> Option<Self> {
        let traits: Vec<[f64; TRAITS]> =
            images.clone().filter_map(|image| image.traits.map(|traits| traits.0.map(f64::from))).collect();
        if traits.is_empty() {
            return None;
        }
        let count = traits.len() as f64;
        let mean: [f64; TRAITS] =
            std::array::from_fn(|index| traits.iter().map(|values| values[index]).sum::<f64>() / count);
        let covariance = |one: usize, other: usize| {
            let product = |values: &[f64; TRAITS]| (values[one] - mean[one]) * (values[other] - mean[other]);
            traits.iter().map(product).sum::<f64>() / count
        };
        let triangle = (0..TRAITS).flat_map(|one| (0..=one).map(move |other| (one, other)));
        let logarithms: Vec<f64> = images.clone().map(|image| pixels(image).ln()).collect();
        let mut whites: Vec<u16> = images.map(|image| image.white).collect();
        whites.sort_unstable();
        let most_common = whites.chunk_by(|one, other| one == other).max_by_key(|equal| equal.len());
        let mut summary = Self {
            images: traits.len(),
            mean,
            covariance: triangle.map(|(one, other)| covariance(one, other)).collect(),
            farthest: 0.0,
            pixels: mean_of(&logarithms).exp(),
            white: most_common.map_or(0, |equal| equal[0]),
        };
        let distances = summary.distances();
        summary.farthest = traits.iter().map(|values| distances.of(values)).fold(0.0, f64::max);
        Some(summary)
    }

    /// The summary as an entry of a model's metadata.
    #[must_use]
    pub fn to_provenance(&self) -> (String, String) {
        (PROVENANCE_KEY.to_owned(), serde_json::to_string(self).expect("numbers are plain data"))
    }

    /// Reads the summary from a model's metadata; `None` if it is missing or of an unknown form.
    #[must_use]
    pub fn of_provenance(entries: &BTreeMap<String, String>) -> Option<Self> {
        let found: Self = serde_json::from_str(entries.get(PROVENANCE_KEY)?).ok()?;
        (found.covariance.len() == TRAITS * (TRAITS + 1) / 2).then_some(found)
    }

    /// `908 images, white 255 (8 bits), mean grey of the breast 152 ± 12`
    #[must_use]
    pub fn in_words(&self) -> String {
        let [mean, deviation] = [self.mean[MEAN_GREY], self.deviation(MEAN_GREY)];
        let white = white_in_words(self.white);
        format!("{} images, {white}, {} {mean:.0} ± {deviation:.0}", self.images, TRAIT_NAMES[MEAN_GREY])
    }

    /// A warning for images with another white level; `None` if it is the same.
    #[must_use]
    pub fn other_white(&self, model: &str, white: u16) -> Option<String> {
        (white != self.white).then(|| {
            format!(
                "{model} was trained on images of {}, these have {}: their grey levels may not be comparable",
                white_in_words(self.white),
                white_in_words(white)
            )
        })
    }

    /// The distance of an image from the training images: the Mahalanobis distance of its features over the square root
    /// of their number, about 1 for a training image. The covariance is regularised: correlations are shrunk the more
    /// the fewer images there are, and no feature is treated as nearly constant.
    #[must_use]
    pub fn distance(&self, traits: &ImageTraits) -> f64 {
        self.distances().of(&traits.0.map(f64::from))
    }

    fn covariance(&self, one: usize, other: usize) -> f64 {
        let (row, column) = (one.max(other), one.min(other));
        self.covariance[row * (row + 1) / 2 + column]
    }

    /// The standard deviation of a feature.
    fn deviation(&self, feature: usize) -> f64 {
        self.covariance(feature, feature).max(0.0).sqrt()
    }

    fn distances(&self) -> Distances {
        let dimensions = TRAITS as f64;
        let images = self.images as f64;
        let shrinkage = dimensions / (images + dimensions);
        let mut matrix = [[0.0; TRAITS]; TRAITS];
        for (one, row) in matrix.iter_mut().enumerate() {
            for (other, value) in row.iter_mut().enumerate() {
                let covariance = self.covariance(one, other);
                *value = if one == other {
                    covariance + MIN_SPREAD[one].powi(2) * (1.0 + dimensions / images)
                } else {
                    (1.0 - shrinkage) * covariance
                };
            }
        }
        Distances { mean: self.mean, factor: cholesky(&matrix) }
    }

    /// The deviation of a feature's value from its mean, in standard deviations.
    fn standardised(&self, feature: usize, value: f64) -> f64 {
        (value - self.mean[feature]) / self.deviation(feature).max(2.0 * MIN_SPREAD[feature])
    }

    /// A warning if images that `model` is used on differ from those it was trained on; `None` if they are similar.
    #[must_use]
    pub fn difference(&self, model: &str, images: &[&ImageFindings]) -> Option<String> {
        let traits: Vec<[f64; TRAITS]> =
            images.iter().filter_map(|image| image.traits.map(|traits| traits.0.map(f64::from))).collect();
        let limit = (self.farthest * MARGIN).max(MIN_DISTANCE);
        let measure = self.distances();
        let mut distances: Vec<f64> = traits.iter().map(|values| measure.of(values)).collect();
        let unlike = distances.iter().filter(|&&distance| distance > limit).count();
        let mut warnings = Vec::new();
        if unlike as f64 > REPORTED_SHARE * traits.len() as f64 {
            distances.sort_by(f64::total_cmp);
            let median = distances[distances.len() / 2];
            let mut text = format!(
                "{unlike} of {} images are unlike the {} that {model} was trained on (median distance {median:.1}, at \
                 most {:.1} in training): ",
                traits.len(),
                self.images,
                self.farthest
            );
            text.push_str(&self.differences(&traits));
            warnings.push(text);
        }
        if let Some(text) = self.other_size(images) {
            warnings.push(if warnings.is_empty() {
                format!("the sides of these images are {text} than those of the images that {model} was trained on")
            } else {
                format!("their sides are {text}")
            });
        }
        (!warnings.is_empty()).then(|| format!("{}; its predictions may be meaningless", warnings.join("; ")))
    }

    /// How one image differs from the training images: `fine texture of the breast 1.10 instead of 0.52 ± 0.10`, or `4.0
    /// times larger`; `None` if it is like them.
    #[must_use]
    pub fn unlike(&self, image: &ImageFindings) -> Option<String> {
        let traits = image.traits.map(|traits| traits.0.map(f64::from));
        let is_far = |values: &[f64; TRAITS]| self.distances().of(values) > (self.farthest * MARGIN).max(MIN_DISTANCE);
        let white = (image.white != self.white)
            .then(|| format!("{} instead of {}", white_in_words(image.white), white_in_words(self.white)));
        let features = traits.filter(is_far).map(|values| self.differences(&[values]));
        let found: Vec<String> = white.into_iter().chain(features).chain(self.other_size(&[image])).collect();
        (!found.is_empty()).then(|| found.join(", "))
    }

    /// The features that differ most: `fine texture of the breast 1.1 instead of 0.5 ± 0.1, …`
    fn differences(&self, traits: &[[f64; TRAITS]]) -> String {
        let mean = |feature: usize| traits.iter().map(|values| values[feature]).sum::<f64>() / traits.len() as f64;
        let mut features: Vec<usize> = (0..TRAITS).collect();
        features.sort_by(|&one, &other| {
            self.standardised(other, mean(other)).abs().total_cmp(&self.standardised(one, mean(one)).abs())
        });
        let mut text = String::new();
        let differs = |feature: usize| self.standardised(feature, mean(feature)).abs() >= MIN_DEVIATION;
        let named = features.iter().take_while(|&&feature| differs(feature)).count().clamp(1, MAX_NAMED);
        for &feature in &features[..named] {
            let separator = if text.is_empty() { "" } else { ", " };
            let (name, mean) = (TRAIT_NAMES[feature], mean(feature));
            if feature == ASPECT {
                let _ = write!(text, "{separator}{name} {:.2} instead of {:.2}", mean.exp(), self.mean[feature].exp());
                continue;
            }
            let places = if self.mean[feature].abs().max(mean.abs()) < 10.0 { 2 } else { 0 };
            let (known, spread) = (self.mean[feature], self.deviation(feature));
            let _ = write!(text, "{separator}{name} {mean:.places$} instead of {known:.places$} ± {spread:.places$}");
        }
        text
    }

    /// `4.0 times larger`, if the images are of another size.
    fn other_size(&self, images: &[&ImageFindings]) -> Option<String> {
        let logarithms: Vec<f64> = images.iter().map(|image| pixels(image).ln()).collect();
        if logarithms.is_empty() {
            return None;
        }
        let pixels = mean_of(&logarithms).exp();
        let factor = (pixels / self.pixels).sqrt();
        let (times, than) = if factor > SIZE_FACTOR {
            (factor, "larger")
        } else if 1.0 / factor > SIZE_FACTOR {
            (1.0 / factor, "smaller")
        } else {
            return None;
        };
        Some(format!("{times:.1} times {than}"))
    }
}

/// Mahalanobis distances from a mean.
struct Distances {
    mean: [f64; TRAITS],
    /// The Cholesky factor of the covariance, a lower triangle.
    factor: [[f64; TRAITS]; TRAITS],
}

impl Distances {
    /// The root mean square of the whitened features.
    fn of(&self, values: &[f64; TRAITS]) -> f64 {
        let mut solved = [0.0; TRAITS];
        for row in 0..TRAITS {
            let known: f64 = (0..row).map(|column| self.factor[row][column] * solved[column]).sum();
            solved[row] = (values[row] - self.mean[row] - known) / self.factor[row][row];
        }
        (solved.iter().map(|value| value.powi(2)).sum::<f64>() / TRAITS as f64).sqrt()
    }
}

/// The lower triangle L with L·Lᵀ = `matrix`, which is symmetric with a diagonal well above zero. Pivots that are too
/// small because of rounding or an edited file are raised to the smallest spread.
fn cholesky(matrix: &[[f64; TRAITS]; TRAITS]) -> [[f64; TRAITS]; TRAITS] {
    let mut factor = [[0.0; TRAITS]; TRAITS];
    for row in 0..TRAITS {
        for column in 0..=row {
            let known: f64 = (0..column).map(|inner| factor[row][inner] * factor[column][inner]).sum();
            let rest = matrix[row][column] - known;
            factor[row][column] =
                if row == column { rest.max(MIN_SPREAD[row].powi(2)).sqrt() } else { rest / factor[column][column] };
        }
    }
    factor
}

/// Width × height as stored.
fn pixels(image: &ImageFindings) -> f64 {
    (image.width * image.height) as f64
}

fn mean_of(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(shift: f32, index: usize) -> ImageFindings {
        let mut values = [0.5, 120.0, 20.0, 100.0, 140.0, 1.0, 2.0, 0.5, 0.0];
        values[1] += shift;
        values[2] += (index % 5) as f32;
        let traits = Some(ImageTraits(values));
        ImageFindings { width: 1000, height: 1000, bits: 8, largest: 255, white: 255, doubts: Vec::new(), traits }
    }

    fn with_sides(all: Vec<ImageFindings>, side: usize) -> Vec<ImageFindings> {
        all.into_iter().map(|findings| ImageFindings { width: side, height: side, ..findings }).collect()
    }

    fn warning(all: &[ImageFindings]) -> Option<String> {
        training().difference("CC_R", &all.iter().collect::<Vec<_>>())
    }

    fn training() -> TrainingImages {
        let all: Vec<_> = (0..40).map(|index| findings((index % 9) as f32 - 4.0, index)).collect();
        TrainingImages::of(all.iter()).unwrap()
    }

    #[test]
    fn similar_images_are_not_reported() {
        let training = training();
        assert_eq!((training.images, training.white), (40, 255));
        assert!((training.pixels - 1e6).abs() < 1.0);
        let alike: Vec<_> = (0..10).map(|index| findings(6.0, index)).collect();
        assert_eq!(warning(&with_sides(alike, 2000)), None);
        // One outlier among many does not count.
        let mut one_off = (0..30).map(|index| findings(0.0, index)).collect::<Vec<_>>();
        one_off.push(findings(200.0, 0));
        assert_eq!(warning(&one_off), None);
    }

    #[test]
    fn different_images_are_reported_with_their_distance() {
        let unlike: Vec<_> = (0..4).map(|index| findings(-100.0, index)).collect();
        let text = warning(&unlike).unwrap();
        let expected = "4 of 4 images are unlike the 40 that CC_R was trained on (median distance 6.5, at most";
        assert!(text.starts_with(expected), "{text}");
        assert!(
            text.contains(" in training): mean grey of the breast 20 instead of 120 ± 3; its predictions"),
            "{text}"
        );
        assert!(!text.contains("sides"), "{text}");
        assert_eq!(warning(&[]), None);
        let large = (0..4).map(|index| findings(0.0, index)).collect();
        assert_eq!(
            warning(&with_sides(large, 4000)).unwrap(),
            "the sides of these images are 4.0 times larger than those of the images that CC_R was trained on; its \
             predictions may be meaningless"
        );
        let large = with_sides(unlike, 4000);
        assert!(
            warning(&large).unwrap().contains("120 ± 3; their sides are 4.0 times larger; its predictions"),
            "{large:?}"
        );
    }

    #[test]
    fn one_image_is_compared_in_a_few_words() {
        let training = training();
        assert_eq!(training.unlike(&findings(2.0, 1)), None);
        assert_eq!(training.unlike(&findings(-100.0, 0)).unwrap(), "mean grey of the breast 20 instead of 120 ± 3");
        let large = ImageFindings { width: 4000, height: 4000, ..findings(0.0, 0) };
        assert_eq!(training.unlike(&large).unwrap(), "4.0 times larger");
        let deep = ImageFindings { white: 4095, ..findings(0.0, 0) };
        assert_eq!(training.unlike(&deep).unwrap(), "white 4,095 (12 bits) instead of white 255 (8 bits)");
    }

    #[test]
    fn the_summary_is_read_back_and_another_white_is_reported() {
        let training = training();
        let entries = BTreeMap::from([training.to_provenance()]);
        assert_eq!(TrainingImages::of_provenance(&entries), Some(training.clone()));
        assert_eq!(TrainingImages::of_provenance(&BTreeMap::new()), None);
        assert_eq!(training.other_white("m", 255), None);
        assert_eq!(
            training.other_white("m", 4095).unwrap(),
            "m was trained on images of white 255 (8 bits), these have white 4,095 (12 bits): their grey levels may \
             not be comparable"
        );
        assert_eq!(training.in_words(), "40 images, white 255 (8 bits), mean grey of the breast 120 ± 3");
    }

    #[test]
    fn images_without_a_breast_have_no_summary() {
        let none = ImageFindings { traits: None, ..findings(0.0, 0) };
        assert_eq!(TrainingImages::of([&none].into_iter()), None);
    }
}
