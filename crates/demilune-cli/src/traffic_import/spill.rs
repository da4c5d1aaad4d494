//! Sums that have no room in memory, in a file without a name that goes with the process.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::Arc,
};

use demilune_traffic::{Bucket, Record, SessionSample};

use super::tally::{Key, Sums};

const BUFFER_BYTES: usize = 64 << 10;

/// The file, and where each run of sums ends. Within a run they are in order.
pub(super) struct Spill {
    folder: PathBuf,
    file: Option<File>,
    ends: Vec<u64>,
}

impl Spill {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, file: None, ends: Vec::new() }
    }

    /// Writes a run.
    pub(super) fn put(&mut self, entries: BTreeMap<Key, Sums>) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.folder)?,
        };
        let mut end = self.ends.last().copied().unwrap_or(0);
        let mut writer = BufWriter::with_capacity(BUFFER_BYTES, file);
        for (key, sums) in entries {
            end += write(&mut writer, key, &sums)?;
        }
        self.file = Some(writer.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.ends.push(end);
        Ok(())
    }

    /// What reads each run.
    pub(super) fn runs(self) -> Vec<Run> {
        let Some(file) = self.file.map(Arc::new) else { return Vec::new() };
        let mut start = 0;
        let runs = self.ends.into_iter().map(|end| {
            let part = Part { file: Arc::clone(&file), next: start, end };
            start = end;
            Run(BufReader::with_capacity(BUFFER_BYTES, part))
        });
        runs.collect()
    }
}

/// Reads the sums of a run, in order.
pub(super) struct Run(BufReader<Part>);

impl Run {
    /// The next sums; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(Key, Sums)>> {
        if io::BufRead::fill_buf(&mut self.0)?.is_empty() {
            return Ok(None);
        }
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        let bucket = Bucket::starting_at(self.number()?).ok_or_else(damaged)?;
        let operation = self.number()?.checked_sub(1).map(u32::try_from).transpose().map_err(|_| damaged())?;
        let record = Record::decode(&self.bytes()?).map_err(|_| damaged())?;
        let sessions = SessionSample::decode(&self.bytes()?).map_err(|_| damaged())?;
        Ok(Some(((bucket, operation), Sums { record, sessions })))
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.0.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        let length = self.number()?;
        let mut bytes = Vec::new();
        (&mut self.0).take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A stretch of the file.
struct Part {
    file: Arc<File>,
    next: u64,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let length = self.file.read_at(&mut buffer[..wanted], self.next)?;
        self.next += length as u64;
        Ok(length)
    }
}

/// Writes sums and says in how many bytes: bucket, operation, and the encoded parts behind their lengths.
fn write(writer: &mut impl Write, (bucket, operation): Key, sums: &Sums) -> io::Result<u64> {
    let operation = operation.map_or(0, |place| u64::from(place) + 1);
    let parts = [sums.record.encode(), sums.sessions.encode()];
    writer.write_all(&bucket.start().to_le_bytes())?;
    writer.write_all(&operation.to_le_bytes())?;
    for part in &parts {
        writer.write_all(&(part.len() as u64).to_le_bytes())?;
        writer.write_all(part)?;
    }
    let lengths: usize = parts.iter().map(Vec::len).sum();
    Ok(4 * 8 + lengths as u64)
}
