//! The names of runs as people gave them: a run's folder is named after its time, its view and its name.

use chrono::{DateTime, Utc};

use crate::tui::protocol::run_list::RunRow;
use crate::tui::shared_state::SharedState;
use mammoscope_domain::subject::view::View;
use mammoscope_domain::text::printable::printable;
use mammoscope_storage::runs::run_dir::RunDir;

/// The form of the time at the beginning of a folder's name.
const TIME: &str = "%Y-%m-%dT%H-%M-%S";
/// The length of a time in that form.
const TIME_LENGTH: usize = 19;

/// The name in a folder's name: `demo` of `2026-11-23T10-15-02_CC_R_demo`; all of it where it has another form.
pub(in crate::tui) fn name_in(folder: &str, view: View) -> &str {
    let rest = folder.split_at_checked(TIME_LENGTH).and_then(|(time, rest)| {
        chrono::NaiveDateTime::parse_from_str(time, TIME).ok()?;
        rest.strip_prefix('_')?.strip_prefix(view.name())?.strip_prefix('_')
    });
    rest.filter(|name| !name.is_empty()).unwrap_or(folder)
}

/// The name of a run without its view; safe to print.
pub(in crate::tui) fn name(row: &RunRow) -> String {
    if let Some(name) = row.labels.as_ref().and_then(|labels| labels.name.as_deref()) {
        return printable(name);
    }
    let folder = row.run.name();
    printable(row.spec.as_ref().map_or(folder.as_str(), |spec| name_in(&folder, spec.view)))
}

/// The name of runs of several views that were started together; without a name of theirs that of their preset.
pub(in crate::tui) fn group_name(rows: &[RunRow]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let name = name(first);
    match &first.spec {
        Some(spec) if rows.len() > 1 && name == printable(&first.run.name()) => printable(&spec.preset),
        _ => name,
    }
}

/// The view and the name of a run; safe to print.
pub(in crate::tui) fn title(row: &RunRow) -> String {
    let name = name(row);
    match &row.spec {
        Some(spec) if !name.contains(spec.view.name()) => format!("{} {name}", spec.view),
        _ => name,
    }
}

/// The titles of several runs, with the times at which they were created where titles are equal.
pub(in crate::tui) fn titles(runs: &[RunDir], rows: &[Option<&RunRow>], shared: &SharedState) -> Vec<String> {
    let plain: Vec<String> =
        runs.iter().zip(rows).map(|(run, row)| row.map_or_else(|| printable(&run.name()), title)).collect();
    let is_shared = |title: &String| plain.iter().filter(|other| *other == title).count() > 1;
    let created = |row: Option<&RunRow>| row.and_then(RunRow::created);
    plain
        .iter()
        .zip(rows)
        .map(|(title, row)| match created(*row).filter(|_| is_shared(title)) {
            Some(created) => format!("{title} {}", day_or_time(created, shared.now)),
            None => title.clone(),
        })
        .collect()
}

/// The time of a day if it is today, else the date.
pub(in crate::tui) fn day_or_time(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    // Snapshots of tests do not depend on the time zone.
    #[cfg(not(test))]
    let (time, now) = (time.with_timezone(&chrono::Local), now.with_timezone(&chrono::Local));
    let form = if time.date_naive() == now.date_naive() { "%H:%M" } else { "%-d %b" };
    time.format(form).to_string()
}

/// The time of a day.
pub(in crate::tui) fn clock_time(time: DateTime<Utc>) -> String {
    #[cfg(not(test))]
    let time = time.with_timezone(&chrono::Local);
    time.format("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_a_folder_name() {
        assert_eq!(name_in("2026-11-23T10-15-02_CC_R_demo", View::CcR), "demo");
        assert_eq!(name_in("2026-11-23T10-15-02_MLO_L_two_words-p1-fold2", View::MloL), "two_words-p1-fold2");
        assert_eq!(name_in("2026-11-23T10-15-02_CC_R_demo", View::CcL), "2026-11-23T10-15-02_CC_R_demo");
        assert_eq!(name_in("copied by hand", View::CcR), "copied by hand");
        assert_eq!(name_in("2026-11-23T10-15-02_CC_R_", View::CcR), "2026-11-23T10-15-02_CC_R_");
    }
}
