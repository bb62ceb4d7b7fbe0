//! The file of `--out`, which must not exist.

use std::io::Write as _;
use std::path::Path;

use anyhow::bail;
use mammoscope_domain::text::printable::printable_path;

/// Refuses a file that exists, and one whose folder does not.
pub(super) fn check_new_file(out: &Path) -> anyhow::Result<()> {
    if out.symlink_metadata().is_ok() {
        bail!("--out: {} exists already; choose another name, or remove it", printable_path(out));
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        bail!("--out: there is no folder {}", printable_path(folder));
    }
    Ok(())
}

/// Writes a file that does not exist, all of it or nothing.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().permissions(permissions()).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

/// Those of any new file, which the process's mask restricts, instead of those of a temporary one.
fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o666)
}
