//! Regular expressions of ECMA 262, scanned for the few constructs that a linear engine does not have.

/// A pattern that matches exactly when all of these match, or do not: `^(?=a)(?!b)c` becomes `^(?:a)`, not `^(?:b)`, `^(?:c)`.
pub(super) fn split_leading(pattern: &str) -> Option<Vec<(bool, String)>> {
    let mut rest = pattern.strip_prefix('^')?;
    if rest.contains("\\k") || has_back_reference(rest) {
        return None;
    }
    let mut parts = Vec::new();
    while let Some(inner) = rest.strip_prefix("(?=").or_else(|| rest.strip_prefix("(?!")) {
        let is_positive = rest.starts_with("(?=");
        let end = group_end(inner)?;
        parts.push((is_positive, format!("^(?:{})", &inner[..end])));
        rest = &inner[end + 1..];
    }
    if parts.is_empty() || rest.starts_with(['*', '+', '?', '{']) || has_top_level_alternative(rest) {
        return None;
    }
    parts.push((true, format!("^(?:{rest})")));
    Some(parts)
}

/// A pattern that matches whatever the given one matches, and more: without its assertions about what stands around,
/// with anything for what it repeats of itself, and with large counts left open.
pub(super) fn widen(pattern: &str) -> Option<String> {
    const COUNT_MAX: u32 = 100;
    let mut wide = String::with_capacity(pattern.len());
    let mut scan = Scan::new(pattern);
    while let Some((at, token)) = scan.next() {
        match token {
            Token::BackReference(end) => {
                wide.push_str(r"[\s\S]*");
                scan.skip_to(end);
            }
            Token::Assertion(inner) => {
                wide.push_str("(?:)");
                scan.skip_to(inner + group_end(&pattern[inner..])? + 1);
            }
            Token::Count { least, most, end } if least > COUNT_MAX || most.is_some_and(|most| most > COUNT_MAX) => {
                wide.push(if least == 0 { '*' } else { '+' });
                scan.skip_to(end);
            }
            Token::Other(end) | Token::Count { end, .. } | Token::Open(end) | Token::Close(end) | Token::Or(end) => {
                wide.push_str(&pattern[at..end]);
                scan.skip_to(end);
            }
        }
    }
    Some(wide)
}

/// Where the group ends that `inner` begins within.
fn group_end(inner: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut scan = Scan::new(inner);
    while let Some((at, token)) = scan.next() {
        let end = match token {
            Token::Close(_) if depth == 0 => return Some(at),
            Token::Close(end) => {
                depth -= 1;
                end
            }
            Token::Open(end) | Token::Assertion(end) => {
                depth += 1;
                end
            }
            Token::Other(end) | Token::Or(end) | Token::BackReference(end) | Token::Count { end, .. } => end,
        };
        scan.skip_to(end);
    }
    None
}

fn has_top_level_alternative(pattern: &str) -> bool {
    // Within a group that never ends, everything is on its top level.
    let mut depth = 0_i32;
    let mut scan = Scan::new(pattern);
    while let Some((_, token)) = scan.next() {
        let end = match token {
            Token::Or(_) if depth == 0 => return true,
            Token::Open(end) | Token::Assertion(end) => {
                depth += 1;
                end
            }
            Token::Close(end) => {
                depth -= 1;
                end
            }
            Token::Or(end) | Token::Other(end) | Token::BackReference(end) | Token::Count { end, .. } => end,
        };
        scan.skip_to(end);
    }
    false
}

fn has_back_reference(pattern: &str) -> bool {
    let mut scan = Scan::new(pattern);
    while let Some((_, token)) = scan.next() {
        match token {
            Token::BackReference(_) => return true,
            Token::Other(end)
            | Token::Or(end)
            | Token::Open(end)
            | Token::Close(end)
            | Token::Assertion(end)
            | Token::Count { end, .. } => scan.skip_to(end),
        }
    }
    false
}

/// A piece of a pattern; each says where what follows it begins.
#[derive(Clone, Copy, Debug)]
enum Token {
    /// `\1` or `\k<name>`.
    BackReference(usize),
    /// What begins a look ahead or behind.
    Assertion(usize),
    /// What begins any other group.
    Open(usize),
    Close(usize),
    Or(usize),
    /// `{2,5}`.
    Count {
        least: u32,
        most: Option<u32>,
        end: usize,
    },
    /// An escape, a class or a character.
    Other(usize),
}

struct Scan<'p> {
    pattern: &'p str,
    at: usize,
}

impl<'p> Scan<'p> {
    fn new(pattern: &'p str) -> Self {
        Self { pattern, at: 0 }
    }

    /// The piece at the current place, and the place.
    fn next(&self) -> Option<(usize, Token)> {
        let rest = &self.pattern[self.at..];
        let first = rest.chars().next()?;
        let behind = |length: usize| self.at + length;
        let token = match first {
            '\\' => escape(rest, self.at),
            '[' => Token::Other(behind(class_length(rest))),
            '(' => match ["(?=", "(?!", "(?<=", "(?<!"].into_iter().find(|start| rest.starts_with(start)) {
                Some(start) => Token::Assertion(behind(start.len())),
                None => Token::Open(behind(1)),
            },
            ')' => Token::Close(behind(1)),
            '|' => Token::Or(behind(1)),
            '{' => count(rest, self.at).unwrap_or(Token::Other(behind(1))),
            other => Token::Other(behind(other.len_utf8())),
        };
        Some((self.at, token))
    }

    fn skip_to(&mut self, at: usize) {
        self.at = at;
    }
}

fn escape(rest: &str, at: usize) -> Token {
    let mut letters = rest.char_indices().skip(1);
    match letters.next() {
        Some((_, '1'..='9')) => {
            let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
            Token::BackReference(at + 1 + digits)
        }
        Some((_, 'k')) if rest[2..].starts_with('<') => {
            Token::BackReference(at + rest.find('>').map_or(rest.len(), |end| end + 1))
        }
        Some((start, letter)) => Token::Other(at + start + letter.len_utf8()),
        None => Token::Other(at + 1),
    }
}

fn class_length(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            ']' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn count(rest: &str, at: usize) -> Option<Token> {
    let length = rest.find('}')?;
    let (least, most) = match rest[1..length].split_once(',') {
        None => (&rest[1..length], Some(&rest[1..length])),
        Some((least, "")) => (least, None),
        Some((least, most)) => (least, Some(most)),
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u32::MAX))
    };
    let most = match most {
        Some(most) => Some(number(most)?),
        None => None,
    };
    Some(Token::Count { least: number(least)?, most, end: at + length + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_assertions_become_parts() {
        let check = |pattern: &str, expected: &[(bool, &str)]| {
            let parts = split_leading(pattern).unwrap_or_default();
            let parts: Vec<_> = parts.iter().map(|(is_positive, part)| (*is_positive, part.as_str())).collect();
            assert_eq!(parts, expected, "{pattern}");
        };
        check(r"^(?=.*\d)(?!.*[)x])\w{8,}$", &[(true, r"^(?:.*\d)"), (false, "^(?:.*[)x])"), (true, r"^(?:\w{8,}$)")]);
        check("^(?!a|b)(c|d)", &[(false, "^(?:a|b)"), (true, "^(?:(c|d))")]);
        for pattern in ["(?=a)b", "^(?=a)b|c", "^(?=(a))\\1", "^(?=a)*b", "^ab", "^(?=a", "^a(?=b)"] {
            check(pattern, &[]);
        }
    }

    #[test]
    fn what_a_linear_engine_has_not_is_widened() {
        let check = |pattern: &str, expected: &str| assert_eq!(widen(pattern).as_deref(), Some(expected), "{pattern}");
        check(r"a(?=b(c)\))d", "a(?:)d");
        check(r"(?<!x)y(?<=[)])z", "(?:)y(?:)z");
        check(r"(a)\1\k<n>\\1[\1]", r"(a)[\s\S]*[\s\S]*\\1[\1]");
        check("(ab){0,90000}c{2,3}d{200}e{1000,}{x}", "(ab)*c{2,3}d+e+{x}");
        assert_eq!(widen("(?=a"), None);
    }
}
