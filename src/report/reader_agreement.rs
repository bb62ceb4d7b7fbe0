//! The agreement of a label file's readers as plain text.

use std::fmt::Write as _;

use super::tables::three_decimals;
use mammoscope_domain::metrics::agreement::{INTER_READER, INTRA_READER};
use mammoscope_domain::metrics::reader_agreement::ReaderPair;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

/// The most pairs listed, which is all pairs of seven readers; the rest are counted.
const LISTED: usize = 21;
/// The greatest width of a pair's names, in characters.
const MAX_NAMES: usize = 30;

/// The kappas of each pair of readers and the published ones; `None` with fewer than two readers.
#[must_use]
pub fn reader_agreement_text(pairs: &[ReaderPair]) -> Option<String> {
    if pairs.is_empty() {
        return None;
    }
    let names: Vec<String> = pairs
        .iter()
        .take(LISTED)
        .map(|ReaderPair { readers: [one, other], .. }| {
            let names = format!("{} and {}", printable(one), printable(other));
            if names.chars().count() <= MAX_NAMES {
                names
            } else {
                names.chars().take(MAX_NAMES - 1).chain(['…']).collect()
            }
        })
        .collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("readers".len());
    let mut text =
        format!("{:<width$}{:>8}{:>8}{:>8}{:>8}{:>11}", "readers", "cases", "agreed", "kappa", "linear", "quadratic");
    for (name, pair) in names.iter().zip(pairs) {
        let share = (pair.cases > 0).then(|| pair.agreed as f64 / pair.cases as f64);
        let kappas = [pair.kappa_unweighted, pair.kappa_linear].map(three_decimals);
        let quadratic = three_decimals(pair.kappa_quadratic);
        let _ = write!(text, "\n{name:<width$}{:>8}{:>8}", pair.cases, three_decimals(share));
        let _ = write!(text, "{:>8}{:>8}{quadratic:>11}", kappas[0], kappas[1]);
    }
    if pairs.len() > LISTED {
        let _ = write!(text, "\nand {} more", counted(pairs.len() - LISTED, "pair"));
    }
    for published in [INTER_READER, INTRA_READER] {
        let [low, high] = published.range.expect("the range of readers is published");
        let _ = write!(text, "\n{}: kappa {:.2} ({low:.2}–{high:.2})", published.between, published.kappa);
    }
    let _ = write!(text, "\n  {}", INTER_READER.source);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::subject::density::DensityClass::{A, B, C, D};

    #[test]
    fn each_pair_has_a_line_and_the_published_kappas_follow() {
        let pairs = [
            ReaderPair::of(["1", "2"], [[A, A], [B, C], [C, C], [D, D]]),
            ReaderPair::of(["1", "Dr. \u{1b}[31m"], [[B, B]]),
        ];
        let text = reader_agreement_text(&pairs).unwrap();
        assert_eq!(
            text,
            "readers                cases  agreed   kappa  linear  quadratic\n\
             1 and 2                    4   0.750   0.667   0.800      0.900\n\
             1 and Dr. \\u{1b}[31m       1   1.000       –       –          –\n\
             two radiologists: kappa 0.46 (0.02–0.72)\n\
             one radiologist, twice: kappa 0.69 (0.50–0.81)\n  \
             Gard et al., Breast J 21:481 (2015), 19 radiologists, 341 examinations"
        );
        assert_eq!(reader_agreement_text(&[]), None);
    }
}
