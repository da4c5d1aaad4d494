//! What the variables of an endpoint took of a path, kept until the request is over.

use std::ops::Range;

use demilune_inventory::Variables;

/// Most variables whose values are learned from. Endpoints with more are rare, and the first ones are looked at.
const VARIABLES_MAX: usize = 8;

/// Ranges of the normalized path, `var1` first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    ranges: [(u16, u16); VARIABLES_MAX],
    count: u8,
}

impl Taken {
    /// Copies what the last search took.
    pub(crate) fn of(variables: &Variables) -> Self {
        let mut taken = Self::default();
        for (slot, range) in taken.ranges.iter_mut().zip(variables.iter()) {
            let (Ok(start), Ok(end)) = (u16::try_from(range.start), u16::try_from(range.end)) else { break };
            *slot = (start, end);
            taken.count += 1;
        }
        taken
    }

    /// The ranges.
    pub(super) fn iter(&self) -> impl Iterator<Item = Range<usize>> {
        let ranges = self.ranges.iter().take(self.count.into());
        ranges.map(|(start, end)| usize::from(*start)..usize::from(*end))
    }
}
