//! The widgets from which screens are composed.

pub(super) mod chart;
pub(super) mod confusion_matrix;
pub(super) mod contact_sheet;
pub(super) mod figure_text;
pub(super) mod figures_table;
pub(super) mod fitted;
pub(super) mod hanging;
pub(super) mod key_text;
pub(super) mod notice_look;
pub(super) mod pane;
pub(super) mod path_field;
pub(super) mod per_class_table;
pub(super) mod picture;
pub(super) mod probability_bars;
pub(super) mod reliability_diagram;
pub(super) mod scroll_list;
pub(super) mod text_field;
pub(super) mod window_field;
