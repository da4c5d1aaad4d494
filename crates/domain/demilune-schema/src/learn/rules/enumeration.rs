//! Lists of values: what many callers sent often, and nothing else.

use super::terms::Terms;
use crate::learn::{
    tally::Tally,
    values::{Value, Values},
};

/// Fewest and most values.
const VALUES: std::ops::RangeInclusive<usize> = 2..=16;
/// How often each must have been sent.
const COUNT_MIN: u64 = 10;
/// How often all together, for one value: the more there are, the more chances there must have been to see another.
const COUNT_PER_ROOT: f64 = 1_000.0;

/// The values, sorted, and what they rest on, if there are at most so many others; else why there is no list.
pub(super) fn of(values: &Values, terms: &Terms, others_max: u64) -> Result<(Vec<String>, Tally), &'static str> {
    let Values::Few(values) = values else { return Err("there are more than 24 values") };
    let total: u64 = values.iter().map(|(_, value)| value.tally.count).sum();
    let counts = |value: &&Value| value.tally.is_supported() && value.tally.count >= COUNT_MIN;
    let kept: Vec<&Value> = values.iter().map(|(_, value)| value).filter(counts).collect();
    let ground = kept.iter().fold(Tally::EMPTY, |sum, value| sum.merged(&value.tally));
    if total - ground.count > others_max {
        return Err("values that fewer than five callers sent, or that were sent less than ten times, are too many");
    }
    if !VALUES.contains(&kept.len()) {
        return Err("there are not 2 to 16 values");
    }
    #[expect(clippy::cast_precision_loss, reason = "a comparison with a rule of thumb")]
    let is_enough = total as f64 >= COUNT_PER_ROOT * (kept.len() as f64).sqrt();
    let newest = kept.iter().map(|value| value.tally.first).max().unwrap_or(u32::MAX);
    if !is_enough || !terms.allows_values(total, newest) {
        return Err("too few requests so far to tell that there is no other value");
    }
    let mut texts: Vec<String> = kept.iter().filter_map(|value| value.text.as_deref()).map(str::to_owned).collect();
    if texts.len() < kept.len() {
        return Err("a value looks like data, not like a word");
    }
    texts.sort_unstable();
    Ok((texts, ground))
}
