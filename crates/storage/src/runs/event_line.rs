//! A line of `events.jsonl`: an event with the checksum of everything before it as its last key.

use std::io::Write as _;

use mammoscope_domain::run::run_event::RunEvent;
use mammoscope_domain::text::printable::printable;

/// What comes before the eight digits of the checksum, and after them.
const BEFORE: &[u8] = b",\"crc32c\":\"";
const AFTER: &[u8] = b"\"}";
const DIGITS: usize = 8;

/// The line of an event, with its newline.
pub(super) fn line_of(event: &RunEvent) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(event)?;
    // An object has keys before the checksum: the event and its time.
    line.pop();
    let checksum = crc32c::crc32c(&line);
    line.extend(BEFORE);
    write!(line, "{checksum:0DIGITS$x}").map_err(serde_json::Error::io)?;
    line.extend(AFTER);
    line.push(b'\n');
    Ok(line)
}

/// The event of a line. Lines without a checksum are those of earlier versions. The error is a reason for people.
pub(super) fn event_of(line: &[u8]) -> Result<RunEvent, String> {
    if sealed(line.trim_ascii_end()).is_some_and(|(event, checksum)| Some(crc32c::crc32c(event)) != checksum) {
        return Err("damaged: it does not match its checksum".to_owned());
    }
    serde_json::from_slice(line).map_err(|error| printable(&error.to_string()))
}

/// The part of a line under its checksum, and the checksum; `None` if it has none.
fn sealed(line: &[u8]) -> Option<(&[u8], Option<u32>)> {
    let rest = line.strip_suffix(AFTER)?;
    let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let checksum = std::str::from_utf8(digits).ok().and_then(|digits| u32::from_str_radix(digits, 16).ok());
    Some((rest.strip_suffix(BEFORE)?, checksum))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mammoscope_domain::run::run_event::RunEventKind;
    use mammoscope_domain::run::run_records::{CheckpointKind, SavedCheckpoint};

    use super::*;

    #[test]
    fn no_flipped_bit_changes_an_event_unnoticed() {
        let saved = SavedCheckpoint {
            epoch: 7,
            step: 120,
            kind: CheckpointKind::Best,
            file: "best-007-0.75.safetensors".to_owned(),
            value: Some(0.75),
        };
        let time = DateTime::from_timestamp(1_795_000_000, 5).expect("a time");
        let event = RunEvent { time, kind: RunEventKind::CheckpointSaved(saved) };
        let line = line_of(&event).expect("an event is plain data");
        assert_eq!(event_of(&line).expect("whole"), event);
        let mut noticed = 0;
        for place in 0..line.len() * 8 {
            let mut damaged = line.clone();
            damaged[place / 8] ^= 1 << (place % 8);
            match event_of(&damaged) {
                Ok(read) => assert_eq!(read, event, "bit {place}"),
                Err(_) => noticed += 1,
            }
        }
        assert!(noticed > line.len() * 7, "{noticed}");
        let earlier = br#"{"time":"2026-11-18T11:06:40Z","event":"paused","step":12}"#;
        assert_eq!(event_of(earlier).expect("without a checksum").kind, RunEventKind::Paused { step: 12 });
    }
}
