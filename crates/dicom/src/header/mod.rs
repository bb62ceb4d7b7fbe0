//! Statements of a file's header: the pixels, the view and the side, and findings about the image.

pub mod finding;
pub mod identity;
pub mod image_kind;
pub mod pixel_layout;
pub mod view_and_side;
