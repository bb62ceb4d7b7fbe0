//! The verbs of the workbench. A key belongs to one verb, and bindings name verbs, so a key means the same on every
//! screen.

use crate::terminal::input::Key;
use crate::tui::protocol::screen_id::ScreenId;
use crate::tui::protocol::screen_table::for_each_screen;

/// A verb with its name in the configuration file, the keys that it has by default, and its meaning.
#[derive(Clone, Copy, Debug)]
pub(in crate::tui) struct VerbEntry {
    pub(in crate::tui) verb: Verb,
    pub(in crate::tui) name: &'static str,
    pub(in crate::tui) keys: &'static [Key],
    pub(in crate::tui) meaning: &'static str,
}

macro_rules! define_verbs {
    ($($Verb:ident $name:literal [$($key:expr),*] $meaning:literal;)*) => {
        /// What a key means on every screen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::tui) enum Verb {
            $($Verb,)*
            Show(ScreenId),
        }

        /// All verbs but those that show a screen.
        pub(in crate::tui) const VERBS: &[VerbEntry] = &[
            $(VerbEntry { verb: Verb::$Verb, name: $name, keys: &[$($key),*], meaning: $meaning },)*
        ];
    };
}

define_verbs! {
    Up "up" [Key::Up, Key::Char('k')] "move up";
    Down "down" [Key::Down, Key::Char('j')] "move down";
    Left "left" [Key::Left, Key::Char('h')] "move left, out or back";
    Right "right" [Key::Right, Key::Char('l')] "move right, in or forward";
    PageUp "page-up" [Key::PageUp] "move up a page";
    PageDown "page-down" [Key::PageDown] "move down a page";
    HalfPageUp "half-page-up" [Key::Ctrl('u')] "move up half a page";
    HalfPageDown "half-page-down" [Key::Ctrl('d')] "move down half a page";
    First "first" [Key::Home, Key::Char('g')] "go to the first";
    Last "last" [Key::End, Key::Char('G')] "go to the last";
    Open "open" [Key::Enter] "open what is under the cursor";
    Back "back" [Key::Escape] "go back one step";
    Find "find" [Key::Char('/')] "find by name";
    NextHit "next-hit" [Key::Char('n')] "go to the next hit, or the next open item";
    PreviousHit "previous-hit" [Key::Char('N')] "go to the previous hit, or the previous open item";
    NextWarning "next-warning" [Key::Char('!')] "go to what needs attention next";
    Mark "mark" [Key::Char(' ')] "mark or unmark";
    MarkRange "mark-range" [Key::Char('v')] "mark a range";
    MarkAll "mark-all" [Key::Char('*')] "mark or unmark all";
    Copy "copy" [Key::Char('y')] "copy the path or the value";
    Sort "sort" [Key::Char('s')] "sort by the next column";
    ReverseSort "reverse-sort" [Key::Char('S')] "reverse the order";
    Columns "columns" [Key::Char('|')] "choose the columns";
    Listed "listed" [Key::Char('.')] "choose what is listed: all, flagged or marked";
    OpenOther "open-other" [Key::Char('o')] "open another data set, folder or model";
    Parent "parent" [Key::Char('u')] "go up to where it belongs, such as an evaluation's run";
    NextPane "next-pane" [Key::Char('i')] "show the next pane of information";
    PreviousPane "previous-pane" [Key::Char('I')] "show the previous pane of information";
    NextTab "next-tab" [Key::Char(']')] "go to the next view, layer or chart";
    PreviousTab "previous-tab" [Key::Char('[')] "go to the previous view, layer or chart";
    Arrangement "arrangement" [Key::Char('a')] "change the arrangement";
    FullScreen "full-screen" [Key::Char('f')] "show one picture or chart alone";
    Hanging "hanging" [Key::Char('H')] "hang the four views of an examination";
    ZoomIn "zoom-in" [Key::Char('z'), Key::Char('+')] "zoom in";
    ZoomOut "zoom-out" [Key::Char('Z'), Key::Char('-')] "zoom out";
    ResetView "reset-view" [Key::Char('0')] "show the whole, unchanged";
    PanLeft "pan-left" [Key::ShiftLeft] "pan to the left";
    PanRight "pan-right" [Key::ShiftRight] "pan to the right";
    PanUp "pan-up" [Key::ShiftUp] "pan up";
    PanDown "pan-down" [Key::ShiftDown] "pan down";
    Crosshair "crosshair" [Key::Char(',')] "show the value under a crosshair";
    Window "window" [Key::Char('w')] "switch to the next grey window";
    TypeWindow "type-window" [Key::Char('W')] "type the centre and width of the grey window";
    Darker "darker" [Key::Char('<')] "darker, or less opaque";
    Brighter "brighter" [Key::Char('>')] "brighter, or more opaque";
    LessContrast "less-contrast" [Key::Char('{')] "less contrast";
    MoreContrast "more-contrast" [Key::Char('}')] "more contrast";
    Outlines "outlines" [Key::Char('O')] "outline the masks";
    Colors "colors" [Key::Char('#')] "switch to the next colours";
    SameScale "same-scale" [Key::Char('=')] "put all on one scale";
    Percent "percent" [Key::Char('%')] "switch between counts and percentages";
    LogScale "log-scale" [Key::Char('L')] "toggle the logarithmic scale";
    Axis "axis" [Key::Char('X')] "switch the x-axis";
    Smoother "smoother" [Key::Char(')')] "smooth more";
    Rougher "rougher" [Key::Char('(')] "smooth less";
    EarlierEpoch "earlier-epoch" [Key::Char(';')] "show the model of an earlier epoch";
    LaterEpoch "later-epoch" [Key::Char('\'')] "show the model of a later epoch";
    Follow "follow" [Key::Char('F')] "follow the end";
    Reference "reference" [Key::Char('b')] "show or hide the reference";
    Choose "choose" [Key::Char('m')] "choose the method or the metrics";
    ChoosePrevious "choose-previous" [Key::Char('M')] "choose the previous method";
    ClassA "class-a" [Key::Char('A')] "class A";
    ClassB "class-b" [Key::Char('B')] "class B";
    ClassC "class-c" [Key::Char('C')] "class C";
    ClassD "class-d" [Key::Char('D')] "class D";
    OtherClass "other-class" [Key::Char('T')] "the predicted class, the true one, or another";
    Compare "compare" [Key::Char('c')] "compare";
    Split "split" [Key::Char('V')] "switch between validation and test images";
    Explain "explain" [Key::Char('e')] "explain";
    Export "export" [Key::Char('E')] "export to files";
    Train "train" [Key::Char('t')] "train with this";
    Process "process" [Key::Char('p')] "process this data";
    Review "review" [Key::Char('P')] "review prepared images";
    Duplicates "duplicates" [Key::Char('U')] "look for duplicates";
    Jobs "jobs" [Key::Char('J')] "list the jobs";
    Again "again" [Key::Char('r')] "do it again: resume, retry, read or time again";
    Edit "edit" [Key::Char('R')] "edit a name or a correction";
    Remove "remove" [Key::Char('d'), Key::Delete] "remove or reset";
    Control "control" [Key::Char('x')] "control what is running";
    Start "start" [Key::Ctrl('s')] "start";
    Help "help" [Key::Char('?'), Key::Function(1)] "show the keys";
    Commands "commands" [Key::Char(':')] "find a command by name";
    Quit "quit" [Key::Char('q'), Key::Ctrl('c')] "quit, or close";
    NextScreen "next-screen" [Key::Tab] "go to the next screen";
    PreviousScreen "previous-screen" [Key::BackTab] "go to the previous screen";
    Mouse "mouse" [Key::Function(2)] "leave the mouse to the terminal, or take it";
    Redraw "redraw" [Key::Ctrl('l')] "redraw the screen";
    Suspend "suspend" [Key::Ctrl('z')] "suspend; `fg` resumes";
}

macro_rules! define_show_verbs {
    ($($module:ident: $Name:ident $key:literal $go:literal, $($types:ident)*;)*) => {
        /// The verbs that show a screen.
        pub(in crate::tui) const SHOW_VERBS: &[VerbEntry] = &[$(VerbEntry {
            verb: Verb::Show(ScreenId::$Name),
            name: concat!("show-", stringify!($module)),
            keys: &[Key::Char($key)],
            meaning: $go,
        },)*];
    };
}

for_each_screen!(define_show_verbs);

impl Verb {
    /// What the verb does.
    pub(in crate::tui) fn meaning(self) -> &'static str {
        VERBS.iter().chain(SHOW_VERBS).find(|entry| entry.verb == self).map_or("", |entry| entry.meaning)
    }

    /// The columns and rows by which a verb moves a cursor or a magnified picture; `None` for other verbs.
    pub(in crate::tui) const fn direction(self) -> Option<(i32, i32)> {
        match self {
            Self::Left => Some((-1, 0)),
            Self::Right => Some((1, 0)),
            Self::Up => Some((0, -1)),
            Self::Down => Some((0, 1)),
            _ => None,
        }
    }

    /// True for a verb that only moves a cursor.
    pub(in crate::tui) const fn moves(self) -> bool {
        matches!(
            self,
            Self::Up
                | Self::Down
                | Self::Left
                | Self::Right
                | Self::PageUp
                | Self::PageDown
                | Self::HalfPageUp
                | Self::HalfPageDown
                | Self::First
                | Self::Last
        )
    }
}

/// The keys of the verbs; no key has two verbs.
#[derive(Clone, Debug)]
pub(in crate::tui) struct KeyMap {
    verbs: Vec<(Verb, Vec<Key>)>,
}

impl Default for KeyMap {
    fn default() -> Self {
        let verbs = VERBS.iter().chain(SHOW_VERBS).map(|entry| (entry.verb, entry.keys.to_vec())).collect();
        Self { verbs }
    }
}

impl KeyMap {
    /// The verb of a key.
    pub(in crate::tui) fn verb_of(&self, key: Key) -> Option<Verb> {
        self.verbs.iter().find(|(_, keys)| keys.contains(&key)).map(|(verb, _)| *verb)
    }

    /// Gives a verb these keys instead of its own.
    pub(super) fn set(&mut self, verb: Verb, keys: Vec<Key>) {
        if let Some((_, own)) = self.verbs.iter_mut().find(|(other, _)| *other == verb) {
            *own = keys;
        }
    }

    /// The keys of a verb, the one to show in a footer first.
    pub(in crate::tui) fn keys_of(&self, verb: Verb) -> &[Key] {
        self.verbs.iter().find(|(other, _)| *other == verb).map_or(&[], |(_, keys)| keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_and_no_name_has_two_verbs() {
        let all: Vec<&VerbEntry> = VERBS.iter().chain(SHOW_VERBS).collect();
        for (at, entry) in all.iter().enumerate() {
            assert!(!entry.keys.is_empty(), "{}", entry.name);
            for other in &all[..at] {
                assert!(entry.name != other.name && entry.meaning != other.meaning, "{}", entry.name);
                let shared = entry.keys.iter().find(|key| other.keys.contains(key));
                assert_eq!(shared, None, "{} and {}", entry.name, other.name);
            }
        }
    }
}
