//! Evaluations and explanations, computed from stored files and the engine's answers.

pub mod explained_image;
pub mod explanation_files;
pub mod kept_evaluation;
pub mod prediction_folder;
pub mod random_controls;
pub mod report_facts;
pub mod run_prediction;
