//! Schemas made ready to be enforced: each document read once, however many revisions name it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use demilune_inventory::Host;
use demilune_policy::{
    Check, InForce, OnTrial,
    rule::{MitigationAction, OperationRule},
};
use demilune_schema::{
    document::{Document, Options},
    validate::Validator,
};
use demilune_store::{SchemaId, Trial, UserSchema, ZoneValidation};

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
    pub(super) fn read(&self, validation: &ZoneValidation) -> Self {
        let of_schema = |schema: &UserSchema| {
            (schema.id, self.document(schema.id, schema.source.as_ref(), schema.default_host.as_ref()))
        };
        let of_trial =
            |trial: &Trial| (trial.id, self.document(trial.id, trial.source.as_ref(), trial.default_host.as_ref()));
        let schemas = validation.schemas.iter().map(of_schema);
        Self { read: schemas.chain(validation.trial.iter().map(of_trial)).collect() }
    }

    fn document(&self, id: SchemaId, source: Option<&String>, host: Option<&Host>) -> Option<Arc<Document>> {
        match (self.read.get(&id), source) {
            (Some(known), _) => known.clone(),
            (None, Some(source)) => read(id, source, host.cloned()),
            (None, None) => None,
        }
    }

    /// What requests to an operation are checked for, if anybody asks to look.
    pub(super) fn check(&self, operation: &OperationRule, validation: &ZoneValidation) -> Option<Check> {
        let in_force = self.in_force(operation, validation);
        let on_trial = validation.trial.as_ref().and_then(|trial| {
            let validator = self.validator(trial.id, operation)?.clone();
            Some(OnTrial { trial: trial.id.to_string().into(), validator })
        });
        (in_force.is_some() || on_trial.is_some()).then_some(Check { in_force, on_trial })
    }

    /// The newest enabled schema that describes an operation, if its action is not to look at nothing.
    fn in_force(&self, operation: &OperationRule, validation: &ZoneValidation) -> Option<InForce> {
        let own = validation.actions.get(&operation.id).copied();
        let action = validation.settings.effective(own);
        if action == MitigationAction::None {
            return None;
        }
        validation.schemas.iter().find_map(|schema| {
            Some(InForce {
                action,
                log_until: schema.log_until,
                is_learned: schema.learned_from.is_some(),
                schema: schema.id.to_string().into(),
                validator: self.validator(schema.id, operation)?.clone(),
            })
        })
    }

    fn validator(&self, id: SchemaId, operation: &OperationRule) -> Option<&Validator> {
        let document = self.read.get(&id)?.as_ref()?;
        let found = document.operations.binary_search_by(|described| described.key.cmp(&operation.key)).ok()?;
        Some(&document.operations[found].validator)
    }
}

fn read(id: SchemaId, source: &str, host: Option<Host>) -> Option<Arc<Document>> {
    let read = Document::read(source.as_bytes(), &Options { host, ..Options::default() });
    if read.document.is_none() {
        // It could be when it was uploaded, so that another release must have read it then.
        tracing::error!(schema = %id, "a schema that was accepted cannot be read; nothing is checked against it");
    }
    read.document.map(Arc::new)
}
