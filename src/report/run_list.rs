//! The runs of a workspace as a table.

use std::fmt::Write as _;

use mammoscope_domain::run::run_status::BestEpoch;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    pub name: String,
    /// The current epoch, and the number of epochs requested.
    pub progress: Option<(u32, u32)>,
    pub best: Option<BestEpoch>,
    /// The run's condition, or the damage found; safe to print.
    pub condition: String,
    /// The name, in quotes, and the tags that people gave the run; safe to print, and empty without any.
    pub labels: String,
}

/// A block of the list.
#[derive(Clone, Debug, PartialEq)]
pub enum RunBlock {
    /// A run that was started alone.
    Single(RunRow),
    /// Runs under the id of their group, with their progress.
    Group { id: String, progress: String, rows: Vec<RunRow> },
    /// A study in one line: its runs are too many.
    Study { id: String, progress: String },
}

impl RunBlock {
    fn rows(&self) -> &[RunRow] {
        match self {
            Self::Single(row) => std::slice::from_ref(row),
            Self::Group { rows, .. } => rows,
            Self::Study { .. } => &[],
        }
    }

    fn indent(&self) -> usize {
        if matches!(self, Self::Group { .. }) { 2 } else { 0 }
    }
}

/// The table, in the order given; `best` is the heading of the column of the best epoch.
#[must_use]
pub fn run_list(blocks: &[RunBlock], best: &str) -> String {
    let names = blocks
        .iter()
        .flat_map(|block| block.rows().iter().map(|row| block.indent() + printable(&row.name).chars().count()));
    let width = names.max().unwrap_or(0).max(3);
    let value_width = best.chars().count().max(10);
    let mut text = format!("{:<width$}  {:>9}  {best:>value_width$}  {}\n", "run", "epoch", "state");
    for block in blocks {
        match block {
            RunBlock::Group { id, progress, rows } => {
                let _ = writeln!(text, "{}: {} · {progress}", printable(id), counted(rows.len(), "run"));
            }
            RunBlock::Study { id, progress } => {
                let _ = writeln!(text, "study {}: {progress}", printable(id));
            }
            RunBlock::Single(_) => {}
        }
        let indent = block.indent();
        for row in block.rows() {
            let progress = row.progress.map_or_else(|| "–".to_owned(), |(epoch, epochs)| format!("{epoch}/{epochs}"));
            let best =
                row.best.as_ref().map_or_else(|| "–".to_owned(), |best| format!("{:.3} @{}", best.value, best.epoch));
            let name = format!("{:indent$}{}", "", printable(&row.name));
            let labels = if row.labels.is_empty() { String::new() } else { format!("  {}", row.labels) };
            let _ = writeln!(text, "{name:<width$}  {progress:>9}  {best:>value_width$}  {}{labels}", row.condition);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, group: &str, condition: &str) -> RunRow {
        RunRow {
            name: name.to_owned(),
            progress: (!group.is_empty()).then_some((46, 100)),
            best: (group == "g").then(|| BestEpoch { metric: "val_accuracy".to_owned(), value: 0.7961, epoch: 45 }),
            condition: condition.to_owned(),
            labels: if group == "h" { "\"the good one\" #paper".to_owned() } else { String::new() },
        }
    }

    #[test]
    fn groups_stay_together_and_columns_align() {
        let group = vec![
            row("2026-11-23T10-15-02_CC_R_seed", "g", "running · 3 s ago"),
            row("2026-11-23T10-15-02_MLO_R_seed", "g", "queued · 2 min ago"),
        ];
        let blocks = [
            RunBlock::Group {
                id: "g".to_owned(), progress: "0/2 done · 1 running · 1 queued".to_owned(), rows: group
            },
            RunBlock::Study {
                id: "s".to_owned(), progress: "37/60 done · 4 running · 1 failed · ETA 5 h".to_owned()
            },
            RunBlock::Single(row("2026-11-22T09-00-00_CC_L_seed", "h", "failed · loss became NaN at step 5121")),
            RunBlock::Single(row("half\nmade", "", "damaged · run.toml: No such file")),
            RunBlock::Single(row("empty", "", "damaged")),
        ];
        insta::assert_snapshot!(run_list(&blocks, "best"), @r##"
        run                                   epoch        best  state
        g: 2 runs · 0/2 done · 1 running · 1 queued
          2026-11-23T10-15-02_CC_R_seed      46/100   0.796 @45  running · 3 s ago
          2026-11-23T10-15-02_MLO_R_seed     46/100   0.796 @45  queued · 2 min ago
        study s: 37/60 done · 4 running · 1 failed · ETA 5 h
        2026-11-22T09-00-00_CC_L_seed        46/100           –  failed · loss became NaN at step 5121  "the good one" #paper
        half\nmade                                –           –  damaged · run.toml: No such file
        empty                                     –           –  damaged
        "##);
        assert_eq!(run_list(&[], "best").lines().count(), 1);
    }
}
