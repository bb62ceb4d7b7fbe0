//! The figures of the benchmark, and the table that sets them side by side.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

/// What `mammoscope-engine bench forward --json` prints.
#[derive(Debug, Deserialize)]
pub(crate) struct OurReport {
    /// One entry per case.
    pub(crate) results: Vec<OurResult>,
}

/// One case of ours.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OurResult {
    /// Edge length of the images, in pixels.
    size: u32,
    /// Images a pass.
    batch: u32,
    /// `f32` or `bf16`.
    precision: String,
    /// Images a second.
    img_per_s: f64,
}

/// What the script for Python's torch writes.
#[derive(Debug, Deserialize)]
pub(crate) struct PeerReport {
    /// One entry per case.
    pub(crate) results: Vec<PeerResult>,
}

/// One case of Python's torch, in f32.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PeerResult {
    /// Edge length of the images, in pixels.
    size: u32,
    /// Images a pass.
    images: u32,
    /// `contiguous` or `channels_last`.
    layout: String,
    /// Images a second.
    img_per_s: f64,
}

/// A Markdown table of the medians over the rounds. Python's torch enters with its faster memory layout: a comparison
/// with the slower one would flatter us.
pub(crate) fn markdown_table(ours: &[OurResult], theirs: &[PeerResult]) -> String {
    let mut our_rounds: BTreeMap<(u32, u32, &str), Vec<f64>> = BTreeMap::new();
    for result in ours {
        our_rounds.entry((result.size, result.batch, &result.precision)).or_default().push(result.img_per_s);
    }
    let mut their_rounds: BTreeMap<(u32, u32, &str), Vec<f64>> = BTreeMap::new();
    for result in theirs {
        their_rounds.entry((result.size, result.images, &result.layout)).or_default().push(result.img_per_s);
    }
    let mut table = "| size | batch | precision | images/s | torch, f32: images/s | layout | ratio |\n".to_owned();
    table.push_str("|---:|---:|---|---:|---:|---|---:|\n");
    for ((size, batch, precision), rounds) in our_rounds {
        let ours = median(rounds);
        let best = their_rounds
            .iter()
            .filter(|((their_size, images, _), _)| (*their_size, *images) == (size, batch))
            .map(|((_, _, layout), rounds)| (median(rounds.clone()), *layout))
            .max_by(|left, right| left.0.total_cmp(&right.0));
        let theirs = match best {
            Some((theirs, layout)) => format!("{theirs:.2} | {layout} | {:.2}", ours / theirs),
            None => "– | – | –".to_owned(),
        };
        writeln!(table, "| {size} | {batch} | {precision} | {ours:.2} | {theirs} |").expect("a String takes all");
    }
    table.truncate(table.trim_end().len());
    table
}

/// The middle value, or the mean of the two middle ones; the figures are never empty.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { f64::midpoint(figures[middle - 1], figures[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_stand_side_by_side() {
        let ours = r#"{"results": [
            {"name": "forward", "size": 650, "batch": 4, "precision": "f32", "img_per_s": 6.0, "median_s": 0.7},
            {"name": "forward", "size": 650, "batch": 4, "precision": "f32", "img_per_s": 9.0, "median_s": 0.4},
            {"name": "forward", "size": 650, "batch": 4, "precision": "f32", "img_per_s": 8.0, "median_s": 0.5},
            {"name": "forward", "size": 128, "batch": 1, "precision": "bf16", "img_per_s": 100.0, "median_s": 0.01}
        ]}"#;
        let theirs = r#"{"framework": "pytorch", "results": [
            {"name": "forward", "size": 650, "images": 4, "img_per_s": 2.0, "layout": "contiguous"},
            {"name": "forward", "size": 650, "images": 4, "img_per_s": 4.0, "layout": "channels_last"},
            {"name": "forward_b1", "size": 650, "images": 1, "img_per_s": 16.0, "layout": "contiguous"}
        ]}"#;
        let ours: OurReport = serde_json::from_str(ours).expect("our format");
        let theirs: PeerReport = serde_json::from_str(theirs).expect("their format");
        let table = markdown_table(&ours.results, &theirs.results);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            ["| 128 | 1 | bf16 | 100.00 | – | – | – |", "| 650 | 4 | f32 | 8.00 | 4.00 | channels_last | 2.00 |"]
        );
    }

    #[test]
    fn an_even_number_of_rounds_has_a_median_too() {
        assert!((median(vec![4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < f64::EPSILON);
    }
}
