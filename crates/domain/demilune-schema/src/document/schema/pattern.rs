//! Regular expressions, tried one by one: each is kept, rewritten or widened so that it runs in linear time.

use std::collections::HashMap;

use jsonschema::PatternOptions;
use serde_json::{Value, json};

use super::{super::place::Place, library::Library, scan};

/// Most bytes of one compiled expression. `^[a-z0-9-]{1,63}$` takes a hundredth of it.
pub(in crate::document) const PATTERN_BYTES_MAX: usize = 512 * 1024;
/// What an expression is taken to need if it compiles within it.
const PATTERN_BYTES_SMALL: usize = 16 * 1024;
/// Longest text of an expression: parsing one recurses.
const PATTERN_CHARS_MAX: usize = 4096;

const WIDENED: &str = "the expression needs backtracking or is too large; a wider one is used";
const DROPPED: &str = "the expression cannot be run in linear time within its limit";

/// What the expressions of a document come to.
#[derive(Debug)]
pub(super) struct Patterns {
    known: HashMap<String, Form>,
    bytes_left: usize,
}

/// How an expression is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Same,
    /// All of these must match, or must not.
    Parts(Vec<(bool, String)>),
    Wider(String),
    Dropped,
}

impl Patterns {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { known: HashMap::new(), bytes_left: bytes_max }
    }

    fn form(&mut self, pattern: &str) -> Form {
        if let Some(form) = self.known.get(pattern) {
            return form.clone();
        }
        let form = self.find_form(pattern);
        self.known.insert(pattern.to_owned(), form.clone());
        form
    }

    fn find_form(&mut self, pattern: &str) -> Form {
        if pattern.len() > PATTERN_CHARS_MAX {
            return Form::Dropped;
        }
        if self.compiles(pattern) {
            return Form::Same;
        }
        if let Some(parts) = scan::split_leading(pattern)
            && parts.iter().all(|(_, part)| self.compiles(part))
        {
            return Form::Parts(parts);
        }
        match scan::widen(pattern) {
            Some(wider) if wider != pattern && self.compiles(&wider) => Form::Wider(wider),
            _ => Form::Dropped,
        }
    }

    /// Whether an expression is one for the linear engine, within its own limit and what is left for all.
    fn compiles(&mut self, pattern: &str) -> bool {
        for size in [PATTERN_BYTES_SMALL, PATTERN_BYTES_MAX] {
            if size > self.bytes_left {
                return false;
            }
            let options = PatternOptions::regex().size_limit(size);
            if jsonschema::options().with_pattern_options(options).build(&json!({"pattern": pattern})).is_ok() {
                self.bytes_left -= size;
                return true;
            }
        }
        false
    }
}

impl Library<'_> {
    /// Schemas that a text fits when a pattern matches it; none if nothing can be said.
    pub(super) fn value_pattern(&mut self, pattern: &str, place: &Place<'_>) -> Vec<Value> {
        match self.patterns.form(pattern) {
            Form::Same => {
                self.report.enforced("pattern", place);
                vec![json!({"pattern": pattern})]
            }
            Form::Parts(parts) => {
                self.report.enforced("pattern", place);
                parts.iter().map(part).collect()
            }
            Form::Wider(wider) => {
                self.report.approximated("pattern", WIDENED, place);
                vec![json!({"pattern": wider})]
            }
            Form::Dropped => {
                self.report.ignored("pattern", DROPPED, place);
                Vec::new()
            }
        }
    }

    /// The pattern that names of members are matched by: the same, or one that matches more.
    pub(super) fn name_pattern(&mut self, pattern: &str, place: &Place<'_>) -> String {
        match self.patterns.form(pattern) {
            Form::Same => pattern.to_owned(),
            Form::Wider(wider) => {
                self.report.ignored("patternProperties", WIDENED, &place.member(pattern));
                wider
            }
            Form::Parts(_) | Form::Dropped => {
                self.report.ignored("patternProperties", DROPPED, &place.member(pattern));
                String::new()
            }
        }
    }
}

/// Patterns say nothing of values that are no texts, and neither must their negation.
fn part((is_positive, pattern): &(bool, String)) -> Value {
    if *is_positive { json!({"pattern": pattern}) } else { json!({"not": {"type": "string", "pattern": pattern}}) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: &Form) {
        assert_eq!(&Patterns::new(1 << 24).form(pattern), expected, "{pattern}");
    }

    #[test]
    fn expressions_for_the_linear_engine_stay() {
        for pattern in ["^[a-z]{2,4}$", r"^\d+(\.\d+)?$", "", r"^\p{L}{1,64}$", "^[a-z]{0,100000}$", r"\cA[\w-]"] {
            check(pattern, &Form::Same);
        }
    }

    #[test]
    fn others_are_rewritten_or_widened() {
        let parts = vec![(true, r"^(?:.*\d)".to_owned()), (true, "^(?:.{8,}$)".to_owned())];
        check(r"^(?=.*\d).{8,}$", &Form::Parts(parts));
        check(r"^(a|b)\1$", &Form::Wider(r"^(a|b)[\s\S]*$".to_owned()));
        check("a(?!b)", &Form::Wider("a(?:)".to_owned()));
        check(r"^(\p{L}x?){0,50000}$", &Form::Wider(r"^(\p{L}x?)*$".to_owned()));
        for pattern in ["(", "[z-a]", "*a"] {
            check(pattern, &Form::Dropped);
        }
        check(&"a".repeat(5000), &Form::Dropped);
    }

    #[test]
    fn expressions_share_a_limit() {
        let mut patterns = Patterns::new(PATTERN_BYTES_SMALL * 3);
        let kept = (0..5).filter(|number| patterns.form(&format!("a{number}b?$")) == Form::Same);
        assert_eq!(kept.count(), 3);
    }
}
