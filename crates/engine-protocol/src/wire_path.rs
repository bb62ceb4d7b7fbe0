//! Paths in messages.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A path that survives JSON even if it is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WirePath {
    /// A path in UTF-8.
    Text(String),
    /// The bytes of any other path.
    Bytes(Vec<u8>),
}

impl From<&Path> for WirePath {
    fn from(path: &Path) -> Self {
        path.to_str().map_or_else(
            || Self::Bytes(path.as_os_str().as_encoded_bytes().to_vec()),
            |text| Self::Text(text.to_owned()),
        )
    }
}

impl From<WirePath> for PathBuf {
    fn from(path: WirePath) -> Self {
        match path {
            WirePath::Text(text) => text.into(),
            #[cfg(unix)]
            WirePath::Bytes(bytes) => {
                use std::os::unix::ffi::OsStringExt as _;
                OsString::from_vec(bytes).into()
            }
            #[cfg(not(unix))]
            WirePath::Bytes(bytes) => OsString::from(String::from_utf8_lossy(&bytes).into_owned()).into(),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_not_utf8_survive() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/data/\xff.png"));
        let json = serde_json::to_string(&WirePath::from(path)).expect("bytes");
        let back: WirePath = serde_json::from_str(&json).expect("bytes");
        assert_eq!(PathBuf::from(back), path);
    }
}
