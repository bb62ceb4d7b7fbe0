//! The shards of a cohort together: complete, each once, and made under the same conditions.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::shard_record::{FILE_NAME, SCHEMA, ShardFile, ShardRecord};
use mammoscope_domain::text::printable::{printable, printable_path};

/// The number of missing shards that are named; the rest are counted.
const MAX_NAMED: usize = 20;

/// All shards of a cohort, in the order of their numbers.
#[derive(Clone, Debug)]
pub struct ShardSet<T> {
    pub shards: Vec<FinishedShard<T>>,
}

/// A shard and its folder.
#[derive(Clone, Debug)]
pub struct FinishedShard<T> {
    pub folder: PathBuf,
    pub record: ShardRecord<T>,
}

/// A reason why folders are not the shards of one cohort.
#[derive(Debug, thiserror::Error)]
pub enum ShardSetError {
    #[error("{}: no {FILE_NAME}: not a finished shard; run it again with the same --shard", printable_path(.0))]
    Unfinished(PathBuf),
    #[error("{}: {error}", printable_path(path))]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: not the record of a shard: {}", printable_path(path), printable(reason))]
    Damaged { path: PathBuf, reason: String },
    #[error("{}: a record of version {found}, this program reads version {SCHEMA}", printable_path(path))]
    OtherSchema { path: PathBuf, found: u32 },
    #[error("{}: a shard of `mammoscope {found}`; merge it with `mammoscope {found} merge`", printable_path(path))]
    OtherCommand { path: PathBuf, found: String },
    #[error(
        "{} is one of {first_count} shards, {} one of {other_count}: merge shards of one count",
        printable_path(first),
        printable_path(other)
    )]
    OtherCount { first: PathBuf, first_count: u32, other: PathBuf, other_count: u32 },
    #[error("{} and {} are both shard {number}: give each shard once", printable_path(first), printable_path(other))]
    Repeated { number: u32, first: PathBuf, other: PathBuf },
    #[error("missing: {0}")]
    Missing(String),
    #[error(
        "{} and {} differ in {name}: {} and {}; repeat one of them under the conditions of the other",
        printable_path(first),
        printable_path(other),
        printable(first_value),
        printable(other_value)
    )]
    Different { name: String, first: PathBuf, first_value: String, other: PathBuf, other_value: String },
    #[error("{}: it is not as the shard wrote it; run the shard again", printable_path(.0))]
    Changed(PathBuf),
    #[error("the shards do not add up: {0}; run them again")]
    Inconsistent(String),
}

impl<T: DeserializeOwned> ShardSet<T> {
    /// Reads the shards of `command` in some folders, which must be all shards of a cohort.
    pub fn read(folders: &[PathBuf], command: &str) -> Result<Self, ShardSetError> {
        let read = |folder: &PathBuf| {
            let record = ShardRecord::read(folder, command)?;
            Ok(FinishedShard { folder: folder.clone(), record })
        };
        let mut shards: Vec<FinishedShard<T>> = folders.iter().map(read).collect::<Result<_, ShardSetError>>()?;
        let Some(first) = shards.first() else { return Err(ShardSetError::Missing("all shards".to_owned())) };
        let count = first.record.shards;
        if let Some(other) = shards.iter().find(|shard| shard.record.shards != count) {
            return Err(ShardSetError::OtherCount {
                first: first.folder.clone(),
                first_count: count,
                other: other.folder.clone(),
                other_count: other.record.shards,
            });
        }
        shards.sort_by_key(|shard| shard.record.shard);
        let pairs = shards.windows(2).find(|pair| pair[0].record.shard == pair[1].record.shard);
        if let Some([first, other]) = pairs {
            return Err(ShardSetError::Repeated {
                number: first.record.shard,
                first: first.folder.clone(),
                other: other.folder.clone(),
            });
        }
        let set = Self { shards };
        set.check_complete(count)?;
        set.check_conditions()?;
        Ok(set)
    }

    fn check_complete(&self, count: u32) -> Result<(), ShardSetError> {
        let is_there = |number: &u32| self.shards.binary_search_by_key(number, |shard| shard.record.shard).is_ok();
        let missing: Vec<u32> = (1..=count).filter(|number| !is_there(number)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let named: Vec<String> = missing.iter().take(MAX_NAMED).map(ToString::to_string).collect();
        let mut text = format!("shard{} {}", if missing.len() == 1 { "" } else { "s" }, named.join(", "));
        if missing.len() > MAX_NAMED {
            let _ = write!(text, " and {} more", missing.len() - MAX_NAMED);
        }
        let _ = write!(text, " of {count}");
        Err(ShardSetError::Missing(text))
    }

    /// Compares each condition with that of the first shard that has it.
    fn check_conditions(&self) -> Result<(), ShardSetError> {
        for (at, other) in self.shards.iter().enumerate() {
            for (name, other_value) in &other.record.conditions {
                let known =
                    self.shards[..at].iter().find_map(|first| Some((first, first.record.conditions.get(name)?)));
                if let Some((first, first_value)) = known.filter(|(_, first_value)| *first_value != other_value) {
                    return Err(ShardSetError::Different {
                        name: name.clone(),
                        first: first.folder.clone(),
                        first_value: first_value.clone(),
                        other: other.folder.clone(),
                        other_value: other_value.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Every output with the folder of its shard.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &ShardFile)> {
        self.shards.iter().flat_map(|shard| shard.record.files.iter().map(|file| (shard.folder.as_path(), file)))
    }
}

/// Sorts the items of all shards by their positions in the whole cohort, which must be those from 0 to `count`.
pub fn in_order<T>(what: &str, count: usize, items: Vec<(usize, T)>) -> Result<Vec<T>, ShardSetError> {
    let mut items = items;
    items.sort_by_key(|(position, _)| *position);
    let wrong = |position: usize, how: &str| {
        Err(ShardSetError::Inconsistent(format!("image {} of {count} of {what} is in {how}", position + 1)))
    };
    if let Some([(repeated, _), _]) = items.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return wrong(*repeated, "two shards");
    }
    if let Some(missing) = (0..count).find(|position| items.get(*position).is_none_or(|(found, _)| found != position)) {
        return wrong(missing, "no shard");
    }
    if let Some((beyond, _)) = items.get(count) {
        return wrong(*beyond, "a shard");
    }
    Ok(items.into_iter().map(|(_, item)| item).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use mammoscope_domain::subject::shard::Shard;

    fn write(folder: &Path, number: u32, count: u32, conditions: &[(&str, &str)]) -> PathBuf {
        let own = folder.join(format!("{number}of{count}"));
        fs::create_dir_all(&own).unwrap();
        let conditions: BTreeMap<_, _> =
            conditions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ShardRecord::new("predict", Shard::new(number, count).unwrap(), conditions, number).write(&own).unwrap();
        own
    }

    fn refusal(folders: &[PathBuf]) -> String {
        let error = ShardSet::<u32>::read(folders, "predict").unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    }

    #[test]
    fn shards_are_read_in_the_order_of_their_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let folders: Vec<_> = [3, 1, 2].map(|number| write(folder.path(), number, 3, &[("device", "cpu")])).into();
        let set = ShardSet::<u32>::read(&folders, "predict").unwrap();
        assert_eq!(set.shards.iter().map(|shard| shard.record.results).collect::<Vec<_>>(), [1, 2, 3]);
        // An empty shard knows no device.
        write(folder.path(), 2, 3, &[]);
        assert!(ShardSet::<u32>::read(&folders, "predict").is_ok());
    }

    #[test]
    fn anything_but_all_shards_of_one_cohort_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let of = |number, count| write(folder.path(), number, count, &[("version", "1")]);
        assert!(refusal(&[of(1, 4), of(3, 4)]).ends_with("missing: shards 2, 4 of 4"));
        assert!(refusal(&[of(1, 2)]).ends_with("missing: shard 2 of 2"));
        assert!(refusal(&[of(1, 60)]).ends_with(", 20, 21 and 39 more of 60"));
        assert!(refusal(&[of(1, 2), of(1, 2)]).contains("are both shard 1"));
        assert!(refusal(&[of(1, 2), of(2, 3)]).contains("one of 2 shards"));
        let other = write(folder.path(), 2, 2, &[("version", "2")]);
        let text = refusal(&[of(1, 2), other.clone()]);
        assert!(text.contains("differ in version: 1 and 2"), "{text}");
        assert!(refusal(&[folder.path().to_owned()]).contains("not a finished shard"));
        let path = other.join(FILE_NAME);
        fs::write(&path, "{").unwrap();
        assert!(refusal(std::slice::from_ref(&other)).contains("not the record of a shard"));
        fs::write(&path, r#"{"schema": 2, "command": "predict"}"#).unwrap();
        assert!(refusal(std::slice::from_ref(&other)).contains("version 2"));
        let error = ShardSet::<u32>::read(&[of(1, 2)], "explain").unwrap_err().to_string();
        assert!(
            error.ends_with("a shard of `mammoscope predict`; merge it with `mammoscope predict merge`"),
            "{error}"
        );
    }

    #[test]
    fn changed_outputs_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.txt"), "as written").unwrap();
        let file = ShardFile::of(folder.path(), "a.txt").unwrap();
        assert_eq!(file.read(folder.path()).unwrap(), b"as written");
        fs::write(folder.path().join("a.txt"), "otherwise").unwrap();
        assert!(matches!(file.read(folder.path()), Err(ShardSetError::Changed(_))));
        fs::remove_file(folder.path().join("a.txt")).unwrap();
        assert!(matches!(file.read(folder.path()), Err(ShardSetError::Unreadable { .. })));
    }

    #[test]
    fn positions_must_be_complete() {
        let order = |count, items: &[usize]| {
            in_order("CC_R", count, items.iter().map(|&position| (position, position)).collect())
                .map_err(|error| error.to_string())
        };
        assert_eq!(order(3, &[2, 0, 1]).unwrap(), [0, 1, 2]);
        assert!(order(3, &[2, 0, 2, 1]).unwrap_err().contains("image 3 of 3 of CC_R is in two shards"));
        assert!(order(3, &[2, 0]).unwrap_err().contains("image 2 of 3 of CC_R is in no shard"));
        assert!(order(1, &[1, 0]).unwrap_err().contains("image 2 of 1 of CC_R is in a shard"));
        assert!(order(0, &[]).unwrap().is_empty());
    }
}
