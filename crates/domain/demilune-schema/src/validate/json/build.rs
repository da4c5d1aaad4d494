//! Puts values together that no JSON text was read for: those of parameters and forms.

use serde_json::Number;

use super::{
    numbers::number,
    tape::{Entry, SCANNED_MEMBERS_MAX, Tape},
};

/// A value that is being put together, in the order of its text.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    tape: Tape<'static>,
}

impl Builder {
    /// The value, which must be complete.
    pub(crate) fn finish(self) -> Tape<'static> {
        self.tape
    }

    pub(crate) fn null(&mut self) {
        self.tape.entries.push(Entry::Null);
    }

    pub(crate) fn boolean(&mut self, truth: bool) {
        self.tape.entries.push(Entry::Bool(truth));
    }

    pub(crate) fn string(&mut self, text: &str) {
        let start = self.tape.unescaped.len();
        self.tape.unescaped.push_str(text);
        self.tape.entries.push(Entry::Unescaped(index(start), index(self.tape.unescaped.len())));
    }

    /// Appends the number that the text is in JSON; says if it is none.
    pub(crate) fn number(&mut self, text: &str) -> bool {
        let Some(number) = parse_number(text) else { return false };
        self.tape.entries.push(Entry::Number(index(self.tape.numbers.len())));
        self.tape.numbers.push(number);
        true
    }

    /// Begins an array; what is appended until the end are its items.
    pub(crate) fn begin(&mut self) -> usize {
        self.tape.entries.push(Entry::Null);
        self.tape.entries.len() - 1
    }

    /// Ends the array that began at `start` and has `count` items.
    pub(crate) fn end_array(&mut self, start: usize, count: usize) {
        self.tape.entries[start] = Entry::Array(index(count), index(self.tape.entries.len()));
    }

    /// Ends the object that began at `start` and has `count` members, a name before each value. Names stand once.
    pub(crate) fn end_object(&mut self, start: usize, count: usize) {
        let count_index = index(count);
        self.tape.entries[start] = Entry::Object(count_index, index(self.tape.entries.len()));
        if count > SCANNED_MEMBERS_MAX {
            let names: Vec<u32> = self.tape.members(index(start), count_index).map(|(name, _)| name).collect();
            self.tape.sort_names(index(start), names);
        }
    }

    /// Appends a whole value.
    pub(crate) fn value(&mut self, value: &Tape<'_>) {
        self.copy(value, 0);
    }

    fn copy(&mut self, from: &Tape<'_>, at: u32) {
        match from.entry(at) {
            Entry::Null => self.null(),
            Entry::Bool(truth) => self.boolean(truth),
            Entry::Number(number) => {
                self.tape.entries.push(Entry::Number(index(self.tape.numbers.len())));
                self.tape.numbers.push(from.numbers[number as usize].clone());
            }
            Entry::Text(..) | Entry::Unescaped(..) => self.string(from.name(at)),
            Entry::Array(count, _) => {
                let start = self.begin();
                from.items(at, count).for_each(|item| self.copy(from, item));
                self.end_array(start, count as usize);
            }
            Entry::Object(count, _) => {
                let start = self.begin();
                for (name, value) in from.members(at, count) {
                    self.string(from.name(name));
                    self.copy(from, value);
                }
                self.end_object(start, count as usize);
            }
        }
    }
}

/// The number that a whole text is in JSON.
fn parse_number(text: &str) -> Option<Number> {
    match number(text.as_bytes())? {
        (Some(number), length) if length == text.len() => Some(number),
        _ => None,
    }
}

fn index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_put_together() {
        let mut builder = Builder::default();
        let start = builder.begin();
        builder.string("a");
        let array = builder.begin();
        assert!(builder.number("-1.5"));
        assert!(!builder.number("01"));
        builder.null();
        builder.boolean(true);
        builder.end_array(array, 3);
        builder.string("b");
        builder.value(&crate::validate::json::read(br#"{"x": [1]}"#, 8).unwrap());
        builder.end_object(start, 2);
        assert_eq!(builder.finish().to_value(0), json!({"a": [-1.5, null, true], "b": {"x": [1]}}));
    }
}
