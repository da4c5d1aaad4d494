//! Bounds that many callers reach.

use super::terms::Terms;
use crate::learn::{
    spread::{Bounds, Spread},
    tally::Tally,
};

/// An end of what was seen: that of the outermost bucket that enough callers reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'t> {
    pub(super) bounds: Bounds,
    pub(super) ground: &'t Tally,
}

/// Why there is no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoBound {
    /// Too many values lie beyond what enough callers reach.
    Scattered,
    /// It is the end of what can be told apart.
    Endless,
}

/// The lowest bucket that counts.
pub(super) fn lowest<'t>(spread: &'t Spread, terms: &Terms) -> Result<End<'t>, NoBound> {
    end(spread.iter(), terms.outside(spread.count())).and_then(|end| finite(end, end.bounds.lowest))
}

/// The highest bucket that counts.
pub(super) fn highest<'t>(spread: &'t Spread, terms: &Terms) -> Result<End<'t>, NoBound> {
    end(spread.iter().rev(), terms.outside(spread.count())).and_then(|end| finite(end, end.bounds.highest))
}

fn end<'t>(buckets: impl Iterator<Item = (Bounds, &'t Tally)>, outside_max: u64) -> Result<End<'t>, NoBound> {
    let mut outside = 0_u64;
    for (bounds, ground) in buckets {
        if ground.is_supported() {
            return Ok(End { bounds, ground });
        }
        outside = outside.saturating_add(ground.count);
        if outside > outside_max {
            break;
        }
    }
    Err(NoBound::Scattered)
}

fn finite(end: End<'_>, bound: i64) -> Result<End<'_>, NoBound> {
    if bound.unsigned_abs() < i64::MAX.unsigned_abs() { Ok(end) } else { Err(NoBound::Endless) }
}

/// A lower bound as much further down as the terms want.
pub(super) fn widen_down(bound: i64, terms: &Terms) -> i64 {
    if bound < 0 { bound.saturating_mul(terms.width()) } else { bound / terms.width() }
}

/// An upper bound as much further up.
pub(super) fn widen_up(bound: i64, terms: &Terms) -> i64 {
    if bound > 0 { bound.saturating_mul(terms.width()) } else { bound / terms.width() }
}
