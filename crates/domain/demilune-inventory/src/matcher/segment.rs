//! Cuts a path into segments and hashes them, sixteen bytes at a time.

use super::hash;

/// The bytes of a path, ready to be cut. All are ASCII, and none is zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    /// At least as much as is loaded at once: the text, and zeros behind a shorter one.
    padded: &'a [u8],
    len: u32,
}

/// Room for a text that is shorter than what is loaded at once.
pub(super) type Short = [u8; LOAD];

/// How many bytes are loaded at once.
const LOAD: usize = size_of::<u128>();

/// The same in the type that places in a path have.
pub(super) const WORD_BYTES: u32 = u128::BITS / 8;

impl<'a> Text<'a> {
    /// None for a text so long that its places cannot be counted.
    #[inline]
    pub(super) fn new(text: &'a str, short: &'a mut Short) -> Option<Self> {
        let len = u32::try_from(text.len()).ok()?;
        if text.len() >= LOAD {
            return Some(Self { padded: text.as_bytes(), len });
        }
        short[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self { padded: short, len })
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The bytes of a segment.
    #[inline]
    pub(super) fn of(&self, segment: &Segment) -> &'a [u8] {
        &self.padded[segment.start as usize..segment.end as usize]
    }

    /// Sixteen bytes from `start` on, with zeros behind the end. Where fewer are left, the last sixteen are loaded and
    /// moved down: always by the same instructions, since a branch would be guessed wrong at the end of most paths.
    #[inline]
    fn load(&self, start: u32) -> u128 {
        let place = (start as usize).min(self.padded.len() - LOAD);
        let bytes = self.padded[place..].first_chunk().map_or(0, |bytes| u128::from_le_bytes(*bytes));
        let missing = start as usize - place;
        bytes.unbounded_shr(8 * missing as u32)
    }
}

/// A segment of a path, ready to be compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// The first sixteen bytes, filled up with zeros.
    pub(super) word: u128,
    /// Where it begins in the path.
    pub(super) start: u32,
    /// Where the slash behind it stands, or the path ends.
    pub(super) end: u32,
}

impl Segment {
    /// The segment that begins at `start`, which is no further than the end of the path.
    #[inline]
    pub(super) fn at(path: &Text<'_>, start: u32) -> Self {
        let word = path.load(start);
        let len = before_slash(word).min(path.len - start);
        let segment = Self { word: first(word, len), start, end: start + len };
        if len < WORD_BYTES { segment } else { segment.longer(path) }
    }

    /// The rest of a segment that the first bytes are full of.
    #[inline(never)]
    fn longer(mut self, path: &Text<'_>) -> Self {
        loop {
            let len = before_slash(path.load(self.end)).min(path.len - self.end);
            self.end += len;
            if len < WORD_BYTES {
                return self;
            }
        }
    }

    /// The hash of a segment that the first sixteen bytes are all of.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        hash::mix_wide(0, self.word)
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.end - self.start
    }
}

/// How many of the bytes, none of which is above 0x7f, come before the first slash.
#[inline]
fn before_slash(word: u128) -> u32 {
    const SLASHES: u128 = u128::from_le_bytes([b'/'; LOAD]);
    const LOW: u128 = u128::from_le_bytes([0x7f; LOAD]);
    // A slash becomes zero, and zero alone does not reach the highest bit.
    let others = (word ^ SLASHES) + LOW;
    (!others & !LOW).trailing_zeros() / 8
}

/// For each number of bytes, the bits of so many first bytes of a word.
const MASKS: [u128; LOAD + 1] = {
    let mut masks = [u128::MAX; LOAD + 1];
    let mut bytes = 0;
    while bytes < LOAD {
        masks[bytes] = (1 << (8 * bytes)) - 1;
        bytes += 1;
    }
    masks
};

/// The first bytes of a word, zeros behind them.
#[inline]
fn first(word: u128, len: u32) -> u128 {
    word & MASKS[len as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_text<T>(path: &str, then: impl FnOnce(&Text<'_>) -> T) -> T {
        then(&Text::new(path, &mut Short::default()).unwrap())
    }

    fn alone(text: &str) -> Segment {
        with_text(text, |text| Segment::at(text, 0))
    }

    fn check(path: &str) {
        let mut start = 1;
        for text in path.split('/').skip(1) {
            let (segment, bytes) = with_text(path, |path| {
                let segment = Segment::at(path, start);
                (segment, path.of(&segment).to_vec())
            });
            assert_eq!(bytes, text.as_bytes(), "{path}");
            let alone = alone(text);
            assert_eq!((segment.word, segment.len()), (alone.word, alone.len()), "{text}");
            let kept = text.len().min(16);
            let (first, rest) = (&segment.word.to_le_bytes()[..kept], &segment.word.to_le_bytes()[kept..]);
            assert!(*first == text.as_bytes()[..kept] && rest.iter().all(|byte| *byte == 0), "{text}");
            start = segment.end + 1;
        }
        assert_eq!(start as usize, path.len() + 1);
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
}
