//! A name for each operation of a document, as tools that read it want one: a word that says what is meant.

use std::collections::{HashMap, HashSet};

use demilune_inventory::OperationKey;

/// A name for each of these operations, no two of them the same: method and path, with `_` for all that is no letter or
/// digit. Where several would have one name, those after the first get a number, in the order given.
pub(super) fn unique(keys: &[OperationKey]) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut next_numbers = HashMap::new();
    let mut names = Vec::with_capacity(keys.len());
    for key in keys {
        let plain = plain(key);
        let mut name = plain.clone();
        let next = next_numbers.entry(plain.clone()).or_insert(2_u32);
        while !taken.insert(name.clone()) {
            name = format!("{plain}_{next}");
            *next += 1;
        }
        names.push(name);
    }
    names
}

/// Method and path, with `_` for all that is no letter or digit.
pub(super) fn plain(key: &OperationKey) -> String {
    let mut name = key.method.as_str().to_ascii_lowercase();
    let words = key.endpoint.as_str().split(|letter: char| !letter.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        name.push('_');
        name.push_str(word);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(operations: &[(&str, &str)]) -> Vec<String> {
        let key = |(method, endpoint): &(&str, &str)| OperationKey {
            method: method.parse().unwrap(),
            host: "a.example".parse().unwrap(),
            endpoint: endpoint.parse().unwrap(),
        };
        unique(&operations.iter().map(key).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_says_method_and_path() {
        let check = |method, endpoint, expected| assert_eq!(names(&[(method, endpoint)]), [expected], "{endpoint}");
        check("GET", "/", "get");
        check("GET", "/users/{id}", "get_users_var1");
        check("POST", "/v1/a-b_c.json", "post_v1_a_b_c_json");
    }

    #[test]
    fn no_two_names_are_the_same() {
        let found = names(&[("GET", "/a/b"), ("GET", "/a-b"), ("GET", "/a/b/2"), ("GET", "/a.b"), ("PUT", "/a/b")]);
        assert_eq!(found, ["get_a_b", "get_a_b_2", "get_a_b_2_2", "get_a_b_3", "put_a_b"]);
    }
}
