//! Figures of merit of a classifier, with intervals and baselines.

pub mod agreement;
pub mod baseline_figures;
mod baseline_rows;
pub mod bootstrap;
pub mod calibration;
pub mod calibration_document;
pub mod calibration_figures;
pub mod classification_report;
pub mod confusion_matrix;
pub mod evaluation;
pub mod evaluation_document;
pub mod evaluation_set;
pub mod figures_of_merit;
pub mod flips;
pub mod fold_pool;
pub mod mcnemar;
pub mod one_feature_baseline;
pub mod operating_point;
pub mod paired_comparison;
pub mod rank_correlation;
pub mod reader_agreement;
pub mod roc;
pub mod temperature;
pub mod threshold_curves;
