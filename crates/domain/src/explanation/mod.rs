//! Explanation maps: methods, layers, scores and sanity checks.

pub mod coarse_map;
pub mod explained_layer;
pub mod explanation_map;
pub mod explanation_method;
pub mod explanation_scores;
pub mod explanation_summary;
pub mod map_status;
pub mod perturbation_curve;
pub mod sanity_verdict;
pub mod verdict;
pub mod weight_cascade;
