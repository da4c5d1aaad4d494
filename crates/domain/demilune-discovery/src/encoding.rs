//! Sightings as bytes: the same ones have the same bytes, and others are refused.

use demilune_inventory::Method;
use demilune_traffic::{
    DecodeError,
    bytes::{self, Reader},
};

use crate::{
    Sightings,
    pattern::values_of,
    sightings::{Cell, Key, LANES, LEVEL_MAX, Lane, Only},
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
            for (key, entry) in &lane.entries {
                text(&mut to, &key.host);
                text(&mut to, &key.pattern);
                let method = Method::ALL.iter().position(|method| *method == key.method).unwrap_or_default();
                bytes::write(&mut to, method as u64);
                bytes::write(&mut to, entry.cells.len() as u64);
                for (level, cell) in &entry.cells {
                    bytes::write(&mut to, (*level).into());
                    write_cell(&mut to, cell);
                }
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
    for _ in 0..reader.number()? {
        let (host, pattern) = (read_text(reader)?, read_text(reader)?);
        let method = usize::try_from(reader.number()?).ok().and_then(|number| Method::ALL.get(number).copied());
        let method = method.ok_or(DecodeError::Number)?;
        let values = values_of(&pattern);
        for _ in 0..reader.number()? {
            let level = read_level(reader)?;
            let key = Key { host: host.clone(), pattern: pattern.clone(), method };
            lane.add(key, level, read_cell(reader, values)?);
            if !lane.fits() {
                return Err(DecodeError::Contradiction);
            }
        }
    }
    Ok(lane)
}

fn read_level(reader: &mut Reader<'_>) -> Result<u8, DecodeError> {
    u8::try_from(reader.number()?).ok().filter(|level| *level <= LEVEL_MAX).ok_or(DecodeError::Number)
}

fn read_text(reader: &mut Reader<'_>) -> Result<Box<str>, DecodeError> {
    let length = usize::try_from(reader.number()?).map_err(|_| DecodeError::End)?;
    let text = std::str::from_utf8(reader.bytes(length)?).map_err(|_| DecodeError::Value)?;
    Ok(text.into())
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
