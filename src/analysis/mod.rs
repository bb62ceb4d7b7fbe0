//! Evaluations and explanations computed from files and the answers of the engine.

pub mod explained_image;
pub mod explanation_files;
pub mod kept_evaluation;
pub mod run_prediction;
