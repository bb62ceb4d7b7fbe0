//! The verdict on a set of explanations.

use serde::Serialize;

use super::explanation_summary::{ExplanationSummary, Score};
use crate::text::counted::counted;

/// The lower end of the interval of the enrichment in dense tissue must be above this.
pub const MIN_ENRICHMENT: f64 = 1.2;

/// With fewer subjects of the judged classes C and D the verdict is undecided: their bootstrap intervals are too
/// narrow.
pub const MIN_SUBJECTS: usize = 10;

/// Maps depend on the weights if the mean absolute rank correlation with maps of fully randomised weights is below
/// this.
pub const MAX_CORRELATION: f64 = 0.5;

/// A map is repeatable if computing it again changes no value by more than this share of its maximum.
pub const MAX_DIFFERENCE: f64 = 1e-4;

/// The measurements of the sanity checks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SanityEvidence {
    /// The mean absolute rank correlation of the maps with those after each stage of the cascading randomisation, from
    /// the last layer down; all weights are random in the last entry. Adebayo et al. 2018.
    pub randomisation: Vec<RandomisedStage>,
    /// The largest difference between two computations of one map, as a share of its maximum.
    pub repeatability: Option<f64>,
    /// Scores of the judged maps: those with scores in classes C and D, where there is dense tissue to find.
    pub maps: ExplanationSummary,
    /// Scores of random maps on the same images.
    pub control: ExplanationSummary,
}

/// A stage of the cascading randomisation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RandomisedStage {
    /// The last layer, from the head down, whose weights are random.
    pub layer: String,
    /// The mean absolute rank correlation; `None` if no map could be compared.
    pub correlation: Option<f64>,
}

/// A condition of the verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Condition {
    /// The condition with its bound.
    pub rule: String,
    /// The measured values.
    pub found: String,
    /// True if it is met; false if it could not be measured.
    pub holds: bool,
}

/// The conclusion from the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All conditions are met.
    Supported,
    /// At least one condition is not met.
    NotSupported,
    /// There are fewer than [`MIN_SUBJECTS`] subjects.
    Undecided,
}

/// The verdict of the sanity checks with its reasons.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SanityVerdict {
    pub verdict: Verdict,
    /// The number of judged images, all of classes C and D.
    pub images: usize,
    /// The number of subjects of these images.
    pub subjects: usize,
    pub conditions: Vec<Condition>,
}

impl SanityVerdict {
    /// Judges the evidence. "Supported" means that these maps, on these images, support the claim that the network
    /// looks at dense tissue, not that it looks at nothing else.
    #[must_use]
    pub fn of(evidence: &SanityEvidence) -> Self {
        let enrichment = evidence.maps.mean(Score::DenseEnrichment);
        let control = evidence.control.mean(Score::DenseEnrichment);
        let low = enrichment.interval.map(|interval| interval.low);
        let control_high = control.interval.map(|interval| interval.high);
        let randomised = evidence.randomisation.last().and_then(|stage| stage.correlation);
        let conditions = vec![
            Condition {
                rule: format!("enrichment in dense tissue above {MIN_ENRICHMENT} (lower end of its 95 % interval)"),
                found: figure(low),
                holds: low.is_some_and(|low| low > MIN_ENRICHMENT),
            },
            Condition {
                rule: "and above the random map's (upper end of its 95 % interval)".to_owned(),
                found: format!("{} against {}", figure(low), figure(control_high)),
                holds: low.zip(control_high).is_some_and(|(low, high)| low > high),
            },
            Condition {
                rule: format!("rank correlation with maps of random weights below {MAX_CORRELATION}"),
                found: figure(randomised),
                holds: randomised.is_some_and(|correlation| correlation < MAX_CORRELATION),
            },
            Condition {
                rule: format!("a repeated map equal within {MAX_DIFFERENCE:e} of its maximum"),
                found: evidence.repeatability.map_or_else(|| "not measured".to_owned(), |found| format!("{found:.0e}")),
                holds: evidence.repeatability.is_some_and(|difference| difference <= MAX_DIFFERENCE),
            },
        ];
        let ExplanationSummary { images, subjects, .. } = evidence.maps;
        let verdict = if subjects < MIN_SUBJECTS {
            Verdict::Undecided
        } else if conditions.iter().all(|condition| condition.holds) {
            Verdict::Supported
        } else {
            Verdict::NotSupported
        };
        Self { verdict, images, subjects, conditions }
    }

    /// `supported`, `not supported` or `undecided`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Supported => "supported",
            Verdict::NotSupported => "not supported",
            Verdict::Undecided => "undecided",
        }
    }

    /// The basis of the verdict: `Judged by classes C and D: 24 images of 12 subjects.`
    #[must_use]
    pub fn judged(&self) -> String {
        let (images, subjects) = (counted(self.images, "image"), counted(self.subjects, "subject"));
        let least = match self.verdict {
            Verdict::Undecided => format!("; at least {MIN_SUBJECTS} subjects are needed"),
            Verdict::Supported | Verdict::NotSupported => String::new(),
        };
        format!("Judged by classes C and D: {images} of {subjects}{least}.")
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "not measured".to_owned(), |value| format!("{value:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explanation::explanation_summary::ScoredMap;
    use crate::metrics::bootstrap::{Bootstrap, Interval};

    type Spoil = fn(&mut SanityEvidence);

    fn summary(low: f64, high: f64) -> ExplanationSummary {
        let mut summary = ExplanationSummary::of(&Vec::<ScoredMap>::new(), &Bootstrap::NONE);
        (summary.images, summary.subjects) = (24, MIN_SUBJECTS);
        let mean = &mut summary.means[Score::DenseEnrichment as usize];
        mean.mean = Some(f64::midpoint(low, high));
        mean.interval = Some(Interval { low, high, undefined_resamples: 0 });
        summary
    }

    fn evidence() -> SanityEvidence {
        let stage =
            |layer: &str, correlation| RandomisedStage { layer: layer.to_owned(), correlation: Some(correlation) };
        SanityEvidence {
            randomisation: vec![stage("dense_1", 0.8), stage("conv2d_1", 0.1)],
            repeatability: Some(0.0),
            maps: summary(1.5, 1.9),
            control: summary(0.9, 1.1),
        }
    }

    #[test]
    fn every_condition_must_be_met() {
        assert_eq!(SanityVerdict::of(&evidence()).word(), "supported");
        let broken: [(usize, Spoil); 6] = [
            (0, |evidence| evidence.maps = summary(1.19, 1.9)),
            (1, |evidence| evidence.control = summary(1.4, 1.6)),
            (2, |evidence| evidence.randomisation[1].correlation = Some(0.6)),
            (2, |evidence| evidence.randomisation.clear()),
            (3, |evidence| evidence.repeatability = Some(0.01)),
            (3, |evidence| evidence.repeatability = None),
        ];
        for (condition, spoil) in broken {
            let mut evidence = evidence();
            spoil(&mut evidence);
            let verdict = SanityVerdict::of(&evidence);
            assert_eq!(verdict.word(), "not supported");
            let failed: Vec<_> = (0..4).filter(|&at| !verdict.conditions[at].holds).collect();
            assert_eq!(failed, [condition], "{:?}", verdict.conditions);
        }
    }

    #[test]
    fn few_subjects_leave_the_verdict_undecided() {
        let mut evidence = evidence();
        assert_eq!(SanityVerdict::of(&evidence).judged(), "Judged by classes C and D: 24 images of 10 subjects.");
        (evidence.maps.images, evidence.maps.subjects) = (4, 3);
        let verdict = SanityVerdict::of(&evidence);
        assert_eq!(verdict.word(), "undecided");
        let judged = "Judged by classes C and D: 4 images of 3 subjects; at least 10 subjects are needed.";
        assert_eq!(verdict.judged(), judged);
        evidence.control = summary(1.4, 1.6);
        assert_eq!(SanityVerdict::of(&evidence).word(), "undecided", "not refuted either");
    }

    #[test]
    fn a_missing_interval_is_not_support() {
        let mut evidence = evidence();
        evidence.maps.means[Score::DenseEnrichment as usize].interval = None;
        let verdict = SanityVerdict::of(&evidence);
        assert!(
            verdict.verdict == Verdict::NotSupported && verdict.conditions[0].found == "not measured",
            "{verdict:?}"
        );
    }
}
