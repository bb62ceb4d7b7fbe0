//! `calibration.json`: what was fitted to the validation predictions of runs, and how it does on their test images.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::Bootstrap;
use super::calibration_figures::BeforeAndAfter;
use super::evaluation_set::{EvaluationSet, SetName};
use super::operating_point::{Decisions, Sensitivity, threshold};
use super::temperature::Temperature;
use crate::subject::density::DensityClass;
use crate::subject::examination::InconsistentRows;
use crate::subject::fusion::Fusion;
use crate::subject::prediction::{LabelledPrediction, PredictionRow};
use crate::subject::view::View;

/// The version of the document's layout.
pub const CALIBRATION_SCHEMA: u32 = 1;

/// A run whose validation predictions something was fitted to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FittedRun {
    pub run: String,
    pub view: View,
    /// SHA-256 of its best checkpoint.
    pub model_sha256: String,
    /// SHA-256 of the names, ids, labels and pixels of its validation images.
    pub validation_sha256: String,
}

/// What is to be computed.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationRequest {
    /// Fit temperatures.
    pub is_scaled: bool,
    /// Find a threshold for each of these.
    pub sensitivities: Vec<Sensitivity>,
    pub fusion: Fusion,
    pub bootstrap: Bootstrap,
}

/// Temperatures and operating points of runs that are evaluated together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationDocument {
    pub schema: u32,
    /// The runs, in the order of their views.
    pub fitted_on: Vec<FittedRun>,
    /// The fold that the runs hold out, if they hold out one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<u32>,
    /// The rule by which views were fused before anything was fitted.
    pub fusion: String,
    pub seed: u64,
    pub resamples: u32,
    pub sets: BTreeMap<SetName, CalibratedSet>,
}

/// The results for a view, a breast or the examination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibratedSet {
    /// `None` if none was asked for or none fits best.
    pub scaling: Option<Scaling>,
    pub operating_points: Vec<OperatingPoint>,
    /// The reasons for whatever is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A temperature, and its effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    pub temperature: Temperature,
    /// On the cases that it was fitted to.
    pub validation: BeforeAndAfter,
    /// `None` without test images.
    pub test: Option<BeforeAndAfter>,
}

/// A threshold for the probability of dense, chosen on the validation images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    pub wanted_sensitivity: Sensitivity,
    /// Whether the threshold is for calibrated probabilities.
    pub is_calibrated: bool,
    pub threshold: f64,
    /// On the cases that it was chosen on.
    pub validation: Decisions,
    /// `None` without test images.
    pub test: Option<Decisions>,
}

/// Validation predictions to which nothing can be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    #[error(transparent)]
    Inconsistent(#[from] InconsistentRows),
    #[error("there are no validation predictions")]
    Empty,
    #[error("the validation cases of {set} are of one subject; at least two are needed")]
    OneSubject { set: SetName },
    #[error("the validation cases of {set} have none of class {}; all four are needed", letters(.classes))]
    MissingClasses { set: SetName, classes: Vec<DensityClass> },
    #[error("no temperature can be fitted: {0}")]
    NoTemperature(String),
    #[error("no threshold reaches the sensitivity: {0}")]
    NoThreshold(String),
}

fn letters(classes: &[DensityClass]) -> String {
    classes.iter().map(|class| class.letter()).collect::<Vec<_>>().join(" and ")
}

impl CalibrationDocument {
    /// Fits everything to the validation rows of runs, and measures it on these and, separately, on their test rows,
    /// which may be none.
    pub fn of(
        request: &CalibrationRequest,
        fitted_on: Vec<FittedRun>,
        fold: Option<u32>,
        [validation, test]: [&[PredictionRow]; 2],
    ) -> Result<Self, CalibrationError> {
        let of_validation = EvaluationSet::of_rows(validation, request.fusion)?;
        let of_test = EvaluationSet::of_rows(test, request.fusion)?;
        let mut sets = BTreeMap::new();
        for set in of_validation.iter().filter(|set| set.name != SetName::Unspecified) {
            check(set)?;
            let test = of_test.iter().find(|other| other.name == set.name).filter(|other| !other.cases.is_empty());
            sets.insert(set.name, CalibratedSet::of(request, set, test));
        }
        let Some((_, last)) = sets.last_key_value() else { return Err(CalibrationError::Empty) };
        let problems = || last.problems.join("; ");
        if request.is_scaled && sets.values().all(|set| set.scaling.is_none()) {
            return Err(CalibrationError::NoTemperature(problems()));
        }
        if !request.sensitivities.is_empty() && sets.values().all(|set| set.operating_points.is_empty()) {
            return Err(CalibrationError::NoThreshold(problems()));
        }
        Ok(Self {
            schema: CALIBRATION_SCHEMA,
            fitted_on,
            fold,
            fusion: request.fusion.name().to_owned(),
            seed: request.bootstrap.seed,
            resamples: request.bootstrap.resamples,
            sets,
        })
    }

    /// The temperature of a set, if one was fitted.
    #[must_use]
    pub fn temperature(&self, set: SetName) -> Option<Temperature> {
        Some(self.sets.get(&set)?.scaling.as_ref()?.temperature)
    }

    /// Whether any set has a temperature.
    #[must_use]
    pub fn is_scaled(&self) -> bool {
        self.sets.values().any(|set| set.scaling.is_some())
    }

    /// The sensitivities for which there are thresholds, in ascending order.
    #[must_use]
    pub fn sensitivities(&self) -> Vec<Sensitivity> {
        let points = self.sets.values().flat_map(|set| &set.operating_points);
        let mut wanted: Vec<Sensitivity> = points.map(|point| point.wanted_sensitivity).collect();
        wanted.sort_by(|one, other| f64::from(*one).total_cmp(&f64::from(*other)));
        wanted.dedup();
        wanted
    }
}

/// Refuses cases that cannot represent those to come.
fn check(set: &EvaluationSet) -> Result<(), CalibrationError> {
    let is_absent = |class: &DensityClass| set.cases.iter().all(|case| case.label != *class);
    let classes: Vec<DensityClass> = DensityClass::ALL.into_iter().filter(is_absent).collect();
    if set.subjects() < 2 {
        return Err(CalibrationError::OneSubject { set: set.name });
    }
    if classes.is_empty() { Ok(()) } else { Err(CalibrationError::MissingClasses { set: set.name, classes }) }
}

impl CalibratedSet {
    fn of(request: &CalibrationRequest, validation: &EvaluationSet, test: Option<&EvaluationSet>) -> Self {
        let (name, bootstrap) = (validation.name, request.bootstrap);
        let mut set = Self { scaling: None, operating_points: Vec::new(), problems: Vec::new() };
        if request.is_scaled {
            match Temperature::fit(&validation.cases) {
                Ok(temperature) => {
                    let measured = |set: &EvaluationSet| BeforeAndAfter::of(&set.cases, temperature, bootstrap);
                    let test = test.and_then(measured);
                    set.scaling = measured(validation).map(|validation| Scaling { temperature, validation, test });
                }
                Err(reason) => set.problems.push(format!("{name} has no temperature: {reason}")),
            }
        }
        let temperature = set.scaling.as_ref().map(|scaling| scaling.temperature);
        for &wanted in &request.sensitivities {
            for temperature in [None].into_iter().chain(temperature.map(Some)) {
                match OperatingPoint::of(wanted, temperature, validation, test, bootstrap) {
                    Ok(point) => set.operating_points.push(point),
                    Err(reason) => set.problems.push(reason),
                }
            }
        }
        set.problems.dedup();
        set
    }
}

impl OperatingPoint {
    fn of(
        wanted_sensitivity: Sensitivity,
        temperature: Option<Temperature>,
        validation: &EvaluationSet,
        test: Option<&EvaluationSet>,
        bootstrap: Bootstrap,
    ) -> Result<Self, String> {
        let scaled = |cases: &[LabelledPrediction]| {
            temperature.map_or_else(|| cases.to_vec(), |temperature| temperature.apply_to(cases))
        };
        let cases = scaled(&validation.cases);
        let threshold = threshold(&cases, wanted_sensitivity).map_err(|reason| {
            format!("{} has no threshold for a sensitivity of {wanted_sensitivity}: {reason}", validation.name)
        })?;
        Ok(Self {
            wanted_sensitivity,
            is_calibrated: temperature.is_some(),
            threshold,
            validation: Decisions::of(&cases, threshold, bootstrap),
            test: test.map(|test| Decisions::of(&scaled(&test.cases), threshold, bootstrap)),
        })
    }
}
