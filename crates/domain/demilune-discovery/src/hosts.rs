//! Which hosts are one, with a variable for the first label.

use std::collections::{BTreeMap, BTreeSet};

/// So many hosts beside each other, which share their endpoints, are one host with a variable.
const HOSTS_MIN: usize = 3;
/// What every one of them must have at least: endpoints that most of them have.
const SHARED_MIN: usize = 2;
/// The part of a host's endpoints that most others must have too.
const SHARED_SHARE: f64 = 0.7;

/// Groups of hosts that are one, by the pattern that takes their place; `endpoints` are those of each host.
pub(crate) fn groups(endpoints: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, Vec<String>> {
    let mut beside: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for host in endpoints.keys() {
        if let Some((_, rest)) = host.split_once('.')
            && rest.contains('.')
            && !host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            beside.entry(rest).or_default().push(host);
        }
    }
    let mut groups = BTreeMap::new();
    for (rest, hosts) in beside {
        let mut count: BTreeMap<&String, usize> = BTreeMap::new();
        for endpoint in hosts.iter().filter_map(|host| endpoints.get(*host)).flatten() {
            *count.entry(endpoint).or_default() += 1;
        }
        let is_shared = |endpoint: &&String| count.get(*endpoint).is_some_and(|count| *count * 2 >= hosts.len());
        let belongs = |host: &&&String| {
            let Some(own) = endpoints.get(**host) else { return false };
            let shared = own.iter().filter(is_shared).count();
            shared >= SHARED_MIN && shared as f64 >= SHARED_SHARE * own.len() as f64
        };
        let group: Vec<String> = hosts.iter().filter(belongs).map(|host| (*host).clone()).collect();
        if group.len() >= HOSTS_MIN {
            groups.insert(format!("{{hostVar1}}.{rest}"), group);
        }
    }
    groups
}
