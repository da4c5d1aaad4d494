//! The anchor: `matchit`, a router for each host, whose values tell operations by method.

use demilune_inventory::{Method, OperationKey};
use foldhash::HashMap;
use matchit::Router;

use crate::lists::Request;

/// Operations by method.
type Methods = [Option<u32>; Method::ALL.len()];

#[derive(Default)]
pub(crate) struct Routers(HashMap<String, Router<Methods>>);

impl Routers {
    /// Compiles operations, each path once; gives those that `matchit` refuses.
    pub(crate) fn build(operations: &[OperationKey]) -> (Self, Vec<&OperationKey>) {
        let mut paths: HashMap<(&str, &str), Methods> = HashMap::default();
        for (index, key) in (0..).zip(operations) {
            let methods = paths.entry((key.host.as_str(), key.endpoint.as_str())).or_default();
            methods[key.method as usize] = Some(index);
        }
        let mut routers = Self::default();
        let mut refused = Vec::new();
        for key in operations {
            // Each path is inserted with its first method, and gone when the next one comes.
            if let Some(methods) = paths.remove(&(key.host.as_str(), key.endpoint.as_str())) {
                let router = routers.0.entry(key.host.as_str().to_owned()).or_default();
                if router.insert(key.endpoint.as_str(), methods).is_err() {
                    refused.push(key);
                }
            }
        }
        (routers, refused)
    }

    /// The operation, and how many parameters were found.
    pub(crate) fn find(&self, request: &Request) -> Option<(u32, usize)> {
        let found = self.0.get(request.host.as_str())?.at(request.path.as_str()).ok()?;
        let operation = found.value[request.method as usize]?;
        Some((operation, found.params.len()))
    }
}

/// The routers with numbers for values: the least memory that they can do with.
pub(crate) fn without_methods(operations: &[OperationKey]) -> HashMap<String, Router<u32>> {
    let mut routers: HashMap<String, Router<u32>> = HashMap::default();
    for (index, key) in (0..).zip(operations) {
        let router = routers.entry(key.host.as_str().to_owned()).or_default();
        // A path that is there already keeps the number of its first method.
        let _ = router.insert(key.endpoint.as_str(), index);
    }
    routers
}
