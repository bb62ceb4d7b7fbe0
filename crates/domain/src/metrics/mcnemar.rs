//! McNemar's test: whether two classifiers differ in accuracy on the same cases.

use serde::Serialize;

/// The cases on which exactly one of two classifiers is correct, and the probability of such an imbalance by chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemarTest {
    /// The number of cases that only the first classifier predicts correctly.
    pub only_first: u64,
    /// The number of cases that only the second classifier predicts correctly.
    pub only_second: u64,
    /// The two-sided p-value.
    pub p_value: f64,
}

impl McNemarTest {
    /// The exact conditional test (McNemar, Psychometrika 12:153 (1947), with the binomial distribution in place of its
    /// approximation): of the discordant cases, each classifier should win half. It is exact for few discordant cases
    /// and equals the approximation for many. Cases count as independent of each other; images of one subject are not.
    #[must_use]
    pub fn exact(only_first: u64, only_second: u64) -> Self {
        let (all, fewer) = (only_first + only_second, only_first.min(only_second));
        let ln_factorial = |number: u64| libm::lgamma(number as f64 + 1.0);
        let ln_all = ln_factorial(all) - all as f64 * std::f64::consts::LN_2;
        let probability = |wins: u64| (ln_all - ln_factorial(wins) - ln_factorial(all - wins)).exp();
        let tail: f64 = (0..=fewer).map(probability).sum();
        Self { only_first, only_second, p_value: (2.0 * tail).min(1.0) }
    }

    /// The number of cases on which exactly one of the two is correct.
    #[must_use]
    pub const fn discordant(&self) -> u64 {
        self.only_first + self.only_second
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The p-value by counting all outcomes, for at most 60 discordant cases.
    fn counted(only_first: u64, only_second: u64) -> f64 {
        let (all, fewer) = (only_first + only_second, only_first.min(only_second));
        let choose =
            |of: u64, count: u64| (1..=count).fold(1_u128, |value, k| value * u128::from(of + 1 - k) / u128::from(k));
        let tail: u128 = (0..=fewer).map(|wins| choose(all, wins)).sum();
        (2.0 * tail as f64 / 2_f64.powi(all as i32)).min(1.0)
    }

    fn is_close(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= 1e-9 * expected
    }

    #[test]
    fn p_values_match_published_ones() {
        // 2 (1 + 8) / 2^8, by hand.
        assert!(is_close(McNemarTest::exact(1, 7).p_value, 0.070_312_5));
        // The example of the documentation of statsmodels.stats.contingency_tables.mcnemar: 59 against 121.
        assert!(is_close(McNemarTest::exact(59, 121).p_value, 4.434_449_263_755_176e-6));
        // Agresti, Categorical Data Analysis, 2nd edition (2002), table 10.1: approval by 86 against 150 of 1600; there
        // the approximation without correction has p = 3.1e-5.
        assert!(is_close(McNemarTest::exact(86, 150).p_value, 3.715_936_139_571_442e-5));
        // Thousands of cases, of which a sum of plain products would underflow.
        assert!(is_close(McNemarTest::exact(1500, 1700).p_value, 4.333_403_593_997_503_5e-4));
    }

    #[test]
    fn no_difference_is_certain_chance() {
        for equal in [0, 3, 4000] {
            assert!((McNemarTest::exact(equal, equal).p_value - 1.0).abs() < 1e-9);
        }
    }

    proptest! {
        #[test]
        fn the_p_value_equals_the_count_of_outcomes(only_first in 0_u64..30, only_second in 0_u64..30) {
            let test = McNemarTest::exact(only_first, only_second);
            prop_assert!(is_close(test.p_value, counted(only_first, only_second)), "{:?}", test);
            let mirrored = McNemarTest::exact(only_second, only_first).p_value;
            prop_assert!((test.p_value - mirrored).abs() < 1e-12);
            prop_assert!(test.p_value > 0.0 && test.p_value <= 1.0);
        }
    }
}
