//! A number with its noun in the singular or the plural.

/// `1 image`, `2 images`, for nouns whose plural only adds an s.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `1 image is`, `2 images are`: [`counted`] with a plural of its own.
#[must_use]
pub fn counted_as(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "image")), ["0 images", "1 image", "2 images"]);
        assert_eq!([1, 2].map(|count| counted_as(count, "view has", "views have")), ["1 view has", "2 views have"]);
    }
}
