//! Bytes to pixels, and pixels to pixels.
