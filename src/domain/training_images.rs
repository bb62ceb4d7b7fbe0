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

/// What differs less than this is no difference, whatever the spread in the training is: a feature that hardly varies
/// there would make everything else look far away. In the order and units of [`TRAIT_NAMES`].
const LEAST_SPREAD: [f64; TRAITS] = [0.05, 8.0, 5.0, 8.0, 8.0, 0.25, 3.0, 0.25, 0.15];
/// Beyond the training's farthest image by this factor an image is unlike it …
const BEYOND: f64 = 1.5;
/// … and never within this distance.
const LEAST_DISTANCE: f64 = 3.0;
/// A data set is reported where more than this share of its images is unlike the training's.
const REPORTED_SHARE: f64 = 0.05;
/// Pictures that are larger or smaller than the training's by more than this factor, along a side, are reported.
const SIZE_FACTOR: f64 = 3.0;
/// How many features are named.
const NAMED: usize = 3;

/// The images of a training in a few numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingImages {
    /// How many there were with a breast.
    pub images: usize,
    /// Mean of each feature of [`ImageTraits`].
    pub mean: [f64; TRAITS],
    /// Standard deviation of each.
    pub deviation: [f64; TRAITS],
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
        let variance = |at: usize| traits.iter().map(|values| (values[at] - mean[at]).powi(2)).sum::<f64>() / count;
        let logarithms: Vec<f64> = images.clone().map(|image| pixels(image).ln()).collect();
        let mut whites: Vec<u16> = images.map(|image| image.white).collect();
        whites.sort_unstable();
        let most = whites.chunk_by(|one, other| one == other).max_by_key(|equal| equal.len());
        let mut summary = Self {
            images: traits.len(),
            mean,
            deviation: std::array::from_fn(|at| variance(at).sqrt()),
            farthest: 0.0,
            pixels: mean_of(&logarithms).exp(),
            white: most.map_or(0, |equal| equal[0]),
        };
        summary.farthest = traits.iter().map(|values| summary.distance_of(values)).fold(0.0, f64::max);
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
        serde_json::from_str(entries.get(PROVENANCE_KEY)?).ok()
    }

    /// `908 images, white 255 (8 bits), mean grey of the breast 152 ± 12`
    #[must_use]
    pub fn in_words(&self) -> String {
        let [mean, deviation] = [self.mean[MEAN_GREY], self.deviation[MEAN_GREY]];
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

    /// How far an image is from these: the root mean square of its features' distances from their means, in standard
    /// deviations.
    #[must_use]
    pub fn distance(&self, traits: &ImageTraits) -> f64 {
        self.distance_of(&traits.0.map(f64::from))
    }

    fn distance_of(&self, values: &[f64; TRAITS]) -> f64 {
        let sum: f64 = (0..TRAITS).map(|at| self.deviations(at, values[at]).powi(2)).sum();
        (sum / TRAITS as f64).sqrt()
    }

    fn deviations(&self, at: usize, value: f64) -> f64 {
        (value - self.mean[at]) / self.deviation[at].max(LEAST_SPREAD[at])
    }

    /// What is to be said of images that a model is used on which was trained on these; `model` is its name. `None` where
    /// they are alike.
    #[must_use]
    pub fn unlikeness(&self, model: &str, images: &[&ImageFindings]) -> Option<String> {
        let traits: Vec<[f64; TRAITS]> =
            images.iter().filter_map(|image| image.traits.map(|traits| traits.0.map(f64::from))).collect();
        let limit = (self.farthest * BEYOND).max(LEAST_DISTANCE);
        let mut distances: Vec<f64> = traits.iter().map(|values| self.distance_of(values)).collect();
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
            said.push(if said.is_empty() { format!("{text} {model} was trained on") } else { text });
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
        for &at in features.iter().take(NAMED) {
            let separator = if text.is_empty() { "" } else { ", " };
            let places = if self.mean[at].abs().max(mean(at).abs()) < 10.0 { 2 } else { 0 };
            let _ = write!(
                text,
                "{separator}{} {:.places$} instead of {:.places$} ± {:.places$}",
                TRAIT_NAMES[at],
                mean(at),
                self.mean[at],
                self.deviation[at]
            );
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
        Some(format!("their sides are {times:.1} times {than} than those of the images that"))
    }
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
            "4 of 4 images are unlike the 40 that CC_R was trained on (median distance 4.2, in the training at most";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("): mean grey of the breast 20 instead of 120 ± 3, "), "{text}");
        assert!(!text.contains("sides"), "{text}");
        assert_eq!(said(&[]), None);
        let large = (0..4).map(|place| findings(0.0, place)).collect();
        assert_eq!(
            said(&with_sides(large, 4000)).unwrap(),
            "their sides are 4.0 times larger than those of the images that CC_R was trained on; what it says of them may \
             mean nothing"
        );
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
