//! Writes the curves of a run as TensorBoard event files.
//!
//! A file is a sequence of TFRecords: length (u64, little-endian), masked CRC-32C of the length, the bytes of one
//! `Event` message, masked CRC-32C of the bytes.

mod messages;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use prost::Message as _;

use self::messages::{Content, Event, FILE_VERSION, Scalar, SessionLog, SessionStatus, Summary, Value};
use mammoscope_domain::run::run_event::{RunEvent, RunEventKind};

const FILE_PREFIX: &str = "events.out.tfevents.";

/// Writes one event file. A training that continues after an interruption starts another file in the same folder.
///
/// `create → (record | scalar | restart)* → flush`; events that are not flushed are lost when the process is killed.
#[derive(Debug)]
pub struct TensorBoardWriter {
    path: PathBuf,
    file: BufWriter<File>,
    /// Sum and number of the speeds reported in the current epoch.
    speeds: (f64, u32),
    /// True if the file contains the step at which training started or resumed.
    has_start: bool,
}

impl TensorBoardWriter {
    /// Starts an event file in `folder`, which is created if it does not exist. `host` becomes part of the file name,
    /// as with TensorBoard's own writers.
    pub fn create(folder: &Path, host: &str, time: DateTime<Utc>) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let host: String = host.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let seconds = later_than_all(folder, time.timestamp().max(0))?;
        let path = folder.join(format!("{FILE_PREFIX}{seconds:010}.{host}.{}", std::process::id()));
        let file = BufWriter::new(File::create_new(&path)?);
        let mut writer = Self { path, file, speeds: (0.0, 0), has_start: false };
        writer.write(time, 0, Content::FileVersion(FILE_VERSION.to_owned()))?;
        writer.flush()?;
        Ok(writer)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records a value, rounded to f32.
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64, time: DateTime<Utc>) -> io::Result<()> {
        self.scalars(step, time, &[(tag, Some(value))])
    }

    /// Voids everything recorded for steps after `step`, in this file and earlier ones: training continues from there.
    pub fn restart(&mut self, step: u64, time: DateTime<Utc>) -> io::Result<()> {
        self.speeds = (0.0, 0);
        self.has_start = true;
        let start = SessionLog { status: SessionStatus::Start.into() };
        // Readers also drop the step of the event itself.
        self.write(time, step + 1, Content::SessionLog(start))
    }

    /// Records the numbers in an event of the run and flushes, at most a few times a second, so that viewers are up to
    /// date and a kill loses nothing. The speeds of an epoch are recorded as their mean. The first epoch in this file
    /// voids everything that earlier files recorded for its steps.
    pub fn record(&mut self, event: &RunEvent) -> io::Result<()> {
        if let Some(step) = event.kind.back_to_step() {
            return self.restart(step, event.time);
        }
        match &event.kind {
            // A run that was killed before its first checkpoint starts over without a `Resumed`.
            RunEventKind::EpochStarted { step, .. } if !self.has_start => self.restart(*step, event.time),
            RunEventKind::StepReported(report) => {
                self.speeds = (self.speeds.0 + report.images_per_s, self.speeds.1 + 1);
                self.scalar("batch/loss", report.step, report.loss, event.time)?;
                self.flush()
            }
            RunEventKind::EpochEnded(record) => {
                let metrics = &record.metrics;
                let (sum, reports) = std::mem::take(&mut self.speeds);
                let values = [
                    ("loss/train", Some(metrics.train_loss)),
                    ("accuracy/train", Some(metrics.train_accuracy)),
                    ("loss/validation", metrics.val_loss),
                    ("accuracy/validation", metrics.val_accuracy),
                    ("kappa/validation", metrics.val_kappa),
                    ("learning_rate", Some(metrics.learning_rate)),
                    ("images_per_s", (reports > 0).then(|| sum / f64::from(reports))),
                ];
                self.scalars(metrics.step, event.time, &values)?;
                self.flush()
            }
            RunEventKind::Ended { .. } => self.flush(),
            _ => Ok(()),
        }
    }

    /// Ends the file after a failed write, without another attempt: the caller records the event in another file.
    pub fn abandon(self) {
        // Unlike a drop, this does not flush.
        let _ = self.file.into_parts();
    }

    /// Passes recorded events to the operating system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn scalars(&mut self, step: u64, time: DateTime<Utc>, values: &[(&str, Option<f64>)]) -> io::Result<()> {
        let value = values
            .iter()
            .filter_map(|&(tag, value)| {
                Some(Value { tag: tag.to_owned(), value: Some(Scalar::SimpleValue(value? as f32)) })
            })
            .collect();
        self.write(time, step, Content::Summary(Summary { value }))
    }

    fn write(&mut self, time: DateTime<Utc>, step: u64, content: Content) -> io::Result<()> {
        let wall_time = time.timestamp_micros() as f64 / 1e6;
        let event = Event { wall_time, step: i64::try_from(step).unwrap_or(i64::MAX), content: Some(content) };
        write_record(&mut self.file, &event.encode_to_vec())
    }
}

/// Returns seconds for a file name that sorts after all existing files, because readers order files by name. A second
/// trainer may start within the same second, and clocks may go backwards.
fn later_than_all(folder: &Path, seconds: i64) -> io::Result<i64> {
    let mut later = seconds;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let existing = name.to_str().and_then(|name| name.strip_prefix(FILE_PREFIX)?.split('.').next()?.parse().ok());
        later = existing.map_or(later, |existing: i64| later.max(existing.saturating_add(1)));
    }
    Ok(later)
}

fn write_record(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = (bytes.len() as u64).to_le_bytes();
    file.write_all(&length)?;
    file.write_all(&masked_crc32c(&length).to_le_bytes())?;
    file.write_all(bytes)?;
    file.write_all(&masked_crc32c(bytes).to_le_bytes())
}

/// Masks a checksum as TFRecords do: checksums of data that contain checksums are weak, so they are rotated and offset.
fn masked_crc32c(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a file, with every checksum verified.
    fn events(path: &Path) -> Vec<Event> {
        let bytes = fs::read(path).unwrap();
        let mut rest = bytes.as_slice();
        let mut events = Vec::new();
        while !rest.is_empty() {
            let (length, after) = rest.split_at(8);
            assert_eq!(after[..4], masked_crc32c(length).to_le_bytes());
            let (body, after) = after[4..].split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
            assert_eq!(after[..4], masked_crc32c(body).to_le_bytes());
            events.push(Event::decode(body).unwrap());
            rest = &after[4..];
        }
        events
    }

    #[test]
    fn the_known_bytes_of_a_first_event() {
        // The first event of every TensorFlow 2 file, except for the time: wall time 0, `brain.Event:2`.
        let event = Event { wall_time: 0.0, step: 0, content: Some(Content::FileVersion(FILE_VERSION.to_owned())) };
        let mut file = Vec::new();
        write_record(&mut file, &event.encode_to_vec()).unwrap();
        assert_eq!(file[..8], 15_u64.to_le_bytes());
        assert_eq!(file[12..27], *b"\x1a\x0dbrain.Event:2");
        // RFC 3720, B.4: CRC-32C of 32 zero bytes is 8a9136aa.
        assert_eq!(masked_crc32c(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn values_of_zero_are_written_and_absent_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = TensorBoardWriter::create(folder.path(), "a host/1", DateTime::UNIX_EPOCH).unwrap();
        writer.scalars(7, DateTime::UNIX_EPOCH, &[("zero", Some(0.0)), ("absent", None)]).unwrap();
        writer.flush().unwrap();
        let events = events(writer.path());
        let [first, second] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(first.content, Some(Content::FileVersion("brain.Event:2".to_owned())));
        let zero = Value { tag: "zero".to_owned(), value: Some(Scalar::SimpleValue(0.0)) };
        assert_eq!((second.step, &second.content), (7, &Some(Content::Summary(Summary { value: vec![zero] }))));
        let name = writer.path().file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("events.out.tfevents.0000000000.a_host_1."), "{name}");
    }

    #[test]
    fn file_names_increase_even_if_the_clock_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let files = [1000, 1000, 10]
            .map(|seconds| TensorBoardWriter::create(folder.path(), "host", at(seconds)).unwrap().path().to_owned());
        assert!(files.is_sorted() && files[0] != files[1], "{files:?}");
    }
}
