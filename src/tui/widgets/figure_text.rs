//! Metrics as text, without the leading zero, as clinical papers print them.

use crate::tui::theme::Theme;
use mammoscope_domain::metrics::bootstrap::Interval;

/// A share or a kappa such as `.813`, `1.00` or `-.05`; `–` if undefined.
pub(in crate::tui) fn figure(value: Option<f64>, decimals: usize, theme: &Theme) -> String {
    value
        .filter(|value| value.is_finite())
        .map_or_else(|| theme.sign("–", "-").to_owned(), |value| without_zero(&format!("{value:.decimals$}"), decimals))
}

/// A difference, always with its sign, such as `+.013` or `-.200`.
pub(in crate::tui) fn signed(value: Option<f64>, decimals: usize, theme: &Theme) -> String {
    value.filter(|value| value.is_finite()).map_or_else(
        || theme.sign("–", "-").to_owned(),
        |value| {
            let text = format!("{value:+.decimals$}");
            let is_zero = !text.contains(|digit: char| ('1'..='9').contains(&digit));
            if is_zero { without_zero(&format!("{:.decimals$}", 0.0), decimals) } else { without_zero(&text, decimals) }
        },
    )
}

/// An interval such as `[.75–.88]`, or `[-.02 +.04]` for a difference.
pub(in crate::tui) fn interval(interval: Option<Interval>, is_difference: bool, theme: &Theme) -> String {
    match interval {
        None => theme.sign("–", "-").to_owned(),
        Some(Interval { low, high, .. }) if is_difference => {
            format!("[{} {}]", signed(Some(low), 2, theme), signed(Some(high), 2, theme))
        }
        Some(Interval { low, high, .. }) => {
            format!("[{}{}{}]", figure(Some(low), 2, theme), theme.sign("–", "-"), figure(Some(high), 2, theme))
        }
    }
}

/// `0.813` becomes `.813`; `1.000` loses a digit instead, to be equally wide.
fn without_zero(text: &str, decimals: usize) -> String {
    match text.find("0.") {
        Some(at) if !text[..at].contains(|character: char| character.is_ascii_digit()) => {
            format!("{}{}", &text[..at], &text[at + 1..])
        }
        _ if decimals > 1 => text[..text.len() - 1].to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::empty_shared_state;

    #[test]
    fn metrics_are_equally_wide() {
        let theme = empty_shared_state().theme;
        assert_eq!(figure(Some(0.8126), 3, &theme), ".813");
        assert_eq!(figure(Some(1.0), 3, &theme), "1.00");
        assert_eq!(figure(Some(-0.05), 3, &theme), "-.050");
        assert_eq!(figure(Some(10.04), 3, &theme), "10.04");
        assert_eq!(figure(None, 3, &theme), "–");
        assert_eq!(figure(Some(f64::NAN), 3, &theme), "–");
        assert_eq!(signed(Some(0.013), 3, &theme), "+.013");
        assert_eq!(signed(Some(-0.2), 3, &theme), "-.200");
        assert_eq!(signed(Some(-0.000_01), 3, &theme), ".000", "a sign would claim what the digits do not show");
        assert_eq!(signed(Some(1.0), 2, &theme), "+1.0");
    }

    #[test]
    fn an_interval_of_a_difference_has_signs() {
        let theme = empty_shared_state().theme;
        let ends = Some(Interval { low: -0.021, high: 1.0, undefined_resamples: 0 });
        assert_eq!(interval(ends, false, &theme), "[-.02–1.0]");
        assert_eq!(interval(ends, true, &theme), "[-.02 +1.0]");
        assert_eq!(interval(None, true, &theme), "–");
    }
}
