//! Cuts a path into segments, with as little as possible that one segment has to wait for the one before it.

/// A path, ready to be cut. All its characters are ASCII.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    whole: &'a str,
    len: u32,
    /// The text, and at least as many other bytes behind it as are looked at together.
    bytes: &'a [u8],
}

/// A part of a path between two slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) start: u32,
    /// Where the slash behind it stands, or the path ends.
    pub(super) end: u32,
}

/// Goes from segment to segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// Where the next segment begins: behind the end of the path if there is none.
    pub(super) start: u32,
    /// The first byte of those that `ends` speaks of.
    block: u32,
    /// A bit for each byte of the block that ends a segment which is yet to come.
    ends: u64,
}

/// How many bytes' slashes are found together: a bit each.
const BLOCK: usize = u64::BITS as usize;

/// The same in the type of places.
const BLOCK_BYTES: u32 = u64::BITS;

/// How many bytes of a segment its word holds.
pub(super) const WORD_BYTES: u32 = u128::BITS / 8;

impl<'a> Text<'a> {
    /// Copies a text to where there is room behind it, so that it is read in whole words. None for a text so long that
    /// its places cannot be counted.
    #[inline]
    pub(super) fn new(text: &'a str, buffer: &'a mut Vec<u8>) -> Option<Self> {
        let len = u32::try_from(text.len() + BLOCK).ok()? - BLOCK_BYTES;
        if buffer.len() < text.len() + BLOCK {
            buffer.resize(text.len() + BLOCK, 0);
        }
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self { whole: text, len, bytes: buffer })
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// The text of a segment.
    #[inline]
    pub(super) fn of(&self, segment: Segment) -> &'a str {
        &self.whole[segment.start as usize..segment.end as usize]
    }

    /// The first sixteen bytes of a segment, filled up with zeros.
    #[inline]
    pub(super) fn word(&self, segment: Segment) -> u128 {
        let bytes = self.bytes[segment.start as usize..].first_chunk();
        let word = bytes.map_or(0, |bytes| u128::from_le_bytes(*bytes));
        word & FIRST_BYTES[segment.len().min(WORD_BYTES) as usize]
    }

    /// A bit for each byte of a block that is a slash, or stands where the path ends.
    #[inline]
    fn ends(&self, block: u32) -> u64 {
        let bytes = self.bytes[block as usize..].first_chunk::<BLOCK>();
        let slashes = bytes.map_or(0, slashes);
        slashes | 1_u64.unbounded_shl(self.len - block)
    }
}

impl Segment {
    #[inline]
    pub(super) fn len(self) -> u32 {
        self.end - self.start
    }
}

impl Cursor {
    /// Before the segment that begins at `start`, which is no further than the end of the path.
    #[inline]
    pub(super) fn new(path: &Text<'_>, start: u32) -> Self {
        let block = start - start % BLOCK_BYTES;
        Self { start, block, ends: path.ends(block) & u64::MAX << (start - block) }
    }

    /// The next segment, which there must be.
    #[inline]
    pub(super) fn next(&mut self, path: &Text<'_>) -> Segment {
        while self.ends == 0 {
            self.block += BLOCK_BYTES;
            self.ends = path.ends(self.block);
        }
        let segment = Segment { start: self.start, end: self.block + self.ends.trailing_zeros() };
        self.ends &= self.ends - 1;
        self.start = segment.end + 1;
        segment
    }
}

/// A bit for each byte that is a slash.
#[inline]
fn slashes(block: &[u8; BLOCK]) -> u64 {
    const SLASHES: u64 = u64::from_le_bytes([b'/'; 8]);
    const LOW: u64 = u64::from_le_bytes([0x7f; 8]);
    // Multiplied by this, the lowest bits of eight bytes come to stand side by side in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (words, _) = block.as_chunks();
    words.iter().rev().fold(0, |bits, word| {
        // A slash becomes zero, and zero alone does not reach the highest bit of its byte.
        let others = (u64::from_le_bytes(*word) ^ SLASHES) + LOW;
        bits << 8 | ((!others & !LOW) >> 7).wrapping_mul(GATHER) >> 56
    })
}

/// For each number of bytes, the bits of so many first bytes of a word.
const FIRST_BYTES: [u128; WORD_BYTES as usize + 1] = {
    let mut masks = [u128::MAX; WORD_BYTES as usize + 1];
    let mut bytes = 0;
    while bytes < WORD_BYTES as usize {
        masks[bytes] = (1 << (8 * bytes)) - 1;
        bytes += 1;
    }
    masks
};

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str) {
        // What an earlier, longer path left behind is not seen.
        let mut buffer = "/x".repeat(200).into_bytes();
        let text = Text::new(path, &mut buffer).unwrap();
        let mut cursor = Cursor::new(&text, 1);
        for expected in path.split('/').skip(1) {
            assert_eq!(Cursor::new(&text, cursor.start).next(&text), { cursor }.next(&text), "{path}");
            let segment = cursor.next(&text);
            assert_eq!(text.of(segment), expected, "{path}");
            assert_eq!(segment.len() as usize, expected.len());
            let mut word = [0; 16];
            let kept = expected.len().min(16);
            word[..kept].copy_from_slice(&expected.as_bytes()[..kept]);
            assert_eq!(text.word(segment), u128::from_le_bytes(word), "{expected}");
        }
        assert_eq!(cursor.start, text.len() + 1);
    }

    #[test]
    fn segments_of_every_length_at_every_place_are_cut_alike() {
        for before in 0..70 {
            for length in 0..70 {
                check(&format!("/{}/{}", "b".repeat(before), "a".repeat(length)));
            }
            check(&format!("/{}/{}/.0x", "b".repeat(before), "a".repeat(before)));
        }
        check(&"/a".repeat(100));
        check(&format!("/{}/a", "b".repeat(500)));
    }

    #[test]
    fn neighbours_of_the_slash_are_no_slash() {
        check("/.0/0./.../000/.0.0.0.0.0/0.0.0.0.0.");
        check("/");
        check("/%7F~/");
    }
}
