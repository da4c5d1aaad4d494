//! Styles of parameters (OpenAPI 3.0.4, "Style Values" and "Style Examples"): how lists and objects are told apart in text.

/// How the value of a parameter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
}

/// The text is not of the style.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotOfStyle;

/// The text of a path variable or header field, without what its style puts before it.
pub(crate) fn scalar<'t>(style: Style, name: &str, text: &'t str) -> Result<&'t str, NotOfStyle> {
    match style {
        Style::Label => text.strip_prefix('.').ok_or(NotOfStyle),
        Style::Matrix => {
            let rest = text.strip_prefix(';').and_then(|text| text.strip_prefix(name)).ok_or(NotOfStyle)?;
            // An empty value has no equals sign (RFC 6570 section 3.2.7).
            if rest.is_empty() { Ok(rest) } else { rest.strip_prefix('=').ok_or(NotOfStyle) }
        }
        _ => Ok(text),
    }
}

/// The items of a list.
pub(crate) fn items<'t>(style: Style, explode: bool, name: &str, text: &'t str) -> Result<Vec<&'t str>, NotOfStyle> {
    match (style, explode) {
        (Style::Label, true) => Ok(text.strip_prefix('.').ok_or(NotOfStyle)?.split('.').collect()),
        (Style::Matrix, true) => {
            let pieces = text.strip_prefix(';').ok_or(NotOfStyle)?.split(';');
            pieces.map(|piece| exploded(piece, name).ok_or(NotOfStyle)).collect()
        }
        (Style::SpaceDelimited, _) => Ok(split_at(text, &["%20", "+", " "])),
        (Style::PipeDelimited, _) => Ok(split_at(text, &["%7C", "%7c", "|"])),
        _ => Ok(scalar(style, name, text)?.split(',').collect()),
    }
}

/// The names and values of an object.
pub(crate) fn members<'t>(
    style: Style,
    explode: bool,
    name: &str,
    text: &'t str,
) -> Result<Vec<(&'t str, &'t str)>, NotOfStyle> {
    let delimiter = match (style, explode) {
        (Style::Simple, true) => ',',
        (Style::Label, true) => '.',
        (Style::Matrix, true) => ';',
        _ => return in_turn(&items(style, false, name, text)?),
    };
    let text = match style {
        Style::Label | Style::Matrix => text.strip_prefix(delimiter).ok_or(NotOfStyle)?,
        _ => text,
    };
    text.split(delimiter).map(|piece| piece.split_once('=').ok_or(NotOfStyle)).collect()
}

/// Names and values that take turns.
fn in_turn<'t>(pieces: &[&'t str]) -> Result<Vec<(&'t str, &'t str)>, NotOfStyle> {
    let (pairs, rest) = pieces.as_chunks::<2>();
    if rest.is_empty() { Ok(pairs.iter().map(|[name, value]| (*name, *value)).collect()) } else { Err(NotOfStyle) }
}

/// The value of `name=value`.
fn exploded<'t>(piece: &'t str, name: &str) -> Option<&'t str> {
    let rest = piece.strip_prefix(name)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('=') }
}

/// Splits at any of several delimiters.
fn split_at<'t>(text: &'t str, delimiters: &[&str]) -> Vec<&'t str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        match delimiters.iter().find(|delimiter| rest.starts_with(delimiter.as_bytes())) {
            Some(delimiter) => {
                pieces.push(&text[start..at]);
                at += delimiter.len();
                start = at;
            }
            None => at += 1,
        }
    }
    pieces.push(&text[start..]);
    pieces
}
