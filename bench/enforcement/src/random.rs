//! Random numbers from a seed: the same on any machine.

/// A generator (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True for one in so many.
    pub const fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// One of these.
    pub fn of<'v>(&mut self, values: &[&'v str]) -> &'v str {
        usize::try_from(self.below(values.len() as u64))
            .ok()
            .and_then(|place| values.get(place))
            .copied()
            .unwrap_or_default()
    }

    /// A number whose logarithm is spread evenly from 0 to that of this one: many small, few large.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small numbers"
    )]
    pub fn skewed(&mut self, most: u64) -> u64 {
        let even = self.below(1 << 20) as f64 / f64::from(1 << 20);
        (most as f64).powf(even) as u64
    }
}
