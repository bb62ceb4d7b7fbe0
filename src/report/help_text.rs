//! In words: whether one way of predicting is better than another.

use serde::Serialize;

use super::tables::rounded;
use mammoscope_domain::metrics::bootstrap::Interval;

/// What a paired comparison shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Better,
    Worse,
    /// The interval of the difference includes 0, or there is none.
    NotShown,
}

impl Verdict {
    /// The verdict by the interval of the difference.
    #[must_use]
    pub fn of(interval: Option<Interval>, is_larger_better: bool) -> Self {
        match interval {
            Some(interval) if interval.low > 0.0 => {
                if is_larger_better {
                    Self::Better
                } else {
                    Self::Worse
                }
            }
            Some(interval) if interval.high < 0.0 => {
                if is_larger_better {
                    Self::Worse
                } else {
                    Self::Better
                }
            }
            _ => Self::NotShown,
        }
    }
}

/// A figure of both ways with the verdict, as in `log loss 0.912, not 0.950 (95 % interval of the difference -0.060 to
/// -0.010): better`.
#[must_use]
pub fn help_sentence(
    figure: &str,
    [here, there]: [Option<f64>; 2],
    interval: Option<Interval>,
    verdict: Verdict,
) -> String {
    let name = match figure {
        "log_loss" => "log loss",
        "kappa_linear" => "linear kappa",
        other => other,
    };
    let Some((here, there)) = here.zip(there) else { return format!("{name} is undefined") };
    let interval = interval.map_or_else(
        || "no interval".to_owned(),
        |Interval { low, high, .. }| format!("95 % interval of the difference {} to {}", rounded(low), rounded(high)),
    );
    let verdict = match verdict {
        Verdict::Better => "it helped",
        Verdict::Worse => "it made the predictions worse",
        Verdict::NotShown => "no difference is shown",
    };
    format!("{name} {} instead of {} ({interval}): {verdict}", rounded(here), rounded(there))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_follow_the_interval_and_the_direction() {
        let interval = |low, high| Some(Interval { low, high, undefined_resamples: 0 });
        assert_eq!(Verdict::of(interval(0.01, 0.2), true), Verdict::Better);
        assert_eq!(Verdict::of(interval(0.01, 0.2), false), Verdict::Worse);
        assert_eq!(Verdict::of(interval(-0.2, -0.01), false), Verdict::Better);
        assert_eq!(Verdict::of(interval(-0.2, 0.01), false), Verdict::NotShown);
        assert_eq!(Verdict::of(None, true), Verdict::NotShown);
        let text = help_sentence("log_loss", [Some(0.912), Some(0.95)], interval(-0.06, -0.01), Verdict::Better);
        assert_eq!(
            text,
            "log loss 0.912 instead of 0.950 (95 % interval of the difference -0.060 to -0.010): it helped"
        );
        let text = help_sentence("kappa_linear", [Some(0.5), Some(0.5)], None, Verdict::NotShown);
        assert_eq!(text, "linear kappa 0.500 instead of 0.500 (no interval): no difference is shown");
    }
}
