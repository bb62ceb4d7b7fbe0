//! Limits of image files: pixels, file size and memory.

/// The most pixels in an image. A mammogram has 5 to 30 million; a file that claims more than this limit is refused before
/// memory is allocated for it.
pub const MAX_PIXELS: u64 = 100_000_000;

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// Memory that a decoder may use besides the image itself: rows and strips, colour profiles, comments.
pub(crate) const MAX_WORKING_BYTES: u64 = 64 << 20;

/// The most bytes that the samples of an image may occupy: [`MAX_PIXELS`] pixels of four bytes.
pub(crate) const MAX_IMAGE_BYTES: u64 = MAX_PIXELS * 4;
