//! The table that compares the figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Figure, Work};

/// Formats a Markdown table of the medians over the rounds. Of a peer with several memory layouts the fastest is shown:
/// a comparison with a slower one would flatter us.
pub(super) fn markdown_table(ours: &[Figure], theirs: &[Figure]) -> String {
    let (ours, theirs) = (by_case(ours), by_case(theirs));
    let mut table = "| work | size | batch | precision | images/s | peak | peer, f32 | images/s | ratio |\n".to_owned();
    table.push_str("|---|---:|---:|---|---:|---:|---|---:|---:|\n");
    for ((work, size, batch, precision), figures) in ours {
        let rate = median(figures.iter().map(|figure| figure.img_per_s).collect());
        let peak = match figures.iter().filter_map(|figure| figure.peak_bytes).max() {
            Some(bytes) => format!("{:.2} GB", bytes as f64 / 1e9),
            None => "–".to_owned(),
        };
        // Every epoch of the peer reads the files again.
        let their_work = if work == Work::FirstEpoch { Work::Pipeline } else { work };
        let best = theirs
            .iter()
            .filter(|((work, their_size, images, _), _)| (*work, *their_size, *images) == (their_work, size, batch))
            .map(|((.., peer), figures)| (median(figures.iter().map(|figure| figure.img_per_s).collect()), *peer))
            .max_by(|left, right| left.0.total_cmp(&right.0));
        let comparison = match best {
            Some((theirs, peer)) => format!("{peer} | {theirs:.2} | {:.2}", rate / theirs),
            None => "– | – | –".to_owned(),
        };
        let work = work.name();
        writeln!(table, "| {work} | {size} | {batch} | {precision} | {rate:.2} | {peak} | {comparison} |")
            .expect("writing to a String cannot fail");
    }
    table.truncate(table.trim_end().len());
    table
}

/// Work, size, batch, variant.
type Case<'a> = (Work, u32, u32, &'a str);

fn by_case(figures: &[Figure]) -> BTreeMap<Case<'_>, Vec<&Figure>> {
    let mut cases: BTreeMap<Case<'_>, Vec<&Figure>> = BTreeMap::new();
    for figure in figures {
        cases.entry((figure.work, figure.size, figure.batch, &figure.variant)).or_default().push(figure);
    }
    cases
}

/// Returns the middle value, or the mean of the two middle ones; the figures must not be empty.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { f64::midpoint(figures[middle - 1], figures[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(work: Work, size: u32, variant: &str, img_per_s: f64) -> Figure {
        let peak_bytes = (work == Work::Train).then_some(1_234_000_000 + img_per_s as u64 * 10_000_000);
        Figure { work, size, batch: 4, variant: variant.to_owned(), img_per_s, peak_bytes }
    }

    #[test]
    fn medians_are_compared() {
        let ours = [
            figure(Work::Train, 650, "f32", 6.0),
            figure(Work::Train, 650, "f32", 9.0),
            figure(Work::Train, 650, "f32", 8.0),
            figure(Work::FirstEpoch, 650, "bf16", 2.0),
            figure(Work::Forward, 128, "bf16", 100.0),
        ];
        let theirs = [
            figure(Work::Train, 650, "PyTorch, contiguous", 2.0),
            figure(Work::Train, 650, "PyTorch, channels_last", 4.0),
            figure(Work::Pipeline, 650, "Keras", 1.6),
            figure(Work::Forward, 650, "PyTorch, channels_last", 5.0),
        ];
        let table = markdown_table(&ours, &theirs);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| forward | 128 | 4 | bf16 | 100.00 | – | – | – | – |",
                "| train step | 650 | 4 | f32 | 8.00 | 1.32 GB | PyTorch, channels_last | 4.00 | 2.00 |",
                "| from files, first epoch | 650 | 4 | bf16 | 2.00 | – | Keras | 1.60 | 1.25 |",
            ]
        );
    }

    #[test]
    fn an_even_number_of_rounds_has_a_median_too() {
        assert!((median(vec![4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < f64::EPSILON);
    }
}
