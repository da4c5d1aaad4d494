//! Numbers as bytes: what every summary is written with, and why bytes may be refused.

/// Why bytes are no summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A version that this release does not know.
    #[error("version {0} of a summary's encoding is unknown")]
    Version(u8),
    /// The bytes end before the summary does.
    #[error("the summary ends too early")]
    End,
    /// The bytes go on after the summary.
    #[error("the summary is followed by other bytes")]
    Trailing,
    /// A number of more than 64 bits, or not in its shortest form.
    #[error("a number has more than 64 bits or is not in its shortest form")]
    Number,
    /// A bucket of the durations that does not exist, or that counted nothing.
    #[error("a bucket of the durations does not exist or is empty")]
    DurationBucket,
    /// More sessions than a sample holds, or one that no hash names or nothing was counted for.
    #[error("there are too many sessions, or one of them cannot be")]
    Session,
    /// A value of a distribution that does not exist, or that no session had.
    #[error("a value of a distribution does not exist or nothing had it")]
    Value,
    /// The counts are not those of any requests.
    #[error("the counts contradict each other")]
    Contradiction,
}

/// Writes a number as LEB128: seven bits a byte, the lowest first, the top bit set on all but the last.
pub fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// The bytes that are not read yet.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads the version byte in front, which must be this one.
    pub fn of_version(bytes: &'a [u8], version: u8) -> Result<Self, DecodeError> {
        let mut reader = Self(bytes);
        let found = reader.byte()?;
        if found == version { Ok(reader) } else { Err(DecodeError::Version(found)) }
    }

    /// Nothing may be left.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }

    /// Reads this many numbers.
    pub fn numbers<const N: usize>(&mut self) -> Result<[u64; N], DecodeError> {
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Ok(numbers)
    }

    /// Reads what [`write()`] wrote.
    pub fn number(&mut self) -> Result<u64, DecodeError> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if number >> shift != bits {
                return Err(DecodeError::Number);
            }
            if byte < 0x80 {
                // A last byte of 0 says nothing, unless it is the only one.
                return if byte == 0 && shift > 0 { Err(DecodeError::Number) } else { Ok(number) };
            }
        }
        Err(DecodeError::Number)
    }

    /// Reads this many bytes as they are.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(DecodeError::End)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.0.split_first().ok_or(DecodeError::End)?;
        self.0 = rest;
        Ok(*byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_takes_seven_bits_a_byte() {
        let check = |number: u64, expected: &[u8]| {
            let mut bytes = Vec::new();
            write(&mut bytes, number);
            assert_eq!(bytes, expected, "{number}");
            assert_eq!(Reader(&bytes).number(), Ok(number));
        };
        check(0, &[0]);
        check(127, &[0x7f]);
        check(128, &[0x80, 1]);
        check(300, &[0xac, 2]);
        check(u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
    }

    #[test]
    fn other_bytes_are_no_numbers() {
        let check = |bytes: &[u8], expected| assert_eq!(Reader(bytes).number(), Err(expected), "{bytes:?}");
        check(&[], DecodeError::End);
        check(&[0x80], DecodeError::End);
        check(&[0x80, 0], DecodeError::Number);
        check(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], DecodeError::Number);
        check(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], DecodeError::Number);
    }
}
