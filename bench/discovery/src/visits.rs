//! Requests for an interface's operations, and what else arrives at its hosts.

use std::collections::HashMap;

use demilune_discovery::{Sighting, Sightings};
use demilune_inventory::{Method, NormalizedPath};

use crate::{
    random::Random,
    routes::{Interface, Route, hash, normal},
    values::Variable,
};

/// An operation of the truth has at least so many requests, and popular ones up to so many.
const REQUESTS_MIN: u64 = 700;
const REQUESTS_MAX: u64 = 4_000;
/// One in so many operations is seldom asked for and not in the truth: at most so many requests.
const SELDOM_ONE_IN: u64 = 7;
const SELDOM_REQUESTS_MAX: u64 = 350;
const SESSIONS: u64 = 400;
const NETWORKS: u64 = 600;
/// One in so many requests has no session.
const WITHOUT_ONE_IN: u64 = 7;
/// Requests of two scanners that get an answer for any word below any parent.
const GUESSES: u64 = 20_000;
const SCANNERS: u64 = 2;
/// Requests of two monitors for one path.
const CHECKS: u64 = 5_000;
const START: u64 = 1_780_000_000;
const WEEK_SECONDS: u64 = 604_800;

/// How many requests an operation has.
fn how_many(route: &Route) -> u64 {
    let mut random = Random::new(hash(route.path) ^ hash(route.method));
    if random.one_in(SELDOM_ONE_IN) {
        random.skewed(SELDOM_REQUESTS_MAX)
    } else {
        REQUESTS_MIN + random.skewed(REQUESTS_MAX - REQUESTS_MIN)
    }
}

/// What is to be found: `METHOD HOST PATH`.
#[must_use]
pub fn truth(interface: &Interface) -> std::collections::BTreeSet<String> {
    let label = if interface.tenants > 1 { "{}." } else { "" };
    let template = |route: &Route| format!("{} {label}{} {}", route.method, interface.host, normal(route.path));
    interface.routes.iter().filter(|route| how_many(route) >= REQUESTS_MIN).map(template).collect()
}

/// Sees all requests.
pub struct Visitor<'i> {
    interface: &'i Interface,
    random: Random,
    variables: HashMap<(&'static str, &'static str), Variable>,
    seen: Sightings,
}

impl<'i> Visitor<'i> {
    /// Of this interface.
    #[must_use]
    pub fn new(interface: &'i Interface, seed: u64) -> Self {
        let random = Random::new(hash(interface.name) ^ seed);
        Self { interface, random, variables: HashMap::new(), seen: Sightings::default() }
    }

    /// Everything that arrived.
    #[must_use]
    pub fn all(mut self) -> Sightings {
        for route in &self.interface.routes {
            for _ in 0..how_many(route) {
                let path = self.path(route);
                let (caller, has_session) = self.caller();
                self.see(route.method, &path, caller, has_session);
            }
        }
        self.noise();
        self.seen
    }

    fn path(&mut self, route: &Route) -> String {
        let (mut path, mut rest, mut above) = (String::with_capacity(route.path.len()), route.path, 0_u64);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            let word = before.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let interface = self.interface.name;
            let variable = *self.variables.entry((word, name)).or_insert_with(|| Variable::of(interface, word, name));
            let (value, number) = variable.draw(&mut self.random, above);
            path.push_str(before);
            path.push_str(&value);
            above = above.wrapping_add(number);
            rest = behind;
        }
        path + rest
    }

    fn caller(&mut self) -> (u64, bool) {
        if self.random.one_in(WITHOUT_ONE_IN) {
            (1_000 + self.random.skewed(NETWORKS), false)
        } else {
            (self.random.skewed(SESSIONS), true)
        }
    }

    fn noise(&mut self) {
        let parents: Vec<&str> = self
            .interface
            .routes
            .iter()
            .filter_map(|route| route.path.split('{').next()?.trim_end_matches('/').rsplit_once('/'))
            .map(|(parent, _)| parent)
            .collect();
        for serial in 0..GUESSES {
            let (parent, word) = (self.random.of(&parents), self.random.next());
            // Letters alone: digits would not be taken for a name.
            let word: String = (0..9).map(|place| char::from(b'a' + (word >> (place * 5) & 15) as u8)).collect();
            self.see("GET", &format!("{parent}/{word}"), 5_000 + serial % SCANNERS, false);
        }
        for serial in 0..CHECKS {
            self.see("GET", "/health", 6_000 + serial % 2, false);
        }
    }

    fn see(&mut self, method: &str, path: &str, caller: u64, has_session: bool) {
        let host = match self.interface.tenants {
            1 => self.interface.host.to_owned(),
            // The first tenants have the most requests.
            tenants => format!("tenant-{}.{}", self.random.skewed(tenants), self.interface.host),
        };
        let (Ok(method), Ok(path)) = (method.parse::<Method>(), NormalizedPath::from_live(path.as_bytes())) else {
            return;
        };
        let (nonce, seconds) = (self.random.next(), START + self.random.below(WEEK_SECONDS));
        let caller = u32::try_from(Random::new(caller).next() >> 32).unwrap_or_default();
        self.seen.observe(&Sighting { method, host: &host, path: path.as_str(), caller, has_session, nonce, seconds });
    }
}
