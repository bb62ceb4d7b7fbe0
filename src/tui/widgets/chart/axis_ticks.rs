//! The positions and labels of axis ticks.

/// A tick of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    pub value: f64,
    pub label: String,
}

/// At most `max_ticks` ticks between two values, at multiples of 1, 2 or 5 times a power of ten.
#[must_use]
pub(crate) fn linear_ticks((low, high): (f64, f64), max_ticks: usize) -> Vec<Tick> {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) || max_ticks == 0 {
        return Vec::new();
    }
    let mut power = 10_f64.powf((span / max_ticks as f64).log10().floor());
    loop {
        for factor in [1.0, 2.0, 5.0] {
            let step = factor * power;
            let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
            if last - first < max_ticks as f64 {
                let count = (last - first + 1.0).max(0.0) as usize;
                return (0..count)
                    .map(|at| (first + at as f64) * step)
                    .map(|value| Tick { value, label: step_label(value, step) })
                    .collect();
            }
        }
        power *= 10.0;
    }
}

/// At most `max_ticks` ticks between two positive values, at powers of ten, or also at 2 and 5 times these if they fit.
#[must_use]
pub(crate) fn log_ticks((low, high): (f64, f64), max_ticks: usize) -> Vec<Tick> {
    if !(low > 0.0 && high > low && high.is_finite()) || max_ticks == 0 {
        return Vec::new();
    }
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let within = |value: &f64| *value >= low * (1.0 - 1e-9) && *value <= high * (1.0 + 1e-9);
    let at = |factors: &'static [f64], every: usize| -> Vec<f64> {
        (first..=last)
            .step_by(every)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10_f64.powi(power)))
            .filter(within)
            .collect()
    };
    let fine = at(&[1.0, 2.0, 5.0], 1);
    let mut values = if fine.len() <= max_ticks { fine } else { at(&[1.0], 1) };
    let mut every = 2;
    while values.len() > max_ticks {
        values = at(&[1.0], every);
        every += 1;
    }
    if values.len() < 2 {
        // Less than a power of ten is visible: the ticks of a linear axis say more.
        return linear_ticks((low, high), max_ticks).into_iter().filter(|tick| tick.value > 0.0).collect();
    }
    values.into_iter().map(|value| Tick { value, label: number_label(value) }).collect()
}

/// At most `max_ticks` ticks between two times in seconds, at whole seconds, minutes, hours or days.
#[must_use]
pub(crate) fn time_ticks((low, high): (f64, f64), max_ticks: usize) -> Vec<Tick> {
    const STEPS: [f64; 16] =
        [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0];
    let span = high - low;
    if !(span.is_finite() && span > 0.0) || max_ticks == 0 {
        return Vec::new();
    }
    let fits = |step: &f64| ((high / step + 1e-9).floor() - (low / step - 1e-9).ceil()) < max_ticks as f64;
    let days = (0..9).flat_map(|power| [0.5, 1.0, 2.0, 5.0].map(|factor| factor * 86_400.0 * 10_f64.powi(power)));
    let Some(step) = STEPS.into_iter().chain(days).find(fits) else { return Vec::new() };
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last).map(|at| at as f64 * step).map(|value| Tick { value, label: time_label(value) }).collect()
}

/// A duration in at most two units: `45s`, `12m`, `2h30`, `3d`.
#[must_use]
pub(crate) fn time_label(seconds: f64) -> String {
    let seconds = seconds.round().max(0.0) as u64;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0 => "0".to_owned(),
        1..60 => format!("{seconds}s"),
        60..3600 if !seconds.is_multiple_of(60) => format!("{minutes}m{:02}", seconds % 60),
        60..3600 => format!("{minutes}m"),
        3600..86_400 if minutes % 60 > 0 => format!("{hours}h{:02}", minutes % 60),
        3600..86_400 => format!("{hours}h"),
        _ if hours % 24 > 0 => format!("{}d{:02}h", hours / 24, hours % 24),
        _ => format!("{}d", hours / 24),
    }
}

/// A number with as many digits as distinguish it from its neighbours a step away; `k` and `M` for thousands and
/// millions.
fn step_label(value: f64, step: f64) -> String {
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    if value == 0.0 {
        return "0".to_owned();
    }
    if step < 1e-4 {
        return format!("{value:.0e}");
    }
    let (divisor, unit) = match value.abs().max(step) {
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e4 || (size >= 1e3 && step >= 100.0) => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = (-(step / divisor).log10() - 1e-9).ceil().max(0.0) as usize;
    format!("{:.decimals$}{unit}", value / divisor)
}

/// A number in about five characters, for logarithmic axes.
#[must_use]
pub(crate) fn number_label(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1e6 => format!("{}M", trimmed(value / 1e6, 1)),
        size if size >= 1e4 => format!("{}k", trimmed(value / 1e3, 1)),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1e-3 => trimmed(value, 4),
        _ => format!("{value:.0e}"),
    }
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_at_round_numbers() {
        assert_eq!(labels(&linear_ticks((0.31, 2.07), 4)), ["0.5", "1.0", "1.5", "2.0"]);
        assert_eq!(labels(&linear_ticks((0.0, 10_400.0), 6)), ["0", "2k", "4k", "6k", "8k", "10k"]);
        assert_eq!(labels(&linear_ticks((0.0, 900.0), 5)), ["0", "200", "400", "600", "800"]);
        assert_eq!(labels(&linear_ticks((-0.1, 0.1), 3)), ["-0.1", "0", "0.1"]);
        assert_eq!(labels(&log_ticks((0.05, 3.0), 6)), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(labels(&log_ticks((1e-5, 0.1), 5)), ["1e-5", "1e-4", "0.001", "0.01", "0.1"]);
        assert_eq!(log_ticks((1.1, 1.9), 3), linear_ticks((1.1, 1.9), 3), "within a power of ten");
        assert_eq!(labels(&time_ticks((0.0, 5400.0), 4)), ["0", "30m", "1h", "1h30"]);
        assert_eq!(labels(&time_ticks((0.0, 400_000.0), 5)), ["0", "1d", "2d", "3d", "4d"]);
        assert_eq!(linear_ticks((1.0, 1.0), 4), []);
        assert_eq!(linear_ticks((f64::NAN, 1.0), 4), []);
    }

    proptest! {
        #[test]
        fn ticks_ascend_and_are_not_too_many(
            (low, span) in (-1e6_f64..1e6, 1e-3_f64..1e6), max_ticks in 1_usize..12,
        ) {
            for ticks in [
                linear_ticks((low, low + span), max_ticks),
                log_ticks((low.abs() + 1e-6, low.abs() + span), max_ticks),
                time_ticks((low.abs(), low.abs() + span), max_ticks),
            ] {
                prop_assert!(ticks.len() <= max_ticks);
                for pair in ticks.windows(2) {
                    prop_assert!(pair[0].value < pair[1].value);
                }
            }
        }
    }
}
