//! The terminal: its graphics protocols and how pictures are encoded for them.

pub mod graphics_protocol;
pub mod grey_sixel;
