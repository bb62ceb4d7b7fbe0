//! The file system of a path: its kind, and whether it belongs to this machine alone.

use std::io;
use std::path::Path;

/// File systems that only this machine uses, by the numbers in `linux/magic.h`.
#[cfg(target_os = "linux")]
const LOCAL: [(u32, &str); 14] = [
    (0xef53, "ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683e, "btrfs"),
    (0x0102_1994, "tmpfs"),
    (0x794c_7630, "overlay"),
    (0x2fc1_2fc1, "zfs"),
    (0xf2f5_2010, "f2fs"),
    (0xca45_1a4e, "bcachefs"),
    (0x8584_58f6, "ramfs"),
    (0x3153_464a, "jfs"),
    (0x5265_4973, "reiserfs"),
    (0x4d44, "vfat"),
    (0x2011_bab0, "exfat"),
    (0x7366_746e, "ntfs3"),
];

/// File systems that several machines may use, or whose properties depend on a program.
#[cfg(target_os = "linux")]
const SHARED: [(u32, &str); 12] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x517b, "SMB"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x00c3_6400, "Ceph"),
    (0x1983_0326, "BeeGFS"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9p"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
];

#[cfg(target_os = "linux")]
fn magic(path: &Path) -> Option<u32> {
    let facts = rustix::fs::statfs(path).ok()?;
    // The numbers have 32 bits, whatever the width and the sign of the field.
    Some((facts.f_type as u64 & 0xffff_ffff) as u32)
}

/// True if the file system of a path is known to be of this machine alone, so that its locks are seen by all.
#[cfg(target_os = "linux")]
#[must_use]
pub fn is_local(path: &Path) -> bool {
    magic(path).is_some_and(|magic| LOCAL.iter().any(|(local, _)| *local == magic))
}

/// True if the file system of a path is known to be of this machine alone, so that its locks are seen by all.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn is_local(_path: &Path) -> bool {
    false
}

/// The name of the file system of a path; `None` if it is not known.
#[cfg(target_os = "linux")]
#[must_use]
pub fn file_system_name(path: &Path) -> Option<&'static str> {
    let magic = magic(path)?;
    LOCAL.iter().chain(&SHARED).find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

/// The name of the file system of a path; `None` if it is not known.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn file_system_name(_path: &Path) -> Option<&'static str> {
    None
}

/// True if a lock was refused because the file system has none.
#[must_use]
pub fn has_no_locks(error: &io::Error) -> bool {
    // ENOSYS and EOPNOTSUPP; ENOLCK of a file server without a lock manager.
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_file_systems_of_this_machine_are_known() {
        assert_eq!(file_system_name(Path::new("/dev/shm")), Some("tmpfs"));
        assert!(is_local(Path::new("/dev/shm")));
        // The pseudo file system of processes is neither.
        assert_eq!(file_system_name(Path::new("/proc")), None);
        assert!(!is_local(Path::new("/proc")));
    }

    #[test]
    fn refused_locks_are_distinguished_from_other_faults() {
        use rustix::io::Errno;

        for errno in [Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOLCK] {
            assert!(has_no_locks(&io::Error::from_raw_os_error(errno.raw_os_error())), "{errno}");
        }
        assert!(!has_no_locks(&io::Error::from_raw_os_error(Errno::IO.raw_os_error())));
    }
}
