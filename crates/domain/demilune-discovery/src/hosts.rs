//! Which hosts are one, with a variable for the first label.
//!
//! Hosts beside each other are folded together, and each is then asked how many of its requests went where those of the
//! others went too. Folded one by one, a host with few requests would not show which of its words are values.

use std::collections::BTreeMap;

use crate::{fold::Folded, tree::Node};

/// So many hosts beside each other, which share their endpoints, are one host with a variable.
const HOSTS_MIN: usize = 3;
/// What every one of them must have at least: endpoints that most of them have.
const SHARED_MIN: usize = 2;
/// The part of a host's requests that must have gone to these.
const SHARED_SHARE: f64 = 0.7;

/// Groups of hosts that are one, by the pattern that takes their place.
pub(crate) fn groups(
    trees: &BTreeMap<String, Node>,
    fold: impl Fn(Node) -> Vec<Folded>,
) -> BTreeMap<String, Vec<String>> {
    let mut beside: BTreeMap<&str, Vec<(&String, &Node)>> = BTreeMap::new();
    for (host, tree) in trees {
        if let Some((_, rest)) = host.split_once('.')
            && rest.contains('.')
            && !host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            beside.entry(rest).or_default().push((host, tree));
        }
    }
    beside.retain(|_, hosts| hosts.len() >= HOSTS_MIN);
    let mut groups = BTreeMap::new();
    for (rest, hosts) in beside {
        let mut sum = Node::default();
        for (number, (_, tree)) in hosts.iter().enumerate() {
            let mut tree = (*tree).clone();
            tree.mark(number);
            sum.merge(tree);
        }
        let folded = fold(sum);
        let group: Vec<String> = hosts
            .iter()
            .enumerate()
            .filter(|(number, _)| belongs(*number, &folded, hosts.len()))
            .map(|(_, (host, _))| (*host).clone())
            .collect();
        if group.len() >= HOSTS_MIN {
            groups.insert(format!("{{hostVar1}}.{rest}"), group);
        }
    }
    groups
}

/// Whether a host's requests went where those of most hosts went too.
fn belongs(number: usize, folded: &[Folded], hosts: usize) -> bool {
    let (mut all, mut shared, mut endpoints) = (0, 0, 0);
    for folded in folded {
        let Some(requests) = folded.stats.hosts.get(&number) else { continue };
        all += requests;
        if folded.stats.hosts.len() * 2 >= hosts {
            shared += requests;
            endpoints += 1;
        }
    }
    endpoints >= SHARED_MIN && shared as f64 >= SHARED_SHARE * all as f64
}
