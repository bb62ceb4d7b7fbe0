//! Anatomy found in a mammogram from its pixels alone: the breast, the side of the chest wall, the crop at the skin, and
//! the pectoral muscle.
//!
//! All functions are pure and take pictures as they come from a scanner or a digitiser: at any size, with letters, tape,
//! bright borders and a background that is not 0. [`find_breast`] is for such raw pictures;
//! [`breast_mask`](super::breast_mask::breast_mask) is for pictures that are already cropped at the skin, and the
//! explanation scores rest on it.

mod breast;
mod bright_border;
mod chest_wall;
mod filled_muscle;
mod grey_histogram;
mod muscle_confidence;
mod muscle_fill;
mod muscle_grid;
mod muscle_line;
mod muscle_refinement;
mod pectoral;
mod pectoral_curve;
mod pixel_box;
mod reduced;

pub use breast::find_breast;
pub use chest_wall::{chest_wall_side, skin_box};
pub use filled_muscle::filled_edge_angle;
pub use muscle_fill::{FillError, FilledRaster, fill};
pub use pectoral::{PectoralFinding, UncertainReason, find_pectoral};
pub use pectoral_curve::{CurvePoint, PectoralCurve, PectoralCurveError};
pub use pixel_box::PixelBox;
