//! Parts of a data set and the draw that assigns them.

use std::fmt;

use super::position::position;
use super::unit::SubjectUnit;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;

/// The greatest number of folds.
const MAX_FOLDS: u32 = 100;
/// Rounding in a sum of shares that were written in decimals.
const ROUNDING: f64 = 1e-6;

/// The parts into which subjects are divided, and their shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Division {
    /// Train, validation and test, with shares that add up to 1.
    Splits { train: f64, validation: f64, test: f64 },
    /// Folds of equal shares, beside a share of subjects that is kept for a final test.
    Folds { folds: u32, test: f64 },
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Split(Split),
    /// A fold, numbered from 1.
    Fold(u32),
}

/// A division that is not possible.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DivisionError {
    #[error("--{name} {share}: a share is between 0 and 1")]
    NotAShare { name: Split, share: f64 },
    #[error("--train {train}, --validation {validation} and --test {test} add up to {sum}, not to 1")]
    Sum { train: f64, validation: f64, test: f64, sum: f64 },
    #[error("--train 0: no subject is left to train on")]
    NothingToTrain,
    #[error("--test {0}: no subject is left for the folds")]
    NothingToFold(f64),
    #[error("--folds {folds}: at least 2 are needed, 3 for one that validates, and at most {MAX_FOLDS} are possible")]
    Folds { folds: u32 },
    #[error(
        "--folds {folds}: class {class} has only {}, so some fold would have none; use fewer folds",
        mammoscope_domain::text::counted::counted(*subjects, "subject")
    )]
    MoreFoldsThanSubjects { folds: u32, class: DensityClass, subjects: usize },
}

impl Division {
    /// Checks the shares and the number of folds.
    pub fn check(&self) -> Result<(), DivisionError> {
        let check_share = |name, share: f64| {
            if (0.0..=1.0).contains(&share) { Ok(()) } else { Err(DivisionError::NotAShare { name, share }) }
        };
        match *self {
            Self::Splits { train, validation, test } => {
                for (name, share) in Split::ALL.into_iter().zip([train, validation, test]) {
                    check_share(name, share)?;
                }
                let sum = train + validation + test;
                if (sum - 1.0).abs() > ROUNDING {
                    let sum = (sum * 1e6).round() / 1e6;
                    return Err(DivisionError::Sum { train, validation, test, sum });
                }
                if train == 0.0 { Err(DivisionError::NothingToTrain) } else { Ok(()) }
            }
            Self::Folds { folds, test } => {
                check_share(Split::Test, test)?;
                if test >= 1.0 {
                    return Err(DivisionError::NothingToFold(test));
                }
                if (2..=MAX_FOLDS).contains(&folds) { Ok(()) } else { Err(DivisionError::Folds { folds }) }
            }
        }
    }

    /// Checks that every class that occurs has at least as many units as there are folds.
    pub fn check_folds(&self, units: &[SubjectUnit]) -> Result<(), DivisionError> {
        let Self::Folds { folds, .. } = *self else { return Ok(()) };
        for class in DensityClass::ALL {
            let subjects = units.iter().filter(|unit| unit.class == class).count();
            if (1..folds as usize).contains(&subjects) {
                return Err(DivisionError::MoreFoldsThanSubjects { folds, class, subjects });
            }
        }
        Ok(())
    }

    /// The parts with their shares, in the order in which they are listed.
    #[must_use]
    pub fn parts(&self) -> Vec<(Part, f64)> {
        match *self {
            Self::Splits { train, validation, test } => {
                Split::ALL.into_iter().map(Part::Split).zip([train, validation, test]).collect()
            }
            Self::Folds { folds, test } => {
                let share = (1.0 - test) / f64::from(folds);
                let test = (test > 0.0).then_some((Part::Split(Split::Test), test));
                (1..=folds).map(|fold| (Part::Fold(fold), share)).chain(test).collect()
            }
        }
    }

    /// The part of a unit, which depends on its key and the seed alone: the interval of [0, 1) that its position is in.
    /// Test comes first, then validation and train, or the folds in their order. So the test subjects of a seed are the
    /// same with folds and without, and a larger share only adds to them.
    #[must_use]
    pub fn part_of(&self, unit: &SubjectUnit, seed: u64) -> Part {
        let position = position(unit.key.as_str(), seed);
        match *self {
            Self::Splits { test, .. } | Self::Folds { test, .. } if position < test => Part::Split(Split::Test),
            Self::Splits { validation, test, .. } if position < test + validation => Part::Split(Split::Validation),
            Self::Splits { .. } => Part::Split(Split::Train),
            Self::Folds { folds, test } => {
                let beyond = (position - test) / (1.0 - test);
                Part::Fold(((beyond * f64::from(folds)) as u32).min(folds - 1) + 1)
            }
        }
    }
}

impl fmt::Display for Part {
    /// The part as written in a table of splits or folds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Split(split) => f.pad(split.name()),
            Self::Fold(fold) => f.pad(&fold.to_string()),
        }
    }
}
