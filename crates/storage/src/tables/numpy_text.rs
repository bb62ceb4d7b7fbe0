//! Formats numbers as NumPy's `savetxt` does.

/// Formats a number like C's and NumPy's `%.<digits>e` (`nan`, `inf` and `-inf` if it is not finite). With 17 or more
/// significant digits it reads back to the same double.
pub(crate) fn scientific(value: f64, digits: usize) -> String {
    let plain = format!("{value:.digits$e}");
    match plain.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |positive| ('-', positive));
            format!("{mantissa}e{sign}{exponent:0>2}")
        }
        None => plain.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_as_in_c() {
        assert_eq!(scientific(0.383_799_105_882_644_65, 18), "3.837991058826446533e-01");
        assert_eq!(scientific(5.616_802_809_527_144e-5, 18), "5.616802809527143836e-05");
        assert_eq!(scientific(1.0, 3), "1.000e+00");
        assert_eq!(scientific(1e-120, 1), "1.0e-120");
        assert_eq!(scientific(0.0, 2), "0.00e+00");
        assert_eq!([f64::NAN, f64::NEG_INFINITY].map(|value| scientific(value, 18)), ["nan", "-inf"]);
    }
}
