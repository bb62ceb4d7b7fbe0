//! The terminal: its input and replies, the graphics protocols it supports, and the sizes of pictures in it.

pub(crate) mod clipboard;
pub(crate) mod color_depth;
pub(crate) mod graphics;
pub mod graphics_protocol;
pub(crate) mod grey_sixel;
pub(crate) mod input;
mod key_name;
mod key_report;
pub(crate) mod multiplexer;
pub(crate) mod notification;
pub(crate) mod parser;
mod picture_fit;
pub(crate) mod query;
pub(crate) mod sizes;
pub(crate) mod terminal_kind;
pub(crate) mod window_size;
