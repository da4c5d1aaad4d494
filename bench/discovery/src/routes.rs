//! Real routes, from the lists in `bench/data`.

use crate::random::Random;

/// One operation of the truth.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its method.
    pub method: &'static str,
    /// Its path, with names between braces.
    pub path: &'static str,
}

/// An interface and where it is served.
pub struct Interface {
    /// Its name in the table.
    pub name: &'static str,
    /// Its host; with tenants, what stands behind their label.
    pub host: &'static str,
    /// How many hosts it has; with one, the host is as it is.
    pub tenants: u64,
    /// Its operations.
    pub routes: Vec<Route>,
}

/// One in so many paths is used, so that a run takes seconds.
const ONE_IN: u64 = 3;

/// The three interfaces.
#[must_use]
pub fn all() -> Vec<Interface> {
    let list = |name, host, tenants, text| Interface { name, host, tenants, routes: routes(text) };
    vec![
        list("github", "api.github.example", 1, include_str!("../../data/routes-github.txt")),
        list("stripe", "stripe.example", 8, include_str!("../../data/routes-stripe.txt")),
        list("cloudflare", "api.cloudflare.example", 1, include_str!("../../data/routes-cloudflare.txt")),
    ]
}

fn routes(text: &'static str) -> Vec<Route> {
    let route = |line: &'static str| line.split_once(' ').map(|(method, path)| Route { method, path });
    text.lines().filter_map(route).filter(|route| hash(route.path).is_multiple_of(ONE_IN)).collect()
}

/// A number of a text's own, the same in every run.
#[must_use]
pub fn hash(text: &str) -> u64 {
    // FNV-1a, and mixed, since its lowest bits say little.
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    Random::new(text.bytes().fold(0xCBF2_9CE4_8422_2325, fold)).next()
}

/// A path in the one form that truth and candidates are compared in.
#[must_use]
pub fn normal(path: &str) -> String {
    let mut rest = path;
    let mut normal = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        normal.push_str(before);
        normal.push_str("{}");
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    normal + rest
}
