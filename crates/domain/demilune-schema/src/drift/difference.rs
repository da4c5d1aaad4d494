//! What a comparison comes to.

use demilune_traffic::Hour;
use serde_json::Value;

use crate::learn::Tally;

/// How what a document says differs from what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The document names it, and nobody sent it.
    Unseen,
    /// It was sent, and the document does not name it.
    Undocumented,
    /// The document allows more than was sent.
    Looser,
    /// The document would refuse what was sent, and answered with 2xx.
    Tighter,
}

impl Kind {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Undocumented => "undocumented",
            Self::Looser => "looser",
            Self::Tighter => "tighter",
        }
    }
}

/// How sure a count is, since evidence holds classes and histograms and not values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// It is as many.
    Exactly,
    /// There may be more: some are counted together with others that fit.
    AtLeast,
    /// There may be fewer: some may fit, such as `1.0` where an integer is asked for.
    AtMost,
}

impl Counted {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exactly => "exactly",
            Self::AtLeast => "at least",
            Self::AtMost => "at most",
        }
    }
}

/// One difference between a document and traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// What differs how.
    pub kind: Kind,
    /// Where it is in requests, as in the explanations of learned schemas: `/query/lang`, `/path/id`, `/body/lines/*/sku`.
    pub place: String,
    /// Where it is in the operation's text, whose references are put in, as a JSON Pointer that begins with `/parameters`
    /// or `/requestBody`.
    pub location: String,
    /// The keyword.
    pub keyword: &'static str,
    /// What the document says; null if nothing.
    pub documented: Value,
    /// What was sent: a learned keyword's value, or what kinds of values. Never a name or a value that fewer than five
    /// callers sent.
    pub seen: Value,
    /// How many requests, objects or values that is.
    pub count: u64,
    /// How sure that is.
    pub counted: Counted,
    /// Of how many.
    pub of: u64,
    /// Of how many callers, up to five; 0 where it is not known, as of those who left something out.
    pub callers_at_least: usize,
    /// The hour of the first of them, or since when there was nothing; none where it is not known.
    pub first: Option<Hour>,
    /// The hour of the last of them.
    pub last: Option<Hour>,
}

impl Difference {
    /// A difference that rests on a tally.
    pub(super) fn of(kind: Kind, at: At<'_>, [documented, seen]: [Value; 2], ground: &Tally, of: u64) -> Self {
        Self {
            kind,
            place: at.place.to_owned(),
            location: at.location,
            keyword: at.keyword,
            documented,
            seen,
            count: ground.count,
            counted: Counted::Exactly,
            of,
            callers_at_least: ground.supporters.at_least(),
            first: hour(ground.first),
            last: hour(ground.last).filter(|_| ground.count > 0),
        }
    }

    /// The same with another certainty.
    pub(super) fn counted(self, counted: Counted) -> Self {
        Self { counted, ..self }
    }
}

/// Where a difference is.
pub(super) struct At<'a> {
    pub(super) place: &'a str,
    pub(super) location: String,
    pub(super) keyword: &'static str,
}

/// An hour counted since 1970; none for that of an empty tally.
pub(super) fn hour(hour: u32) -> Option<Hour> {
    (hour < u32::MAX).then(|| Hour::of(u64::from(hour) * Hour::SECONDS))
}

/// Something in a document that was not compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotCompared {
    /// Where it is in requests.
    pub place: String,
    /// Which keyword or part of the document it is.
    pub keyword: String,
    /// Why.
    pub why: &'static str,
}

/// Where a document and traffic differ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Requests that were seen.
    pub requests: u64,
    /// Bodies that were seen.
    pub bodies: u64,
    /// The differences, by place, kind and keyword; at most [`Self::DIFFERENCES_MAX`].
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub differences_left_out: usize,
    /// What was not compared, by place and keyword; at most [`Self::NOT_COMPARED_MAX`].
    pub not_compared: Vec<NotCompared>,
    /// How much more there is of it.
    pub not_compared_left_out: usize,
}

impl Comparison {
    /// Most differences that are listed: more than anyone reads of one operation, and some hundred kilobytes.
    pub const DIFFERENCES_MAX: usize = 500;
    /// Most entries of what was not compared.
    pub const NOT_COMPARED_MAX: usize = 200;
}
