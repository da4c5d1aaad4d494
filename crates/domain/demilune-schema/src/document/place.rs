//! Where something stands in a document, as a JSON Pointer (RFC 6901) and as a path that people read.

use std::fmt::Write;

pub(crate) use crate::validate::push_token;

/// A place in a document, made of the steps that lead to it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'p> {
    /// Where a pointer points; the empty one is the document.
    At(&'p str),
    /// A member of what is at another place.
    Member(&'p Place<'p>, &'p str),
    /// An item of what is at another place.
    Item(&'p Place<'p>, usize),
}

impl<'p> Place<'p> {
    pub(crate) fn member(&'p self, name: &'p str) -> Self {
        Self::Member(self, name)
    }

    pub(crate) fn item(&'p self, index: usize) -> Self {
        Self::Item(self, index)
    }

    /// Such as `/paths/~1pet/get`.
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.write_pointer(&mut pointer);
        pointer
    }

    fn write_pointer(&self, to: &mut String) {
        match self {
            Self::At(pointer) => to.push_str(pointer),
            Self::Member(outer, name) => {
                outer.write_pointer(to);
                push_token(to, name);
            }
            Self::Item(outer, index) => {
                outer.write_pointer(to);
                // Writing to a String never fails.
                let _ = write!(to, "/{index}");
            }
        }
    }

    /// Such as `.paths["/pet"].get.parameters[0]`.
    pub(crate) fn path(&self) -> String {
        path_of(&self.pointer())
    }
}

/// The steps of a pointer.
pub(crate) fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// What people read instead of a pointer.
pub(crate) fn path_of(pointer: &str) -> String {
    let mut path = String::new();
    for token in tokens(pointer) {
        let is_name = token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_' || first == '$')
            && token.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$'));
        let is_index = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
        // Writing to a String never fails.
        let _ = if is_name {
            write!(path, ".{token}")
        } else if is_index {
            write!(path, "[{token}]")
        } else {
            write!(path, "[{token:?}]")
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_pointer_and_a_path() {
        let root = Place::At("");
        let paths = root.member("paths");
        let path = paths.member("/pet/{petId}");
        let get = path.member("get");
        let parameters = get.member("parameters");
        let place = parameters.item(0);
        assert_eq!(place.pointer(), "/paths/~1pet~1{petId}/get/parameters/0");
        assert_eq!(place.path(), r#".paths["/pet/{petId}"].get.parameters[0]"#);
        assert_eq!(root.path(), "");
    }
}
