//! Tables and pictures of evaluations, explanations and runs.

pub mod audit_text;
pub mod baseline_table;
mod bitmap_text;
pub mod comparison_table;
pub mod contact_sheet;
mod csv_text;
pub mod dicom_text;
pub mod epoch_scores;
pub mod epoch_table;
pub mod event_text;
pub mod explanation_table;
pub mod filmstrip;
pub mod fold_spread;
pub mod plots;
pub mod reader_agreement;
pub mod run_csv;
pub mod run_list;
pub mod run_text;
mod set_tables;
pub mod split_counts;
pub mod study_text;
pub mod table;
pub mod tables;
pub mod wrapped;
