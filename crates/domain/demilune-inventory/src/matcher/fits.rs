//! Whether one template fits, decided from its text alone: for explanations, and as the truth the matcher is held to.

use super::mixed;
use crate::{Endpoint, Host, NormalizedPath};

/// Whether a host pattern fits a live host, which comes in canonical form: lower case, without port. A variable takes
/// exactly one label.
///
/// ```
/// use demilune_inventory::{Host, host_fits};
///
/// let pattern: Host = "{tenant}.example.com".parse()?;
/// assert!(host_fits(&pattern, "a.example.com"));
/// assert!(!host_fits(&pattern, "a.b.example.com"));
/// # Ok::<(), demilune_inventory::HostError>(())
/// ```
#[must_use]
pub fn host_fits(pattern: &Host, host: &str) -> bool {
    let mut labels = host.split('.');
    let fits = |wanted: &str| {
        let label = labels.next();
        if is_variable(wanted) { label.is_some_and(|label| !label.is_empty()) } else { label == Some(wanted) }
    };
    pattern.as_str().split('.').all(fits) && labels.next().is_none()
}

/// Whether an endpoint fits a path: the same number of segments, each fitting its own. A trailing slash counts.
///
/// ```
/// use demilune_inventory::{Endpoint, NormalizedPath, endpoint_fits};
///
/// let endpoint: Endpoint = "/compare/{base}...{head}".parse()?;
/// assert!(endpoint_fits(&endpoint, &NormalizedPath::from_live(b"/compare/main...topic")?));
/// assert!(!endpoint_fits(&endpoint, &NormalizedPath::from_live(b"/compare/main...")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn endpoint_fits(endpoint: &Endpoint, path: &NormalizedPath<'_>) -> bool {
    let mut segments = path.as_str().split('/');
    let fits = |wanted: &str| segments.next().is_some_and(|segment| mixed::fits(&mixed::shape(wanted), segment));
    endpoint.as_str().split('/').all(fits) && segments.next().is_none()
}

/// Whether some host is fitted by both patterns.
///
/// ```
/// use demilune_inventory::hosts_overlap;
///
/// assert!(hosts_overlap(&"{x}.example.com".parse()?, &"api.{y}.com".parse()?));
/// assert!(!hosts_overlap(&"{x}.example.com".parse()?, &"{x}.example.org".parse()?));
/// # Ok::<(), demilune_inventory::HostError>(())
/// ```
#[must_use]
pub fn hosts_overlap(a: &Host, b: &Host) -> bool {
    let mut others = b.as_str().split('.');
    let agree =
        |label: &str| others.next().is_some_and(|other| label == other || is_variable(label) || is_variable(other));
    a.as_str().split('.').all(agree) && others.next().is_none()
}

/// Whether a label of a canonical host is a variable: literal ones hold no brace.
pub(super) fn is_variable(label: &str) -> bool {
    label.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_host(pattern: &str, fitting: &[&str], others: &[&str]) {
        let pattern: Host = pattern.parse().unwrap();
        for host in fitting {
            assert!(host_fits(&pattern, host), "{pattern} {host}");
        }
        for host in others {
            assert!(!host_fits(&pattern, host), "{pattern} {host}");
        }
    }

    fn check_path(endpoint: &str, fitting: &[&str], others: &[&str]) {
        let endpoint: Endpoint = endpoint.parse().unwrap();
        let fits = |path: &str| endpoint_fits(&endpoint, &NormalizedPath::from_live(path.as_bytes()).unwrap());
        for path in fitting {
            assert!(fits(path), "{endpoint} {path}");
        }
        for path in others {
            assert!(!fits(path), "{endpoint} {path}");
        }
    }

    #[test]
    fn a_host_variable_takes_exactly_one_label() {
        check_host("a.example", &["a.example"], &["", "example", "b.example", "a.example.", "a.a.example"]);
        check_host("{x}.example", &["a.example", "xn--a.example"], &[".example", "example", "a.b.example", "a.b"]);
        check_host("{x}.{y}", &["a.b"], &["a", "a.b.c", "a.", ".b"]);
    }

    #[test]
    fn a_variable_takes_one_segment() {
        check_path("/users/{id}", &["/users/1", "/users/{id}"], &["/users", "/users/", "/users/1/", "/users/1/2"]);
        check_path("/{a}/{b}", &["/1/2"], &["/", "/1", "/1/"]);
    }

    #[test]
    fn a_trailing_slash_counts() {
        check_path("/a/", &["/a/"], &["/a", "/a/b", "/"]);
        check_path("/", &["/"], &["/a"]);
    }

    #[test]
    fn variables_beside_text_take_some_of_the_segment() {
        check_path("/{id}.json", &["/1.json", "/.json.json"], &["/.json", "/1.jsonx", "/json"]);
        check_path("/v{n}", &["/v1", "/vv"], &["/v", "/w1"]);
        check_path(
            "/{base}...{head}",
            &["/a...b", "/....b", "/a....", "/.....b"],
            &["/a...", "/...b", "/a..b", "/..."],
        );
        check_path("/{a}-{b}-{c}", &["/1-2-3", "/-----", "/1-2-3-4", "/1--3-4"], &["/1-2", "/1--3", "/----"]);
    }

    #[test]
    fn patterns_overlap_where_each_label_can_be_the_same() {
        let overlap = |a: &str, b: &str| hosts_overlap(&a.parse().unwrap(), &b.parse().unwrap());
        assert!(overlap("a.example", "a.example"));
        assert!(overlap("{x}.example", "a.example"));
        assert!(overlap("a.{x}", "{y}.b"));
        assert!(!overlap("{x}.example", "example"));
        assert!(!overlap("{x}.a.example", "{x}.b.example"));
        assert!(!overlap("{x}.example", "{x}.{y}.example"));
    }
}
