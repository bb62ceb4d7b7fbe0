//! The text of the estimate.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::estimate::{DataState, Estimate, Timing, estimate, shares};
use super::wrapped::wrapped;
use super::{Pane, TrainScreen};
use crate::report::epoch_table::seconds_text;
use crate::tui::protocol::train::DataSummary;
use crate::tui::protocol::verb::Verb;
use crate::tui::shared_state::SharedState;
use crate::tui::theme::Theme;
use crate::tui::widgets::fitted::{fitted, fitted_path, padded_start, width};
use crate::tui::widgets::key_text::key_text;
use mammoscope_domain::network::network_plan::NetworkPlan;
use mammoscope_domain::run::dataset_manifest::SplitSource;
use mammoscope_domain::run::run_condition::age_text;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable;
use mammoscope_domain::training::compute_options::DeviceList;
use mammoscope_domain::training::disk_estimate::DiskEstimate;
use mammoscope_engine_client::placement_benchmark::PlacementTiming;

type Lines = Vec<Line<'static>>;

/// A number of bytes in MB or GB.
pub(super) fn bytes_text(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < 1e9 { format!("{:.0} MB", (bytes / 1e6).max(1.0)) } else { format!("{:.1} GB", bytes / 1e9) }
}

impl TrainScreen {
    /// The whole estimate in lines of at most `cells` cells.
    pub(super) fn estimate_lines(&self, cells: usize, shared: &SharedState) -> Lines {
        let theme = &shared.theme;
        let mut lines = Vec::new();
        if let Some(problem) = self.trouble() {
            push_wrapped(&mut lines, theme.sign("✖", "x"), &problem, theme.bad(), cells);
            lines.push(Line::default());
        }
        match &self.data.state {
            DataState::Unknown if self.form.data.is_empty() => {
                let open = key_text(Verb::Open, &shared.keymap);
                let text =
                    format!("Choose a data set: press {open} on data and type its folder, or choose one in Datasets.");
                push_wrapped(&mut lines, "", &text, theme.text(), cells);
            }
            DataState::Unknown | DataState::Failed(_) => {}
            DataState::Reading => push_wrapped(&mut lines, "", "reading the data set …", theme.dim(), cells),
            DataState::Known(data) => {
                push_wrapped(&mut lines, "", &self.runs_text(data), theme.text(), cells);
                lines.push(Line::default());
                lines.extend(images_table(data, &self.source_text(data), cells, shared));
                lines.push(Line::default());
            }
        }
        push_wrapped(&mut lines, "", &self.network_text(), theme.text(), cells);
        if let DataState::Known(data) = &self.data.state {
            self.push_room(&mut lines, data, cells, theme);
            lines.push(Line::default());
            self.push_time(&mut lines, data, cells, shared);
            if self.known_timing().is_some() && !self.form.study.sweep.is_empty() {
                let text = "timed with the values of the form; points of the sweep may take more or less time";
                push_wrapped(&mut lines, "", text, theme.dim(), cells);
            }
            if !data.warnings.is_empty() {
                lines.push(Line::default());
            }
            for warning in &data.warnings {
                push_wrapped(&mut lines, "!", warning, theme.warning(), cells);
            }
            // Else, they are below the form.
            let history = if self.pane == Pane::Estimate { self.history_lines(cells, shared) } else { Vec::new() };
            if !history.is_empty() {
                lines.push(Line::default());
            }
            lines.extend(history);
        }
        lines
    }

    /// The most important parts of the estimate, in at most `rows` lines.
    pub(super) fn brief_lines(&self, cells: usize, rows: usize, shared: &SharedState) -> Lines {
        let theme = &shared.theme;
        let mut lines = Vec::new();
        if let Some(problem) = self.trouble() {
            push_wrapped(&mut lines, theme.sign("✖", "x"), &problem, theme.bad(), cells);
        }
        match &self.data.state {
            DataState::Known(data) => {
                push_wrapped(&mut lines, "", &self.runs_text(data), theme.text(), cells);
                push_wrapped(&mut lines, "", &images_text(data, &self.source_text(data)), theme.text(), cells);
                self.push_time(&mut lines, data, cells, shared);
                self.push_room(&mut lines, data, cells, theme);
                lines.truncate(rows.saturating_sub(usize::from(!data.warnings.is_empty())).max(1));
                match &data.warnings[..] {
                    [] => {}
                    [first, more @ ..] => {
                        let key = key_text(Verb::NextPane, &shared.keymap);
                        let note =
                            if more.is_empty() { String::new() } else { format!(" ({} more: {key})", more.len()) };
                        let cut = fitted(&printable(first), cells.saturating_sub(width(&note) + 2));
                        push_wrapped(&mut lines, "!", &(cut + &note), theme.warning(), cells);
                    }
                }
            }
            _ => return self.estimate_lines(cells, shared),
        }
        lines
    }

    /// A failed start, an unusable data set, or inconsistent values.
    fn trouble(&self) -> Option<String> {
        if let Some(error) = &self.start.error {
            return Some(format!("not started: {error}"));
        }
        if let DataState::Failed(error) = &self.data.state {
            return Some(error.clone());
        }
        self.form.problem().filter(|_| !self.form.data.is_empty())
    }

    fn known_timing(&self) -> Option<&PlacementTiming> {
        if let Timing::Known { timing, .. } = &self.timing.state { Some(timing) } else { None }
    }

    /// The number of runs, their devices and their order.
    fn runs_text(&self, data: &DataSummary) -> String {
        let runs = self.planned_runs();
        let devices = self.form.devices();
        let names = data.views.iter().map(|view| view.view.name()).collect::<Vec<_>>().join(", ");
        let timing = self.known_timing();
        let gpus = timing.map_or(0, |timing| timing.steps.gpus);
        let place = if devices == DeviceList::AllCuda && gpus == 0 {
            " spread over all GPUs".to_owned()
        } else {
            let trainers = shares(&devices, runs, timing).len();
            let used = devices.distinct(gpus);
            let used: Vec<String> = used.iter().take(trainers).map(ToString::to_string).collect();
            let (on, devices) = (used.join(", "), used.len());
            match (runs, trainers) {
                (1, _) => format!(" on {on}"),
                (_, 1) => format!(" one after another on {on}"),
                (_, trainers) if trainers == devices => format!(" in parallel on {on}"),
                (_, trainers) if devices == 1 => format!(", {trainers} side by side, on {on}"),
                (_, trainers) => format!(", up to {} side by side on each of {on}", trainers.div_ceil(devices)),
            }
        };
        match self.form.study_text(data.views.len()) {
            Some(study) => format!("{study}{place}"),
            None => format!("{}{place}: {names}", counted(runs, "run")),
        }
    }

    /// The origin of the splits.
    fn source_text(&self, data: &DataSummary) -> String {
        if let Some(folds) = self.form.study.folds() {
            return format!("fold 1 of {folds} held out");
        }
        match data.source {
            SplitSource::Folders => "splits of its folders",
            SplitSource::Seeded => "splits drawn by subject",
            SplitSource::File => "splits of a table",
            SplitSource::AllAsTrain => "validated on the training images",
        }
        .to_owned()
    }

    fn network_text(&self) -> String {
        let config = &self.form.config;
        let parameters = NetworkPlan::new(config.width).parameter_count();
        let precision = match &self.timing.state {
            Timing::Known { timing, .. } => timing.steps.precision,
            _ => config.precision,
        };
        let batch = if config.accumulate > 1 {
            format!("batch {} × {}", config.batch_size, config.accumulate)
        } else {
            format!("batch {}", config.batch_size)
        };
        format!("{} parameters · {size}×{size} pixels · {batch} · {precision}", grouped(parameters), size = config.size)
    }

    /// Adds the needed and the available memory and disk space.
    fn push_room(&self, lines: &mut Lines, data: &DataSummary, cells: usize, theme: &Theme) {
        let needed = DiskEstimate::new(&self.form.config, self.planned_runs(), data.images()).total();
        let disk = match data.free {
            Some(free) if needed > free => {
                let text = format!("disk: {} needed, only {} free", bytes_text(needed), bytes_text(free));
                push_wrapped(lines, "!", &text, theme.warning(), cells);
                return;
            }
            Some(free) => format!("disk ≤ {} of {}", bytes_text(needed), bytes_text(free)),
            None => format!("disk ≤ {}", bytes_text(needed)),
        };
        let memory = if let Some(PlacementTiming { steps, placement, .. }) = self.known_timing() {
            let needed = bytes_text(steps.memory_needed.saturating_mul(placement.jobs as u64));
            match steps.memory_available {
                Some(available) => format!("memory ≈ {needed} of {} · ", bytes_text(available)),
                None => format!("memory ≈ {needed} · "),
            }
        } else {
            String::new()
        };
        push_wrapped(lines, "", &(memory + &disk), theme.text(), cells);
    }

    fn push_time(&self, lines: &mut Lines, data: &DataSummary, cells: usize, shared: &SharedState) {
        let theme = &shared.theme;
        match &self.timing.state {
            Timing::Unknown if self.form.problem().is_some() => {}
            Timing::Unknown | Timing::Running => {
                push_wrapped(lines, "", "duration: timing steps …", theme.dim(), cells);
            }
            Timing::Failed(error) => {
                push_wrapped(lines, "!", &format!("duration unknown: {error}"), theme.warning(), cells);
            }
            Timing::Known { timing, at } => {
                let Estimate { epoch, total } = estimate(&self.form, data, timing);
                let age = age_text(shared.now - *at);
                let text = format!("≈ {} in total · ends about {}", seconds_text(total), end_text(total, shared));
                push_wrapped(lines, "", &text, theme.text().add_modifier(ratatui::style::Modifier::BOLD), cells);
                let (plan, device) = (timing.placement.in_brief(), &timing.steps.device);
                let text = format!("≈ {} per epoch · {plan} · {device}, {age} ago", seconds_text(epoch));
                push_wrapped(lines, "", &text, theme.text(), cells);
                if let Some(shortage) = &timing.shortage {
                    push_wrapped(lines, "!", &shortage.to_string(), theme.warning(), cells);
                }
            }
        }
        let active = shared.runs.active().count();
        if active > 0 {
            let runs = counted(active, "training run");
            let text = format!("{runs} active in this workspace: training takes longer while devices are shared");
            push_wrapped(lines, "!", &text, theme.warning(), cells);
        }
    }

    /// The duration in a few words; empty while it is unknown.
    pub(super) fn duration_text(&self) -> String {
        match (&self.data.state, &self.timing.state) {
            (DataState::Known(data), Timing::Known { timing, .. }) => {
                format!("≈ {}", seconds_text(estimate(&self.form, data, timing).total))
            }
            _ => String::new(),
        }
    }
}

/// The time of the end, with the date if that is not today's.
fn end_text(seconds: f64, shared: &SharedState) -> String {
    let end = chrono::TimeDelta::try_seconds(seconds as i64).and_then(|length| shared.now.checked_add_signed(length));
    let Some(end) = end else { return "the end of the calendar".to_owned() };
    #[cfg(test)]
    let (now, end) = (shared.now, end);
    #[cfg(not(test))]
    let (now, end) = (shared.now.with_timezone(&chrono::Local), end.with_timezone(&chrono::Local));
    let form = if now.date_naive() == end.date_naive() { "%H:%M" } else { "%-d %b %H:%M" };
    end.format(form).to_string()
}

/// `908 training · 152 validation · 128 test images · splits of its folders`.
fn images_text(data: &DataSummary, source: &str) -> String {
    let of = |split| data.views.iter().map(|view| view.of_split(split)).sum::<usize>();
    let [train, validation, test] = Split::ALL.map(of).map(grouped);
    format!("{train} training · {validation} validation · {test} test images · {source}")
}

/// The numbers of images by split and class over all views, and by split for each of several views.
fn images_table(data: &DataSummary, source: &str, cells: usize, shared: &SharedState) -> Lines {
    let theme = &shared.theme;
    let column = (cells.saturating_sub(11) / 5).clamp(4, 9);
    let cell = |number: usize| padded_start(&grouped(number), column);
    let mut header = vec![Span::styled(format!("{:<11}", "images"), theme.dim())];
    header
        .extend(DensityClass::ALL.map(|class| Span::styled(padded_start(class.letter(), column), theme.class(class))));
    header.push(Span::styled(padded_start("all", column), theme.dim()));
    let mut lines = vec![Line::from(header)];
    for split in Split::ALL {
        let counts: Vec<usize> = (0..DensityClass::COUNT)
            .map(|class| data.views.iter().map(|view| view.counts[split as usize][class]).sum())
            .collect();
        let mut spans = vec![Span::raw(format!("{:<11}", split.name()))];
        spans.extend(counts.iter().map(|&count| {
            Span::styled(cell(count), if count == 0 && split == Split::Train { theme.warning() } else { theme.text() })
        }));
        spans.push(Span::raw(cell(counts.iter().sum())));
        lines.push(Line::from(spans));
    }
    if data.views.len() > 1 {
        for view in &data.views {
            let [train, validation, test] = Split::ALL.map(|split| grouped(view.of_split(split)));
            let text = format!("{:<6} {train} train · {validation} validation · {test} test", view.view.name());
            lines.push(Line::styled(text, theme.dim()));
        }
    }
    lines.push(Line::styled(source.to_owned(), theme.dim()));
    let root = fitted_path(&shared.shown_path(&data.root), cells);
    lines.push(Line::styled(root, theme.dim()));
    lines
}

/// Adds a wrapped text with a hanging sign.
fn push_wrapped(lines: &mut Lines, sign: &'static str, text: &str, style: Style, cells: usize) {
    let indent = if sign.is_empty() { 0 } else { width(sign) + 1 };
    for (number, part) in wrapped(&printable(text), cells.saturating_sub(indent)).into_iter().enumerate() {
        let lead = if number == 0 && indent > 0 { format!("{sign} ") } else { " ".repeat(indent) };
        lines.push(Line::styled(lead + &part, style));
    }
}
