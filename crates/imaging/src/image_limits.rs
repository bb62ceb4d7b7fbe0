//! The limits of images that are read: pixels, bytes of a file, and memory.

/// The most pixels of an image that is read. A mammogram has 5 to 30 million; a file that claims more than this is
/// refused before memory is taken for it.
pub const MAX_PIXELS: u64 = 100_000_000;

/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Memory that a decoder may take beside the image itself: rows and strips, colour profiles, comments.
pub(crate) const MAX_WORKING_BYTES: u64 = 64 << 20;

/// The most bytes that the samples of an image may take: grey of 16 bits with twice [`MAX_PIXELS`], RGB of 8 bits.
pub(crate) const MAX_IMAGE_BYTES: u64 = MAX_PIXELS * 4;
