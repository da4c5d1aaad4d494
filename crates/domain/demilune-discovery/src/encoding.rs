//! Sightings as bytes: the same ones have the same bytes, and others are refused.

use std::sync::Arc;

use demilune_inventory::Method;
use demilune_traffic::{
    DecodeError,
    bytes::{self, Reader},
};

use crate::{
    Sightings,
    pattern::values_of,
    sightings::{Cell, Entry, Key, LANES, LEVEL_MAX, Lane, One, Only},
};

const VERSION: u8 = 1;

impl Sightings {
    /// Writes them as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut to = vec![VERSION];
        bytes::write(&mut to, self.requests);
        bytes::write(&mut to, self.passed_over);
        for lane in &self.lanes {
            bytes::write(&mut to, lane.level.into());
            bytes::write(&mut to, lane.entries.len() as u64);
            let mut before = ("", "");
            for (key, entry) in &lane.entries {
                text_after(&mut to, before.0, &key.host);
                text_after(&mut to, before.1, &key.pattern);
                before = (&key.host, &key.pattern);
                let method = Method::ALL.iter().position(|method| *method == key.method).unwrap_or_default();
                bytes::write(&mut to, method as u64);
                write_entry(&mut to, entry);
            }
        }
        to
    }

    /// Reads what [`Self::encode`] wrote; bytes that it cannot have written are refused.
    pub fn decode(from: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::of_version(from, VERSION)?;
        let [requests, passed_over] = reader.numbers()?;
        let mut sightings = Self { requests, passed_over, lanes: Vec::with_capacity(LANES) };
        for _ in 0..LANES {
            sightings.lanes.push(read_lane(&mut reader)?);
        }
        reader.finish()?;
        // What is held has one form.
        if sightings.encode() == from { Ok(sightings) } else { Err(DecodeError::Contradiction) }
    }
}

fn text(to: &mut Vec<u8>, text: &str) {
    bytes::write(to, text.len() as u64);
    to.extend_from_slice(text.as_bytes());
}

/// A text behind another in ascending order: how many bytes they share, and the rest.
fn text_after(to: &mut Vec<u8>, before: &str, text: &str) {
    let shared = before.bytes().zip(text.bytes()).take_while(|(one, other)| one == other).count();
    bytes::write(to, shared as u64);
    let rest = text.as_bytes().get(shared..).unwrap_or_default();
    bytes::write(to, rest.len() as u64);
    to.extend_from_slice(rest);
}

/// The number of cells; none stands for one request.
fn write_entry(to: &mut Vec<u8>, entry: &Entry) {
    match entry {
        Entry::One(One { level, has_session, caller, seconds }) => {
            for number in [0, u64::from(*level), u64::from(*has_session), u64::from(*caller), *seconds] {
                bytes::write(to, number);
            }
        }
        Entry::Cells(cells) => {
            bytes::write(to, cells.len() as u64);
            for (level, cell) in cells {
                bytes::write(to, (*level).into());
                write_cell(to, cell);
            }
        }
    }
}

fn write_cell(to: &mut Vec<u8>, cell: &Cell) {
    for number in [cell.requests, cell.with_session, cell.first, cell.last - cell.first] {
        bytes::write(to, number);
    }
    to.extend_from_slice(&cell.callers.to_le_bytes());
    for value in &cell.values {
        match value {
            Only::Many => to.push(0),
            Only::One(one) => {
                to.push(1);
                text(to, one);
            }
        }
    }
}

fn read_lane(reader: &mut Reader<'_>) -> Result<Lane, DecodeError> {
    let level = read_level(reader)?;
    let mut lane = Lane::at_level(level);
    let (mut host, mut pattern) = (Arc::from(""), Box::from(""));
    for _ in 0..reader.number()? {
        host = Arc::from(read_text_after(reader, &host)?);
        pattern = read_text_after(reader, &pattern)?;
        let method = usize::try_from(reader.number()?).ok().and_then(|number| Method::ALL.get(number).copied());
        let method = method.ok_or(DecodeError::Number)?;
        let key = || Key { host: Arc::clone(&host), pattern: pattern.clone(), method };
        let cells = reader.number()?;
        if cells == 0 {
            let one = read_one(reader)?;
            lane.add(key(), one.level, one.cell(&pattern));
        }
        let values = values_of(&pattern);
        for _ in 0..cells {
            let level = read_level(reader)?;
            lane.add(key(), level, read_cell(reader, values)?);
        }
        if !lane.fits() {
            return Err(DecodeError::Contradiction);
        }
    }
    Ok(lane)
}

fn read_one(reader: &mut Reader<'_>) -> Result<One, DecodeError> {
    let level = read_level(reader)?;
    let [has_session, caller, seconds] = reader.numbers()?;
    if has_session > 1 {
        return Err(DecodeError::Number);
    }
    let caller =
        u8::try_from(caller).ok().filter(|caller| u32::from(*caller) < u128::BITS).ok_or(DecodeError::Number)?;
    Ok(One { level, has_session: has_session == 1, caller, seconds })
}

fn read_level(reader: &mut Reader<'_>) -> Result<u8, DecodeError> {
    u8::try_from(reader.number()?).ok().filter(|level| *level <= LEVEL_MAX).ok_or(DecodeError::Number)
}

fn read_text(reader: &mut Reader<'_>) -> Result<Box<str>, DecodeError> {
    let length = usize::try_from(reader.number()?).map_err(|_| DecodeError::End)?;
    let text = std::str::from_utf8(reader.bytes(length)?).map_err(|_| DecodeError::Value)?;
    Ok(text.into())
}

fn read_text_after(reader: &mut Reader<'_>, before: &str) -> Result<Box<str>, DecodeError> {
    let shared = usize::try_from(reader.number()?).map_err(|_| DecodeError::End)?;
    let length = usize::try_from(reader.number()?).map_err(|_| DecodeError::End)?;
    let mut text = before.as_bytes().get(..shared).ok_or(DecodeError::Value)?.to_vec();
    text.extend_from_slice(reader.bytes(length)?);
    String::from_utf8(text).map(String::into_boxed_str).map_err(|_| DecodeError::Value)
}

fn read_cell(reader: &mut Reader<'_>, values: usize) -> Result<Cell, DecodeError> {
    let [requests, with_session, first, lasted] = reader.numbers()?;
    let mut callers = [0; 16];
    callers.copy_from_slice(reader.bytes(16)?);
    let value = |reader: &mut Reader<'_>| match reader.bytes(1)? {
        [0] => Ok(Only::Many),
        _ => read_text(reader).map(Only::One),
    };
    let values = (0..values).map(|_| value(reader)).collect::<Result<_, _>>()?;
    let last = first.checked_add(lasted).ok_or(DecodeError::Number)?;
    if requests == 0 || with_session > requests {
        return Err(DecodeError::Contradiction);
    }
    Ok(Cell { requests, with_session, callers: u128::from_le_bytes(callers), first, last, values })
}
