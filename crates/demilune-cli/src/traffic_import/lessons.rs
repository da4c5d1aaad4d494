//! What a file's requests look like, by operation and hour, within a bound of memory.

use std::{collections::BTreeMap, fs::File, io, os::unix::fs::FileExt, path::PathBuf, sync::Arc};

use demilune_schema::learn::{Evidence, LearnKey, Supporter};
use demilune_traffic::Hour;

/// Most bytes of evidence in memory. What is more goes to a file and comes back in the end. Requests stand in a log in
/// the order of their times, so that hardly an hour goes there twice.
const BYTES_MAX: usize = 128 << 20;
/// What evidence takes beside what it accounts for.
const EVIDENCE_BYTES: usize = 1 << 10;

/// An hour of an operation, by its place in the rules.
pub(super) type Key = (Hour, u32);

/// One request that succeeded.
pub(super) struct Lesson<'l> {
    pub(super) key: Key,
    pub(super) supporter: Supporter,
    /// The values of the endpoint's variables.
    pub(super) variables: &'l [&'l str],
    pub(super) query: Option<&'l str>,
    /// A body that is learned from.
    pub(super) body: Option<&'l [u8]>,
}

/// Evidence of the requests of a file.
pub(crate) struct Lessons {
    learn_key: LearnKey,
    held: BTreeMap<Key, Evidence>,
    bytes: usize,
    bytes_max: usize,
    folder: PathBuf,
    /// A file without a name, which goes with the process, and where what is in it stands.
    file: Option<File>,
    end: u64,
    parts: BTreeMap<Key, Vec<Part>>,
}

/// A stretch of the file.
struct Part {
    start: u64,
    length: usize,
}

impl Lessons {
    /// Nothing yet; what has no room in memory is kept in this folder.
    pub(super) fn new(learn_key: LearnKey, folder: PathBuf) -> Self {
        Self::within(BYTES_MAX, learn_key, folder)
    }

    fn within(bytes_max: usize, learn_key: LearnKey, folder: PathBuf) -> Self {
        let (held, parts) = (BTreeMap::new(), BTreeMap::new());
        Self { learn_key, held, bytes: 0, bytes_max, folder, file: None, end: 0, parts }
    }

    /// Learns from a request.
    pub(super) fn take(&mut self, lesson: &Lesson<'_>) -> io::Result<()> {
        let Lesson { key, supporter, variables, query, body } = *lesson;
        let mut added = 0;
        let evidence = self.held.entry(key).or_insert_with(|| {
            added = EVIDENCE_BYTES;
            Evidence::new(Arc::default())
        });
        let before = evidence.bytes();
        evidence.observe(&self.learn_key, key.0, supporter, variables, query);
        if let Some(body) = body {
            evidence.observe_body(&self.learn_key, key.0, supporter, body);
        }
        self.bytes = self.bytes + added + evidence.bytes() - before;
        if self.bytes > self.bytes_max { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.folder)?,
        };
        for (key, evidence) in std::mem::take(&mut self.held) {
            let bytes = evidence.encode();
            file.write_all_at(&bytes, self.end)?;
            self.parts.entry(key).or_default().push(Part { start: self.end, length: bytes.len() });
            self.end += bytes.len() as u64;
        }
        self.file = Some(file);
        self.bytes = 0;
        Ok(())
    }

    /// The next hour of an operation with all its evidence; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(Key, Evidence)>> {
        let first = |held: Option<&Key>, parts: Option<&Key>| held.into_iter().chain(parts).min().copied();
        let Some(key) = first(self.held.keys().next(), self.parts.keys().next()) else { return Ok(None) };
        let mut sum = self.held.remove(&key).unwrap_or_else(|| Evidence::new(Arc::default()));
        for part in self.parts.remove(&key).unwrap_or_default() {
            sum.merge(&self.read(&part)?);
        }
        Ok(Some((key, sum)))
    }

    fn read(&self, part: &Part) -> io::Result<Evidence> {
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        let mut bytes = vec![0; part.length];
        self.file.as_ref().ok_or_else(damaged)?.read_exact_at(&mut bytes, part.start)?;
        Evidence::decode(&bytes).map_err(|_| damaged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(bytes_max: usize) -> Vec<(Key, Vec<u8>)> {
        let folder = tempfile::tempdir().unwrap();
        let mut lessons = Lessons::within(bytes_max, LearnKey::new([7; 16]), folder.path().to_owned());
        for number in 0..300_u32 {
            let (value, query) = (number.to_string(), format!("q={}", number % 7));
            let lesson = Lesson {
                key: (Hour::of(u64::from(number % 3) * 3_600), number % 2),
                supporter: Supporter(number),
                variables: &[&value],
                query: Some(&query),
                body: Some(br#"{"a":1}"#),
            };
            lessons.take(&lesson).unwrap();
        }
        let next = || lessons.next().unwrap().map(|(key, evidence)| (key, evidence.encode()));
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn a_bound_of_memory_changes_nothing() {
        let unbounded = learned(usize::MAX);
        assert_eq!(unbounded.len(), 6);
        assert!(unbounded.is_sorted_by_key(|(key, _)| *key));
        assert_eq!(learned(9_000), unbounded);
    }
}
