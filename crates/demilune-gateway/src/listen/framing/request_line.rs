//! The first line of a head: a method, a target that fits it, and a version.

use super::{Defect, authority, field};

const PATH: u8 = 1;
const QUERY: u8 = 2;

/// Where a visible character can stand in a target as it is; hyper's parser of targets draws the same line.
static TARGET: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        table[byte as usize] = match byte {
            b'#' | b'<' | b'>' => 0,
            b'"' => PATH,
            b'?' | b'`' => QUERY,
            _ => PATH | QUERY,
        };
        byte += 1;
    }
    table
};

/// What the rest of the head is read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http10,
    Http11,
}

/// Reads the line, without its CRLF.
pub(super) fn read(line: &[u8]) -> Result<Version, Defect> {
    let space = memchr::memchr(b' ', line).ok_or(Defect::RequestLine)?;
    let (method, rest) = (&line[..space], &line[space + 1..]);
    let space = memchr::memchr(b' ', rest).ok_or(Defect::RequestLine)?;
    let (target, version) = (&rest[..space], &rest[space + 1..]);
    if target.is_empty() {
        return Err(Defect::RequestLine);
    }
    if !field::is_token(method) {
        return Err(Defect::Method);
    }
    let version = read_version(version)?;
    check_target(method, target)?;
    Ok(version)
}

fn read_version(version: &[u8]) -> Result<Version, Defect> {
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(Defect::Version)
        }
        _ => Err(Defect::RequestLine),
    }
}

fn check_target(method: &[u8], target: &[u8]) -> Result<(), Defect> {
    if method == b"CONNECT" {
        return check_authority_form(target);
    }
    match target {
        [b'/', ..] => check_path_and_query(target),
        b"*" if method == b"OPTIONS" => Ok(()),
        _ => check_absolute_form(target),
    }
}

fn check_authority_form(target: &[u8]) -> Result<(), Defect> {
    if target.first().is_some_and(|byte| matches!(byte, b'/' | b'*')) {
        Err(Defect::TargetForm)
    } else if authority::is_valid_with_port(target) {
        Ok(())
    } else {
        Err(Defect::TargetAuthority)
    }
}

fn check_absolute_form(target: &[u8]) -> Result<(), Defect> {
    let rest = strip_scheme(target).ok_or(Defect::TargetForm)?;
    let authority_bytes = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let (authority, path_and_query) = rest.split_at(authority_bytes);
    if !authority::is_valid(authority) {
        return Err(Defect::TargetAuthority);
    }
    check_path_and_query(path_and_query)
}

fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    [b"http://".as_slice(), b"https://"].into_iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

fn check_path_and_query(text: &[u8]) -> Result<(), Defect> {
    match after(text, PATH) {
        [b'?', query @ ..] => check_ended(after(query, QUERY)),
        rest => check_ended(rest),
    }
}

/// What is left of `text` behind the characters of one class.
fn after(text: &[u8], class: u8) -> &[u8] {
    let end = text.iter().position(|byte| TARGET[usize::from(*byte)] & class == 0);
    &text[end.unwrap_or(text.len())..]
}

fn check_ended(rest: &[u8]) -> Result<(), Defect> {
    match rest.first() {
        None => Ok(()),
        Some(b'#') => Err(Defect::TargetFragment),
        Some(_) => Err(Defect::TargetCharacter),
    }
}
