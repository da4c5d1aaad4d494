//! The command that adds many operations, each for itself.

use std::{collections::BTreeMap, time::Duration};

use demilune_inventory::{Endpoint, Host, Method, OperationKey, ZoneId};
use demilune_store::{OperationUpsertError, StoreFailure, Upserted};

use super::{ManageError, Manager, OperationText, Outcome, Reply};
use crate::clock;

/// Most keys in one call of the store, which is one transaction that others wait for.
const KEYS_PER_CALL_MAX: usize = 500;
/// How often a full queue of writes is tried again, and how long to wait each time: two seconds in all.
const OVERLOADED_TRIES: u32 = 20;
const OVERLOADED_WAIT: Duration = Duration::from_millis(100);
/// Longest reason in characters, since reasons quote what they refuse.
const REASON_CHARS_MAX: usize = 400;

impl Manager {
    pub(super) async fn operations_add(
        &self,
        zone: Option<&str>,
        operations: &[OperationText],
    ) -> Result<Reply, ManageError> {
        let zone = self.zone_find(zone).await?.id;
        let mut outcomes = vec![Outcome::Present; operations.len()];
        // In key order, and each key once, by the place where it stands first.
        let mut places = BTreeMap::new();
        for (place, operation) in operations.iter().enumerate() {
            match parse(operation) {
                Ok(key) => {
                    places.entry(key).or_insert(place);
                }
                Err(reason) => outcomes[place] = Outcome::Refused(reason),
            }
        }
        let wanted: Vec<_> = places.into_iter().collect();
        for chunk in wanted.chunks(KEYS_PER_CALL_MAX) {
            self.add_what_fits(&zone, chunk, &mut outcomes).await?;
        }
        Ok(Reply::Operations(outcomes))
    }

    /// Adds a chunk in one call; when the cap of the zone is in the way, in halves, so that what fits gets in.
    async fn add_what_fits(
        &self,
        zone: &ZoneId,
        chunk: &[(OperationKey, usize)],
        outcomes: &mut [Outcome],
    ) -> Result<(), ManageError> {
        let mut pending = vec![chunk];
        while let Some(part) = pending.pop() {
            match self.upsert(zone, part).await {
                Ok(upserted) => {
                    for ((_, place), upserted) in part.iter().zip(upserted) {
                        outcomes[*place] = if upserted.added { Outcome::Added } else { Outcome::Present };
                    }
                }
                Err(error @ OperationUpsertError::LimitReached { .. }) => {
                    if let [(_, place)] = part {
                        outcomes[*place] = Outcome::Refused(error.to_string());
                    } else {
                        let (first, second) = part.split_at(part.len() / 2);
                        pending.extend([second, first]);
                    }
                }
                Err(OperationUpsertError::ZoneNotFound(zone)) => return Err(ManageError::ZoneGone(zone)),
                Err(error) => return Err(ManageError::OperationsAdd(error)),
            }
        }
        Ok(())
    }

    async fn upsert(
        &self,
        zone: &ZoneId,
        part: &[(OperationKey, usize)],
    ) -> Result<Vec<Upserted>, OperationUpsertError> {
        let mut tries_left = OVERLOADED_TRIES;
        loop {
            let keys = part.iter().map(|(key, _)| key.clone()).collect();
            let result = self.store.operation_upsert(zone, keys, clock::now()).await;
            let overloaded = matches!(result, Err(OperationUpsertError::Store(StoreFailure::Overloaded)));
            if !overloaded || tries_left == 0 {
                return result;
            }
            tries_left -= 1;
            tokio::time::sleep(OVERLOADED_WAIT).await;
        }
    }
}

/// Reads an operation, or says everything that is wrong with it.
fn parse(operation: &OperationText) -> Result<OperationKey, String> {
    let mut defects = Vec::new();
    let method: Option<Method> = operation.method.parse().map_err(|error| defects.push(format!("{error}"))).ok();
    let host: Option<Host> = operation.host.parse().map_err(|error| defects.push(format!("{error}"))).ok();
    let endpoint: Option<Endpoint> = operation.endpoint.parse().map_err(|error| defects.push(format!("{error}"))).ok();
    if let (Some(method), Some(host), Some(endpoint)) = (method, host, endpoint) {
        return Ok(OperationKey { host, endpoint, method });
    }
    Err(shorten(&defects.join("; ")))
}

fn shorten(reason: &str) -> String {
    match reason.char_indices().nth(REASON_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manage::testing;

    fn operation(method: &str, host: &str, endpoint: &str) -> OperationText {
        OperationText { method: method.to_owned(), host: host.to_owned(), endpoint: endpoint.to_owned() }
    }

    #[test]
    fn an_operation_is_brought_to_canonical_form() {
        let key = parse(&operation("get", "API.example.com.", "/users//{id}")).unwrap();
        assert_eq!(
            (key.method.as_str(), key.host.as_str(), key.endpoint.as_str()),
            ("GET", "api.example.com", "/users/{var1}")
        );
    }

    #[test]
    fn every_defect_of_an_operation_is_said() {
        let reason = parse(&operation("QUERY", "a b", "users")).unwrap_err();
        assert!(reason.contains("method") && reason.contains("host") && reason.contains("start with /"), "{reason}");
    }

    async fn add(manager: &Manager, operations: &[OperationText]) -> Vec<Outcome> {
        let Reply::Operations(outcomes) = manager.operations_add(None, operations).await.unwrap() else { panic!() };
        outcomes
    }

    #[tokio::test]
    async fn each_operation_has_its_own_outcome() {
        let (_folder, manager) = testing::manager(10).await;
        let operations = [
            operation("GET", "a.example.com", "/x/{id}"),
            operation("FETCH", "a.example.com", "/x"),
            operation("get", "A.example.com.", "/x/{other}"),
            operation("POST", "a.example.com", "/x"),
        ];
        let first = add(&manager, &operations).await;
        assert!(matches!(first[1], Outcome::Refused(_)), "{first:?}");
        assert_eq!([&first[0], &first[2], &first[3]], [&Outcome::Added, &Outcome::Present, &Outcome::Added]);
        let second = add(&manager, &operations).await;
        assert_eq!([&second[0], &second[2], &second[3]], [&Outcome::Present; 3]);
    }

    #[tokio::test]
    async fn what_fits_below_the_cap_gets_in_and_the_rest_is_refused() {
        let (_folder, manager) = testing::manager(700).await;
        let operations: Vec<_> =
            (0..1_200).map(|number| operation("GET", "a.example.com", &format!("/{number}"))).collect();
        let outcomes = add(&manager, &operations).await;
        let count = |outcomes: &[Outcome], wanted: &Outcome| outcomes.iter().filter(|found| *found == wanted).count();
        assert_eq!(count(&outcomes, &Outcome::Added), 700);
        assert_eq!(count(&outcomes, &Outcome::Refused("the zone may hold 700 operations".to_owned())), 500);
        let again = add(&manager, &operations).await;
        assert_eq!((count(&again, &Outcome::Added), count(&again, &Outcome::Present)), (0, 700));
    }

    #[tokio::test]
    async fn nothing_is_added_to_a_zone_that_is_not_there() {
        let (_folder, manager) = testing::manager(10).await;
        let result = manager.operations_add(Some("nowhere"), &[operation("GET", "a.example.com", "/")]).await;
        assert!(matches!(result, Err(ManageError::ZoneNotFound(_))));
    }

    #[test]
    fn a_reason_is_cut_to_a_bound() {
        assert_eq!(shorten(&"é".repeat(500)).chars().count(), REASON_CHARS_MAX + 1);
        assert_eq!(shorten("short"), "short");
    }
}
