//! Lists of routes, real and made up, and the requests to search for in them.

use std::collections::BTreeSet;

use demilune_inventory::{Method, NormalizedPath, OperationKey};

const SEED: u64 = 20_261_123;

pub(crate) struct List {
    pub(crate) name: &'static str,
    pub(crate) operations: Vec<OperationKey>,
}

pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) host: String,
    pub(crate) path: NormalizedPath<'static>,
}

/// Every list that is measured.
pub(crate) fn all() -> Vec<List> {
    vec![
        real("github", include_str!("../../../../../bench/data/routes-github.txt")),
        real("stripe", include_str!("../../../../../bench/data/routes-stripe.txt")),
        real("cloudflare", include_str!("../../../../../bench/data/routes-cloudflare.txt")),
        made_up("made_up_10k", 10_000),
        made_up("made_up_100k", 100_000),
    ]
}

pub(crate) fn adversarial() -> List {
    real("adversarial", include_str!("../../../../../bench/data/routes-adversarial.txt"))
}

fn real(name: &'static str, text: &str) -> List {
    let key = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let (host, path) = if let [_, host, path] = words[..] { (host, path) } else { ("api.example.com", words[1]) };
        OperationKey { host: host.parse().unwrap(), endpoint: path.parse().unwrap(), method: words[0].parse().unwrap() }
    };
    List { name, operations: text.lines().map(key).collect() }
}

/// Templates over 200 hosts, each host with resources of its own: collections, their items, what belongs to items, and
/// actions on them.
fn made_up(name: &'static str, templates: usize) -> List {
    const HOSTS: usize = 200;
    let mut random = Random(SEED);
    let words: Vec<String> = (0..600).map(|_| random.word()).collect();
    let mut operations = Vec::new();
    for host in 0..HOSTS {
        let host =
            format!("{}-{host}.{}.example.com", random.choice(&words), random.choice(&["api", "eu", "internal"]));
        let prefix = *random.choice(&["", "/v1", "/api/v1", "/api/v2", "/rest"]);
        let mut paths = BTreeSet::new();
        while paths.len() < templates / HOSTS {
            let mut path = format!("{prefix}/{}", random.choice(&words[..60]));
            paths.insert(path.clone());
            for _ in 0..random.below(4) {
                path.push_str("/{id}");
                paths.insert(path.clone());
                path = format!("{path}/{}", random.choice(&words));
                paths.insert(path.clone());
            }
        }
        // The last round may have made a few too many.
        for path in paths.iter().take(templates / HOSTS) {
            let methods: &[Method] = if path.ends_with('}') {
                &[Method::Get, Method::Patch, Method::Delete]
            } else {
                &[Method::Get, Method::Post]
            };
            for method in &methods[..=random.below(methods.len())] {
                let key =
                    OperationKey { host: host.parse().unwrap(), endpoint: path.parse().unwrap(), method: *method };
                operations.push(key);
            }
        }
    }
    List { name, operations }
}

impl List {
    /// A request for each operation, in no order, its variables filled with what identifiers look like.
    pub(crate) fn hits(&self) -> Vec<Request> {
        let mut random = Random(SEED);
        let request = |key: &OperationKey| {
            let path = filled(key.endpoint.as_str(), &mut random);
            request(key.method, key.host.as_str(), &path)
        };
        let mut requests: Vec<_> = self.operations.iter().map(request).collect();
        random.shuffle(&mut requests);
        requests
    }

    /// Requests like those that hit, but with a segment too many, or one that is misspelt.
    pub(crate) fn misses(&self) -> Vec<Request> {
        let mut random = Random(SEED);
        let mut miss = |key: &OperationKey| {
            let mut path = filled(key.endpoint.as_str(), &mut random);
            let place = path.len() - random.below(path.len() / 2 + 1);
            match random.below(3) {
                0 => path.push_str("/x/y"),
                1 => path.insert_str(place.max(1), "_x_"),
                _ => path.push_str("/unknown"),
            }
            request(key.method, key.host.as_str(), &path)
        };
        let mut requests: Vec<_> = self.operations.iter().map(&mut miss).collect();
        random.shuffle(&mut requests);
        requests
    }
}

pub(crate) fn request(method: Method, host: &str, path: &str) -> Request {
    // Kept for the whole run, so that no request pays for normalizing.
    let path: &'static str = path.to_owned().leak();
    Request { method, host: host.to_owned(), path: NormalizedPath::from_live(path.as_bytes()).unwrap() }
}

fn filled(endpoint: &str, random: &mut Random) -> String {
    let mut path = String::new();
    for piece in endpoint.split_inclusive('}') {
        let (text, variable) = piece.split_once('{').map_or((piece, false), |(text, _)| (text, true));
        path.push_str(text);
        if variable {
            path.push_str(&random.identifier());
        }
    }
    path
}

/// Xorshift (Marsaglia 2003): the same lists and requests in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn choice<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Four to sixteen letters.
    fn word(&mut self) -> String {
        let syllables = 2 + self.below(4);
        (0..syllables)
            .map(|_| *self.choice(&["ac", "co", "unt", "er", "pol", "icy", "us", "ro", "le", "tag"]))
            .collect()
    }

    fn identifier(&mut self) -> String {
        let number = self.next();
        match number % 3 {
            0 => format!("{}", number >> 40),
            1 => format!("{number:016x}"),
            _ => self.word(),
        }
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}
