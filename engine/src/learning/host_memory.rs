//! Host memory: the C library's allocator settings, and the amount available.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// Keeps freed memory in the process for the next tensor. Call it first in `main`.
///
/// glibc returns freed blocks above 32 MB to the system, and the feature map of a batch at 650 pixels is larger, so
/// every pass would pay for fresh, zeroed pages. With this setting a forward pass of four images takes three quarters
/// of the time (docs/benchmarks.md). The process stays at its peak memory, which the next batch needs again anyway.
pub fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets three parameters of the allocator; no other thread runs yet.
    unsafe {
        // One heap for all threads, since per-thread heaps are returned to the system as soon as they are empty.
        libc::mallopt(libc::M_ARENA_MAX, 1);
        libc::mallopt(libc::M_MMAP_MAX, 0);
        // −1: the heap is never trimmed.
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
    }
}

/// The peak memory of this process so far, in bytes; `None` if the system does not report it.
#[must_use]
pub fn peak_bytes() -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// The total memory that this process can have, in bytes: what it holds plus what is free, within the limits of its
/// control group and its address space (`ulimit -v`). `None` if the system does not report it.
#[must_use]
pub fn available_bytes() -> Option<u64> {
    let process = fs::read_to_string("/proc/self/status").ok()?;
    let held = kibibytes(&process, "VmRSS:")?;
    let free = kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    let addresses = getrlimit(Resource::As).current.zip(kibibytes(&process, "VmSize:"));
    let addresses = addresses.map(|(limit, mapped)| limit.saturating_sub(mapped));
    Some([Some(free), group_headroom(), addresses].into_iter().flatten().min().unwrap_or(free) + held)
}

/// The memory that the control group (version 2, as set by containers and Slurm) still allows.
fn group_headroom() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let number = |file: &str| {
        let path = format!("/sys/fs/cgroup{}/{file}", group.trim_end_matches('/'));
        fs::read_to_string(path).ok()?.trim().parse::<u64>().ok()
    };
    // The page cache is counted as well, but can be reclaimed.
    let statistics = fs::read_to_string(format!("/sys/fs/cgroup{}/memory.stat", group.trim_end_matches('/')));
    let files = statistics.map_or(0, |text| file_pages(&text));
    Some(number("memory.max")?.saturating_sub(number("memory.current")?.saturating_sub(files)))
}

/// The bytes of the page cache in a control group's `memory.stat`.
fn file_pages(statistics: &str) -> u64 {
    let of = |key: &str| {
        let line = statistics.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
        line.and_then(|bytes| bytes.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    of("active_file") + of("inactive_file")
}

fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn peak_and_available_memory_are_reported() {
        let filled = vec![1_u8; 1 << 24];
        let (peak, available) =
            (peak_bytes().expect("reported on Linux"), available_bytes().expect("reported on Linux"));
        assert!(filled.iter().all(|&byte| byte == 1) && peak > filled.len() as u64, "{peak}");
        assert!(available > filled.len() as u64, "{available}");
        assert_eq!(file_pages("anon 7\ninactive_file 20\nactive_file 3\nactive_file_of_none 9\n"), 23);
        assert_eq!(kibibytes("VmPeak:\t 9 kB\nVmHWM:\t   12 kB\n", "VmHWM:"), Some(12 * 1024));
    }
}
