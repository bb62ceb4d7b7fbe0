//! Spellings of sides, projections and classes in the tables and file names of public data sets.

use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::view::{Projection, Side, View};

/// True for placeholders of missing values, such as that of a subject removed by anonymisation.
pub(super) fn is_absent(text: &str) -> bool {
    const ABSENT: [&str; 11] =
        ["", "removed", "anonymous", "anonymized", "anonymised", "anon", "unknown", "nan", "none", "null", "n/a"];
    ABSENT.iter().any(|absent| text.eq_ignore_ascii_case(absent))
}

/// Parses a side: `L`, `LEFT`, `left`.
pub(super) fn side(text: &str) -> Option<Side> {
    match text.to_ascii_lowercase().as_str() {
        "l" | "left" => Some(Side::Left),
        "r" | "right" => Some(Side::Right),
        _ => None,
    }
}

/// Parses a projection, with its side if the word has one: `CC`, `MLO`, `MLO_R`, `L-CC`, `RMLO`. `ML` is INbreast's name
/// for its oblique views.
pub(super) fn projection(text: &str) -> Option<(Projection, Option<Side>)> {
    let plain: String =
        text.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect();
    let bare = |word: &str| match word {
        "cc" => Some(Projection::Cc),
        "mlo" | "ml" => Some(Projection::Mlo),
        _ => None,
    };
    if let Ok(view) = text.parse::<View>() {
        return Some((view.projection(), Some(view.side())));
    }
    if let Some(projection) = bare(&plain) {
        return Some((projection, None));
    }
    let sided = |rest: &str, side: Side| bare(rest).map(|projection| (projection, Some(side)));
    let of_letter = |letter| if letter == 'r' { Side::Right } else { Side::Left };
    plain
        .strip_prefix(['l', 'r'])
        .and_then(|rest| sided(rest, of_letter(plain.chars().next()?)))
        .or_else(|| plain.strip_suffix(['l', 'r']).and_then(|rest| sided(rest, of_letter(plain.chars().last()?))))
}

/// The words that may precede a class.
const CLASS_WORDS: [&str; 12] = [
    "",
    "acr",
    "acrdensity",
    "birads",
    "biradsdensity",
    "acrbirads",
    "breastdensity",
    "category",
    "class",
    "density",
    "densitycategory",
    "type",
];

/// Parses a class: `A`, `density a`, `ACR B`, `BI-RADS C`, or `1` to `4` of the fourth edition, which are A to D in the
/// fifth. Anything else, such as `B-C` or `B or C`, is not a class.
pub(super) fn class(text: &str) -> Option<DensityClass> {
    let word = text.rsplit([' ', '_', '-']).next()?;
    let before = text.strip_suffix(word)?.chars().filter(|character| character.is_alphanumeric());
    if !CLASS_WORDS.contains(&before.flat_map(char::to_lowercase).collect::<String>().as_str()) {
        return None;
    }
    let by_number = match word {
        "1" | "1.0" => Some(DensityClass::A),
        "2" | "2.0" => Some(DensityClass::B),
        "3" | "3.0" => Some(DensityClass::C),
        "4" | "4.0" => Some(DensityClass::D),
        _ => None,
    };
    by_number.or_else(|| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_public_data_sets_are_parsed() {
        assert_eq!([side("LEFT"), side("r"), side("both")], [Some(Side::Left), Some(Side::Right), None]);
        for (text, expected) in [
            ("CC", Some((Projection::Cc, None))),
            ("mlo", Some((Projection::Mlo, None))),
            ("ML", Some((Projection::Mlo, None))),
            ("MLO_R", Some((Projection::Mlo, Some(Side::Right)))),
            ("L-CC", Some((Projection::Cc, Some(Side::Left)))),
            ("RMLO", Some((Projection::Mlo, Some(Side::Right)))),
            ("CCL", Some((Projection::Cc, Some(Side::Left)))),
            ("spot", None),
            ("", None),
        ] {
            assert_eq!(projection(text), expected, "{text}");
        }
        for (text, expected) in [
            ("A", Some(DensityClass::A)),
            ("DENSITY C", Some(DensityClass::C)),
            ("BI-RADS d", Some(DensityClass::D)),
            ("ACR 2", Some(DensityClass::B)),
            ("4.0", Some(DensityClass::D)),
            ("BI-RADS C", Some(DensityClass::C)),
            ("birads_density-b", Some(DensityClass::B)),
            ("B-C", None),
            ("B or C", None),
            ("not A", None),
            ("0", None),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(class(text), expected, "{text}");
        }
        assert!(is_absent("removed") && is_absent("NaN") && !is_absent("1"));
    }
}
