//! A set of methods.

use crate::Method;

/// A set of methods, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Methods(u16);

impl Methods {
    pub(super) const NONE: Self = Self(0);

    pub(super) fn insert(&mut self, method: Method) {
        self.0 |= bit(method);
    }

    pub(super) fn insert_all(&mut self, others: Self) {
        self.0 |= others.0;
    }

    #[inline]
    pub(super) fn contains(self, method: Method) -> bool {
        self.0 & bit(method) != 0
    }

    /// How many methods of the set come before one.
    #[inline]
    pub(super) fn rank(self, method: Method) -> u32 {
        (self.0 & (bit(method) - 1)).count_ones()
    }

    #[expect(clippy::cast_possible_truncation, reason = "there are sixteen bits at most")]
    pub(super) fn len(self) -> u8 {
        self.0.count_ones() as u8
    }

    pub(super) fn bits(self) -> u16 {
        self.0
    }
}

#[inline]
fn bit(method: Method) -> u16 {
    1 << method as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_ranked_in_alphabetical_order() {
        let mut methods = Methods::default();
        for method in [Method::Put, Method::Connect, Method::Get, Method::Get] {
            methods.insert(method);
        }
        assert_eq!(methods.len(), 3);
        assert!(methods.contains(Method::Put) && !methods.contains(Method::Trace));
        assert_eq!([Method::Connect, Method::Get, Method::Put].map(|method| methods.rank(method)), [0, 1, 2]);
    }
}
