//! How the C library hands memory to libtorch.

/// Makes freed memory stay with the process, to be used again by the next tensor. Call it first in `main`.
///
/// glibc gives blocks above 32 MB back to the system when they are freed, and a feature map of a batch at 650 pixels is
/// larger: every pass then pays for fresh, zeroed pages. Kept, a forward pass of four images takes three quarters of the
/// time (docs/benchmarks.md). The process keeps its peak, which it needs again for the next batch anyway.
pub fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets three parameters of the allocator; no other thread runs yet.
    unsafe {
        // One heap for all threads: a thread's own heaps are given back as soon as they are empty.
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_MAX, 0);
        // −1 never trims the heap.
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
    }
}
