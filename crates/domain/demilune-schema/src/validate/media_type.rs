//! Media types and ranges of them (RFC 9110 sections 8.3.1 and 12.5.1).

/// A media type, or a range such as `text/*`, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaRange {
    kind: Box<str>,
    subtype: Box<str>,
    parameters: Vec<(Box<str>, Box<str>)>,
}

impl MediaRange {
    /// Reads a media type; `None` if the text is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
        let (kind, subtype) = name.trim_matches([' ', '\t']).split_once('/')?;
        if !is_token(kind) || !is_token(subtype) || (kind == "*" && subtype != "*") {
            return None;
        }
        let lower = |text: &str| text.to_ascii_lowercase().into();
        Some(Self { kind: lower(kind), subtype: lower(subtype), parameters: parse_parameters(parameters)? })
    }

    /// Whether a text is this media type and nothing else, which spares reading it.
    pub(crate) fn is_written(&self, text: &[u8]) -> bool {
        let (kind, subtype) = (self.kind.as_bytes(), self.subtype.as_bytes());
        let expected = kind.iter().chain(b"/").chain(subtype);
        self.parameters.is_empty()
            && self.is_concrete()
            && text.len() == kind.len() + subtype.len() + 1
            && expected.zip(text).all(|(expected, found)| expected.eq_ignore_ascii_case(found))
    }

    /// Whether it names one media type, as a request must.
    pub(crate) fn is_concrete(&self) -> bool {
        &*self.kind != "*" && &*self.subtype != "*"
    }

    /// How closely this range describes a media type; `None` if it does not.
    pub(crate) fn closeness(&self, concrete: &Self) -> Option<usize> {
        let has_parameters = self
            .parameters
            .iter()
            .all(|(name, value)| concrete.parameter(name).is_some_and(|found| found.eq_ignore_ascii_case(value)));
        let closeness = match (&*self.kind, &*self.subtype) {
            ("*", _) => 0,
            (kind, "*") if *kind == *concrete.kind => 1,
            (kind, subtype) if *kind == *concrete.kind && *subtype == *concrete.subtype => 2,
            _ => return None,
        };
        has_parameters.then_some(closeness + self.parameters.len())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| **found == *name).map(|(_, value)| &**value)
    }

    /// Whether text in it is UTF-8, as far as it says so.
    pub(crate) fn is_utf8(&self) -> bool {
        const NAMES: [&str; 3] = ["utf-8", "utf8", "us-ascii"];
        self.parameter("charset").is_none_or(|charset| NAMES.iter().any(|name| charset.eq_ignore_ascii_case(name)))
    }
}

/// Whether content of that type is JSON (RFC 6839 section 3.1).
pub(crate) fn is_json(media_type: &MediaRange) -> bool {
    &*media_type.subtype == "json" || media_type.subtype.ends_with("+json")
}

/// Whether content of that type is a form of names and values.
pub(crate) fn is_form(media_type: &MediaRange) -> bool {
    &*media_type.kind == "application" && &*media_type.subtype == "x-www-form-urlencoded"
}

fn parse_parameters(text: &str) -> Option<Vec<(Box<str>, Box<str>)>> {
    let mut parameters: Vec<(Box<str>, Box<str>)> = Vec::new();
    let mut rest = text.trim_matches([' ', '\t']);
    while !rest.is_empty() {
        rest = rest.strip_prefix(';')?.trim_start_matches([' ', '\t']);
        // Empty parameters are allowed (RFC 9110 section 5.6.6).
        if rest.is_empty() || rest.starts_with(';') {
            continue;
        }
        let (name, behind) = rest.split_once('=')?;
        let (value, behind) = parse_value(behind)?;
        let name: Box<str> = name.to_ascii_lowercase().into();
        // Of a parameter that stands twice, servers take either.
        if !is_token(&name) || parameters.iter().any(|(found, _)| *found == name) {
            return None;
        }
        parameters.push((name, value.into()));
        rest = behind.trim_start_matches([' ', '\t']);
    }
    Some(parameters)
}

/// A token or a quoted string, and what stands behind it.
fn parse_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ' ', '\t']).unwrap_or(text.len());
        return is_token(&text[..end]).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut is_escaped = false;
    for (at, letter) in quoted.char_indices() {
        match letter {
            _ if is_escaped => {
                value.push(letter);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => return Some((value, &quoted[at + 1..])),
            other => value.push(other),
        }
    }
    None
}

fn is_token(text: &str) -> bool {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> MediaRange {
        MediaRange::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn media_types_are_read() {
        assert_eq!(parse("Application/JSON;Charset=\"UTF-8\" ; a=b;"), parse("application/json; charset=UTF-8;a=b"));
        assert!(is_json(&parse("application/problem+json")) && is_json(&parse("text/json")));
        assert!(is_form(&parse("application/x-www-form-urlencoded")));
        assert!(
            parse("a/b").is_written(b"A/b") && !parse("a/b").is_written(b"a/b;c=d") && !parse("a/*").is_written(b"a/*")
        );
        assert!(parse("a/b;charset=utf-8").is_utf8() && !parse("a/b;charset=utf-16").is_utf8());
        for text in ["", "json", "a/", "/b", "a/b c", "a/b;c", "a/b;c=\"d", "a/b, c/d", "a/b;c=d;c=e", "*/b", "a/b;=c"]
        {
            assert_eq!(MediaRange::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_closest_range_wins() {
        let check = |range: &str, concrete: &str, expected: Option<usize>| {
            assert_eq!(parse(range).closeness(&parse(concrete)), expected, "{range} {concrete}");
        };
        check("*/*", "text/plain", Some(0));
        check("text/*", "text/plain", Some(1));
        check("text/plain", "Text/plain; charset=utf-8", Some(2));
        check("text/plain; charset=UTF-8", "text/plain; charset=utf-8", Some(3));
        check("text/plain; charset=utf-16", "text/plain; charset=utf-8", None);
        check("application/json", "application/problem+json", None);
    }
}
