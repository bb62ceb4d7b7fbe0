//! The greyscale pipeline of PS3.3 and PS3.4, annex N: modality transformation, then a window or lookup table of the
//! values of interest, then inversion.

pub mod choice;
pub mod lookup_table;
pub mod modality;
pub mod rendering;
pub mod window;
