//! Schemas made ready to be enforced: each document read once, however many revisions name it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use demilune_policy::{
    Check, InForce,
    rule::{MitigationAction, OperationRule},
};
use demilune_schema::document::{Document, Options};
use demilune_store::{SchemaId, UserSchema, ZoneValidation};

/// The documents of one zone that are enabled. A schema never changes, so that its id stands for what was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents {
    /// None where the document cannot be read, so that it describes nothing.
    read: BTreeMap<SchemaId, Option<Arc<Document>>>,
}

impl Documents {
    /// The schemas whose sources are not needed again.
    pub(super) fn known(&self) -> BTreeSet<SchemaId> {
        self.read.keys().copied().collect()
    }

    /// The documents of these schemas: those that are known, and those that come with their source. Takes as long as
    /// reading the new ones: a second for one of 13 MB.
    pub(super) fn read(&self, schemas: &[UserSchema]) -> Self {
        let document = |schema: &UserSchema| match (self.read.get(&schema.id), &schema.source) {
            (Some(known), _) => known.clone(),
            (None, Some(source)) => read(schema, source),
            (None, None) => None,
        };
        Self { read: schemas.iter().map(|schema| (schema.id, document(schema))).collect() }
    }

    /// What requests to an operation are checked for: its newest enabled schema, if anybody asks to look.
    pub(super) fn check(&self, operation: &OperationRule, validation: &ZoneValidation) -> Option<Check> {
        let own = validation.actions.get(&operation.id).copied();
        let action = validation.settings.effective(own);
        if action == MitigationAction::None {
            return None;
        }
        validation.schemas.iter().find_map(|schema| {
            let document = self.read.get(&schema.id)?.as_ref()?;
            let found = document.operations.binary_search_by(|described| described.key.cmp(&operation.key)).ok()?;
            let validator = document.operations[found].validator.clone();
            let in_force = InForce {
                action,
                log_until: schema.log_until,
                is_learned: schema.learned_from.is_some(),
                schema: schema.id.to_string().into(),
                validator,
            };
            Some(Check { in_force: Some(in_force), on_trial: None })
        })
    }
}

fn read(schema: &UserSchema, source: &str) -> Option<Arc<Document>> {
    let options = Options { host: schema.default_host.clone(), ..Options::default() };
    let read = Document::read(source.as_bytes(), &options);
    if read.document.is_none() {
        // It could be when it was uploaded, so that another release must have read it then.
        tracing::error!(schema = %schema.id, "a schema that was accepted cannot be read; nothing is checked against it");
    }
    read.document.map(Arc::new)
}
