//! Keyed pseudonyms: the same woman always has the same one, and without the key it tells nothing about her.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use hmac::{Hmac, KeyInit as _, Mac as _};
use mammoscope_domain::text::hexadecimal::hexadecimal;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::runs::workspace::user_data;
use sha2::Sha256;

/// The key's file below the user's data folder.
const KEY_FILE: &str = "mammoscope/pseudonym.key";

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Hexadecimal digits of a pseudonym. Among 100,000 women, two share one with a probability of 2 in 100,000.
const DIGITS: usize = 12;

/// The secret key of the pseudonyms. It has no `Debug`, so that it cannot end up in a message or a log.
#[derive(Clone)]
pub struct PseudonymKey([u8; KEY_BYTES]);

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PseudonymKeyError {
    #[error("{}: the key of the pseudonyms cannot be read: {error}", printable_path(path))]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: the key of the pseudonyms cannot be made: {error}", printable_path(path))]
    Make { path: PathBuf, error: io::Error },
    #[error(
        "{}: not a key of pseudonyms: it should hold {} hexadecimal digits; restore it from a backup, or give another \
         file with --key, which changes all pseudonyms",
        printable_path(path),
        2 * KEY_BYTES
    )]
    Damaged { path: PathBuf },
    #[error(
        "{}: others can read the key of the pseudonyms (mode {mode:03o}); run `chmod 600` on it",
        printable_path(path)
    )]
    Exposed { path: PathBuf, mode: u32 },
}

/// The usual place of the key, in the user's data folder; `None` without a home folder.
#[must_use]
pub fn usual_key_file() -> Option<PathBuf> {
    Some(user_data()?.join(KEY_FILE))
}

impl PseudonymKey {
    /// Reads the key from a file, which is made with a random key if it does not exist, readable by its owner only.
    pub fn load_or_make(path: &Path) -> Result<Self, PseudonymKeyError> {
        let read = |error| PseudonymKeyError::Read { path: path.to_owned(), error };
        match fs::metadata(path) {
            Ok(metadata) => {
                check_mode(path, &metadata)?;
                let text = fs::read_to_string(path).map_err(read)?;
                Self::parse(&text).ok_or_else(|| PseudonymKeyError::Damaged { path: path.to_owned() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_key(path).map_err(|error| PseudonymKeyError::Make { path: path.to_owned(), error })?;
                let text = fs::read_to_string(path).map_err(read)?;
                Self::parse(&text).ok_or_else(|| PseudonymKeyError::Damaged { path: path.to_owned() })
            }
            Err(error) => Err(read(error)),
        }
    }

    /// A key with known bytes, for tests.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        if digits.len() != 2 * KEY_BYTES {
            return None;
        }
        let mut key = [0; KEY_BYTES];
        for (byte, pair) in key.iter_mut().zip(digits.as_chunks::<2>().0) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(key))
    }

    /// The pseudonym of a patient: `P` and twelve hexadecimal digits of an HMAC-SHA-256.
    #[must_use]
    pub fn subject(&self, patient: &str) -> String {
        format!("P{}", self.digest("patient", patient))
    }

    /// The pseudonym of a study, in manifests only.
    #[must_use]
    pub fn study(&self, study: &str) -> String {
        format!("S{}", self.digest("study", study))
    }

    /// A word by which equal keys are recognised without being known.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.digest("fingerprint", "")
    }

    /// The pseudonym of a path, by which a file is found again without being named.
    #[must_use]
    pub fn path(&self, path: &Path) -> String {
        format!("F{}", self.digest("path", &path.to_string_lossy()))
    }

    fn digest(&self, purpose: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        let digest = mac.finalize().into_bytes();
        digest
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .take(DIGITS)
            .map(|digit| char::from(HEX[usize::from(digit)]))
            .collect()
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// True for a subject id that has the form of a pseudonym.
#[must_use]
pub fn is_pseudonym(text: &str) -> bool {
    text.strip_prefix('P').is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit))
    })
}

/// Writes a new key under a temporary name and links it into place, so that of two processes one wins and both use its
/// key.
fn make_key(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(name);
    let key: [u8; KEY_BYTES] = rand::random();
    let text = hexadecimal(&key);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()
    });
    let linked = written.and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Some file systems have no hard links.
        Err(_) => fs::rename(&temporary, path),
        Ok(()) => Ok(()),
    });
    let _ = fs::remove_file(&temporary);
    linked
}

#[cfg(unix)]
fn check_mode(path: &Path, metadata: &fs::Metadata) -> Result<(), PseudonymKeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 { Ok(()) } else { Err(PseudonymKeyError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_path: &Path, _metadata: &fs::Metadata) -> Result<(), PseudonymKeyError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_depend_on_key_and_patient_alone() {
        let key = PseudonymKey::from_bytes([7; KEY_BYTES]);
        assert_eq!(key.subject("Z12"), key.subject("Z12"));
        assert_ne!(key.subject("Z12"), key.subject("Z13"));
        assert_ne!(key.subject("Z12"), PseudonymKey::from_bytes([8; KEY_BYTES]).subject("Z12"));
        assert_ne!(key.subject("Z12")[1..], key.study("Z12")[1..]);
        assert!(is_pseudonym(&key.subject("Z12")));
        assert!(!is_pseudonym("P12") && !is_pseudonym("Pzzzzzzzzzzzz") && !is_pseudonym("124"));
    }

    #[cfg(unix)]
    #[test]
    fn the_key_file_is_made_once_for_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/key");
        let first = PseudonymKey::load_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(PseudonymKey::load_or_make(&path).unwrap().subject("1"), first.subject("1"));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(PseudonymKey::load_or_make(&path), Err(PseudonymKeyError::Exposed { mode: 0o644, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "12\n").unwrap();
        assert!(matches!(PseudonymKey::load_or_make(&path), Err(PseudonymKeyError::Damaged { .. })));
    }
}
