//! The libtorch engine of mammoscope.
