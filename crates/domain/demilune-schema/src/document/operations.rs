//! The operations of a document: every method of every path, at every server that applies to it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
    sync::Arc,
};

use demilune_inventory::{Endpoint, Method, OperationKey};
use serde_json::{Map, Value};

use super::{
    Code, Options, Version, body, parameter,
    place::Place,
    schema::{Library, Resolved, resolve},
    servers::{self, Base},
};
use crate::validate::{Parameter, Rules};

/// Members of a path item that are operations.
const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];
/// A method of OpenAPI 3.2, which no inventory has, is refused by name rather than passed over.
const LATER_METHODS: [&str; 2] = ["query", "additionalOperations"];

/// One operation, before its schemas are compiled.
pub(super) struct Described {
    pub(super) key: OperationKey,
    pub(super) location: Arc<str>,
    pub(super) rules: Arc<Rules>,
}

/// Reads all operations, ordered by key. `None` if there are more than are taken on.
pub(super) fn read<'d>(library: &mut Library<'d>, source: &'d Value, options: &Options) -> Option<Vec<Described>> {
    let root = Place::At("");
    let place = root.member("paths");
    let mut reader = Reader {
        options,
        source,
        servers: source.get("servers"),
        bases: HashMap::new(),
        found: BTreeMap::new(),
        library,
    };
    match source.get("paths") {
        Some(Value::Object(paths)) => {
            for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
                reader.path(path, item, &place.member(path))?;
            }
        }
        Some(Value::Null) | None => {}
        Some(_) => reader.library.problem(Code::Structure, &place, "paths must be an object"),
    }
    if reader.found.is_empty() {
        reader.library.problem(Code::Empty, &place, "the document describes no operation");
    }
    let described = reader.found.into_iter().map(|(key, (location, rules))| Described { key, location, rules });
    Some(described.collect())
}

struct Reader<'r, 'd> {
    library: &'r mut Library<'d>,
    options: &'r Options,
    source: &'d Value,
    /// The document's own servers.
    servers: Option<&'d Value>,
    /// The servers that have been read, by their place: many operations share them.
    bases: HashMap<String, Rc<BTreeSet<Base>>>,
    found: BTreeMap<OperationKey, (Arc<str>, Arc<Rules>)>,
}

/// The servers that apply to something, and where they stand.
#[derive(Clone)]
struct Servers<'s> {
    list: Option<&'s Value>,
    place: String,
}

impl<'d> Reader<'_, 'd> {
    fn path(&mut self, path: &str, item: &'d Value, place: &Place<'_>) -> Option<()> {
        if !path.starts_with('/') {
            self.library.problem(Code::Path, place, "a path must start with /");
            return Some(());
        }
        let Some((item, pointer)) = self.item(item, place) else { return Some(()) };
        let place = &Place::At(&pointer);
        let outer = Servers { list: self.servers, place: "/servers".to_owned() };
        let servers = inner_servers(item, &outer, place);
        let shared = parameter::list(self.library, item.get("parameters"), path, &place.member("parameters"));
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                self.operation(method, path, operation, &servers, &shared, &place.member(method))?;
            }
        }
        for name in LATER_METHODS.into_iter().filter(|name| item.contains_key(*name)) {
            self.library.problem(Code::Method, &place.member(name), "only the methods of OpenAPI 3.1 are operations");
        }
        Some(())
    }

    /// A path item, and where it is: at the end of its reference if it is one.
    fn item(&mut self, item: &'d Value, place: &Place<'_>) -> Option<(&'d Map<String, Value>, String)> {
        let Some(members) = item.as_object() else {
            self.library.problem(Code::Structure, place, "a path item must be an object");
            return None;
        };
        let Some(reference) = members.get("$ref").and_then(Value::as_str) else {
            return Some((members, place.pointer()));
        };
        if members.len() > 1 {
            let sentence = "members beside $ref have no defined meaning and are not used";
            self.library.problem(Code::Form, place, sentence);
        }
        match resolve(self.source, reference, Version::V30) {
            Resolved::At(pointer, Value::Object(members)) => Some((members, pointer)),
            Resolved::At(..) => {
                self.library.problem(Code::Structure, place, "a path item must be an object");
                None
            }
            Resolved::Problem(code, sentence) => {
                self.library.problem(code, &place.member("$ref"), sentence);
                None
            }
        }
    }

    fn operation(
        &mut self,
        method: &str,
        path: &str,
        operation: &'d Value,
        servers: &Servers<'_>,
        shared: &[Parameter],
        place: &Place<'_>,
    ) -> Option<()> {
        let Some(members) = operation.as_object() else {
            self.library.problem(Code::Structure, place, "an operation must be an object");
            return Some(());
        };
        let servers = inner_servers(members, servers, place);
        let own = parameter::list(self.library, members.get("parameters"), path, &place.member("parameters"));
        let parameters = parameter::merge(shared, own);
        parameter::check_variables(self.library, &parameters, path, place);
        let body = members.get("requestBody");
        let body = body.and_then(|body| body::read(self.library, body, &place.member("requestBody")));
        let query_names = parameter::query_names(&parameters);
        let rules = Arc::new(Rules { parameters, query_names, body });
        self.add(method, path, &servers, &rules, place)
    }

    /// Adds an operation at each of its servers.
    fn add(
        &mut self,
        method: &str,
        path: &str,
        servers: &Servers<'_>,
        rules: &Arc<Rules>,
        place: &Place<'_>,
    ) -> Option<()> {
        let Ok(method) = method.parse::<Method>() else { return Some(()) };
        let location: Arc<str> = place.path().into();
        for base in self.bases(servers).iter() {
            let endpoint = match endpoint(base, path) {
                Ok(endpoint) => endpoint,
                Err(sentence) => {
                    self.library.problem(Code::Path, place, sentence);
                    continue;
                }
            };
            let key = OperationKey { host: base.host.clone(), endpoint, method };
            if let Some((other, _)) = self.found.get(&key) {
                let sentence = format!("this is the same operation as {other}");
                self.library.problem(Code::Repeated, place, sentence);
                continue;
            }
            self.found.insert(key, (Arc::clone(&location), Arc::clone(rules)));
        }
        let max = self.options.limits.operations_max;
        if self.found.len() > max {
            let sentence = format!("the document describes more than {max} operations");
            self.library.problem(Code::Budget, &Place::At(""), sentence);
            return None;
        }
        Some(())
    }

    fn bases(&mut self, servers: &Servers<'_>) -> Rc<BTreeSet<Base>> {
        if let Some(known) = self.bases.get(&servers.place) {
            return Rc::clone(known);
        }
        let place = Place::At(&servers.place);
        let bases = servers::read(servers.list, self.options.host.as_ref(), &place, self.library.problems());
        let bases = Rc::new(bases);
        self.bases.insert(servers.place.clone(), Rc::clone(&bases));
        bases
    }
}

/// The servers of an inner level, or those around it when it has none of its own.
fn inner_servers<'s>(members: &'s Map<String, Value>, outer: &Servers<'s>, place: &Place<'_>) -> Servers<'s> {
    match members.get("servers") {
        None | Some(Value::Null) => outer.clone(),
        Some(Value::Array(list)) if list.is_empty() => outer.clone(),
        own => Servers { list: own, place: place.member("servers").pointer() },
    }
}

fn endpoint(base: &Base, path: &str) -> Result<Endpoint, String> {
    let written = format!("{}{path}", base.path);
    let endpoint: Endpoint = written.parse().map_err(|error| format!("{error}"))?;
    // Parameters are told by the order of their variables.
    let variables = |text: &str| text.matches('{').count();
    if variables(endpoint.as_str()) == variables(&written) {
        Ok(endpoint)
    } else {
        Err("a dot segment takes a variable out of the path".to_owned())
    }
}
