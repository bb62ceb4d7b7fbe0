//! The first question about an explanation: may one believe it?

use std::fmt;

use super::explanation_scores::ExplanationScores;
use super::map_status::MapStatus;
use crate::subject::split::Split;

/// A map with fewer positions per side locates nothing within the breast.
const COARSE_BELOW: usize = 5;
/// The share of random maps that a map has to exceed.
const BEATEN: f64 = 0.95;
/// A map with a larger share of its energy outside the breast explains something else.
const MAX_OUTSIDE: f64 = 0.5;

/// How far a map is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    Believable,
    Doubtful,
    /// Something that one would have to know is not known.
    CannotBeSaid,
}

impl fmt::Display for Belief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Believable => "believable",
            Self::Doubtful => "doubtful",
            Self::CannotBeSaid => "cannot be said",
        })
    }
}

/// A map beside random maps of the same resolution, by the dense share of the energy in the breast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ControlComparison {
    /// The share of the map's energy in the breast that is in dense tissue.
    pub share: f64,
    /// The number of random maps whose share is smaller.
    pub beaten: usize,
    /// The number of random maps.
    pub controls: usize,
    /// The mean share of the random maps.
    pub mean: f64,
}

/// What is known about an image relative to the training of the model.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingEvidence {
    /// The model does not state what its training images looked like.
    Unknown,
    /// It looks like the training images, of which there were this many.
    Alike { images: usize },
    /// It differs from them, in these words.
    Unlike(String),
    /// Its subject was in the training or the validation set.
    Used(Split),
}

/// Everything that a verdict rests on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    pub status: MapStatus,
    pub scores: &'a ExplanationScores,
    /// Columns and rows of the map as computed.
    pub positions: (usize, usize),
    /// `None` without a breast or without dense tissue.
    pub control: Option<ControlComparison>,
    pub training: &'a TrainingEvidence,
    /// Doubts about the image itself, in words.
    pub doubts: &'a [&'a str],
    /// True for a random map, which is a control itself.
    pub is_random: bool,
    /// False if the network's output is not finite.
    pub has_output: bool,
}

/// A verdict with its reasons, the weightiest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub belief: Belief,
    pub reasons: Vec<String>,
}

impl fmt::Display for Verdict {
    /// `doubtful: only 4 × 4 positions; …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.belief, self.reasons.join("; "))
    }
}

impl Verdict {
    /// Weighs the evidence: what rules a verdict out comes first, then what speaks against the map, then what is not
    /// known.
    #[must_use]
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let excluded = evidence.excluded();
        if !excluded.is_empty() {
            return Self { belief: Belief::CannotBeSaid, reasons: excluded };
        }
        let against = evidence.against();
        if !against.is_empty() {
            return Self { belief: Belief::Doubtful, reasons: against };
        }
        let unknown = evidence.unknown();
        if !unknown.is_empty() {
            return Self { belief: Belief::CannotBeSaid, reasons: unknown };
        }
        Self { belief: Belief::Believable, reasons: evidence.in_favour() }
    }
}

impl Evidence<'_> {
    fn excluded(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if !self.has_output {
            reasons.push("the network's output is not finite".to_owned());
        }
        if self.is_random {
            reasons.push("this map is random, the control for the others".to_owned());
        } else if !self.status.is_sound() {
            reasons.push(format!("the map is {}", self.status));
        }
        reasons
    }

    fn against(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self.doubts.iter().map(|doubt| format!("the image: {doubt}")).collect();
        match self.training {
            TrainingEvidence::Unlike(_) => reasons.push("unlike the training images".to_owned()),
            TrainingEvidence::Used(split) => reasons.push(format!("its subject was in the {split} set")),
            TrainingEvidence::Unknown | TrainingEvidence::Alike { .. } => {}
        }
        let (columns, rows) = self.positions;
        if columns.min(rows) < COARSE_BELOW {
            reasons.push(format!("only {columns} × {rows} positions"));
        }
        if let Some(outside) = self.scores.outside_energy.filter(|share| *share > MAX_OUTSIDE) {
            reasons.push(format!("{:.0} % outside the breast", outside * 100.0));
        }
        if let Some(control) = self.control.filter(|control| !control.is_exceeded()) {
            reasons.push(format!("denser than only {} of {} random maps", control.beaten, control.controls));
        }
        // The particulars are long and come last.
        if let TrainingEvidence::Unlike(difference) = self.training {
            reasons.push(difference.clone());
        }
        reasons
    }

    fn unknown(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.control.is_none() {
            let missing =
                if self.scores.breast_energy.is_none() { "breast was found" } else { "dense tissue is known" };
            reasons.push(format!("no {missing} to compare the map with"));
        }
        if *self.training == TrainingEvidence::Unknown {
            reasons.push("the training images are not known".to_owned());
        }
        if let Some(control) = self.control.filter(|_| !reasons.is_empty()) {
            reasons.push(control.to_string());
        }
        reasons
    }

    fn in_favour(&self) -> Vec<String> {
        let control = self.control.map(|control| control.to_string());
        let alike = match self.training {
            TrainingEvidence::Alike { images } => Some(format!("like the {images} training images")),
            _ => None,
        };
        control.into_iter().chain(alike).collect()
    }
}

impl ControlComparison {
    /// True if the map is in dense tissue more than nearly all random maps.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.beaten as f64 >= BEATEN * self.controls as f64
    }
}

impl fmt::Display for ControlComparison {
    /// `denser than 20 of 20 random maps`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denser than {} of {} random maps", self.beaten, self.controls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: ControlComparison = ControlComparison { share: 0.8, beaten: 20, controls: 20, mean: 0.3 };

    fn scores(outside: f64) -> ExplanationScores {
        ExplanationScores {
            breast_energy: Some(1.0 - outside),
            outside_energy: Some(outside),
            ..ExplanationScores::default()
        }
    }

    fn evidence<'a>(scores: &'a ExplanationScores, training: &'a TrainingEvidence) -> Evidence<'a> {
        Evidence {
            status: MapStatus::Sound,
            scores,
            positions: (21, 21),
            control: Some(GOOD),
            training,
            doubts: &[],
            is_random: false,
            has_output: true,
        }
    }

    #[test]
    fn a_map_is_believable_if_nothing_speaks_against_it_and_all_is_known() {
        let (scores, training) = (scores(0.1), TrainingEvidence::Alike { images: 908 });
        let verdict = Verdict::of(&evidence(&scores, &training));
        let expected = "believable: denser than 20 of 20 random maps; like the 908 training images";
        assert_eq!(verdict.to_string(), expected);
    }

    #[test]
    fn each_kind_of_doubt_is_named() {
        let (inside, outside) = (scores(0.1), scores(0.6));
        let alike = TrainingEvidence::Alike { images: 9 };
        let unlike = TrainingEvidence::Unlike("it is larger".to_owned());
        let used = TrainingEvidence::Used(Split::Train);
        let good = evidence(&inside, &alike);
        let weak = Some(ControlComparison { beaten: 12, ..GOOD });
        let doubtful = [
            (evidence(&inside, &used), "its subject was in the train set"),
            (evidence(&outside, &alike), "60 % outside the breast"),
            (Evidence { positions: (4, 4), ..good }, "only 4 × 4 positions"),
            (Evidence { control: weak, ..good }, "denser than only 12 of 20 random maps"),
            (Evidence { doubts: &["no breast found"], ..good }, "the image: no breast found"),
        ];
        for (evidence, reason) in doubtful {
            assert_eq!(Verdict::of(&evidence), Verdict { belief: Belief::Doubtful, reasons: vec![reason.to_owned()] });
        }
        let particulars = Verdict::of(&Evidence { positions: (4, 4), ..evidence(&inside, &unlike) });
        let expected = "doubtful: unlike the training images; only 4 × 4 positions; it is larger";
        assert_eq!(particulars.to_string(), expected, "the particulars come last");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let (scores, alike) = (scores(0.1), TrainingEvidence::Alike { images: 9 });
        let good = evidence(&scores, &alike);
        let said = |evidence: &Evidence<'_>| Verdict::of(evidence).to_string();
        assert_eq!(
            said(&evidence(&scores, &TrainingEvidence::Unknown)),
            "cannot be said: the training images are not known; denser than 20 of 20 random maps"
        );
        assert_eq!(
            said(&Evidence { control: None, ..good }),
            "cannot be said: no dense tissue is known to compare the map with"
        );
        assert!(said(&Evidence { status: MapStatus::AllZero, ..good }).starts_with("cannot be said: the map is zero"));
        assert!(said(&Evidence { is_random: true, ..good }).contains("random, the control"));
        assert!(said(&Evidence { has_output: false, ..good }).contains("not finite"));
        // A degenerate map is not doubted for anything else.
        let none = Evidence { status: MapStatus::AllZero, positions: (2, 2), ..good };
        assert_eq!(Verdict::of(&none).reasons.len(), 1);
    }
}
