//! The drawing of the list of jobs, of the output of one, and of the choice.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::tui::protocol::job_findings::JobWork;
use crate::tui::protocol::job_kind::JobKind;
use crate::tui::protocol::jobs::{Job, JobEnd, JobState};
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, fitted_command, fitted_parts, padded, padded_start};
use crate::tui::widgets::pane::draw_box;
use crate::tui::widgets::scroll_list::ScrollList;
use mammoscope_domain::run::run_condition::age_text;

/// Cells of a state and of an age.
const STATE: usize = 12;
const AGE: usize = 8;

/// A sign, a word and a style for a state.
fn state_text(job: &Job, theme: &Theme) -> (String, Style) {
    match &job.state {
        JobState::Starting => ("  starting".to_owned(), theme.dim()),
        JobState::Running { .. } => (format!("{} running", theme.sign("●", "*")), theme.accent()),
        JobState::Stopping { .. } => (format!("{} stopping", theme.sign("●", "*")), theme.warning()),
        JobState::Ended { end: JobEnd::Done, .. } => (format!("{} done", theme.sign("✔", "ok")), theme.good()),
        JobState::Ended { end: JobEnd::Findings(_), .. } => ("! finished".to_owned(), theme.warning()),
        JobState::Ended { end: JobEnd::Failed(_), .. } => (format!("{} failed", theme.sign("✖", "x")), theme.bad()),
        JobState::Ended { end: JobEnd::Stopped(_), .. } => {
            (format!("{} stopped", theme.sign("■", "#")), theme.warning())
        }
    }
}

/// What is known of the process: its id while it runs, then how it ended.
fn proof_text(job: &Job, shared: &SharedState) -> String {
    let age = |since: &DateTime<Utc>| age_text(shared.now - *since);
    match &job.state {
        JobState::Starting => "starting …".to_owned(),
        JobState::Running { pid: Some(pid) } => format!("process {pid}"),
        JobState::Running { pid: None } => "runs inside the workbench; Datasets shows it too".to_owned(),
        JobState::Stopping { pid: Some(pid), since } => {
            format!("process {pid} was asked to stop {} ago; press x again to end it at once", age(since))
        }
        JobState::Stopping { pid: None, since } => {
            format!("asked to stop {} ago; finishing the images in progress", age(since))
        }
        JobState::Ended { end, .. } => match end {
            JobEnd::Findings(text) => format!("finished · {text}"),
            JobEnd::Stopped(text) | JobEnd::Failed(text) if job.order.work == JobWork::Preparation => text.clone(),
            JobEnd::Done if job.order.work == JobWork::Preparation => "finished".to_owned(),
            JobEnd::Done => "the process has ended: exit status 0".to_owned(),
            JobEnd::Failed(text) | JobEnd::Stopped(text) => format!("the process has ended: {text}"),
        },
    }
}

/// A short duration, such as `12 s`.
fn duration_text(length: TimeDelta) -> String {
    age_text(length)
}

pub(super) fn draw_list(frame: &mut Frame<'_>, area: Rect, list: &mut ScrollList, shared: &SharedState) {
    let theme = &shared.theme;
    let count = shared.jobs.iter().len();
    let titles = ["Jobs", "Enter open, i output, x stop, y copy, p new job, Esc back"];
    let inner = draw_box(frame, area, (104, (2 * count.clamp(1, 8)) as u16 + 6), shared, titles);
    let [rows, note] = Layout::vertical([Constraint::Fill(1), Constraint::Length(2)]).areas(inner);
    let cells = usize::from(rows.width);
    let visible = list.visible(rows, count);
    let title_cells = (cells.saturating_sub(STATE + AGE + 4) / 2).clamp(10, 48);
    for (line, (row, job)) in shared.jobs.iter().enumerate().skip(visible.start).take(visible.len()).enumerate() {
        let chosen = row == list.cursor;
        let (state, style) = state_text(job, theme);
        let room = cells.saturating_sub(2 + STATE + AGE + title_cells + 2);
        let spans = vec![
            Span::styled(if chosen { theme.sign("▸ ", "> ") } else { "  " }, theme.accent()),
            Span::styled(padded(&state, STATE), style),
            Span::styled(padded_start(&duration_text(job.age(shared.now)), AGE - 1) + " ", theme.dim()),
            Span::raw(padded(&fitted_command(&job.order.title, title_cells), title_cells) + "  "),
            Span::styled(fitted_parts(job.summary(), room), theme.dim()),
        ];
        let style = if chosen { theme.selected(true) } else { theme.text() };
        let place = Rect::new(rows.x, rows.y + line as u16, rows.width, 1);
        frame.render_widget(Paragraph::new(Line::from(spans)).style(style), place);
    }
    let proof =
        shared.jobs.iter().nth(list.cursor).map_or_else(|| "no jobs yet".to_owned(), |job| proof_text(job, shared));
    let lines = [proof, "jobs and training runs continue when you quit; preprocessing ends".to_owned()];
    let lines = lines.map(|text| Line::styled(fitted(&format!(" {text}"), cells), theme.dim()));
    frame.render_widget(Paragraph::new(lines.to_vec()), note);
}

pub(super) fn draw_choice(frame: &mut Frame<'_>, area: Rect, list: &mut ScrollList, shared: &SharedState) {
    let theme = &shared.theme;
    let kinds = JobKind::ALL.map(|kind| (kind.title(), kind.meaning()));
    let prepare = ("preprocess images", "DICOM, PNG, TIFF, JPEG into training images");
    let choices: Vec<(&str, &str)> = std::iter::once(prepare).chain(kinds).collect();
    let titles = ["Start a job", "Enter choose, Esc back"];
    let inner = draw_box(frame, area, (92, choices.len() as u16 + 2), shared, titles);
    for (line, row) in list.visible(inner, choices.len()).enumerate() {
        let ((title, meaning), chosen) = (choices[row], row == list.cursor);
        let spans = vec![
            Span::styled(if chosen { theme.sign("▸ ", "> ") } else { "  " }, theme.accent()),
            Span::raw(padded(title, 30)),
            Span::styled(fitted(meaning, usize::from(inner.width).saturating_sub(33)), theme.dim()),
        ];
        let style = if chosen { theme.selected(true) } else { theme.text() };
        let place = Rect::new(inner.x, inner.y + line as u16, inner.width, 1);
        frame.render_widget(Paragraph::new(Line::from(spans)).style(style), place);
    }
}

pub(super) fn draw_output(frame: &mut Frame<'_>, area: Rect, job: &Job, list: &mut ScrollList, shared: &SharedState) {
    let theme = &shared.theme;
    let keys = match (job.is_active(), &job.order.rehearsed, job.result()) {
        (true, ..) => "x stop, y copy, Esc back",
        (false, Some(_), _) => "Enter submit, y copy, Esc back",
        (false, None, Some(_)) => "Enter open, y copy, Esc back",
        (false, None, None) => "y copy, Esc back",
    };
    let inner = draw_box(frame, area, (area.width, area.height), shared, [&job.order.title, keys]);
    let [rows, progress, proof] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(inner);
    let cells = usize::from(rows.width);
    for (line, row) in list.visible(rows, job.lines.len()).enumerate() {
        let place = Rect::new(rows.x, rows.y + line as u16, rows.width, 1);
        let text = fitted(&format!(" {}", job.lines[row]), cells);
        let style = match job.lines[row].split(':').next() {
            Some("error") => theme.bad(),
            Some("warning") => theme.warning(),
            _ => theme.text(),
        };
        frame.render_widget(Paragraph::new(Line::styled(text, style)), place);
    }
    let current = if job.is_active() { job.progress.as_str() } else { "" };
    frame.render_widget(
        Paragraph::new(Line::styled(fitted_parts(&format!(" {current}"), cells), theme.accent())),
        progress,
    );
    let (state, style) = state_text(job, theme);
    let text = format!(" {} · {} · {}", state.trim(), duration_text(job.age(shared.now)), proof_text(job, shared));
    frame.render_widget(Paragraph::new(Line::styled(fitted(&text, cells), style)), proof);
}
