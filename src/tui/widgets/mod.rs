//! Pieces that screens are drawn from.

pub(super) mod fitted;
pub(super) mod pane;
pub(super) mod picture;
pub(super) mod scroll_list;
pub(super) mod text_field;
