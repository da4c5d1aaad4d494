//! The name that a variable is given between its braces, which canonical forms replace.

/// First characters with a meaning of their own in RFC 6570 section 2.2, which an inventory gives none.
const OPERATORS: &str = "+#./;?&=,!@|";

/// Checks a name: not empty, none of `{ } / \ ? #`, no control character, and nothing of RFC 6570 beyond a plain name.
pub(crate) fn check_name(name: &str) -> Result<(), NameError> {
    let Some(first) = name.chars().next() else { return Err(NameError::Empty) };
    if OPERATORS.contains(first) {
        return Err(NameError::Operator(name.to_owned()));
    }
    if let Some(illegal) = name.chars().find(|letter| letter.is_control() || "{}/\\?#".contains(*letter)) {
        return Err(NameError::Character { name: name.to_owned(), illegal });
    }
    let before_digits = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let prefixed = before_digits.len() < name.len() && before_digits.ends_with(':');
    if name.ends_with('*') || prefixed {
        return Err(NameError::Modifier(name.to_owned()));
    }
    Ok(())
}

/// Why a text is no name of a variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// `{}`.
    #[error("a variable needs a name between its braces, such as {{id}}")]
    Empty,
    /// Starts with an operator of RFC 6570, such as `{?query}`.
    #[error("the variable {{{0}}} starts with an operator; write a plain name, such as {{id}}")]
    Operator(String),
    /// Ends in a modifier of RFC 6570, such as `{id*}` or `{id:3}`.
    #[error("the variable {{{0}}} ends in a modifier; write a plain name, such as {{id}}")]
    Modifier(String),
    /// Holds a character that no name may.
    #[error("the variable {{{name}}} holds the character {illegal:?}; write a plain name, such as {{id}}")]
    Character {
        /// The name as given.
        name: String,
        /// The first character in the way.
        illegal: char,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_of_all_kinds_are_accepted() {
        for name in ["id", "fooId", "user-id", "user_id", "1", "a.b", "a:b", "héllo", "a b", "x1", "$ref", "a+"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_rfc_6570_gives_a_meaning_is_refused() {
        for operator in OPERATORS.chars() {
            let name = format!("{operator}x");
            assert_eq!(check_name(&name), Err(NameError::Operator(name.clone())));
        }
        for name in ["x*", "x:3", "x:12"] {
            assert_eq!(check_name(name), Err(NameError::Modifier(name.to_owned())));
        }
    }

    #[test]
    fn characters_that_end_a_segment_or_a_path_are_refused() {
        for illegal in ['{', '}', '/', '\\', '?', '#', '\n', '\u{85}'] {
            let name = format!("x{illegal}y");
            assert_eq!(check_name(&name), Err(NameError::Character { name: name.clone(), illegal }));
        }
        assert_eq!(check_name(""), Err(NameError::Empty));
    }
}
