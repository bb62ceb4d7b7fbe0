//! The allocator's settings for the workbench.

/// Makes the allocator return freed pictures to the system at once. Call it before any thread is started.
///
/// glibc raises its mmap threshold to the size of the first freed picture and takes all later ones from its heaps, of
/// which every thread that makes pictures gets one: they fragment and grow by tens of megabytes (docs/benchmarks.md).
/// With a fixed threshold, pictures, maps and masks are mapped individually, so that the process holds only what it
/// uses.
pub(super) fn trim_on_free() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets two parameters of the allocator; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 << 10);
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}
