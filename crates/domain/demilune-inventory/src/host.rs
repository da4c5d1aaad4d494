//! A host name, or a host pattern such as `{hostVar1}.example.com`, canonical by construction.

use std::{
    borrow::Cow,
    fmt::{self, Write},
    net::Ipv6Addr,
    str::FromStr,
};

use idna::AsciiDenyList;

use crate::variable::{NameError, check_name};

/// A canonical host (contract 5): lower case, internationalized labels as A-labels, variables named `{hostVarN}` and
/// numbered from the right. A variable stands for one whole label.
///
/// ```
/// use demilune_inventory::Host;
///
/// let host: Host = "{tenant}.{region}.Bücher.example.".parse()?;
/// assert_eq!(host.as_str(), "{hostVar2}.{hostVar1}.xn--bcher-kva.example");
/// # Ok::<(), demilune_inventory::HostError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// Longest host in characters, before and after (contract 2.1).
    pub const CHARS_MAX: usize = 255;
    /// Longest label in characters (RFC 1035 section 2.3.4).
    pub const LABEL_CHARS_MAX: usize = 63;

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Host {
    type Err = HostError;

    /// Brings a host to its canonical form. Parsing a canonical form gives it back.
    fn from_str(text: &str) -> Result<Self, HostError> {
        if text.len() > Self::CHARS_MAX && text.chars().count() > Self::CHARS_MAX {
            return Err(HostError::TooLong);
        }
        let mut labels = Vec::new();
        for piece in split_labels(text)? {
            push_label(&mut labels, piece)?;
        }
        // One dot at the end only says that the name is complete (RFC 1034 section 3.1).
        if labels.len() > 1 && labels.last().is_some_and(|label| *label == Label::Literal("".into())) {
            labels.pop();
        }
        for label in &labels {
            if let Label::Literal(text) = label {
                check_literal(text)?;
            }
        }
        check_ipv4(&labels)?;
        let canonical = number_variables(&labels);
        if canonical.len() > Self::CHARS_MAX {
            return Err(HostError::TooLong);
        }
        Ok(Self(canonical.into()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no host; `Display` is a sentence that says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// More than [`Host::CHARS_MAX`] characters, as given or in canonical form.
    #[error("the host may have at most {max} characters", max = Host::CHARS_MAX)]
    TooLong,
    /// Nothing, or nothing between two dots.
    #[error("the host has an empty label; write labels with one dot between them, such as api.example.com")]
    LabelEmpty,
    /// A label of more than [`Host::LABEL_CHARS_MAX`] characters.
    #[error("the label {0} of the host has more than {max} characters; shorten it", max = Host::LABEL_CHARS_MAX)]
    LabelTooLong(String),
    /// Holds a slash, `?` or `#`: a URL or a part of one.
    #[error("the host holds the character {0}; leave out the scheme, the path and the query")]
    Url(char),
    /// `user@host`.
    #[error("the host holds an @; leave out the user information before it")]
    UserInformation,
    /// `host:port`.
    #[error("the host has a port; leave it out, operations are told apart by host alone")]
    Port,
    /// `[2001:db8::1]` or the same without brackets.
    #[error("IPv6 addresses cannot be used as a host here; use a name or an IPv4 address")]
    Ipv6,
    /// `exa%6Dple.com`.
    #[error("the host holds a %; write its characters as they are, not percent-encoded")]
    Percent,
    /// `*.example.com`.
    #[error("the host has a wildcard; write a variable for a whole label, such as {{hostVar1}}.example.com")]
    Wildcard,
    /// A character that no label may hold.
    #[error("the host holds the character {0:?}; labels hold letters, digits, - and _")]
    Character(char),
    /// Not a valid internationalized label (UTS #46).
    #[error("the label {0} is no valid internationalized name (UTS #46); correct its spelling")]
    Internationalized(String),
    /// Ends in a number, and is not an IPv4 address in its usual form.
    #[error("a host whose last label is a number must be an IPv4 address of four numbers, such as 192.0.2.1")]
    NotIpv4,
    /// `foo-{x}.example.com`.
    #[error("a variable must fill a whole label; {0} has text beside it")]
    VariablePartial(String),
    /// An opening or closing brace without its other half, or braces within braces.
    #[error("the braces do not pair up; write each variable as one label, such as {{hostVar1}}")]
    BraceUnbalanced,
    /// The name of a variable cannot be used.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// What stands between two dots. Kept apart by type: mapping makes braces of full-width ones, and these are no variable.
#[derive(PartialEq)]
enum Label<'a> {
    Literal(Cow<'a, str>),
    Variable,
}

/// The labels between dots; dots within braces do not count.
fn split_labels(text: &str) -> Result<Vec<&str>, HostError> {
    let mut labels = Vec::new();
    let mut start = 0;
    let mut within_braces = false;
    for (place, letter) in text.char_indices() {
        match letter {
            '{' | '}' if within_braces == (letter == '{') => return Err(HostError::BraceUnbalanced),
            '{' | '}' => within_braces = letter == '{',
            _ if within_braces => {}
            _ if is_dot(letter) => {
                labels.push(&text[start..place]);
                start = place + letter.len_utf8();
            }
            _ => check_character(letter, text)?,
        }
    }
    if within_braces {
        return Err(HostError::BraceUnbalanced);
    }
    labels.push(&text[start..]);
    Ok(labels)
}

/// The dot and what UTS #46 maps to it.
fn is_dot(letter: char) -> bool {
    matches!(letter, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Names what people most often write around a host. The rest shows when labels are checked.
fn check_character(letter: char, text: &str) -> Result<(), HostError> {
    match letter {
        '/' | '\\' | '?' | '#' => Err(HostError::Url(letter)),
        '@' => Err(HostError::UserInformation),
        '[' | ']' => Err(HostError::Ipv6),
        // A zone id may stand behind an IPv6 address (RFC 4007 section 11).
        ':' if text.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()) => {
            Err(HostError::Ipv6)
        }
        ':' if text.contains("//") => Err(HostError::Url('/')),
        ':' if text.contains('@') => Err(HostError::UserInformation),
        ':' => Err(HostError::Port),
        '%' => Err(HostError::Percent),
        '*' => Err(HostError::Wildcard),
        _ => Ok(()),
    }
}

/// Appends a label in canonical form. Mapping may turn one label into several.
fn push_label<'a>(labels: &mut Vec<Label<'a>>, piece: &'a str) -> Result<(), HostError> {
    if piece.contains('{') {
        let name = piece.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let name = name.filter(|name| !name.contains(['{', '}']));
        let name = name.ok_or_else(|| HostError::VariablePartial(piece.to_owned()))?;
        check_name(name)?;
        if name.contains('.') {
            return Err(NameError::Character { name: name.to_owned(), illegal: '.' }.into());
        }
        labels.push(Label::Variable);
        return Ok(());
    }
    let encoded = piece.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    if piece.is_ascii() && !encoded {
        labels.push(Label::Literal(lower_case(piece)));
        return Ok(());
    }
    let mapped = idna::domain_to_ascii_cow(piece.as_bytes(), AsciiDenyList::EMPTY)
        .map_err(|_| HostError::Internationalized(piece.to_owned()))?;
    labels.extend(mapped.split('.').map(|label| Label::Literal(label.to_owned().into())));
    Ok(())
}

fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { text.into() }
}

fn check_literal(label: &str) -> Result<(), HostError> {
    if label.is_empty() {
        return Err(HostError::LabelEmpty);
    }
    let legal = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-' || letter == '_';
    if let Some(illegal) = label.chars().find(|letter| !legal(*letter)) {
        return Err(HostError::Character(illegal));
    }
    if label.len() > Host::LABEL_CHARS_MAX {
        return Err(HostError::LabelTooLong(label.to_owned()));
    }
    Ok(())
}

/// Clients read a host that ends in a number as an IPv4 address, in many spellings (WHATWG URL, "ends in a number");
/// only the usual one is taken, so that one address has one form.
fn check_ipv4(labels: &[Label<'_>]) -> Result<(), HostError> {
    let Some(Label::Literal(last)) = labels.last() else { return Ok(()) };
    let is_digits = |text: &str, radix| text.chars().all(|letter| letter.is_digit(radix));
    let numeric = is_digits(last, 10) || last.strip_prefix("0x").is_some_and(|digits| is_digits(digits, 16));
    if numeric && !(labels.len() == 4 && labels.iter().all(is_octet)) {
        return Err(HostError::NotIpv4);
    }
    Ok(())
}

/// Whether a label is a number below 256, written without leading zeros.
fn is_octet(label: &Label<'_>) -> bool {
    let Label::Literal(text) = label else { return false };
    text.parse().is_ok_and(|octet: u8| octet.to_string() == *text)
}

fn number_variables(labels: &[Label<'_>]) -> String {
    let mut number = labels.iter().filter(|label| **label == Label::Variable).count();
    let mut text = String::with_capacity(Host::CHARS_MAX);
    for (index, label) in labels.iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        match label {
            Label::Literal(literal) => text.push_str(literal),
            Label::Variable => {
                // Writing into a String never fails.
                let _ = write!(text, "{{hostVar{number}}}");
                number -= 1;
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let host: Host = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(host.as_str(), expected, "{text}");
        assert_eq!(expected.parse(), Ok(host), "{expected} is no fixed point");
    }

    fn check_error(text: &str, expected: &HostError) {
        assert_eq!(text.parse::<Host>().as_ref(), Err(expected), "{text}");
    }

    #[test]
    fn letters_become_lower_case_and_a_final_dot_goes() {
        check("www.example.com", "www.example.com");
        check("WWW.Example.COM.", "www.example.com");
        check("localhost", "localhost");
        check("_dmarc.my-host.example", "_dmarc.my-host.example");
        check("-a-.b", "-a-.b");
    }

    #[test]
    fn variables_are_numbered_from_the_right() {
        check("{hostVar1}.example.com", "{hostVar1}.example.com");
        check("foo.{x}.example.com", "foo.{hostVar1}.example.com");
        check("{a}.{b}.example.com", "{hostVar2}.{hostVar1}.example.com");
        check("{zone}.domain1.tld", "{hostVar1}.domain1.tld");
        check("{hostVar1}.{hostVar2}.example.com", "{hostVar2}.{hostVar1}.example.com");
        check("{x}", "{hostVar1}");
        check("{x}.", "{hostVar1}");
    }

    #[test]
    fn a_variable_fills_a_whole_label() {
        for label in ["foo-{x}", "{x}-foo", "{x}{y}", "a{x}b"] {
            check_error(&format!("{label}.example.com"), &HostError::VariablePartial(label.to_owned()));
        }
        for text in ["{x.example.com", "x}.example.com", "{{x}}.example.com"] {
            check_error(text, &HostError::BraceUnbalanced);
        }
        // These map to ASCII braces.
        check_error("｛｝.example.com", &HostError::Character('{'));
        check_error("{}.a", &NameError::Empty.into());
        check_error("{a.b}.c", &NameError::Character { name: "a.b".to_owned(), illegal: '.' }.into());
    }

    #[test]
    fn internationalized_labels_become_a_labels() {
        check("Bücher.example", "xn--bcher-kva.example");
        check("XN--BCHER-KVA.example", "xn--bcher-kva.example");
        check("例え。テスト", "xn--r8jz45g.xn--zckzah");
        check("faß.de", "xn--fa-hia.de");
        check("ｅｘａｍｐｌｅ．com", "example.com");
    }

    #[test]
    fn invalid_internationalized_labels_are_named() {
        for label in ["xn--zz--", "xn--a", "\u{378}", "a\u{200d}b", "a\u{2488}b"] {
            check_error(&format!("{label}.example"), &HostError::Internationalized(label.to_owned()));
        }
    }

    #[test]
    fn an_ipv4_address_is_taken_in_its_usual_form_alone() {
        check("192.0.2.1", "192.0.2.1");
        check("255.0.0.255.", "255.0.0.255");
        check("１９２。0.2.1", "192.0.2.1");
        for text in
            ["192.0.2", "192.0.2.256", "192.0.02.1", "1.2.3.4.5", "0x7f.1", "127.0.0.0x1", "{x}.0.2.1", "1", "+1.2.3.4"]
        {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
        check("1.2.3.4.example", "1.2.3.4.example");
    }

    #[test]
    fn what_stands_around_a_host_in_a_url_is_named() {
        check_error("https://example.com", &HostError::Url('/'));
        check_error("example.com/path", &HostError::Url('/'));
        check_error("example.com?x", &HostError::Url('?'));
        check_error("user@example.com", &HostError::UserInformation);
        check_error("example.com:443", &HostError::Port);
        check_error("[2001:db8::1]", &HostError::Ipv6);
        check_error("2001:db8::1", &HostError::Ipv6);
        check_error("*.example.com", &HostError::Wildcard);
        check_error("user:password@example.com", &HostError::UserInformation);
        check_error("{a:b}.example.com:443", &HostError::Port);
        check_error("fe80::1%25eth0", &HostError::Ipv6);
        check_error("exa%6dple.com", &HostError::Percent);
        check_error("exa mple.com", &HostError::Character(' '));
        check_error("a\0b", &HostError::Character('\0'));
    }

    #[test]
    fn labels_are_not_empty() {
        for text in ["", ".", "..", ".a", "a..b", "a..", "\u{ad}.a"] {
            assert!(
                matches!(text.parse::<Host>(), Err(HostError::LabelEmpty | HostError::Internationalized(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let label = "a".repeat(63);
        check(&label, &label);
        check_error(&format!("{label}a"), &HostError::LabelTooLong(format!("{label}a")));
        let longest = format!("{label}.{label}.{label}.{label}");
        assert_eq!(longest.len(), 255);
        check(&longest, &longest);
        check_error(&format!("{longest}a"), &HostError::TooLong);
        // Few characters that grow beyond the bound.
        check_error(&"{x}.".repeat(40), &HostError::TooLong);
    }
}
