//! Which words below one parent are values of a variable.
//!
//! Two questions are asked, in this order.
//!
//! **Is there a variable among the words?** Values differ from names in an interface in four ways. There is no end of
//! them: among many requests, some were seen only once or twice ([`Reason::Tail`]). There are more of them than anybody
//! would write down ([`Reason::Many`]). They look like what people and programs call their things, not like what an
//! interface calls its own ([`Reason::Data`]). And what lies below them is named, and the same for all: whether somebody
//! asks for `orders` or `profile` does not depend on whose they are ([`Reason::Alike`]); below the names of collections,
//! which are alike too, come ids instead. All count callers: whoever tries a list of words at an address that
//! answers to any word is one caller, or a few, whereas the values of a variable are brought by many. Procedures, which
//! may be hundreds, are known by the heads that they share: `chat.update`, `chat.delete`.
//!
//! **Which words are its values?** Those that are too seldom to be an operation of their own go with it, since nothing
//! would be lost if they were names. Those that are frequent are judged one by one: a name has something else below it
//! than the values have, or it stands above the ranking of the values by a step that popularity alone does not make.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Reason,
    data::{are_data, are_procedures},
    pattern::Segment,
    profile::{Names, Profile, Typical},
    tree::{Child, Stats},
};

/// A word that was sent so seldom is one of a tail.
const RARE_SAMPLES: u64 = 2;
/// So many rare words, being this part of all words, are a tail that no list of names has.
const RARE_MIN: usize = 12;
const RARE_SHARE: f64 = 0.15;
/// A caller stands for so many rare words at most, and so many callers must have sent some.
const RARE_OF_CALLER_MAX: usize = 3;
const RARE_CALLERS_MIN: u32 = 8;
/// More words than an interface has names in one place: of all, and of those too seldom to be operations. A caller stands
/// for so many at most.
const MANY: usize = 500;
const MANY_SELDOM: usize = 300;
const MANY_OF_CALLER_MAX: usize = 5;
/// Only what so many callers sent says what is typical, and what words look like.
const HEARD_CALLERS_MIN: u32 = 2;
/// So many words, being this part of all words, with the same below them are values.
const ALIKE_MIN: usize = 12;
const ALIKE_SHARE: f64 = 0.6;
/// What lies below them then: at least so many names, by which this part of the requests went on.
const NAMES_MIN: usize = 2;
const NAMED_SHARE: f64 = 0.5;
/// Or so many words too seldom to be operations, with this part of their requests going on by a name.
const SELDOM_MIN: usize = 30;
const SELDOM_NAMED_SHARE: f64 = 0.1;
/// The profiles that the typical one is made of count for so many requests at most, so that none outweighs the others.
const WEIGHT_MAX: u64 = 50;
/// How far from typical a value may be, and how far if nothing but its likeness says that it is one. A thing of which one
/// does what one does with others, but half of it never, is still such a thing.
const DISTANCE_MAX: f64 = 0.5;
const CLOSE_MAX: f64 = 0.25;
/// In a ranking by popularity the word in place k is at most this times ((k+1)÷k)^`STEP_POWER` as frequent as the next:
/// rankings follow Zipf's law with powers of 1.2 and less, and are never quite regular.
const STEP: f64 = 1.5;
const STEP_POWER: f64 = 1.2;
/// So many names at most stand above the values beside them, unless nothing lies below either to tell them by.
const ABOVE_MAX: usize = 12;

/// What of some words are values, and by which rule; without one, they are those that are seldom beside ids.
pub(crate) struct Values {
    pub(crate) words: BTreeSet<Segment>,
    pub(crate) reason: Option<Reason>,
}

/// A word among its siblings.
struct Word<'w> {
    edge: &'w Segment,
    text: &'w str,
    all: &'w Stats,
    profile: Profile,
    /// Whether it has too few requests to be an operation, whatever it is.
    is_seldom: bool,
}

/// Decides on the words among siblings; `has_ids` if beside them something else is a variable.
pub(crate) fn word_values(siblings: &BTreeMap<Segment, Box<Child>>, has_ids: bool, requests_min: u64) -> Values {
    let words = words(siblings, requests_min);
    let typical = typical(&words);
    let alike: Vec<&Word> = words.iter().filter(|word| typical.is_like(&word.profile, DISTANCE_MAX)).collect();
    let reason = reason(&words, &alike, &typical);
    let step = step(&alike, if typical.is_leaf() { usize::MAX } else { ABOVE_MAX });
    let goes = |word: &&&Word| match reason {
        Some(_) => word.is_seldom || word.all.requests < step,
        None => has_ids && word.is_seldom,
    };
    Values { words: alike.iter().filter(goes).map(|word| word.edge.clone()).collect(), reason }
}

impl Word<'_> {
    fn is_rare(&self) -> bool {
        self.all.samples <= RARE_SAMPLES
    }

    fn is_heard(&self) -> bool {
        self.all.callers.count_ones() >= HEARD_CALLERS_MIN
    }
}

fn words<'w>(siblings: &'w BTreeMap<Segment, Box<Child>>, requests_min: u64) -> Vec<Word<'w>> {
    let names = Names::of(siblings, requests_min);
    let word = |(edge, child): (&'w Segment, &'w Child)| {
        let (all, is_seldom) = (&child.all, child.all.at_most(child.all.requests) < requests_min);
        Some(Word { edge, text: edge.word()?, all, profile: names.profile(child), is_seldom })
    };
    siblings.iter().map(|(edge, child)| (edge, &**child)).filter_map(word).collect()
}

/// What lies below most words; a word counts for no more requests than it has callers.
fn typical(words: &[Word<'_>]) -> Typical {
    let has_heard = words.iter().any(Word::is_heard);
    let mut typical = Profile::default();
    for word in words.iter().filter(|word| word.is_heard() || !has_heard) {
        typical.add_cut(&word.profile, u64::from(word.all.callers.count_ones()).min(WEIGHT_MAX));
    }
    Typical::of(typical)
}

/// What says that there is a variable among the words.
fn reason(words: &[Word<'_>], alike: &[&Word<'_>], typical: &Typical) -> Option<Reason> {
    let heard: Vec<&str> = alike.iter().filter(|word| word.is_heard()).map(|word| word.text).collect();
    // There may be hundreds of procedures, with one method and nothing below them. They are none of a tail, unless most
    // of their requests are unknown.
    let may_be_names = typical.is_leaf() && are_procedures(&heard);
    let is_thinned = alike.iter().any(|word| word.all.is_sampled);
    if !(may_be_names && is_thinned) && has_tail(alike) {
        Some(Reason::Tail)
    } else if !may_be_names && are_many(alike) {
        Some(Reason::Many)
    } else if !may_be_names && are_data(&heard) {
        Some(Reason::Data)
    } else if are_close(words, typical) {
        Some(Reason::Alike)
    } else {
        None
    }
}

fn part(count: usize, of: usize) -> f64 {
    count as f64 / of.max(1) as f64
}

/// Whether there are always new words, for many callers.
fn has_tail(words: &[&Word<'_>]) -> bool {
    let rare: Vec<&Word> = words.iter().copied().filter(|word| word.is_rare()).collect();
    let callers = rare.iter().fold(0, |callers, word| callers | word.all.callers);
    callers.count_ones() >= RARE_CALLERS_MIN
        && vouched(&rare, RARE_OF_CALLER_MAX) >= RARE_MIN
        && part(rare.len(), words.len()) >= RARE_SHARE
}

/// Whether there are more words than names of an interface, of which some are always frequent.
fn are_many(words: &[&Word<'_>]) -> bool {
    let seldom: Vec<&Word> = words.iter().copied().filter(|word| word.is_seldom).collect();
    vouched(&seldom, MANY_OF_CALLER_MAX) >= MANY_SELDOM || vouched(words, MANY_OF_CALLER_MAX) >= MANY
}

/// How many words there are if a caller stands for no more than so many.
fn vouched(words: &[&Word<'_>], of_caller_max: usize) -> usize {
    let mut room = [of_caller_max; u128::BITS as usize];
    let mut vouches = |word: &&&Word| {
        let callers = room.iter_mut().enumerate().filter(|(bit, _)| word.all.callers >> bit & 1 == 1);
        // Who stands for the fewest so far.
        let most = callers.map(|(_, room)| room).max_by_key(|room| **room).filter(|room| **room > 0);
        most.map(|room| *room -= 1).is_some()
    };
    // Those of one caller first, since nobody else can stand for them.
    let mut words: Vec<&&Word> = words.iter().collect();
    words.sort_by_key(|word| word.all.callers.count_ones());
    words.iter().filter(|word| vouches(word)).count()
}

/// Whether the same lies below most words, and names, not ids alone.
fn are_close(words: &[Word<'_>], typical: &Typical) -> bool {
    let heard = || words.iter().filter(|word| word.is_heard());
    let close = || heard().filter(|word| typical.is_like(&word.profile, CLOSE_MAX));
    let seldom = close().filter(|word| word.is_seldom).count();
    let (names, share) = typical.names();
    let is_enough = (close().count() >= ALIKE_MIN && names >= NAMES_MIN && share >= NAMED_SHARE)
        || (seldom >= SELDOM_MIN && share >= SELDOM_NAMED_SHARE);
    is_enough && part(close().count(), heard().count()) >= ALIKE_SHARE
}

/// How many requests a word must have to stand above the ranking of the others.
fn step(words: &[&Word<'_>], above_max: usize) -> u64 {
    let mut ranking: Vec<&Word> = words.to_vec();
    ranking.sort_unstable_by_key(|word| std::cmp::Reverse(word.all.requests));
    let mut step = u64::MAX;
    for (place, pair) in ranking.windows(2).take(above_max).enumerate() {
        let [higher, lower] = *pair else { break };
        if higher.is_seldom {
            break;
        }
        let place = place as f64 + 1.0;
        // A standard deviation of either is left to chance.
        let of = |word: &Word, sign: f64| {
            let samples = word.all.samples.max(1) as f64;
            word.all.requests as f64 * (1.0 + sign / samples.sqrt())
        };
        if of(higher, -1.0) > of(lower, 1.0) * STEP * ((place + 1.0) / place).powf(STEP_POWER) {
            step = higher.all.requests;
        }
    }
    step
}
