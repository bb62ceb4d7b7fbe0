//! The sections of a card that the program writes, between marked lines; everything else belongs to people.
//!
//! ```text
//! <!-- mammoscope: figures 0123456789abcdef -->
//! generated text
//! <!-- mammoscope: end figures -->
//! ```
//!
//! In the YAML head the marked lines are comments, `# <!-- … -->`. The digits are a checksum of the lines between, by which
//! a section that a person changed is noticed.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use crate::text::hexadecimal::hexadecimal;

/// The number of bytes of the SHA-256 in a marked line.
const CHECKSUM_BYTES: usize = 8;
const START: &str = "<!-- mammoscope: ";
const END: &str = " -->";

/// A card that cannot be updated without the loss of what a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardProblem {
    #[error("it has no section marked `<!-- mammoscope: … -->`, so it was written by hand")]
    ByHand,
    #[error("line {line}: {fault}")]
    Marks { line: usize, fault: String },
    #[error(
        "its section {} was changed by hand; move what was written outside the marked lines, and delete the digits after \
         the section's name, so that it can be written again", .0.join(" and ")
    )]
    Changed(Vec<String>),
}

/// A part of a card: a section, or the text between two.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part<'t> {
    Free(&'t str),
    Section {
        name: &'t str,
        /// The line that starts it, with its line break.
        start: &'t str,
        contents: &'t str,
        end: &'t str,
    },
}

/// The meaning of a marked line.
enum Mark<'t> {
    Start { name: &'t str, checksum: Option<&'t str> },
    End { name: &'t str },
}

/// A generated section with its marked lines; `comment` comes before them, such as `# ` in YAML.
pub(super) fn section(name: &str, contents: &str, comment: &str) -> String {
    format!("{comment}{START}{name} {}{END}\n{contents}{comment}{START}end {name}{END}\n", checksum(contents))
}

/// Returns a card with its sections as in `fresh`, those named in `kept` and everything between sections byte for byte as
/// before. A section that the card lacks is not added: a person removed it.
pub fn updated_card(card: &str, fresh: &str, kept: &[&str]) -> Result<String, CardProblem> {
    let parts = parts(card)?;
    let new = self::parts(fresh)?;
    let changed: Vec<String> =
        parts.iter().filter(|part| part.is_changed()).map(|part| part.name().to_owned()).collect();
    if !changed.is_empty() {
        return Err(CardProblem::Changed(changed));
    }
    if parts.iter().all(|part| matches!(part, Part::Free(_))) {
        return Err(CardProblem::ByHand);
    }
    let mut updated = String::new();
    for part in &parts {
        match part {
            Part::Free(text) => updated.push_str(text),
            Part::Section { name, start, contents, end } => {
                let other = new.iter().find(|other| other.name() == *name && !kept.contains(name));
                match other {
                    Some(Part::Section { start: new_start, contents: new_contents, .. })
                        if new_contents != contents =>
                    {
                        let line_break = if start.ends_with("\r\n") { "\r\n" } else { "\n" };
                        let in_lines = |text: &str| text.replace("\r\n", "\n").replace('\n', line_break);
                        updated.push_str(&in_lines(new_start));
                        updated.push_str(&in_lines(new_contents));
                    }
                    _ => {
                        updated.push_str(start);
                        updated.push_str(contents);
                    }
                }
                updated.push_str(end);
            }
        }
    }
    Ok(updated)
}

/// The contents of a section; `None` if the card lacks it or its marked lines are faulty.
#[must_use]
pub fn section_of<'t>(card: &'t str, wanted: &str) -> Option<&'t str> {
    parts(card).ok()?.into_iter().find_map(|part| match part {
        Part::Section { name, contents, .. } if name == wanted => Some(contents),
        _ => None,
    })
}

impl Part<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Free(_) => "",
            Self::Section { name, .. } => name,
        }
    }

    /// True if the lines of a section are not those of its checksum. Without a checksum, they may be replaced.
    fn is_changed(&self) -> bool {
        let Self::Section { start, contents, .. } = self else { return false };
        let Some(Mark::Start { checksum: Some(stated), .. }) = mark(start) else { return false };
        stated != checksum(contents)
    }
}

fn parts(card: &str) -> Result<Vec<Part<'_>>, CardProblem> {
    let mut parts = Vec::new();
    let mut names = BTreeSet::new();
    // The section being read: its name, its first line's number and place, and the place after that line.
    let mut open: Option<(&str, usize, usize, usize)> = None;
    let (mut at, mut free_from) = (0, 0);
    for (number, line) in (1..).zip(card.split_inclusive('\n')) {
        let fault = |fault: String| CardProblem::Marks { line: number, fault };
        let next = at + line.len();
        match (mark(line), open) {
            (None, _) => {}
            (Some(Mark::Start { name, .. }), None) => {
                if !names.insert(name) {
                    return Err(fault(format!("the section {name} is there twice")));
                }
                parts.push(Part::Free(&card[free_from..at]));
                open = Some((name, number, at, next));
            }
            (Some(Mark::Start { name, .. }), Some((earlier, ..))) => {
                return Err(fault(format!("the section {name} starts within the section {earlier}")));
            }
            (Some(Mark::End { name }), Some((opened, _, start, contents))) if name == opened => {
                let end = &card[at..next];
                parts.push(Part::Section { name, start: &card[start..contents], contents: &card[contents..at], end });
                (open, free_from) = (None, next);
            }
            (Some(Mark::End { name }), _) => return Err(fault(format!("the section {name} ends without its start"))),
        }
        at = next;
    }
    if let Some((name, line, ..)) = open {
        return Err(CardProblem::Marks { line, fault: format!("the section {name} has no end") });
    }
    parts.push(Part::Free(&card[free_from..]));
    Ok(parts)
}

/// Reads a line as a marked one. Only a line with nothing else on it counts.
fn mark(line: &str) -> Option<Mark<'_>> {
    let line = line.trim();
    let line = line.strip_prefix("# ").unwrap_or(line);
    let inner = line.strip_prefix(START)?.strip_suffix(END)?;
    let mut words = inner.split(' ');
    match (words.next()?, words.next(), words.next()) {
        ("end", Some(name), None) => Some(Mark::End { name }),
        (name, checksum, None) if !name.is_empty() => Some(Mark::Start { name, checksum }),
        _ => None,
    }
}

/// The checksum of generated lines, whatever their line breaks.
fn checksum(contents: &str) -> String {
    let digest = Sha256::digest(contents.replace("\r\n", "\n").as_bytes());
    hexadecimal(&digest[..CHECKSUM_BYTES])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(first: &str, second: &str) -> String {
        let head = section("head", first, "# ");
        format!("---\nlicense: mit\n{head}---\n\n# Title\n{}by hand\n", section("figures", second, ""))
    }

    #[test]
    fn sections_are_replaced_and_the_rest_is_kept() {
        let old = card("tags: [1]\n", "0.5\n").replace("by hand\n", "by hand: é|<b>\n\n\tno line break at the end");
        let updated = updated_card(&old, &card("tags: [2]\n", "0.75\n"), &[]).unwrap();
        let expected =
            card("tags: [2]\n", "0.75\n").replace("by hand\n", "by hand: é|<b>\n\n\tno line break at the end");
        assert_eq!(updated, expected);
        let kept = updated_card(&old, &card("tags: [2]\n", "0.75\n"), &["head"]).unwrap();
        assert!(kept.contains("tags: [1]\n") && kept.contains("0.75\n"), "{kept}");
        assert_eq!(section_of(&kept, "figures"), Some("0.75\n"));
        // An updated card can be updated again.
        assert_eq!(updated_card(&updated, &old, &[]).unwrap(), old);
    }

    #[test]
    fn a_removed_section_stays_removed() {
        let without = format!("# Title\n{}", section("figures", "0.5\n", ""));
        let updated = updated_card(&without, &card("a: 1\n", "0.75\n"), &[]).unwrap();
        assert_eq!(updated, format!("# Title\n{}", section("figures", "0.75\n", "")));
    }

    #[test]
    fn windows_line_breaks_are_kept() {
        let old = card("a: 1\n", "0.5\n").replace('\n', "\r\n");
        let updated = updated_card(&old, &card("a: 1\n", "0.75\n"), &[]).unwrap();
        assert_eq!(updated, card("a: 1\n", "0.75\n").replace('\n', "\r\n"));
    }

    #[test]
    fn what_a_person_changed_in_a_section_is_not_lost() {
        let old = card("a: 1\n", "0.5\n").replace("0.5", "0.5, which is poor");
        let refused = updated_card(&old, &card("a: 1\n", "0.75\n"), &[]).unwrap_err();
        assert_eq!(refused, CardProblem::Changed(vec!["figures".to_owned()]));
        // Without its checksum the section may be replaced.
        let start = old.lines().find(|line| line.contains("figures ")).unwrap();
        let allowed = old.replacen(start, "<!-- mammoscope: figures -->", 1);
        assert!(updated_card(&allowed, &card("a: 1\n", "0.75\n"), &[]).unwrap().contains("\n0.75\n"));
    }

    #[test]
    fn faulty_marks_are_named_by_their_line() {
        let fault = |card: &str| updated_card(card, "", &[]).unwrap_err().to_string();
        let (start, end) = ("<!-- mammoscope: figures -->\n", "<!-- mammoscope: end figures -->\n");
        assert_eq!(fault(&format!("a\n{start}b\n")), "line 2: the section figures has no end");
        assert_eq!(fault(&format!("a\n{end}")), "line 2: the section figures ends without its start");
        assert_eq!(fault(&format!("{start}{start}")), "line 2: the section figures starts within the section figures");
        assert_eq!(fault(&format!("{start}{end}{start}{end}")), "line 3: the section figures is there twice");
        assert!(fault("# A card\n").contains("written by hand"));
        assert!(fault("In a line <!-- mammoscope: figures --> it is text.\n").contains("written by hand"));
    }

    proptest! {
        #[test]
        fn text_outside_sections_is_kept_byte_for_byte(before in any::<String>(), after in any::<String>()) {
            prop_assume!(!before.contains(START) && !after.contains(START));
            let wrap = |figures: &str| format!("{before}\n{}{after}", section("figures", figures, ""));
            prop_assert_eq!(updated_card(&wrap("0.5\n"), &card("", "0.75\n"), &[]).unwrap(), wrap("0.75\n"));
        }
    }
}
