//! How well a command matches what was typed: whole names first, then beginnings of words, then parts of words, then
//! letters in their order, as editors match.

/// How well a command matches; the smallest is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) closeness: Closeness,
    /// Smaller for matches that are earlier and denser.
    penalty: usize,
}

/// The kind of a match, the closest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closeness {
    /// A label or the description as a whole.
    Exact,
    /// The beginning of a label.
    Beginning,
    /// Every word begins a word of the command.
    WordStarts,
    /// Every word is contained in a word of the command.
    Parts,
    /// The letters of every word occur in this order.
    Letters,
}

/// What a command can be found by, all in lower case.
#[derive(Clone, Debug)]
pub(super) struct SearchText {
    /// Its short names.
    labels: Vec<String>,
    description: String,
    /// The screen that it belongs to.
    context: String,
}

impl SearchText {
    /// The searchable text of a command.
    pub(super) fn new<'l>(labels: impl Iterator<Item = &'l str>, description: &str, context: &str) -> Self {
        Self {
            labels: labels.filter(|label| !label.is_empty()).map(str::to_lowercase).collect(),
            description: description.to_lowercase(),
            context: context.to_lowercase(),
        }
    }

    /// The rank for what was typed; `None` if it does not match. Nothing typed matches everything equally.
    pub(super) fn rank(&self, typed: &str) -> Option<Rank> {
        let typed = typed.to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let whole = words.join(" ");
        if whole.is_empty() {
            return Some(Rank { closeness: Closeness::WordStarts, penalty: 0 });
        }
        if self.description == whole || self.labels.contains(&whole) {
            return Some(Rank { closeness: Closeness::Exact, penalty: 0 });
        }
        if let Some(penalty) = self.labels.iter().position(|label| label.starts_with(&whole)) {
            return Some(Rank { closeness: Closeness::Beginning, penalty });
        }
        let all = |closeness, penalty: fn(&Self, &str) -> Option<usize>| {
            let penalties: Option<Vec<usize>> = words.iter().map(|word| penalty(self, word)).collect();
            penalties.map(|penalties| Rank { closeness, penalty: penalties.iter().sum() })
        };
        all(Closeness::WordStarts, |text, word| text.place(|other| other.starts_with(word)))
            .or_else(|| all(Closeness::Parts, |text, word| text.place(|other| other.contains(word))))
            .or_else(|| all(Closeness::Letters, Self::letters))
    }

    /// The place of the first word that fits: labels come before the description, and the screen last.
    fn place(&self, fits: impl Fn(&str) -> bool) -> Option<usize> {
        let labels = self.labels.iter().flat_map(|label| words_of(label)).map(|word| (0, word));
        let description = words_of(&self.description).enumerate().map(|(at, word)| (at + 1, word));
        let context = words_of(&self.context).map(|word| (CONTEXT, word));
        labels.chain(description).chain(context).find(|(_, word)| fits(word)).map(|(place, _)| place)
    }

    /// The penalty of letters in their order, in the text where they are densest.
    fn letters(&self, word: &str) -> Option<usize> {
        let texts = self.labels.iter().map(String::as_str).chain([self.description.as_str()]);
        texts.filter_map(|text| gaps(word, text)).min()
    }
}

/// The penalty of a match in the name of the screen only: more than that of any description.
const CONTEXT: usize = 40;
/// The penalty of a letter that is skipped within a word, compared with a jump to the beginning of another word.
const SKIPPED: usize = 3;

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '%').filter(|word| !word.is_empty())
}

/// The penalty of the letters of a word in a text, if they occur in this order and the first one begins a word. A letter
/// counts most where it follows the one before, then at the beginning of a word.
fn gaps(word: &str, text: &str) -> Option<usize> {
    let characters: Vec<char> = text.chars().collect();
    let letters: Vec<char> = word.chars().collect();
    let begins = |at: usize| at == 0 || !characters[at - 1].is_alphanumeric();
    let starts = (0..characters.len()).filter(|at| letters.first() == Some(&characters[*at]) && begins(*at));
    let from = |start: usize| {
        let (mut at, mut penalty) = (start, 0);
        for letter in &letters[1..] {
            let following = at + 1;
            let rest = following..characters.len();
            if characters.get(following) == Some(letter) {
                at = following;
            } else if let Some(next) = rest.clone().find(|next| characters[*next] == *letter && begins(*next)) {
                penalty += 1;
                at = next;
            } else {
                let next = rest.into_iter().find(|next| characters[*next] == *letter)?;
                penalty += SKIPPED * (next - at);
                at = next;
            }
        }
        Some(penalty)
    };
    starts.filter_map(from).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(labels: &[&str], description: &str) -> SearchText {
        SearchText::new(labels.iter().copied(), description, "Runs")
    }

    fn closeness(typed: &str, labels: &[&str], description: &str) -> Option<Closeness> {
        text(labels, description).rank(typed).map(|rank| rank.closeness)
    }

    #[test]
    fn names_come_before_beginnings_parts_and_letters() {
        let quit = (&["quit", "exit"][..], "quit the workbench; training runs continue");
        for (typed, expected) in [
            ("quit", Some(Closeness::Exact)),
            ("EXIT", Some(Closeness::Exact)),
            (" qu ", Some(Closeness::Beginning)),
            ("train", Some(Closeness::WordStarts)),
            ("train work", Some(Closeness::WordStarts)),
            ("bench", Some(Closeness::Parts)),
            ("qwb", Some(Closeness::Letters)),
            ("trns", Some(Closeness::Letters)),
            ("runs", Some(Closeness::WordStarts)),
            ("zoom", None),
            ("tiuq", None),
            ("", Some(Closeness::WordStarts)),
        ] {
            assert_eq!(closeness(typed, quit.0, quit.1), expected, "{typed}");
        }
        assert_eq!(closeness("%", &["%"], "switch between counts and row %"), Some(Closeness::Exact));
    }

    #[test]
    fn earlier_and_denser_matches_are_better() {
        let rank = |typed, labels: &[&str], description| text(labels, description).rank(typed).unwrap();
        assert!(rank("mark", &["mark run"], "x") < rank("mark", &[], "remove the mark"));
        assert!(rank("run", &[], "run it now") < rank("run", &[], "pause the run"));
        assert!(rank("run", &[], "pause the run") < rank("run", &[], "pause"), "its screen is the last place");
        assert!(rank("gtt", &[], "go to Train") < rank("gtt", &[], "get the attic"));
        assert!(rank("evl", &[], "evaluate") < rank("evl", &[], "every model"));
    }
}
