//! The positions and labels of axis ticks. A number has the same label on every axis: `1k` beside `1.5k`.

/// A tick of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    pub value: f64,
    pub label: String,
}

/// The smallest number of ticks that show the scale of an axis.
const MIN_TICKS: usize = 3;
/// The number of ticks that always suffices to find [`MIN_TICKS`] at round numbers.
const ENOUGH_TICKS: usize = 5;

/// The number below which numbers are written with powers of ten.
const MIN_DECIMAL: f64 = 1e-3;

/// The steps between ticks as multiples of a power of ten, first the roundest.
const ROUND: [f64; 3] = [5.0, 2.0, 1.0];
const LESS_ROUND: [f64; 4] = [4.0, 3.0, 2.5, 1.5];

/// At most `wanted` ticks between two values, at multiples of 1, 2 or 5 times a power of ten; a few more, or at other
/// multiples, if there would be fewer than three.
#[must_use]
pub(crate) fn linear_ticks((low, high): (f64, f64), wanted: usize) -> Vec<Tick> {
    let span = high - low;
    if !(span.is_finite() && span > 0.0) || wanted == 0 {
        return Vec::new();
    }
    let bounds = |step: f64| ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = |step: f64| {
        let (first, last) = bounds(step);
        (last - first + 1.0).max(0.0)
    };
    let largest = span.log10().ceil() as i32;
    // From the coarsest on.
    let steps = |factors: &'static [f64]| {
        (largest - 4..=largest)
            .rev()
            .flat_map(move |power| factors.iter().map(move |factor| factor * 10_f64.powi(power)))
    };
    let fits = |most: usize, step: f64| count(step) <= most as f64;
    let finest = steps(&ROUND).take_while(|step| fits(wanted, *step)).last();
    let at_least =
        |factors, most| steps(factors).find(|step| count(*step) >= MIN_TICKS as f64).filter(|step| fits(most, *step));
    let most = wanted.max(ENOUGH_TICKS);
    let step = finest
        .filter(|step| count(*step) >= MIN_TICKS as f64)
        .or_else(|| at_least(&ROUND, wanted.max(MIN_TICKS)))
        // Where there is hardly room, three at less round numbers are better than more.
        .or_else(|| at_least(&LESS_ROUND, MIN_TICKS).filter(|_| wanted < MIN_TICKS))
        .or_else(|| at_least(&ROUND, most))
        .or_else(|| at_least(&LESS_ROUND, most))
        .or(finest);
    let Some(step) = step else { return Vec::new() };
    let (first, last) = bounds(step);
    let count = (last - first + 1.0).max(0.0) as usize;
    (0..count)
        .map(|at| (first + at as f64) * step)
        .map(|value| if value.abs() < step / 2.0 { 0.0 } else { value })
        .map(|value| Tick { value, label: step_label(value, step, low.abs().max(high.abs())) })
        .collect()
}

/// At most `wanted` ticks between two positive values, at powers of ten, or also at 2 and 5 times these if they fit; a
/// few more if there would be fewer than three.
#[must_use]
pub(crate) fn log_ticks((low, high): (f64, f64), wanted: usize) -> Vec<Tick> {
    if !(low > 0.0 && high > low && high.is_finite()) || wanted == 0 {
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
    let by_powers = || {
        (1..=last.abs_diff(first) as usize + 1)
            .map(|every| at(&[1.0], every))
            .find(|values| values.len() <= wanted)
            .unwrap_or_default()
    };
    let most = wanted.max(ENOUGH_TICKS);
    let shows_scale = |values: &Vec<f64>, most: usize| (MIN_TICKS..=most).contains(&values.len());
    let candidates = || [at(&[1.0, 2.0, 5.0], 1), at(&[1.0, 3.0], 1), at(&[1.0], 1), by_powers()].into_iter();
    let found = candidates()
        .find(|values| shows_scale(values, wanted))
        .or_else(|| candidates().rev().find(|values| shows_scale(values, most)));
    match found {
        Some(values) => values.into_iter().map(|value| Tick { value, label: axis_label(value) }).collect(),
        // Little more than a power of ten is visible: the ticks of a linear axis say more.
        None => linear_ticks((low, high), most).into_iter().filter(|tick| tick.value > 0.0).collect(),
    }
}

/// At most `wanted` ticks between two times in seconds, at whole seconds, minutes, hours or days; a few more if there
/// would be fewer than three.
#[must_use]
pub(crate) fn time_ticks((low, high): (f64, f64), wanted: usize) -> Vec<Tick> {
    const STEPS: [f64; 16] =
        [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0];
    let span = high - low;
    if !(span.is_finite() && span > 0.0) || wanted == 0 {
        return Vec::new();
    }
    let bounds = |step: f64| ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = |step: f64| bounds(step).1 - bounds(step).0 + 1.0;
    let days = (0..9).flat_map(|power| [0.5, 1.0, 2.0, 5.0].map(|factor| factor * 86_400.0 * 10_f64.powi(power)));
    let steps: Vec<f64> = STEPS.into_iter().chain(days).collect();
    let Some(finest) = steps.iter().position(|step| count(*step) <= wanted as f64) else { return Vec::new() };
    let most = wanted.max(ENOUGH_TICKS) as f64;
    let finer = (0..=finest).rev().find(|at| count(steps[*at]) >= MIN_TICKS as f64);
    let step = steps[finer.filter(|at| count(steps[*at]) <= most).unwrap_or(finest)];
    let (first, last) = (bounds(step).0 as i64, bounds(step).1 as i64);
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

/// The decimals that a step of an axis has at most.
const MAX_DECIMALS: i32 = 300;

/// A number with as many digits as distinguish it from its neighbours a step away, without zeros at the end; `k` and
/// `M` for thousands and millions, powers of ten if even the `largest` number of the axis is tiny.
fn step_label(value: f64, step: f64, largest: f64) -> String {
    // The decimals of the step, to which the value is a multiple.
    let decimals =
        |step: f64| (0..=MAX_DECIMALS).find(|decimals| is_whole(step * 10_f64.powi(*decimals))).unwrap_or(0) as usize;
    match value.abs() {
        0.0 => "0".to_owned(),
        size if largest < MIN_DECIMAL && step < MIN_DECIMAL => {
            let power = size.log10().floor();
            let unit = 10_f64.powf(power);
            format!("{}e{power}", trimmed(value / unit, decimals(step / unit).min(6)))
        }
        size if size >= 1e6 && step >= 1e3 => format!("{}M", trimmed(value / 1e6, decimals(step / 1e6).min(6))),
        size if size >= 1e3 && step >= 100.0 => format!("{}k", trimmed(value / 1e3, decimals(step / 1e3).min(6))),
        _ => trimmed(value, decimals(step).min(12)),
    }
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6 * value.abs().max(1.0)
}

/// A round number of a logarithmic axis.
fn axis_label(value: f64) -> String {
    let unit = 10_f64.powf(value.abs().log10().floor());
    step_label(value, unit, value.abs())
}

/// A number in about five characters.
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

/// A number in three significant digits.
#[must_use]
pub(crate) fn brief_label(value: f64) -> String {
    let size = value.abs();
    if size < 1e-3 || !size.is_finite() || size >= 1e4 {
        return number_label(value);
    }
    trimmed(value, (2.0 - size.log10().floor()).clamp(0.0, 5.0) as usize)
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
        assert_eq!(labels(&linear_ticks((0.31, 2.07), 4)), ["0.5", "1", "1.5", "2"]);
        assert_eq!(labels(&linear_ticks((0.0, 10_400.0), 6)), ["0", "2k", "4k", "6k", "8k", "10k"]);
        assert_eq!(labels(&linear_ticks((0.0, 2200.0), 5)), ["0", "500", "1k", "1.5k", "2k"]);
        assert_eq!(labels(&linear_ticks((0.0, 900.0), 5)), ["0", "200", "400", "600", "800"]);
        assert_eq!(labels(&linear_ticks((-0.1, 0.1), 3)), ["-0.1", "0", "0.1"]);
        assert_eq!(labels(&linear_ticks((0.009, 0.011), 3)), ["0.009", "0.01", "0.011"]);
        assert_eq!(labels(&linear_ticks((0.0, 0.0021), 4)), ["0", "0.001", "0.002"]);
        assert_eq!(labels(&linear_ticks((0.0, 0.0011), 6)), ["0", "0.0002", "0.0004", "0.0006", "0.0008", "0.001"]);
        assert_eq!(labels(&linear_ticks((0.0, 3.2e-5), 3)), ["0", "1e-5", "2e-5", "3e-5"]);
        assert_eq!(labels(&linear_ticks((1.1e-5, 2.9e-5), 4)), ["1.5e-5", "2e-5", "2.5e-5"]);
        assert_eq!(labels(&linear_ticks((120_003.0, 120_021.0), 4)), ["120005", "120010", "120015", "120020"]);
        assert_eq!(labels(&log_ticks((0.05, 3.0), 6)), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
        assert_eq!(labels(&log_ticks((1e-5, 0.1), 5)), ["1e-5", "1e-4", "0.001", "0.01", "0.1"]);
        assert_eq!(labels(&log_ticks((40.0, 3000.0), 4)), ["100", "300", "1k", "3k"]);
        assert_eq!(log_ticks((1.1, 1.9), 3), linear_ticks((1.1, 1.9), 5), "within a power of ten");
        assert_eq!(labels(&time_ticks((0.0, 5400.0), 4)), ["0", "30m", "1h", "1h30"]);
        assert_eq!(labels(&time_ticks((0.0, 400_000.0), 5)), ["0", "1d", "2d", "3d", "4d"]);
        assert_eq!(labels(&time_ticks((0.0, 70.0), 2)), ["0", "30s", "1m"]);
        assert_eq!(
            [12.4017, 7.533, 0.01234, 999.6, 0.0, 12_345.0].map(brief_label),
            ["12.4", "7.53", "0.0123", "1000", "0", "12.3k"]
        );
        assert_eq!(linear_ticks((1.0, 1.0), 4), []);
        assert_eq!(linear_ticks((f64::NAN, 1.0), 4), []);
    }

    /// The number that a label spells.
    fn spelled(label: &str) -> f64 {
        let (digits, unit) = match label.strip_suffix('k') {
            Some(digits) => (digits, 1e3),
            None => label.strip_suffix('M').map_or((label, 1.0), |digits| (digits, 1e6)),
        };
        digits.parse::<f64>().unwrap() * unit
    }

    proptest! {
        #[test]
        fn there_are_at_least_three_ticks_and_not_too_many(
            (low, power, span) in (-1e4_f64..1e4, -5_i32..6, 1.0_f64..10.0), wanted in 1_usize..12,
        ) {
            let span = span * 10_f64.powi(power);
            let low = if span < 1.0 { low / 1e4 } else { low };
            for ticks in [
                linear_ticks((low, low + span), wanted),
                log_ticks((low.abs() + 1e-6, low.abs() + 1e-6 + span), wanted),
            ] {
                prop_assert!((3..=wanted.max(ENOUGH_TICKS)).contains(&ticks.len()), "{ticks:?}");
                for pair in ticks.windows(2) {
                    prop_assert!(pair[0].value < pair[1].value);
                    prop_assert!(pair[0].label != pair[1].label, "{ticks:?}");
                }
                for Tick { value, label } in &ticks {
                    prop_assert!((spelled(label) - value).abs() <= span * 1e-3, "{label} for {value}");
                }
            }
            let times = time_ticks((low.abs(), low.abs() + span), wanted);
            prop_assert!(times.len() <= wanted.max(ENOUGH_TICKS));
            prop_assert!(times.windows(2).all(|pair| pair[0].value < pair[1].value));
        }
    }
}
