//! Values for the variables of routes: each variable has a kind of its own, and its things a ranking.

use crate::{random::Random, routes::hash};

const FIRST: [&str; 20] = [
    "ada", "alan", "grace", "linus", "margaret", "dennis", "barbara", "ken", "frances", "john", "hedy", "tim", "radia",
    "vint", "leslie", "edsger", "tony", "silvio", "adele", "joan",
];
const LAST: [&str; 20] = [
    "lovelace", "turing", "hopper", "hamilton", "ritchie", "liskov", "thompson", "allen", "backus", "lamarr",
    "perlman", "cerf", "knuth", "lamport", "wirth", "hoare", "milner", "borg", "clarke", "bartik",
];
const WORDS: [&str; 32] = [
    "alpha", "bravo", "copper", "delta", "ember", "forest", "granite", "harbor", "island", "jasmine", "kettle",
    "lantern", "meadow", "nectar", "orchid", "pepper", "quartz", "river", "saddle", "timber", "umber", "velvet",
    "willow", "yellow", "zephyr", "cedar", "dune", "eagle", "maple", "north", "pine", "stone",
];
const CODES: [&str; 24] = [
    "US", "DE", "GB", "FR", "JP", "CN", "IN", "BR", "CA", "AU", "IT", "ES", "MX", "KR", "NL", "SE", "CH", "PL", "BE",
    "AT", "NO", "DK", "FI", "IE",
];
/// What names of variables say whose values somebody chose.
const NAMED: [&str; 14] = [
    "owner",
    "repo",
    "user",
    "org",
    "team",
    "slug",
    "name",
    "branch",
    "environment",
    "login",
    "tag",
    "label",
    "key",
    "enterprise",
];

/// What the values of a variable are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 1, 2, 3.
    Sequence,
    /// Large numbers with gaps.
    Sparse,
    /// RFC 9562.
    Uuid,
    /// Hexadecimal, as long as a commit's.
    Hash,
    /// `cus_9s6XKzkNRiz8i3`.
    Prefixed,
    /// Of people.
    Login,
    /// `my-first-post`.
    Slug,
    /// Of repositories, buckets, labels.
    Name,
    /// Of countries.
    Code,
}

/// The values of one variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    kind: Kind,
    seed: u64,
    /// How many there are.
    count: u64,
}

impl Variable {
    /// The variable with this name behind this word of an interface.
    #[must_use]
    pub fn of(interface: &str, before: &str, name: &str) -> Self {
        let seed = hash(&format!("{interface} {before} {name}"));
        let named = NAMED.iter().any(|word| name.contains(word)) && !name.ends_with("id") && !name.ends_with("Id");
        let kind = match seed % 4 {
            _ if name.contains("country") => Kind::Code,
            _ if name.contains("sha") => Kind::Hash,
            _ if name.contains("user") || name == "owner" => Kind::Login,
            0 if named => Kind::Slug,
            _ if named => Kind::Name,
            // Ids are alike all over an interface.
            _ => [Kind::Sequence, Kind::Sparse, Kind::Uuid, Kind::Prefixed, Kind::Hash]
                .get(usize::try_from(hash(interface) % 5).unwrap_or_default())
                .copied()
                .unwrap_or(Kind::Uuid),
        };
        let count = match (kind, seed >> 8 & 3) {
            (Kind::Code, _) => CODES.len() as u64,
            (Kind::Login | Kind::Slug | Kind::Name, size) => {
                [40, 200, 1_000, 4_000][usize::try_from(size).unwrap_or_default()]
            }
            (_, size) => [300, 3_000, 3_000, 20_000][usize::try_from(size).unwrap_or_default()],
        };
        Self { kind, seed, count }
    }

    /// A value, and a number of its own. What is popular depends on `above`.
    pub fn draw(&self, random: &mut Random, above: u64) -> (String, u64) {
        // As popular as its place in the ranking is low.
        let place = random.skewed(self.count).wrapping_add(above) % self.count;
        let mut own = Random::new(self.seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        (self.text(place, &mut own), own.next() % self.count)
    }

    fn text(&self, place: u64, own: &mut Random) -> String {
        let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        match self.kind {
            Kind::Sequence => (place + 1).to_string(),
            Kind::Sparse => (10_000_000 + own.below(9_000_000_000)).to_string(),
            Kind::Uuid => {
                let (high, low) = (own.next(), own.next());
                format!(
                    "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                    high >> 32,
                    high >> 16 & 0xFFFF,
                    high & 0xFFF,
                    low >> 52,
                    low & 0xFFFF_FFFF_FFFF
                )
            }
            Kind::Hash => format!("{:016x}{:016x}{:08x}", own.next(), own.next(), own.next() >> 32),
            Kind::Prefixed => {
                let letter = |own: &mut Random| {
                    let place = usize::try_from(own.below(letters.len() as u64)).unwrap_or_default();
                    letters.get(place).copied().map_or('0', char::from)
                };
                let tail: String = (0..16).map(|_| letter(own)).collect();
                format!("obj_{tail}")
            }
            Kind::Login => match own.below(4) {
                0 => format!("{}.{}", own.of(&FIRST), own.of(&LAST)),
                1 => format!("{}{}", own.of(&FIRST), own.of(&LAST)),
                2 => format!("{}{}", own.of(&FIRST), own.below(99)),
                _ => format!("{}-{}", own.of(&FIRST), own.of(&WORDS)),
            },
            Kind::Slug => {
                let words: Vec<&str> = (0..2 + own.below(3)).map(|_| own.of(&WORDS)).collect();
                words.join("-")
            }
            Kind::Name => match own.below(5) {
                0 => own.of(&WORDS).to_owned(),
                1 => format!("{}-{}", own.of(&WORDS), own.of(&WORDS)),
                2 => format!("{}_{}", own.of(&WORDS), own.of(&WORDS)),
                3 => format!("{}.js", own.of(&WORDS)),
                _ => format!("{}{}", own.of(&WORDS), own.below(20)),
            },
            Kind::Code => CODES.get(usize::try_from(place).unwrap_or_default()).copied().unwrap_or("US").to_owned(),
        }
    }
}
