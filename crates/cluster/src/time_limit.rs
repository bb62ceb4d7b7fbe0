//! Slurm's notation of durations.

use std::fmt;
use std::str::FromStr;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The time limit of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    /// As it was written.
    text: String,
    seconds: Option<u64>,
}

/// A text that is not a duration in Slurm's notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time limit; examples: 90 (minutes), 04:00:00 (hours), 2-12 (2 days and 12 hours), UNLIMITED")]
pub struct InvalidTimeLimit(String);

impl TimeLimit {
    /// In seconds; `None` without a limit.
    #[must_use]
    pub const fn seconds(&self) -> Option<u64> {
        self.seconds
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for TimeLimit {
    type Err = InvalidTimeLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTimeLimit(text.to_owned());
        if ["unlimited", "infinite"].contains(&text.to_ascii_lowercase().as_str()) {
            return Ok(Self { text: text.to_owned(), seconds: None });
        }
        let numbers = |part: &str| -> Result<Vec<u64>, InvalidTimeLimit> {
            part.split(':').map(|number| digits(number).ok_or_else(invalid)).collect()
        };
        let seconds = match text.split_once('-') {
            Some((days, rest)) => {
                let days = digits(days).ok_or_else(invalid)?;
                let rest = match numbers(rest)?.as_slice() {
                    [hours] => hours * HOUR,
                    [hours, minutes] => hours * HOUR + minutes * MINUTE,
                    [hours, minutes, seconds] => hours * HOUR + minutes * MINUTE + seconds,
                    _ => return Err(invalid()),
                };
                days * DAY + rest
            }
            None => match numbers(text)?.as_slice() {
                [minutes] => minutes * MINUTE,
                [minutes, seconds] => minutes * MINUTE + seconds,
                [hours, minutes, seconds] => hours * HOUR + minutes * MINUTE + seconds,
                _ => return Err(invalid()),
            },
        };
        if seconds == 0 {
            return Err(invalid());
        }
        Ok(Self { text: text.to_owned(), seconds: Some(seconds) })
    }
}

/// A number of a few digits, without sign or spaces.
fn digits(text: &str) -> Option<u64> {
    let is_number = (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_notations_of_slurm_are_read() {
        let cases = [
            ("90", Some(90 * 60)),
            ("1:30", Some(90)),
            ("04:00:00", Some(4 * 3600)),
            ("2-12", Some(60 * 3600)),
            ("1-0:30", Some(24 * 3600 + 1800)),
            ("1-00:00:01", Some(86_401)),
            ("UNLIMITED", None),
            ("infinite", None),
        ];
        for (text, seconds) in cases {
            let limit: TimeLimit = text.parse().unwrap();
            assert_eq!((limit.seconds(), limit.to_string().as_str()), (seconds, text));
        }
        for text in ["", "0", "-1", "1h", "1:2:3:4", "1-", "a-1", "1-2:3:4:5", "+5", " 5", "00:00:00", "9999999999"] {
            assert!(text.parse::<TimeLimit>().is_err(), "{text:?}");
        }
    }
}
