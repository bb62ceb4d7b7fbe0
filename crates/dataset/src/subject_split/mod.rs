//! Splits and folds of subjects that do not depend on which other subjects there are.
//!
//! A subject's part is a function of the seed and her id alone, so that adding, removing or relabelling others moves no
//! one. The shares are therefore those requested only on average: with running numbers for ids within a few subjects, with
//! other ids with a binomial deviation. [`closest_seed`] finds a seed with a small one for a given data set.

mod balance;
mod division;
mod position;
mod table;
mod unit;

pub use self::balance::{ClosestSeed, PartCounts, closest_seed};
pub use self::division::{Division, DivisionError, Part};
pub use self::table::split_csv;
pub use self::unit::{SubjectUnit, subject_units, subjects_with_copies};

#[cfg(test)]
mod tests;
