//! Mean scores of many maps, with intervals.

use std::collections::BTreeMap;

use serde::Serialize;

use super::explanation_scores::ExplanationScores;
use super::map_status::MapStatus;
use crate::metrics::bootstrap::{Bootstrap, Interval};
use crate::subject::density::DensityClass;
use crate::subject::subject_id::SubjectId;

/// The scores of one image's map.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredMap {
    pub subject: SubjectId,
    /// The true class, if known.
    pub label: Option<DensityClass>,
    pub status: MapStatus,
    pub scores: ExplanationScores,
}

impl ScoredMap {
    /// True if the map is scored: false for degenerate maps and for images without a breast.
    #[must_use]
    pub fn has_scores(&self) -> bool {
        self.scores.breast_energy.is_some()
    }
}

/// The mean of a score over the images that have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ScoreMean {
    /// The mean; `None` if no image has the score.
    pub mean: Option<f64>,
    /// The 95 % interval of the mean, if there are enough subjects.
    pub interval: Option<Interval>,
    /// The number of images that have the score.
    pub images: usize,
}

/// The number of scores.
pub const SCORE_COUNT: usize = 11;

/// A score; its discriminant is its index in [`ExplanationSummary::means`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// [`ExplanationScores::breast_energy`].
    BreastEnergy,
    /// [`ExplanationScores::outside_energy`].
    OutsideEnergy,
    /// [`ExplanationScores::skin_energy`].
    SkinEnergy,
    /// [`ExplanationScores::dense_energy`].
    DenseEnergy,
    /// [`ExplanationScores::dense_area`].
    DenseArea,
    /// [`ExplanationScores::dense_enrichment`].
    DenseEnrichment,
    /// [`ExplanationScores::pointing_hit`], 1 for a hit.
    PointingHit,
    /// [`ExplanationScores::dense_iou`].
    DenseIou,
    /// [`ExplanationScores::grey_spearman`].
    GreySpearman,
    /// [`ExplanationScores::insertion_area`].
    InsertionArea,
    /// [`ExplanationScores::deletion_area`].
    DeletionArea,
}

impl Score {
    /// All scores, in the order of tables.
    pub const ALL: [Self; SCORE_COUNT] = [
        Self::BreastEnergy,
        Self::OutsideEnergy,
        Self::SkinEnergy,
        Self::DenseEnergy,
        Self::DenseArea,
        Self::DenseEnrichment,
        Self::PointingHit,
        Self::DenseIou,
        Self::GreySpearman,
        Self::InsertionArea,
        Self::DeletionArea,
    ];

    /// The name of the score's column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BreastEnergy => "breast_energy",
            Self::OutsideEnergy => "outside_energy",
            Self::SkinEnergy => "skin_energy",
            Self::DenseEnergy => "dense_energy",
            Self::DenseArea => "dense_area",
            Self::DenseEnrichment => "dense_enrichment",
            Self::PointingHit => "pointing_hit",
            Self::DenseIou => "dense_iou",
            Self::GreySpearman => "grey_spearman",
            Self::InsertionArea => "insertion_area",
            Self::DeletionArea => "deletion_area",
        }
    }

    /// The score in a few words, as in tables.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::BreastEnergy => "of the map, in the breast",
            Self::OutsideEnergy => "of the map, outside the breast",
            Self::SkinEnergy => "of the map, along the skin",
            Self::DenseEnergy => "of the map, in dense tissue",
            Self::DenseArea => "of the breast, dense",
            Self::DenseEnrichment => "enrichment in dense tissue",
            Self::PointingHit => "peak in dense tissue",
            Self::DenseIou => "overlap with dense tissue",
            Self::GreySpearman => "rank correlation with grey",
            Self::InsertionArea => "area under the insertion curve",
            Self::DeletionArea => "area under the deletion curve",
        }
    }

    /// The score's value among the scores of an image.
    #[must_use]
    pub fn of(self, scores: &ExplanationScores) -> Option<f64> {
        match self {
            Self::BreastEnergy => scores.breast_energy,
            Self::OutsideEnergy => scores.outside_energy,
            Self::SkinEnergy => scores.skin_energy,
            Self::DenseEnergy => scores.dense_energy,
            Self::DenseArea => scores.dense_area,
            Self::DenseEnrichment => scores.dense_enrichment,
            Self::PointingHit => scores.pointing_hit.map(|hit| f64::from(u8::from(hit))),
            Self::DenseIou => scores.dense_iou,
            Self::GreySpearman => scores.grey_spearman,
            Self::InsertionArea => scores.insertion_area,
            Self::DeletionArea => scores.deletion_area,
        }
    }
}

/// The scores of a set of maps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplanationSummary {
    pub images: usize,
    pub subjects: usize,
    /// The number of maps of each status, in the order of [`MapStatus::ALL`].
    pub statuses: [usize; MapStatus::ALL.len()],
    /// The mean of each score, in the order of [`Score::ALL`].
    pub means: [ScoreMean; SCORE_COUNT],
}

impl ExplanationSummary {
    /// Summarises maps: means over images, with intervals by a bootstrap over subjects.
    #[must_use]
    pub fn of<'a>(maps: impl IntoIterator<Item = &'a ScoredMap>, bootstrap: &Bootstrap) -> Self {
        let maps: Vec<&ScoredMap> = maps.into_iter().collect();
        let mut numbers = BTreeMap::new();
        let subject_of: Vec<u32> = maps
            .iter()
            .map(|map| {
                let next = numbers.len() as u32;
                *numbers.entry(&map.subject).or_insert(next)
            })
            .collect();
        let scores: Vec<[Option<f64>; SCORE_COUNT]> =
            maps.iter().map(|map| Score::ALL.map(|score| score.of(&map.scores))).collect();
        let means = |multiplicity: &[u32]| -> [Option<f64>; SCORE_COUNT] {
            std::array::from_fn(|score| {
                let (mut sum, mut count) = (0.0, 0);
                for (scores, &times) in scores.iter().zip(multiplicity) {
                    if let Some(value) = scores[score] {
                        sum += value * f64::from(times);
                        count += times;
                    }
                }
                (count > 0).then(|| sum / f64::from(count))
            })
        };
        let intervals = bootstrap.intervals(&subject_of, means);
        let whole = means(&vec![1; maps.len()]);
        Self {
            images: maps.len(),
            subjects: numbers.len(),
            statuses: MapStatus::ALL.map(|status| maps.iter().filter(|map| map.status == status).count()),
            means: std::array::from_fn(|score| ScoreMean {
                mean: whole[score],
                interval: intervals[score],
                images: scores.iter().filter(|scores| scores[score].is_some()).count(),
            }),
        }
    }

    /// One summary per true class; that of a class without images is empty.
    #[must_use]
    pub fn by_class(maps: &[ScoredMap], bootstrap: &Bootstrap) -> [Self; DensityClass::COUNT] {
        DensityClass::ALL.map(|class| Self::of(maps.iter().filter(|map| map.label == Some(class)), bootstrap))
    }

    /// The mean of a score.
    #[must_use]
    pub fn mean(&self, score: Score) -> &ScoreMean {
        &self.means[score as usize]
    }

    /// The number of degenerate maps, which have no scores.
    #[must_use]
    pub fn degenerate(&self) -> usize {
        self.images - self.statuses[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(subject: &str, label: DensityClass, enrichment: Option<f64>) -> ScoredMap {
        let scores = ExplanationScores { dense_enrichment: enrichment, ..ExplanationScores::default() };
        let status = if enrichment.is_some() { MapStatus::Sound } else { MapStatus::AllZero };
        ScoredMap { subject: SubjectId(subject.to_owned()), label: Some(label), status, scores }
    }

    #[test]
    fn means_leave_out_undefined_scores() {
        use DensityClass::{C, D};
        let maps = [map("1", C, Some(1.0)), map("1", C, Some(2.0)), map("2", C, None), map("3", D, Some(9.0))];
        let [_, b, c, d] = ExplanationSummary::by_class(&maps, &Bootstrap::default());
        assert_eq!((b.images, b.mean(Score::DenseEnrichment)), (0, &ScoreMean::default()));
        assert_eq!((c.images, c.subjects, c.degenerate(), c.statuses), (3, 2, 1, [2, 1, 0, 0]));
        assert_eq!((c.mean(Score::DenseEnrichment).mean, c.mean(Score::DenseEnrichment).images), (Some(1.5), 2));
        assert_eq!(d.mean(Score::DenseEnrichment).interval, None, "one subject has no interval");
        assert_eq!(d.mean(Score::BreastEnergy), &ScoreMean::default());
    }

    #[test]
    fn intervals_are_over_subjects_not_images() {
        // Ten subjects with four equal images each are as uncertain as ten images.
        let maps = |copies: usize| -> Vec<_> {
            (0..10 * copies)
                .map(|at| map(&(at / copies).to_string(), DensityClass::C, Some((at / copies) as f64)))
                .collect()
        };
        let interval = |copies| {
            let summary = ExplanationSummary::of(&maps(copies), &Bootstrap::default());
            summary.mean(Score::DenseEnrichment).interval.unwrap()
        };
        let (one, four) = (interval(1), interval(4));
        assert!((one.low - four.low).abs() < 1e-9 && (one.high - four.high).abs() < 1e-9, "{one:?} {four:?}");
        assert!(one.low > 2.0 && one.low < 3.5, "{one:?}");
    }

    #[test]
    fn scores_are_in_the_order_of_their_discriminants() {
        for (index, score) in Score::ALL.into_iter().enumerate() {
            assert_eq!(score as usize, index);
        }
    }
}
