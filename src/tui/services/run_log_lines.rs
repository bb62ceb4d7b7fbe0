//! The lines of a trainer's log in words: the trainer logs its events as JSON.

use chrono::{DateTime, Utc};

use crate::report::event_text::event_text;
use crate::tui::protocol::run_log::{LogLevel, LogLine};
use mammoscope_domain::run::run_event::RunEventKind;

/// Reads a line as `tracing` writes it: time, level and message. Lines in another form are text as they are.
pub(super) fn log_line(line: &str) -> LogLine {
    let plain = || LogLine { time: None, level: LogLevel::Other, text: line.to_owned() };
    let Some((time, rest)) = line.split_once(' ') else { return plain() };
    let Ok(time) = DateTime::parse_from_rfc3339(time) else { return plain() };
    let (level, message) = rest.trim_start().split_once(' ').unwrap_or((rest.trim(), ""));
    let level = match level {
        "ERROR" => LogLevel::Error,
        "WARN" => LogLevel::Warning,
        "INFO" => LogLevel::Info,
        "DEBUG" | "TRACE" => LogLevel::Other,
        _ => return plain(),
    };
    let message = message.trim_start();
    // The event follows the name of the run that it belongs to, or nothing.
    let event = message.find('{').and_then(|start| {
        let kind: RunEventKind = serde_json::from_str(&message[start..]).ok()?;
        Some(format!("{}{}", &message[..start], event_text(&kind)))
    });
    let text = event.unwrap_or_else(|| message.to_owned());
    LogLine { time: Some(time.with_timezone(&Utc)), level, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_and_other_text_is_kept() {
        let line = log_line(
            r#"2026-11-30T00:14:28.604Z  INFO {"event":"prepared","device":"cpu","precision":"bf16","threads":2,"train":192,"validation":24,"test":1,"steps_per_epoch":24}"#,
        );
        assert_eq!(line.text, "training on cpu: 192 training, 24 validation, 1 test image");
        assert_eq!(line.level, LogLevel::Info);
        assert_eq!(line.time.map(|time| time.timestamp_millis()), Some(1_795_997_668_604));
        let line = log_line("2026-11-30T00:14:28.604Z  WARN a disk is {nearly} full");
        assert_eq!((line.level, line.text.as_str()), (LogLevel::Warning, "a disk is {nearly} full"));
        for odd in ["Intel MKL WARNING: {", "", "2026-11-30T00:14:28.604Z", "2026-11-30T00:14:28.604Z  NOTE x"] {
            assert_eq!(log_line(odd), LogLine { time: None, level: LogLevel::Other, text: odd.to_owned() });
        }
    }
}
