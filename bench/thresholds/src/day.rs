//! What the sessions of one day did: of each, the most requests in one of the day's 144 windows of 600 s.

use std::{f64::consts::TAU, sync::LazyLock};

use crate::{
    random::{Stream, floor, gaussian, poisson, uniform},
    sample::Sample,
    scenario::{Component, Law, Scenario},
};

/// Windows of a day.
const WINDOWS: u32 = 144;

/// What a run's number is added to for the seeds of its days and of the hashes of its sessions.
const FIRST_DAY: u64 = 1_000;
const SECOND_DAY: u64 = 2_000;
const HASHES: u64 = 3_000;
/// Abusers draw from the seed of their day and this.
const ABUSERS: u64 = 7_000_000;
/// What the mean rate is taken from.
const BASE_SEED: u64 = 1;
const BASE_SESSIONS: u32 = 200_000;
/// Abusers of the second day: this share of the legitimate sessions, and at least these many.
const SECOND_DAY_SHARE: f64 = 0.03;
const SECOND_DAY_ABUSERS: f64 = 600.0;

/// The traffic of a scenario with abusers in it.
#[derive(Debug)]
pub struct Traffic {
    /// What legitimate sessions do.
    pub scenario: &'static Scenario,
    /// The mean rate of legitimate sessions: requests a window.
    base_rate: f64,
}

/// The largest count of each session of a day.
#[derive(Debug)]
pub struct Day {
    /// Of legitimate sessions.
    pub legitimate: Vec<u32>,
    /// Of abusers.
    pub abusers: Vec<u32>,
}

impl Traffic {
    /// The traffic of this scenario.
    #[must_use]
    pub fn of(scenario: &'static Scenario) -> Self {
        let law = |session| component(scenario, BASE_SEED, session).law;
        let rates = (0..BASE_SESSIONS.into()).map(|session| rate(law(session), BASE_SEED, session));
        Self { scenario, base_rate: rates.sum::<f64>() / f64::from(BASE_SESSIONS) }
    }

    /// The day that a threshold is learned from, with abusers as this share of all sessions. Those of a smaller share
    /// are the first of those of a larger one.
    #[must_use]
    pub fn first_day(&self, run: u64, share: f64) -> Day {
        let seed = FIRST_DAY + run;
        Day {
            legitimate: self.legitimate(seed, 1.0, self.scenario.sessions),
            abusers: self.abusers(seed, self.abusers_at(share)),
        }
    }

    /// How many abusers there are on a first day where they are this share of all sessions.
    #[must_use]
    pub fn abusers_at(&self, share: f64) -> u32 {
        abusers_among(self.scenario.sessions, share)
    }

    /// The next day, which the threshold is tried on.
    #[must_use]
    pub fn second_day(&self, run: u64) -> Day {
        let abusers = (f64::from(self.scenario.sessions) * SECOND_DAY_SHARE).round().max(SECOND_DAY_ABUSERS);
        let seed = SECOND_DAY + run;
        Day {
            legitimate: self.legitimate(seed, self.scenario.drift, self.scenario.sessions),
            abusers: self.abusers(seed, floor(abusers)),
        }
    }

    /// The largest counts of these many legitimate sessions.
    #[must_use]
    pub fn legitimate(&self, seed: u64, drift: f64, sessions: u32) -> Vec<u32> {
        let (noise, on) = (self.scenario.noise, self.scenario.on);
        let most = |session| {
            let component = component(self.scenario, seed, session);
            let rate = rate(component.law, seed, session) * drift;
            let even = matches!(component.law, Law::Even(_));
            Session { rate, even, length_mean: component.length_mean, noise, on }.most(seed, session)
        };
        (0..sessions.into()).map(most).collect()
    }

    /// Abusers make 5 to 100 times as many requests as legitimate sessions do on average.
    #[must_use]
    pub fn abusers(&self, seed: u64, sessions: u32) -> Vec<u32> {
        let seed = seed + ABUSERS;
        let most = |session| {
            let rate = self.base_rate * 5.0 * 20_f64.powf(uniform(seed, Stream::Multiplier, session));
            Session { rate, even: false, length_mean: 6.0, noise: 0.2, on: 0.9 }.most(seed, session)
        };
        (0..sessions.into()).map(most).collect()
    }
}

impl Day {
    /// The sample that is kept of the first day of this run, with these many of its abusers.
    #[must_use]
    pub fn sample(&self, run: u64, abusers: u32, sessions_max: usize) -> Sample {
        let sessions = self.legitimate.iter().chain(self.abusers.iter().take(abusers as usize));
        Sample::of(sessions.copied(), HASHES + run, sessions_max)
    }
}

/// How many others are this share of all, beside these many.
#[must_use]
pub fn abusers_among(sessions: u32, share: f64) -> u32 {
    floor((f64::from(sessions) * share / (1.0 - share)).round())
}

fn component(scenario: &'static Scenario, seed: u64, session: u64) -> &'static Component {
    let mut left = uniform(seed, Stream::Component, session);
    let (last, others) = scenario.components.split_last().unwrap_or_else(|| unreachable!("no scenario is empty"));
    for component in others {
        if left < component.weight {
            return component;
        }
        left -= component.weight;
    }
    last
}

fn rate(law: Law, seed: u64, session: u64) -> f64 {
    match law {
        Law::Log(median, deviation) => median * (deviation * gaussian(seed, Stream::Rate, session)).exp(),
        Law::Pareto(least, exponent) => least * (1.0 - uniform(seed, Stream::Rate, session)).powf(-1.0 / exponent),
        Law::Even(rate) => rate,
    }
}

struct Session {
    /// Requests a window.
    rate: f64,
    /// Requests come at even intervals, so that a window has the rate, rounded up or down.
    even: bool,
    length_mean: f64,
    noise: f64,
    on: f64,
}

impl Session {
    /// The largest count of a window. Of a session that would do nothing, the first is 1.
    fn most(&self, seed: u64, session: u64) -> u32 {
        let most = (0..self.windows(seed, session)).map(|slot| {
            let counter = (session << 8) + u64::from(slot);
            if slot > 0 && uniform(seed, Stream::On, counter) >= self.on { 0 } else { self.count(seed, counter) }
        });
        most.max().unwrap_or(0).max(1)
    }

    fn count(&self, seed: u64, counter: u64) -> u32 {
        let noise = self.noise * gaussian(seed, Stream::Noise, counter) - self.noise * self.noise / 2.0;
        let rate = self.rate * noise.exp();
        let u = uniform(seed, Stream::Count, counter);
        if self.even { floor(rate + u) } else { poisson(rate, u) }
    }

    /// How many windows the session lasts; the day's end cuts it.
    fn windows(&self, seed: u64, session: u64) -> u32 {
        let u = uniform(seed, Stream::Length, session);
        let length = 1 + floor(u.ln() / (1.0 - 1.0 / self.length_mean).ln());
        let u = uniform(seed, Stream::Start, session);
        let start = STARTS.partition_point(|up_to| *up_to < u);
        length.min(WINDOWS - u32::try_from(start).unwrap_or(0).min(WINDOWS - 1))
    }
}

/// The share of sessions that have started by the end of each window: more by day than by night.
static STARTS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let weight = |window: u32| 1.0 + 0.6 * (TAU * (f64::from(window) - 48.0) / f64::from(WINDOWS)).sin();
    let total: f64 = (0..WINDOWS).map(weight).sum();
    let running = (0..WINDOWS).scan(0.0, |up_to, window| {
        *up_to += weight(window) / total;
        Some(*up_to)
    });
    running.collect()
});
