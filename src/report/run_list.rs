//! The runs of a workspace as a table.

use std::fmt::Write as _;

use mammoscope_domain::run::run_status::BestEpoch;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    pub name: String,
    /// The id shared by runs that were started together.
    pub group: Option<String>,
    /// The current epoch, and the number of epochs requested.
    pub progress: Option<(u32, u32)>,
    pub best: Option<BestEpoch>,
    /// The run's condition, or the damage found; safe to print.
    pub condition: String,
}

/// The table, in the order given; runs that were started together are listed under the id of their group.
#[must_use]
pub fn run_list(rows: &[RunRow]) -> String {
    let groups: Vec<&[RunRow]> = rows.chunk_by(|one, other| one.group.is_some() && one.group == other.group).collect();
    let indented = |group: &[RunRow]| if group.len() > 1 { 2 } else { 0 };
    let names =
        groups.iter().flat_map(|group| group.iter().map(|row| indented(group) + printable(&row.name).chars().count()));
    let width = names.max().unwrap_or(0).max(3);
    let mut text = format!("{:<width$}  {:>9}  {:>10}  {}\n", "run", "epoch", "best", "state");
    for group in groups {
        let indent = indented(group);
        if let [RunRow { group: Some(id), .. }, _, ..] = group {
            let _ = writeln!(text, "{}: {}", printable(id), counted(group.len(), "run"));
        }
        for row in group {
            let progress = row.progress.map_or_else(|| "–".to_owned(), |(epoch, epochs)| format!("{epoch}/{epochs}"));
            let best =
                row.best.as_ref().map_or_else(|| "–".to_owned(), |best| format!("{:.3} @{}", best.value, best.epoch));
            let name = format!("{:indent$}{}", "", printable(&row.name));
            let _ = writeln!(text, "{name:<width$}  {progress:>9}  {best:>10}  {}", row.condition);
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
            group: (!group.is_empty()).then(|| group.to_owned()),
            progress: (!group.is_empty()).then_some((46, 100)),
            best: (group == "g").then(|| BestEpoch { metric: "val_accuracy".to_owned(), value: 0.7961, epoch: 45 }),
            condition: condition.to_owned(),
        }
    }

    #[test]
    fn groups_stay_together_and_columns_align() {
        let rows = [
            row("2026-11-23T10-15-02_CC_R_seed", "g", "running · 3 s ago"),
            row("2026-11-23T10-15-02_MLO_R_seed", "g", "queued · 2 min ago"),
            row("2026-11-22T09-00-00_CC_L_seed", "h", "failed · loss became NaN at step 5121"),
            row("half\nmade", "", "damaged · run.toml: No such file"),
            row("empty", "", "damaged"),
        ];
        insta::assert_snapshot!(run_list(&rows), @r"
        run                                   epoch        best  state
        g: 2 runs
          2026-11-23T10-15-02_CC_R_seed      46/100   0.796 @45  running · 3 s ago
          2026-11-23T10-15-02_MLO_R_seed     46/100   0.796 @45  queued · 2 min ago
        2026-11-22T09-00-00_CC_L_seed        46/100           –  failed · loss became NaN at step 5121
        half\nmade                                –           –  damaged · run.toml: No such file
        empty                                     –           –  damaged
        ");
        assert_eq!(run_list(&[]).lines().count(), 1);
    }
}
