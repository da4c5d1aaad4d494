//! Goes through a log and gives each record.

use std::io::{self, BufRead};

use super::{
    Defect, Format, LogRecord, Place, clf, har, json_lines,
    lines::{Line, Lines},
};

/// What a line of our own gateway begins with that stands beside the line of its request: where it did not fit its schema.
const OWN_EVENT: &[u8] = br#"{"event":"schema_violation","#;

/// Gives each record of a log, or why a place holds none; empty lines are passed over. Ends early when `each` fails.
/// No more is held than a line, or an entry of a HAR document.
pub(crate) fn read<E: From<io::Error>>(
    reader: impl BufRead,
    format: &Format,
    mut each: impl FnMut(Place, Result<LogRecord, Defect>) -> Result<(), E>,
) -> Result<(), E> {
    let parse: &dyn Fn(&[u8]) -> Result<LogRecord, Defect> = match format {
        Format::Har => return har::read(reader, each),
        Format::JsonLines => &json_lines::read,
        Format::Clf => &|line| clf::read(&String::from_utf8_lossy(line)),
        Format::Lines(format) => &|line| format.read(&String::from_utf8_lossy(line)),
    };
    let mut lines = Lines::new(reader);
    while let Some((number, line)) = lines.next()? {
        match line {
            Line::Text(text) if text.trim_ascii().is_empty() || text.starts_with(OWN_EVENT) => {}
            Line::Text(text) => each(Place::Line(number), parse(text))?,
            Line::TooLong => each(Place::Line(number), Err(Defect::TooLong))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_record_or_has_a_reason() {
        let text = "\n{\"event\":\"schema_violation\",\"time\":\"2026\"}\n{\"time\":1,\"method\":\"GET\",\"path\":\"/\"}\r\nwords\n  \n{}";
        let mut found = Vec::new();
        read(text.as_bytes(), &Format::JsonLines, |place, record| {
            found.push((place, record.err()));
            Ok::<_, io::Error>(())
        })
        .unwrap();
        let line = Place::Line;
        assert_eq!(found, [(line(3), None), (line(4), Some(Defect::Json)), (line(6), Some(Defect::Time))]);
    }
}
