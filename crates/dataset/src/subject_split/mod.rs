//! Splits and folds of subjects that do not depend on which other subjects there are.
//!
//! A subject's part is decided by a hash of the seed and her id alone, so that adding, removing or relabelling others moves
//! no one. The shares are therefore those requested on average, with a binomial deviation; [`closest_seed`] finds a seed
//! with a small one for a given data set.

mod balance;
mod division;
mod table;
mod unit;

pub use self::balance::{ClosestSeed, PartCounts, closest_seed};
pub use self::division::{Division, DivisionError, Part};
pub use self::table::split_csv;
pub use self::unit::{SubjectUnit, subject_units};

#[cfg(test)]
mod tests;
