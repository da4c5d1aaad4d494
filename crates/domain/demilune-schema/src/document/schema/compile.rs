//! Compiles the rewritten schemas, each once for all requests that are checked against it.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{
    Draft, PatternCache, PatternOptions, Registry, RegistryBuilder, ValidationOptions, error::ValidationErrorKind,
};
use serde_json::{Map, Value, json};

use super::{
    super::{
        Limits,
        place::{Place, path_of},
        problem::Code,
    },
    cost,
    library::{Definition, Library},
    pattern::PATTERN_BYTES_MAX,
};
use crate::validate::{Schemas, json::Format};

/// Names the rewritten schemas. Nothing is ever fetched from there.
const BASE: &str = "demilune:///document";
/// Most bytes of states that matching one expression keeps, for each thread that does.
const PATTERN_STATES_BYTES_MAX: usize = 256 * 1024;
/// Sentences about problems quote schemas; this many characters of them are enough.
const SENTENCE_CHARS_MAX: usize = 200;

/// Compiles what requests are checked against. What cannot be compiled is among the problems.
pub(in crate::document) fn compile(library: &mut Library<'_>, limits: &Limits) -> Schemas {
    check(library);
    let mut schemas = Schemas::default();
    if !library.problems.forbid_use() && check_size(library, limits) {
        schemas.compiled = compile_roots(library);
    }
    schemas.places = library.definitions.iter().map(|definition| definition.pointer.as_str().into()).collect();
    schemas.moved = std::mem::take(&mut library.moved);
    schemas.names = std::mem::take(&mut library.names).into_iter().collect();
    schemas
}

fn check(library: &mut Library<'_>) {
    let meta = jsonschema::draft202012::meta::validator();
    for definition in &library.definitions {
        if meta.is_valid(&definition.schema) {
            continue;
        }
        for error in meta.iter_errors(&definition.schema).take(10) {
            let location = path_of(&format!("{}{}", definition.pointer, error.instance_path()));
            library.problems.add(Code::Schema, location, shortened(&error.to_string()));
        }
    }
    for (number, excess) in cost::excesses(library) {
        let code = if excess == cost::Excess::Circle { Code::Circle } else { Code::Cost };
        library.problems.add(code, path_of(&library.definitions[number].pointer), excess.sentence());
    }
}

/// Each schema that is checked against is compiled with all that it refers to.
fn check_size(library: &mut Library<'_>, limits: &Limits) -> bool {
    let sizes: Vec<usize> = library.definitions.iter().map(|definition| schemas_in(&definition.schema)).collect();
    let mut total = 0;
    for root in &library.roots {
        total += size_with_references(&library.definitions, &sizes, *root, limits.compiled_max - total);
        if total >= limits.compiled_max {
            let sentence = format!(
                "its schemas, each with all that it refers to, are more than {} once compiled",
                limits.compiled_max
            );
            library.problem(Code::Budget, &Place::At(""), sentence);
            return false;
        }
    }
    true
}

fn schemas_in(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => 1 + members.values().map(schemas_in).sum::<usize>(),
        Value::Array(items) => items.iter().map(schemas_in).sum(),
        _ => 0,
    }
}

fn size_with_references(definitions: &[Definition], sizes: &[usize], root: usize, max: usize) -> usize {
    let mut seen = BTreeSet::from([root]);
    let mut next = vec![root];
    let mut total = 0;
    while let Some(number) = next.pop() {
        total += sizes[number];
        if total >= max {
            return max;
        }
        next.extend(definitions[number].references.iter().filter(|reference| seen.insert(**reference)));
    }
    total
}

fn compile_roots(library: &mut Library<'_>) -> BTreeMap<usize, jsonschema::Validator<Format>> {
    let definitions: Map<String, Value> = (0..)
        .zip(&mut library.definitions)
        .map(|(number, definition): (usize, _)| (number.to_string(), definition.schema.take()))
        .collect();
    let document = json!({ "$defs": definitions });
    let registry = Registry::new().draft(Draft::Draft202012).add(BASE, &document).and_then(RegistryBuilder::prepare);
    let registry = match registry {
        Ok(registry) => registry,
        Err(error) => {
            library.problem(Code::Schema, &Place::At(""), shortened(&error.to_string()));
            return BTreeMap::new();
        }
    };
    let options = options(&registry);
    let mut compiled = BTreeMap::new();
    for root in library.roots.clone() {
        match options.build(&json!({"$ref": format!("{BASE}#/$defs/{root}")})) {
            Ok(validator) => {
                compiled.insert(root, validator);
            }
            Err(error) => {
                let location = path_of(&library.definitions[root].pointer);
                let is_reference = matches!(error.kind(), ValidationErrorKind::Referencing(_));
                let code = if is_reference { Code::Reference } else { Code::Schema };
                library.problems.add(code, location, shortened(&error.to_string()));
            }
        }
    }
    compiled
}

fn options<'r>(registry: &'r Registry<'r>) -> ValidationOptions<'r, std::sync::Arc<dyn jsonschema::Retrieve>, Format> {
    let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_STATES_BYTES_MAX);
    jsonschema::options_for::<Format>()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(patterns)
        .with_pattern_cache(PatternCache::new())
        .with_registry(registry)
}

fn shortened(sentence: &str) -> String {
    match sentence.char_indices().nth(SENTENCE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &sentence[..end]),
        None => sentence.to_owned(),
    }
}
