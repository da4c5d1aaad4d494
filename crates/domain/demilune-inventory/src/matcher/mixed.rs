//! One segment of a template against one segment of a path, where variables may stand beside text.

use std::{borrow::Cow, cmp::Ordering, ops::Range};

/// Stands for a variable in a shape. No literal text holds it.
const VARIABLE: char = '{';

/// A template's segment with each variable as one `{`: the numbers of variables do not matter to what fits.
pub(super) fn shape(segment: &str) -> Cow<'_, str> {
    if !segment.contains('{') {
        return Cow::Borrowed(segment);
    }
    let mut shape = String::with_capacity(segment.len());
    for piece in segment.split_inclusive(['{', '}']) {
        // What ends in a closing brace is the rest of a variable.
        if !piece.ends_with('}') {
            shape.push_str(piece);
        }
    }
    Cow::Owned(shape)
}

/// What a shape is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text alone, or nothing at all.
    Static,
    /// Text and variables.
    Mixed,
    /// A variable that fills the segment.
    Whole,
}

impl Kind {
    pub(super) fn of(shape: &str) -> Self {
        match shape.find(VARIABLE) {
            None => Self::Static,
            Some(_) if shape.len() == 1 => Self::Whole,
            Some(_) => Self::Mixed,
        }
    }
}

/// Whether a shape fits a segment.
pub(super) fn fits(shape: &str, segment: &str) -> bool {
    takes(shape, segment, |_| ())
}

/// Whether a shape fits a segment; says what each variable takes, from left to right, up to where it does not fit.
///
/// A variable takes the shortest non-empty text before the next literal, the last one all that is left before the
/// literal at the segment's end. To take more earlier can never help, since it only leaves less for what follows.
pub(super) fn takes(shape: &str, segment: &str, mut take: impl FnMut(Range<usize>)) -> bool {
    let mut literals = shape.split(VARIABLE);
    let first = literals.next().unwrap_or_default();
    let Some(mut literal) = literals.next() else { return segment == first };
    if !segment.starts_with(first) {
        return false;
    }
    let mut start = first.len();
    for next in literals {
        // Paths are ASCII, so each byte is a character.
        let Some(length) = segment.get(start + 1..).and_then(|rest| rest.find(literal)) else { return false };
        let end = start + 1 + length;
        take(start..end);
        start = end + literal.len();
        literal = next;
    }
    let fits = segment.ends_with(literal) && start + literal.len() < segment.len();
    if fits {
        take(start..segment.len() - literal.len());
    }
    fits
}

/// Which of two shapes with variables is tried first: the one with more literal characters, then the one whose text
/// begins further left or, failing that, runs further before a variable, then by text. A lone variable comes last.
pub(super) fn preferred(a: &str, b: &str) -> Ordering {
    let literals = |shape: &str| shape.chars().filter(|letter| *letter != VARIABLE).count();
    let leading = |shape: &str| shape.chars().take_while(|letter| *letter != VARIABLE).count();
    literals(b).cmp(&literals(a)).then(leading(b).cmp(&leading(a))).then(a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, segment: &str, expected: Option<&[&str]>) {
        let mut taken = Vec::new();
        let fits = takes(&shape(text), segment, |range| taken.push(&segment[range]));
        assert_eq!(fits.then_some(taken.as_slice()), expected, "{text} {segment}");
    }

    #[test]
    fn a_shape_forgets_what_variables_are_called() {
        assert_eq!(shape("users"), "users");
        assert_eq!(shape("{var12}"), "{");
        assert_eq!(shape("a{var1}b{var2}"), "a{b{");
        assert_eq!(shape("{var1}...{var2}.x"), "{...{.x");
    }

    #[test]
    fn a_variable_takes_the_shortest_text_before_the_next_literal() {
        check("{var1}...{var2}", "a...b", Some(&["a", "b"]));
        check("{var1}...{var2}", "a....b", Some(&["a", ".b"]));
        check("{var1}...{var2}", "....b", Some(&[".", "b"]));
        check("{var1}-{var2}-{var3}", "1-2-3-4", Some(&["1", "2", "3-4"]));
        check("v{var1}", "v", None);
        check("a{var1}b{var2}", "aXbY", Some(&["X", "Y"]));
    }

    #[test]
    fn the_last_variable_reaches_to_the_literal_at_the_end() {
        check("{var1}.json", "a.json.json", Some(&["a.json"]));
        check("{var1}.json", ".json", None);
        check("{var1}a{var2}a", "xaya", Some(&["x", "y"]));
        check("{var1}a{var2}a", "xaa", None);
        check("{var1}a{var2}a", "xaaa", Some(&["x", "a"]));
    }

    #[test]
    fn text_alone_fits_itself_and_a_variable_all_but_nothing() {
        check("a", "a", Some(&[]));
        check("", "", Some(&[]));
        check("a", "ab", None);
        check("{var1}", "ab", Some(&["ab"]));
        check("{var1}", "", None);
    }

    #[test]
    fn more_text_and_text_further_left_come_first() {
        let order = ["ab{c", "abc{", "a{bc", "a{cb", "{abc", "a{b", "{ab", "a{", "{a", "{"];
        let mut sorted = order;
        sorted.sort_by(|a, b| preferred(a, b));
        assert_eq!(sorted, ["abc{", "ab{c", "a{bc", "a{cb", "{abc", "a{b", "{ab", "a{", "{a", "{"]);
    }
}
