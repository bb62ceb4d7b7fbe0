//! Pure data and arithmetic of breast-density classification: no files, no tensors, no terminal.

pub mod agreement;
pub mod ambiguous_ids;
pub mod bootstrap;
pub mod calibration;
pub mod classification_report;
pub mod compute_options;
pub mod confusion_matrix;
pub mod density;
pub mod engine_facts;
pub mod evaluation;
pub mod evaluation_set;
pub mod examination;
pub mod figures_of_merit;
pub mod fusion;
pub mod input_route;
pub mod network_layers;
pub mod network_plan;
pub mod paired_comparison;
pub mod prediction;
pub mod printable;
pub mod probabilities;
pub mod roc;
pub mod selection;
pub mod split;
pub mod subject;
pub mod view;
