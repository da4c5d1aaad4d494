//! Reads what is exported: the operations as they stood at one moment, and what is known about each.

use std::collections::{BTreeMap, BTreeSet};

use demilune_inventory::{Host, OperationId, OperationKey, ZoneId};
use demilune_store::{Store, StoreFailure, StoredThresholds};
use serde_json::{Map, Value};

use super::{
    document::{Described, Document, Parts, describe, of_host},
    names,
};
use crate::schemas::LearnedSchema;

/// Most bytes of documents in one answer, so that a large zone does not take the memory of the process: some kilobytes
/// for each of the 10,000 operations that a zone may hold.
pub(crate) const BYTES_MAX: usize = 32 << 20;

/// What is exported.
#[derive(Default)]
pub(crate) struct Selection<'s> {
    /// Keep these hosts; empty keeps all.
    pub(crate) hosts: Vec<Host>,
    /// Whether with the parameters and bodies that were learned.
    pub(crate) learned: bool,
    /// Makes members that start with `x-` of thresholds, where they are wanted.
    pub(crate) extensions: Option<&'s Extensions<'s>>,
}

/// Makes members of an operation object.
pub(crate) type Extensions<'s> = dyn Fn(&StoredThresholds) -> Map<String, Value> + Send + Sync + 's;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// There is no such zone.
    #[error("there is no zone {0}")]
    ZoneNotFound(ZoneId),
    /// The documents are longer than an answer may be.
    #[error("the documents come to more than {} MiB", BYTES_MAX >> 20)]
    TooLarge,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

/// A document for each host of a zone that has operations, by host.
pub(crate) async fn documents(
    store: &Store,
    zone: &ZoneId,
    selection: &Selection<'_>,
) -> Result<Vec<Document>, ExportError> {
    let rules = store.zone_rules(zone).await?.ok_or_else(|| ExportError::ZoneNotFound(zone.clone()))?;
    let mut hosts: BTreeMap<Host, Vec<(OperationKey, OperationId)>> = BTreeMap::new();
    for operation in rules.operations {
        if selection.hosts.is_empty() || selection.hosts.contains(&operation.key.host) {
            let host = operation.key.host.clone();
            hosts.entry(host).or_default().push((operation.key, operation.id));
        }
    }
    let mut reader = Reader::new(store, zone, selection).await?;
    let mut documents = Vec::with_capacity(hosts.len());
    for (host, mut operations) in hosts {
        operations.sort_unstable();
        documents.push(reader.document(&host, operations).await?);
    }
    Ok(documents)
}

/// Reads what is known about operations, one after the other.
struct Reader<'r> {
    store: &'r Store,
    zone: &'r ZoneId,
    /// Operations with a schema, if those are wanted.
    learned: BTreeSet<OperationId>,
    /// Operations with thresholds, if those are wanted.
    with_thresholds: BTreeSet<OperationId>,
    extensions: Option<&'r Extensions<'r>>,
    bytes_left: usize,
}

impl<'r> Reader<'r> {
    async fn new(store: &'r Store, zone: &'r ZoneId, selection: &Selection<'r>) -> Result<Self, StoreFailure> {
        let mut reader = Self {
            store,
            zone,
            learned: BTreeSet::new(),
            with_thresholds: BTreeSet::new(),
            extensions: selection.extensions,
            bytes_left: BYTES_MAX,
        };
        if selection.learned {
            reader.learned =
                store.learned_schema_all(zone).await?.into_iter().map(|(operation, _)| operation).collect();
        }
        if selection.extensions.is_some() {
            reader.with_thresholds = store.thresholds_all(zone).await?.into_iter().map(|(id, _)| id).collect();
        }
        Ok(reader)
    }

    async fn document(
        &mut self,
        host: &Host,
        operations: Vec<(OperationKey, OperationId)>,
    ) -> Result<Document, ExportError> {
        let keys: Vec<_> = operations.iter().map(|(key, _)| key.clone()).collect();
        let mut described = Vec::with_capacity(operations.len());
        for ((key, operation), name) in operations.into_iter().zip(names::unique(&keys)) {
            let object = describe(name, &key, self.parts(operation).await?);
            let bytes = key.endpoint.as_str().len() + object.get().len();
            self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(ExportError::TooLarge)?;
            described.push(Described { method: key.method, endpoint: key.endpoint, object });
        }
        Ok(of_host(host, described))
    }

    async fn parts(&self, operation: OperationId) -> Result<Parts, StoreFailure> {
        let mut parts = Parts::default();
        if self.learned.contains(&operation)
            && let Some(stored) = self.store.learned_schema_get(self.zone, operation).await?
        {
            let LearnedSchema { parameters, request_body, .. } = LearnedSchema::read(operation, &stored)?;
            (parts.parameters, parts.request_body) = (parameters, request_body);
        }
        if let Some(extensions) = self.extensions
            && self.with_thresholds.contains(&operation)
            && let Some(stored) = self.store.thresholds_get(self.zone, operation).await?
        {
            parts.extensions = extensions(&stored);
        }
        Ok(parts)
    }
}
