//! Pieces that screens are drawn from.

pub(super) mod chart;
pub(super) mod fitted;
pub(super) mod pane;
pub(super) mod scroll_list;
pub(super) mod text_field;
