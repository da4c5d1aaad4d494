//! Cuts a path into segments and hashes them, eight bytes at a time.

use super::hash;

/// A segment of a path, ready to be compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// The first sixteen bytes, filled up with zeros, which no normalized path holds.
    pub(super) words: [u64; 2],
    pub(super) hash: u64,
    /// Where it begins in the path.
    pub(super) start: u32,
    /// Where the slash behind it stands, or the path ends.
    pub(super) end: u32,
}

impl Segment {
    /// A text without slashes, on its own.
    pub(super) fn of(text: &str) -> Self {
        Self::at(text.as_bytes(), 0)
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.end - self.start
    }

    /// The segment that begins at `start`.
    #[inline]
    fn at(path: &[u8], start: usize) -> Self {
        let mut end = start;
        let mut words = [0; 2];
        let mut hash = 0;
        for number in 0.. {
            let word = load(path, end);
            let bits = slashes(word).trailing_zeros();
            // The first slash and what is behind it is cut off; without one there is nothing to cut.
            let word = word & !u64::MAX.checked_shl(bits).unwrap_or(0);
            if bits > 0 {
                hash = hash::mix(hash, word);
                if let Some(kept) = words.get_mut(number) {
                    *kept = word;
                }
            }
            end += bits as usize / 8;
            if bits < u64::BITS {
                break;
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "`cut` takes no path whose places do not fit")]
        let [start, end] = [start, end].map(|place| place as u32);
        Self { words, hash, start, end }
    }
}

/// Cuts a path, which begins with a slash. False if it has more than `most` segments, or more bytes than are counted.
#[inline]
pub(super) fn cut(path: &[u8], most: usize, segments: &mut Vec<Segment>) -> bool {
    segments.clear();
    if u32::try_from(path.len()).is_err() {
        return false;
    }
    let mut start = 1;
    while segments.len() < most {
        let segment = Segment::at(path, start);
        segments.push(segment);
        start = segment.end as usize + 1;
        if start > path.len() {
            return true;
        }
    }
    false
}

const SLASHES: u64 = u64::from_le_bytes([b'/'; 8]);

/// The eight bytes from `start` on, filled up with slashes behind the end.
#[inline]
fn load(path: &[u8], start: usize) -> u64 {
    let rest = path.get(start..).unwrap_or_default();
    if let Some(word) = rest.first_chunk() {
        return u64::from_le_bytes(*word);
    }
    if rest.is_empty() {
        return SLASHES;
    }
    let tail = match path.last_chunk() {
        Some(word) => u64::from_le_bytes(*word) >> (8 * (8 - rest.len())),
        None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    tail | SLASHES << (8 * rest.len())
}

/// The highest bit of the first byte that is a slash, and perhaps of some behind it.
#[inline]
fn slashes(word: u64) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    let zero_at_slash = word ^ SLASHES;
    let high = zero_at_slash.wrapping_sub(LOW) & !zero_at_slash & HIGH;
    // The lowest bit of the byte, so that the zeros below it are the bytes before it.
    high >> 7
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str) {
        let mut segments = Vec::new();
        assert!(cut(path.as_bytes(), 100, &mut segments));
        let texts: Vec<_> =
            segments.iter().map(|segment| &path[segment.start as usize..segment.end as usize]).collect();
        assert_eq!(texts, path.split('/').skip(1).collect::<Vec<_>>(), "{path}");
        for (segment, text) in segments.iter().zip(texts) {
            let alone = Segment::of(text);
            assert_eq!((segment.words, segment.hash, segment.len()), (alone.words, alone.hash, alone.len()), "{text}");
            let first: Vec<u8> = segment.words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let kept = text.len().min(16);
            assert_eq!(&first[..kept], &text.as_bytes()[..kept]);
            assert!(first[kept..].iter().all(|byte| *byte == 0), "{text}");
        }
    }

    #[test]
    fn segments_of_every_length_at_every_place_are_cut_alike() {
        for before in 0..20 {
            for length in 0..40 {
                check(&format!("/{}/{}", "b".repeat(before), "a".repeat(length)));
                check(&format!("/{}/{}/.0x", "b".repeat(before), "a".repeat(length)));
            }
        }
    }

    #[test]
    fn neighbours_of_the_slash_are_no_slash() {
        check("/.0/0./.../000/.0.0.0.0.0/0.0.0.0.0.");
        check("/");
        check("/%7F~/");
    }

    #[test]
    fn a_path_of_too_many_segments_is_not_cut() {
        assert!(!cut(b"/a/b/c", 2, &mut Vec::new()));
        assert!(cut(b"/a/b/c", 3, &mut Vec::new()));
        assert!(!cut(b"/a/b/", 2, &mut Vec::new()));
    }

    #[test]
    fn texts_that_differ_hash_differently() {
        let texts: Vec<_> =
            (0..40).map(|length| "a".repeat(length)).chain((0..1000).map(|n| format!("x{n}"))).collect();
        let mut hashes: Vec<_> = texts.iter().map(|text| Segment::of(text).hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), texts.len());
    }
}
