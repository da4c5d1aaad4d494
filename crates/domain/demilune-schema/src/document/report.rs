//! What of a document's keywords is enforced, what only roughly, and what not at all.

use std::collections::BTreeMap;

use super::place::Place;

/// What is done about each keyword that bears on requests. Keywords that only describe, such as `title`, are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeywordReport {
    /// One entry for each keyword and treatment of it, in order.
    pub uses: Vec<KeywordUse>,
}

/// A keyword that is treated in one way, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeywordUse {
    /// The keyword, or `format: date-time` for what its value decides.
    pub keyword: String,
    /// What is done about it.
    pub treatment: Treatment,
    /// Why it is not enforced as it stands; empty if it is.
    pub reason: &'static str,
    /// In how many places.
    pub count: usize,
    /// The first of them, as in [`Problem::location`](super::Problem::location).
    pub places: Vec<String>,
}

/// What is done about a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Treatment {
    /// A request that does not keep to it is a violation.
    Enforced,
    /// Requests that do not keep to it may pass; none that does is a violation.
    Approximated,
    /// It changes nothing.
    Ignored,
}

impl KeywordReport {
    /// How many places of each are listed.
    pub const PLACES_MAX: usize = 20;
}

/// A report that is being written.
#[derive(Debug, Default)]
pub(crate) struct Reporter {
    uses: BTreeMap<(Treatment, &'static str), BTreeMap<String, Places>>,
}

/// In how many places a keyword is treated in one way, and the first of them.
type Places = (usize, Vec<String>);

impl Reporter {
    pub(crate) fn enforced(&mut self, keyword: &str, place: &Place<'_>) {
        self.add(Treatment::Enforced, keyword, "", place);
    }

    pub(crate) fn approximated(&mut self, keyword: &str, reason: &'static str, place: &Place<'_>) {
        self.add(Treatment::Approximated, keyword, reason, place);
    }

    pub(crate) fn ignored(&mut self, keyword: &str, reason: &'static str, place: &Place<'_>) {
        self.add(Treatment::Ignored, keyword, reason, place);
    }

    fn add(&mut self, treatment: Treatment, keyword: &str, reason: &'static str, place: &Place<'_>) {
        let keywords = self.uses.entry((treatment, reason)).or_default();
        if let Some((count, places)) = keywords.get_mut(keyword) {
            *count += 1;
            if places.len() < KeywordReport::PLACES_MAX {
                places.push(place.path());
            }
            return;
        }
        // Unknown keywords are the author's own: so many of them are one entry.
        let keyword = if keywords.len() < 200 { keyword.to_owned() } else { "…".to_owned() };
        let (count, places) = keywords.entry(keyword).or_default();
        *count += 1;
        if places.len() < KeywordReport::PLACES_MAX {
            places.push(place.path());
        }
    }

    pub(crate) fn finish(self) -> KeywordReport {
        let mut uses: Vec<_> = self
            .uses
            .into_iter()
            .flat_map(|((treatment, reason), keywords)| {
                keywords.into_iter().map(move |(keyword, (count, places))| KeywordUse {
                    keyword,
                    treatment,
                    reason,
                    count,
                    places,
                })
            })
            .collect();
        uses.sort_by(|one, other| (&one.keyword, one.treatment).cmp(&(&other.keyword, other.treatment)));
        KeywordReport { uses }
    }
}
