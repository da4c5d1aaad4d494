//! Endpoints and live paths: both have one normal form, and a literal endpoint is the live path that it matches.
#![no_main]

use demilune_inventory::{Endpoint, NormalizedPath};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|path: &[u8]| {
    if let Ok(normal) = NormalizedPath::from_live(path) {
        check_live(normal.as_str());
    }
    if let Ok(text) = std::str::from_utf8(path)
        && let Ok(endpoint) = text.parse::<Endpoint>()
    {
        check_endpoint(text, &endpoint);
    }
});

fn check_live(normal: &str) {
    check_path(normal);
    assert!(!normal.contains(['{', '}']), "{normal} holds a brace");
    let again = NormalizedPath::from_live(normal.as_bytes()).expect("a normal path starts with a slash");
    assert_eq!(again.as_str(), normal, "no fixed point");
}

fn check_endpoint(text: &str, endpoint: &Endpoint) {
    let canonical = endpoint.as_str();
    assert!(canonical.len() <= Endpoint::CHARS_MAX, "{canonical} is too long");
    assert_eq!(canonical.parse().as_ref(), Ok(endpoint), "no fixed point");
    let mut literals = canonical.split("{var");
    let mut without_variables = literals.next().unwrap_or_default().to_owned();
    for (index, rest) in literals.enumerate() {
        let literal = rest.strip_prefix(&format!("{}}}", index + 1));
        without_variables.push('x');
        without_variables.push_str(literal.unwrap_or_else(|| panic!("{canonical} is not numbered in order")));
    }
    check_live(&without_variables);
    if !text.contains('{') {
        let live = NormalizedPath::from_live(text.as_bytes()).expect("an endpoint starts with a slash");
        assert_eq!(live.as_str(), canonical, "the live path differs");
    }
}

fn check_path(normal: &str) {
    assert!(normal.starts_with('/'), "{normal} starts with no slash");
    assert!(normal.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'), "{normal} needs encoding");
    assert!(!normal.contains("//"), "{normal} has an empty segment");
    assert!(!normal.split('/').any(|segment| segment == "." || segment == ".."), "{normal} has a dot segment");
}
