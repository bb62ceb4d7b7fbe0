//! Natural order of names: numbers compare by value.

use std::cmp::Ordering;

/// Compares names so that `9_1_A` comes before `124_1_A`. Names that differ only in leading zeros compare by their
/// characters, so that the order is total.
pub(super) fn natural_order(left: &str, right: &str) -> Ordering {
    // Paths in one folder differ only at their ends: the common prefix is skipped, up to the number in which they differ.
    let common = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
    let start = (0..=common)
        .rev()
        .find(|&at| left.is_char_boundary(at) && !left[..at].ends_with(|last: char| last.is_ascii_digit()))
        .unwrap_or(0);
    let (mut l, mut r) = (&left[start..], &right[start..]);
    loop {
        let ((left_number, left_rest), (right_number, right_rest)) = (leading_number(l), leading_number(r));
        let order = if left_number.is_empty() || right_number.is_empty() {
            let (mut left_text, mut right_text) = (l.chars(), r.chars());
            let order = left_text.next().cmp(&right_text.next());
            if l.is_empty() {
                return order.then_with(|| left.cmp(right));
            }
            (l, r) = (left_text.as_str(), right_text.as_str());
            order
        } else {
            (l, r) = (left_rest, right_rest);
            let (left_number, right_number) =
                (left_number.trim_start_matches('0'), right_number.trim_start_matches('0'));
            left_number.len().cmp(&right_number.len()).then_with(|| left_number.cmp(right_number))
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn leading_number(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let mut names = ["124_1_A", "9_1_A", "img10", "img2", "9_10_A", "img02", "img", "IMG1", ""];
        names.sort_by(|left, right| natural_order(left, right));
        assert_eq!(names, ["", "9_1_A", "9_10_A", "124_1_A", "IMG1", "img", "img02", "img2", "img10"]);
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[a1-20_]{0,5}", b in "[a1-20_]{0,5}", c in "[a1-20_]{0,5}") {
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b).is_eq(), a == b);
            if natural_order(&a, &b).is_le() && natural_order(&b, &c).is_le() {
                prop_assert!(natural_order(&a, &c).is_le(), "{:?} {:?} {:?}", a, b, c);
            }
        }
    }
}
