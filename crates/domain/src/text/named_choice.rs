//! Enums that are written and read by name.

/// Implements `Display` and `FromStr` for an enum whose variants are listed in `ALL`: a variant is written as `$name`
/// of it, and read back from any text that `$is_same` accepts for that name, or from one of the synonyms. `$unknown` is
/// a tuple struct that takes a text without a match.
macro_rules! named_choice {
    ($choice:ident by $name:ident, $is_same:path, $unknown:ident $(, $synonym:literal => $variant:ident)* $(,)?) => {
        impl std::fmt::Display for $choice {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.$name())
            }
        }

        impl std::str::FromStr for $choice {
            type Err = $unknown;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let synonyms = [$(($synonym, Self::$variant),)*];
                let names = Self::ALL.into_iter().map(|choice| (choice.$name(), choice)).chain(synonyms);
                let mut found = names.filter(|(name, _)| $is_same(name, text)).map(|(_, choice)| choice);
                found.next().ok_or_else(|| $unknown(text.to_owned()))
            }
        }
    };
}

pub(crate) use named_choice;
