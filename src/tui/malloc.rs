//! How the C library hands out memory to the workbench.

/// Makes freed pictures go back to the system at once. Call it before any thread is started.
///
/// glibc learns from the first picture that is freed to take all that are as large from its heaps, and every thread that
/// makes pictures gets a heap of its own: they grow full of holes, by tens of megabytes (docs/benchmarks.md). With a fixed
/// threshold pictures, maps and masks are mapped one by one, so that the program holds what it uses.
pub(super) fn trim_on_free() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets two parameters of the allocator; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 << 10);
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}
