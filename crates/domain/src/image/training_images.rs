//! What the images look like that a model was trained on, and how far others are from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::grey_range::white_in_words;
use super::image_findings::{ImageFindings, ImageTraits, TRAIT_NAMES, TRAITS};

/// The key among the entries of a model's metadata.
pub const PROVENANCE_KEY: &str = "training_images";
/// The place of the breast's mean grey among the features.
const MEAN_GREY: usize = 1;
/// That of the logarithm of width by height.
const ASPECT: usize = TRAITS - 1;

/// What differs less than this is no difference, whatever the spread in the training is: a feature that hardly varies
/// there would make everything else look far away. In the order and units of [`TRAIT_NAMES`].
const MIN_SPREAD: [f64; TRAITS] = [0.025, 4.0, 2.5, 4.0, 4.0, 0.125, 1.5, 0.125, 0.075];
/// Beyond the training's farthest image by this factor an image is unlike it …
const BEYOND: f64 = 1.5;
/// … and never within this distance. Measured with training sets of 22 to 192 phantoms or films: no other image of the same
/// kind lies beyond both; mammograms are 1.9 and more from phantoms, films 4.9 and more, and mammograms 3.4 and more from
/// films.
const MIN_DISTANCE: f64 = 1.7;
/// A data set is reported where more than this share of its images is unlike the training's.
const REPORTED_SHARE: f64 = 0.05;
/// Pictures that are larger or smaller than the training's by more than this factor, along a side, are reported.
const SIZE_FACTOR: f64 = 3.0;
/// How many features are named at most …
const NAMED: usize = 3;
/// … of those whose mean is off by so many standard deviations.
const DIFFERENT: f64 = 1.5;

/// The images of a training in a few numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingImages {
    /// How many there were with a breast.
    pub images: usize,
    /// Mean of each feature of [`ImageTraits`].
    pub mean: [f64; TRAITS],
    /// Covariance of the features, its lower triangle row by row: of `i` and `j ≤ i` at `i (i + 1) / 2 + j`.
    pub covariance: Vec<f64>,
    /// The largest distance of a training image, by [`TrainingImages::distance`].
    pub farthest: f64,
    /// Geometric mean of width × height as stored.
    pub pixels: f64,
    /// The sample that was white: 255 for images of 8 bits. Of several that of most images.
    pub white: u16,
}

impl TrainingImages {
    /// Sums up images; `None` where none has a breast.
    #[must_use]
    pub fn of<'f>(images: impl Iterator<Item = &'f ImageFindings> + Clone) -> Option<Self> {
        let traits: Vec<[f64; TRAITS]> =
            images.clone().filter_map(|image| image.traits.map(|traits| traits.0.map(f64::from))).collect();
        if traits.is_empty() {
            return None;
        }
        let count = traits.len() as f64;
        let mean: [f64; TRAITS] = std::array::from_fn(|at| traits.iter().map(|values| values[at]).sum::<f64>() / count);
        let covariance = |one: usize, other: usize| {
            let product = |values: &[f64; TRAITS]| (values[one] - mean[one]) * (values[other] - mean[other]);
            traits.iter().map(product).sum::<f64>() / count
        };
        let triangle = (0..TRAITS).flat_map(|one| (0..=one).map(move |other| (one, other)));
        let logarithms: Vec<f64> = images.clone().map(|image| pixels(image).ln()).collect();
        let mut whites: Vec<u16> = images.map(|image| image.white).collect();
        whites.sort_unstable();
        let most = whites.chunk_by(|one, other| one == other).max_by_key(|equal| equal.len());
        let mut summary = Self {
            images: traits.len(),
            mean,
            covariance: triangle.map(|(one, other)| covariance(one, other)).collect(),
            farthest: 0.0,
            pixels: mean_of(&logarithms).exp(),
            white: most.map_or(0, |equal| equal[0]),
        };
        let distances = summary.distances();
        summary.farthest = traits.iter().map(|values| distances.of(values)).fold(0.0, f64::max);
        Some(summary)
    }

    /// The entry of a model's metadata that holds this.
    #[must_use]
    pub fn to_provenance(&self) -> (String, String) {
        (PROVENANCE_KEY.to_owned(), serde_json::to_string(self).expect("numbers are plain data"))
    }

    /// What a model's metadata say; `None` where they do not, or not in a form that is known here.
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

    /// What is to be said where other images have another white; `None` where they have the same.
    #[must_use]
    pub fn other_white(&self, model: &str, white: u16) -> Option<String> {
        (white != self.white).then(|| {
            format!(
                "{model} was trained on images of {}, these have {}: their grey levels may mean something else",
                white_in_words(self.white),
                white_in_words(white)
            )
        })
    }

    /// How far an image is from these: the Mahalanobis distance of its features over the root of their number, about 1 for
    /// an image of the training. The fewer images there were, the less their correlations count, and no feature is taken
    /// for as good as constant.
    #[must_use]
    pub fn distance(&self, traits: &ImageTraits) -> f64 {
        self.distances().of(&traits.0.map(f64::from))
    }

    fn covariance(&self, one: usize, other: usize) -> f64 {
        let (row, column) = (one.max(other), one.min(other));
        self.covariance[row * (row + 1) / 2 + column]
    }

    /// Standard deviation of a feature.
    fn deviation(&self, at: usize) -> f64 {
        self.covariance(at, at).max(0.0).sqrt()
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

    fn deviations(&self, at: usize, value: f64) -> f64 {
        (value - self.mean[at]) / self.deviation(at).max(2.0 * MIN_SPREAD[at])
    }

    /// What is to be said of images that a model is used on which was trained on these; `model` is its name. `None` where
    /// they are alike.
    #[must_use]
    pub fn unlikeness(&self, model: &str, images: &[&ImageFindings]) -> Option<String> {
        let traits: Vec<[f64; TRAITS]> =
            images.iter().filter_map(|image| image.traits.map(|traits| traits.0.map(f64::from))).collect();
        let limit = (self.farthest * BEYOND).max(MIN_DISTANCE);
        let measure = self.distances();
        let mut distances: Vec<f64> = traits.iter().map(|values| measure.of(values)).collect();
        let unlike = distances.iter().filter(|&&distance| distance > limit).count();
        let mut said = Vec::new();
        if unlike as f64 > REPORTED_SHARE * traits.len() as f64 {
            distances.sort_by(f64::total_cmp);
            let median = distances[distances.len() / 2];
            let mut text = format!(
                "{unlike} of {} images are unlike the {} that {model} was trained on (median distance {median:.1}, in the \
                 training at most {:.1}): ",
                traits.len(),
                self.images,
                self.farthest
            );
            text.push_str(&self.differences(&traits));
            said.push(text);
        }
        if let Some(text) = self.other_size(images) {
            said.push(if said.is_empty() {
                format!("the sides of these images are {text} than of those that {model} was trained on")
            } else {
                format!("their sides are {text}")
            });
        }
        (!said.is_empty()).then(|| format!("{}; what it says of them may mean nothing", said.join("; ")))
    }

    /// `fine texture of the breast 1.1 instead of 0.5 ± 0.1, …`, the features that differ most.
    fn differences(&self, traits: &[[f64; TRAITS]]) -> String {
        let mean = |at: usize| traits.iter().map(|values| values[at]).sum::<f64>() / traits.len() as f64;
        let mut features: Vec<usize> = (0..TRAITS).collect();
        features.sort_by(|&one, &other| {
            self.deviations(other, mean(other)).abs().total_cmp(&self.deviations(one, mean(one)).abs())
        });
        let mut text = String::new();
        let differs = |at: usize| self.deviations(at, mean(at)).abs() >= DIFFERENT;
        let named = features.iter().take_while(|&&at| differs(at)).count().clamp(1, NAMED);
        for &at in &features[..named] {
            let separator = if text.is_empty() { "" } else { ", " };
            let (name, mean) = (TRAIT_NAMES[at], mean(at));
            if at == ASPECT {
                let _ = write!(text, "{separator}{name} {:.2} instead of {:.2}", mean.exp(), self.mean[at].exp());
                continue;
            }
            let places = if self.mean[at].abs().max(mean.abs()) < 10.0 { 2 } else { 0 };
            let (known, spread) = (self.mean[at], self.deviation(at));
            let _ = write!(text, "{separator}{name} {mean:.places$} instead of {known:.places$} ± {spread:.places$}");
        }
        text
    }

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

/// Distances from a mean by a covariance matrix.
struct Distances {
    mean: [f64; TRAITS],
    /// Its Cholesky factor, a lower triangle.
    factor: [[f64; TRAITS]; TRAITS],
}

impl Distances {
    /// The root mean square of the features once they are uncorrelated and of variance one.
    fn of(&self, values: &[f64; TRAITS]) -> f64 {
        let mut solved = [0.0; TRAITS];
        for row in 0..TRAITS {
            let known: f64 = (0..row).map(|column| self.factor[row][column] * solved[column]).sum();
            solved[row] = (values[row] - self.mean[row] - known) / self.factor[row][row];
        }
        (solved.iter().map(|value| value.powi(2)).sum::<f64>() / TRAITS as f64).sqrt()
    }
}

/// The lower triangle L with L·Lᵀ = `matrix`, which is symmetric with a diagonal well above zero. What rounding, or a file
/// that was changed, leaves below zero on the way is taken for the least spread.
fn cholesky(matrix: &[[f64; TRAITS]; TRAITS]) -> [[f64; TRAITS]; TRAITS] {
    let mut factor = [[0.0; TRAITS]; TRAITS];
    for row in 0..TRAITS {
        for column in 0..=row {
            let known: f64 = (0..column).map(|at| factor[row][at] * factor[column][at]).sum();
            let left = matrix[row][column] - known;
            factor[row][column] =
                if row == column { left.max(MIN_SPREAD[row].powi(2)).sqrt() } else { left / factor[column][column] };
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

    fn findings(shift: f32, place: usize) -> ImageFindings {
        let mut values = [0.5, 120.0, 20.0, 100.0, 140.0, 1.0, 2.0, 0.5, 0.0];
        values[1] += shift;
        values[2] += (place % 5) as f32;
        let traits = Some(ImageTraits(values));
        ImageFindings { width: 1000, height: 1000, bits: 8, largest: 255, white: 255, doubts: Vec::new(), traits }
    }

    fn with_sides(all: Vec<ImageFindings>, side: usize) -> Vec<ImageFindings> {
        all.into_iter().map(|findings| ImageFindings { width: side, height: side, ..findings }).collect()
    }

    fn said(all: &[ImageFindings]) -> Option<String> {
        training().unlikeness("CC_R", &all.iter().collect::<Vec<_>>())
    }

    fn training() -> TrainingImages {
        let all: Vec<_> = (0..40).map(|place| findings((place % 9) as f32 - 4.0, place)).collect();
        TrainingImages::of(all.iter()).unwrap()
    }

    #[test]
    fn images_like_the_trainings_are_not_reported() {
        let training = training();
        assert_eq!((training.images, training.white), (40, 255));
        assert!((training.pixels - 1e6).abs() < 1.0);
        let alike: Vec<_> = (0..10).map(|place| findings(6.0, place)).collect();
        assert_eq!(said(&with_sides(alike, 2000)), None);
        // One outlier among many is none.
        let mut one_off = (0..30).map(|place| findings(0.0, place)).collect::<Vec<_>>();
        one_off.push(findings(200.0, 0));
        assert_eq!(said(&one_off), None);
    }

    #[test]
    fn images_unlike_them_are_reported_with_the_distance() {
        let unlike: Vec<_> = (0..4).map(|place| findings(-100.0, place)).collect();
        let text = said(&unlike).unwrap();
        let expected =
            "4 of 4 images are unlike the 40 that CC_R was trained on (median distance 6.5, in the training at most";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("): mean grey of the breast 20 instead of 120 ± 3; what"), "{text}");
        assert!(!text.contains("sides"), "{text}");
        assert_eq!(said(&[]), None);
        let large = (0..4).map(|place| findings(0.0, place)).collect();
        assert_eq!(
            said(&with_sides(large, 4000)).unwrap(),
            "the sides of these images are 4.0 times larger than of those that CC_R was trained on; what it says of them may \
             mean nothing"
        );
        let large = with_sides(unlike, 4000);
        assert!(said(&large).unwrap().contains("120 ± 3; their sides are 4.0 times larger; what it says"), "{large:?}");
    }

    #[test]
    fn metadata_hold_it_and_another_white_is_said() {
        let training = training();
        let entries = BTreeMap::from([training.to_provenance()]);
        assert_eq!(TrainingImages::of_provenance(&entries), Some(training.clone()));
        assert_eq!(TrainingImages::of_provenance(&BTreeMap::new()), None);
        assert_eq!(training.other_white("m", 255), None);
        assert_eq!(
            training.other_white("m", 4095).unwrap(),
            "m was trained on images of white 255 (8 bits), these have white 4,095 (12 bits): their grey levels may mean \
             something else"
        );
        assert_eq!(training.in_words(), "40 images, white 255 (8 bits), mean grey of the breast 120 ± 3");
    }

    #[test]
    fn without_a_breast_there_is_nothing_to_sum_up() {
        let none = ImageFindings { traits: None, ..findings(0.0, 0) };
        assert_eq!(TrainingImages::of([&none].into_iter()), None);
    }
}
