//! All schemas of a document that requests are checked against, each rewritten once.

use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap, VecDeque},
};

use serde_json::Value;

use super::{
    super::{
        Limits, Version,
        place::Place,
        problem::{Code, Problems},
        report::Reporter,
    },
    pattern::Patterns,
    reference::{self, Resolved},
};
use crate::validate::{Moved, SchemaUse};

/// The schemas of a document, while it is read.
#[derive(Debug)]
pub(in crate::document) struct Library<'d> {
    pub(super) source: &'d Value,
    pub(super) version: Version,
    pub(super) problems: Problems,
    pub(super) report: Reporter,
    pub(super) patterns: Patterns,
    /// The schemas, rewritten.
    pub(super) definitions: Vec<Definition>,
    /// Where each schema that others refer to is among them.
    by_pointer: HashMap<String, usize>,
    /// Where each schema that nobody refers to is among them: equal ones are one.
    by_text: HashMap<String, usize>,
    /// Schemas that are referred to and not yet rewritten.
    pending: VecDeque<usize>,
    /// Which definitions requests are checked against, others apart from being referred to.
    pub(super) roots: BTreeSet<usize>,
    /// Every name of a member that a schema knows.
    pub(super) names: BTreeSet<Box<str>>,
    /// What stands elsewhere in the document than in what was made of it.
    pub(super) moved: HashMap<String, Moved>,
    /// How many schemas there are, those within others counted.
    pub(super) schemas: usize,
    schemas_max: usize,
    /// How many more schemas may be looked at to find members that are read-only.
    read_only_looks: Cell<usize>,
}

/// Most schemas that are looked at in a document to find members that are read-only. GitHub's document takes three
/// thousand looks, and one of twenty thousand operations with schemas of their own less than two hundred thousand.
const READ_ONLY_LOOKS_MAX: usize = 1_000_000;

/// One schema, rewritten.
#[derive(Debug)]
pub(super) struct Definition {
    /// Where it is in the document, as a pointer.
    pub(super) pointer: String,
    pub(super) schema: Value,
    /// Which definitions it refers to.
    pub(super) references: BTreeSet<usize>,
}

impl<'d> Library<'d> {
    pub(in crate::document) fn new(source: &'d Value, version: Version, limits: &Limits) -> Self {
        Self {
            source,
            version,
            problems: Problems::default(),
            report: Reporter::default(),
            patterns: Patterns::new(limits.pattern_bytes_max),
            definitions: Vec::new(),
            by_pointer: HashMap::new(),
            by_text: HashMap::new(),
            pending: VecDeque::new(),
            roots: BTreeSet::new(),
            names: BTreeSet::new(),
            moved: HashMap::new(),
            schemas: 0,
            schemas_max: limits.schemas_max,
            read_only_looks: Cell::new(READ_ONLY_LOOKS_MAX),
        }
    }

    pub(in crate::document) fn version(&self) -> Version {
        self.version
    }

    pub(in crate::document) fn report(&mut self) -> &mut Reporter {
        &mut self.report
    }

    pub(in crate::document) fn problem(&mut self, code: Code, place: &Place<'_>, message: impl Into<String>) {
        self.problems.add(code, place.path(), message);
    }

    pub(in crate::document) fn problems(&mut self) -> &mut Problems {
        &mut self.problems
    }

    pub(in crate::document) fn into_findings(self) -> (Problems, Reporter) {
        (self.problems, self.report)
    }

    /// What a value refers to, and where that is; or the value itself.
    pub(in crate::document) fn target(&mut self, value: &'d Value, place: &Place<'_>) -> Option<(&'d Value, String)> {
        // Outside of schemas, references have no siblings in either version.
        let Some(reference) = reference::of(value, Version::V30) else { return Some((value, place.pointer())) };
        match reference::resolve(self.source, reference, Version::V30) {
            Resolved::At(pointer, target) => Some((target, pointer)),
            Resolved::Problem(code, message) => {
                self.problem(code, &place.member("$ref"), message);
                None
            }
        }
    }

    /// Whether there are more schemas than are taken on, or more to find out about them; nothing more is rewritten then.
    pub(in crate::document) fn is_full(&self) -> bool {
        self.schemas > self.schemas_max || self.read_only_looks.get() == 0
    }

    /// Takes one look at a schema; `false` once there have been too many.
    pub(super) fn look(&self) -> bool {
        let left = self.read_only_looks.get().saturating_sub(1);
        self.read_only_looks.set(left);
        left > 0
    }

    /// Takes in the schema at a place, for requests to be checked against.
    pub(in crate::document) fn add(&mut self, schema: &Value, place: &Place<'_>) -> Option<SchemaUse> {
        if let Some(reference) = reference::of(schema, self.version) {
            let definition = self.refer(reference, &place.member("$ref"))?;
            self.roots.insert(definition);
            let place = self.definitions[definition].pointer.as_str().into();
            return Some(SchemaUse { definition, place });
        }
        let definition = self.definitions.len();
        let pointer = place.pointer();
        self.definitions.push(Definition { pointer, schema: Value::Null, references: BTreeSet::new() });
        let moved = self.moved.len();
        self.rewrite(definition, schema, place);
        let definition = if self.moved.len() == moved { self.share(definition) } else { definition };
        self.roots.insert(definition);
        Some(SchemaUse { definition, place: place.pointer().into() })
    }

    /// Lets equal schemas be one, which spares compiling each `{"type": "string"}` on its own.
    fn share(&mut self, last: usize) -> usize {
        // What it refers to has been given numbers behind its own.
        if last + 1 != self.definitions.len() {
            return last;
        }
        let text = self.definitions[last].schema.to_string();
        if let Some(earlier) = self.by_text.get(&text) {
            self.definitions.pop();
            return *earlier;
        }
        self.by_text.insert(text, last);
        last
    }

    /// Which definition a reference leads to; `None` if it leads nowhere, which is then among the problems.
    pub(super) fn refer(&mut self, reference: &str, place: &Place<'_>) -> Option<usize> {
        match reference::resolve(self.source, reference, self.version) {
            Resolved::At(pointer, _) => Some(self.definition_at(pointer)),
            Resolved::Problem(code, message) => {
                self.problem(code, place, message);
                None
            }
        }
    }

    fn definition_at(&mut self, pointer: String) -> usize {
        if let Some(known) = self.by_pointer.get(&pointer) {
            return *known;
        }
        let definition = self.definitions.len();
        self.by_pointer.insert(pointer.clone(), definition);
        self.definitions.push(Definition { pointer, schema: Value::Null, references: BTreeSet::new() });
        self.pending.push_back(definition);
        definition
    }

    /// Rewrites what is referred to, and what that refers to, until nothing is left.
    pub(in crate::document) fn rewrite_pending(&mut self) {
        while let Some(definition) = self.pending.pop_front() {
            let pointer = self.definitions[definition].pointer.clone();
            if let Some(schema) = self.source.pointer(&pointer) {
                self.rewrite(definition, schema, &Place::At(&pointer));
            }
        }
    }

    fn rewrite(&mut self, definition: usize, schema: &Value, place: &Place<'_>) {
        if self.is_full() {
            return;
        }
        let (schema, references) = super::transform::transform(self, definition, schema, place);
        self.definitions[definition].schema = schema;
        self.definitions[definition].references = references;
    }
}
