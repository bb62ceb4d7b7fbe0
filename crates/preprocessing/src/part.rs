//! The part of the sources that a run handles: all of them, or those of a shard.

use std::path::Path;

use mammoscope_domain::subject::shard::Shard;
use mammoscope_domain::text::hexadecimal::hexadecimal;
use sha2::{Digest as _, Sha256};

use crate::pseudonym::PseudonymKey;
use crate::source::FoundSources;

/// A part of the sources. A source belongs to the shard of its subject, one whose subject is unknown to that of its path.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) shard: Option<Shard>,
    pub(crate) key: &'a PseudonymKey,
}

impl Part<'_> {
    /// True for a subject of this part, by its pseudonym or number.
    pub(crate) fn has_subject(&self, subject: &str) -> bool {
        self.shard.is_none_or(|shard| shard.holds(subject))
    }

    /// True for the path of a source of unknown subject that is in this part.
    pub(crate) fn has_path(&self, path: &Path) -> bool {
        self.shard.is_none_or(|shard| shard.holds(&self.key.path(path)))
    }

    /// True for the part that counts what belongs to no subject and has no path.
    pub(crate) fn is_first(&self) -> bool {
        self.shard.is_none_or(|shard| shard.number() == 1)
    }

    /// The SHA-256 of the list of all sources, by the pseudonyms of their paths.
    pub(crate) fn fingerprint(&self, found: &FoundSources) -> String {
        let mut hasher = Sha256::new();
        for source in &found.sources {
            hasher.update(format!("{} {}\n", self.key.path(&source.relative), source.bytes));
        }
        for (path, _) in &found.unreadable {
            hasher.update(format!("{} unreadable\n", self.key.path(path)));
        }
        hasher.update(format!("{} others\n", found.others));
        hexadecimal(&hasher.finalize())
    }
}
