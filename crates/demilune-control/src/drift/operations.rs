//! Which operations of a document were seen, and which that were seen it does not describe.

use std::collections::BTreeMap;

use demilune_inventory::{
    Host, Matcher, MatcherOptions, NormalizedPath, OperationId, OperationKey, Variables, hosts_overlap,
};
use demilune_store::DiscoveredId;

/// An operation that requests were sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Observed {
    pub(super) id: ObservedId,
    pub(super) key: OperationKey,
    /// A host and a path that it matches.
    pub(super) example: (String, String),
    /// Requests that were answered with 2xx.
    pub(super) requests: u64,
}

/// Where an operation that requests were sent to is known from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ObservedId {
    Saved(OperationId),
    Discovered(DiscoveredId),
}

/// What became of the operations of a document, and of those that were seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Standings {
    /// For each operation of the document, requests that were answered with 2xx.
    pub(super) requests: Vec<u64>,
    /// Those that were seen and that no operation of the document describes, with their places among those seen.
    pub(super) undocumented: Vec<usize>,
    /// How many were seen on hosts that the document does not name.
    pub(super) elsewhere: u64,
}

/// Puts what was seen to what is documented: to the operation with the same key or, without one, to the one that the
/// document has for such requests.
pub(super) fn standings(documented: &[&OperationKey], observed: &[Observed]) -> Standings {
    let places: BTreeMap<&OperationKey, usize> =
        documented.iter().enumerate().map(|(place, key)| (*key, place)).collect();
    let mut hosts: Vec<&Host> = documented.iter().map(|key| &key.host).collect();
    hosts.dedup();
    let matcher = Matcher::build(documented.iter().copied(), MatcherOptions { head_as_get: true });
    let mut variables = Variables::default();
    let mut described = |observed: &Observed| {
        let exactly = places.get(&observed.key).copied();
        exactly.or_else(|| matched(&matcher, observed, &mut variables))
    };
    let mut standings = Standings { requests: vec![0; documented.len()], ..Standings::default() };
    for (place, one) in observed.iter().enumerate() {
        match described(one).and_then(|place| standings.requests.get_mut(place)) {
            Some(requests) => *requests = requests.saturating_add(one.requests),
            None if hosts.iter().any(|host| hosts_overlap(host, &one.key.host)) => standings.undocumented.push(place),
            None => standings.elsewhere += 1,
        }
    }
    standings
}

fn matched(matcher: &Matcher, observed: &Observed, variables: &mut Variables) -> Option<usize> {
    let (host, path) = &observed.example;
    let path = NormalizedPath::from_live(path.as_bytes()).ok()?;
    let found = matcher.find(Some(observed.key.method), host, &path, variables)?;
    usize::try_from(found.operation).ok()
}

/// A host and a path that an operation matches, with `0` in the place of each variable.
pub(super) fn example(key: &OperationKey) -> (String, String) {
    (without_variables(key.host.as_str()), without_variables(key.endpoint.as_str()))
}

fn without_variables(template: &str) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        text.push('0');
        // Braces are balanced in canonical forms.
        rest = after.split_once('}').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> OperationKey {
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap();
        OperationKey {
            method: word().parse().unwrap(),
            host: word().parse().unwrap(),
            endpoint: word().parse().unwrap(),
        }
    }

    fn observed(text: &str, requests: u64) -> Observed {
        let key = key(text);
        let id = ObservedId::Discovered(DiscoveredId::of(&"z".parse().unwrap(), &key));
        Observed { id, example: example(&key), key, requests }
    }

    /// What a document with these operations makes of what was seen.
    fn check(documented: &[&str], seen: &[(&str, u64)], requests: &[u64], undocumented: &[usize], elsewhere: u64) {
        let keys: Vec<OperationKey> = documented.iter().map(|text| key(text)).collect();
        let observed: Vec<Observed> = seen.iter().map(|(text, requests)| observed(text, *requests)).collect();
        let expected = Standings { requests: requests.to_vec(), undocumented: undocumented.to_vec(), elsewhere };
        assert_eq!(standings(&keys.iter().collect::<Vec<_>>(), &observed), expected, "{documented:?} {seen:?}");
    }

    #[test]
    fn requests_count_for_the_operation_with_the_same_key() {
        check(
            &["GET a.example /users/{id}", "GET a.example /users/me"],
            &[("GET a.example /users/{var1}", 7), ("GET a.example /users/me", 3)],
            &[7, 3],
            &[],
            0,
        );
    }

    #[test]
    fn what_a_wider_template_describes_is_documented() {
        check(
            &["GET {tenant}.example /files/{name}"],
            &[("GET a.example /files/readme", 7), ("GET b.example /files/{var1}", 5), ("HEAD b.example /files/x", 1)],
            &[13],
            &[],
            0,
        );
    }

    #[test]
    fn what_is_wider_than_the_document_is_undocumented() {
        check(&["GET a.example /users/me"], &[("GET a.example /users/{var1}", 7)], &[0], &[0], 0);
        check(&["GET a.example /users"], &[("POST a.example /users", 7)], &[0], &[0], 0);
    }

    #[test]
    fn other_hosts_are_counted_and_left_out() {
        check(&["GET a.example /users"], &[("GET b.example /users", 7), ("GET a.example /x", 1)], &[0], &[1], 1);
        check(&["GET a.example /users"], &[("GET {any}.example /x", 7)], &[0], &[0], 0);
    }
}
