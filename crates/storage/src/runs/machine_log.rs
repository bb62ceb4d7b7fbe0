//! `machine.jsonl`: the load of the machine during a run, one record a line, only ever appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use mammoscope_domain::run::machine_record::MachineRecord;

/// The largest part of the file that is read at once.
const MAX_BYTES: u64 = 64 << 20;

/// Appends a record in one write; a missing file is created.
pub fn append_machine_record(path: &Path, record: &MachineRecord) -> io::Result<()> {
    let mut line = serde_json::to_vec(record)?;
    line.push(b'\n');
    OpenOptions::new().create(true).append(true).open(path)?.write_all(&line)
}

/// Reads the records that were added since the last reading.
#[derive(Debug)]
pub struct MachineTail {
    path: PathBuf,
    offset: u64,
}

impl MachineTail {
    /// A reader at the beginning of the file.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, offset: 0 }
    }

    /// The records after those read before; with them, `true` if the file was replaced and they are all there are. A
    /// half-written last line is left for the next reading, a damaged one is skipped.
    pub fn read(&mut self) -> (Vec<MachineRecord>, bool) {
        let Ok(mut file) = File::open(&self.path) else {
            let was_read = std::mem::take(&mut self.offset) > 0;
            return (Vec::new(), was_read);
        };
        let length = file.metadata().map_or(0, |facts| facts.len());
        let is_replaced = length < self.offset;
        if is_replaced {
            self.offset = 0;
        }
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(self.offset)).and_then(|_| file.take(MAX_BYTES).read_to_end(&mut bytes));
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if read.is_err() || whole == 0 {
            return (Vec::new(), is_replaced);
        }
        self.offset += whole as u64;
        let lines = bytes[..whole].split(|byte| *byte == b'\n');
        (lines.filter_map(|line| serde_json::from_slice(line).ok()).collect(), is_replaced)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono::DateTime;

    use super::*;

    fn record(step: u64) -> MachineRecord {
        let time = DateTime::from_timestamp(1_795_000_000 + step as i64, 0).unwrap();
        MachineRecord { time, step, cpu: Some(12), memory: None, gpus: Vec::new() }
    }

    #[test]
    fn new_records_are_read_once_and_half_written_ones_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("machine.jsonl");
        let mut tail = MachineTail::new(path.clone());
        assert_eq!(tail.read(), (Vec::new(), false), "no file yet");
        append_machine_record(&path, &record(1)).unwrap();
        append_machine_record(&path, &record(2)).unwrap();
        assert_eq!(tail.read(), (vec![record(1), record(2)], false));
        assert_eq!(tail.read(), (Vec::new(), false));
        let line = serde_json::to_string(&record(3)).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"not a record\n").unwrap();
        file.write_all(&line.as_bytes()[..20]).unwrap();
        assert_eq!(tail.read(), (Vec::new(), false));
        file.write_all(&line.as_bytes()[20..]).unwrap();
        file.write_all(b"\n").unwrap();
        assert_eq!(tail.read(), (vec![record(3)], false));
        fs::write(&path, "").unwrap();
        append_machine_record(&path, &record(9)).unwrap();
        assert_eq!(tail.read(), (vec![record(9)], true), "replaced");
        fs::remove_file(&path).unwrap();
        assert_eq!(tail.read(), (Vec::new(), true), "gone");
    }
}
