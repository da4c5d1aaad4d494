//! The laws of canonical forms, for inputs that nobody thought of.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use demilune_inventory::{Endpoint, Host, Method, NormalizedPath, OperationId, Timestamp, ZoneId};
use proptest::{collection::vec, prelude::*, sample::select};

/// One thing that may stand in a segment, in several spellings of the same meaning.
#[derive(Clone, Debug)]
enum Part {
    /// A literal character, as itself or as a percent triplet where both mean the same.
    Literal {
        plain: &'static str,
        other: &'static str,
    },
    Variable,
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let literal = select(vec![
        Part::Literal { plain: "a", other: "%61" },
        Part::Literal { plain: "Z", other: "%5a" },
        Part::Literal { plain: "7", other: "%37" },
        Part::Literal { plain: "-", other: "%2D" },
        Part::Literal { plain: "~", other: "%7e" },
        Part::Literal { plain: "%20", other: " " },
        Part::Literal { plain: "%C3%A9", other: "é" },
        Part::Literal { plain: "%C3%A9", other: "%c3%a9" },
        Part::Literal { plain: "%2F", other: "%2f" },
        Part::Literal { plain: ":", other: ":" },
    ]);
    // A variable always has a literal before it, so that no two touch and no segment is a dot segment.
    vec((literal, any::<bool>()), 1..5).prop_map(|pairs| {
        let with_variable =
            |(literal, variable): (Part, bool)| std::iter::once(literal).chain(variable.then_some(Part::Variable));
        pairs.into_iter().flat_map(with_variable).collect()
    })
}

/// The canonical spelling of segments.
fn canonical(segments: &[Vec<Part>]) -> String {
    let mut text = String::new();
    let mut number = 0;
    for segment in segments {
        text.push('/');
        for part in segment {
            match part {
                Part::Literal { plain, .. } => text.push_str(plain),
                Part::Variable => {
                    number += 1;
                    text.push_str("{var");
                    text.push_str(&number.to_string());
                    text.push('}');
                }
            }
        }
    }
    text
}

/// Another spelling of the same segments, chosen by the bits of `choices`.
fn respelled(segments: &[Vec<Part>], name: &str, mut choices: u128) -> String {
    let mut choose = |options: u8| {
        let options = u128::from(options);
        let choice = (choices % options) as usize;
        choices = (choices / options) ^ (choices << 7);
        choice
    };
    let mut text = String::new();
    for (index, segment) in segments.iter().enumerate() {
        let slashes = ["/", "//", "/./", "/x/../", "/%2e/", "/{gone}/../"];
        text.push_str(slashes[choose(6)]);
        if index > 0 && choose(2) == 1 {
            text.push('\\');
        }
        for part in segment {
            match part {
                Part::Literal { plain, other } => text.push_str(if choose(2) == 0 { plain } else { other }),
                Part::Variable => text.extend(["{", name, "}"]),
            }
        }
    }
    text
}

proptest! {
    #[test]
    fn an_endpoint_is_a_fixed_point_within_its_limits(text in r"/[a-c/\\.%{}0-9A-Fé ~:]{0,40}") {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            let canonical = endpoint.as_str();
            prop_assert!(canonical.starts_with('/'));
            prop_assert!(canonical.is_ascii());
            prop_assert!(canonical.len() <= Endpoint::CHARS_MAX);
            prop_assert!(!canonical.contains("//"));
            prop_assert!(!canonical.split('/').any(|segment| segment == "." || segment == ".."));
            prop_assert_eq!(canonical.parse::<Endpoint>().unwrap(), endpoint);
        }
    }

    #[test]
    fn equal_meaning_gives_an_equal_endpoint(
        segments in vec(parts(), 1..5), name in "[a-zA-Z_é][a-z0-9_ -]{0,8}", choices in any::<u128>(),
    ) {
        let expected = canonical(&segments);
        let other = respelled(&segments, &name, choices);
        let endpoint: Endpoint = other.parse().unwrap();
        prop_assert_eq!(endpoint.as_str(), &expected, "{}", other);
    }

    #[test]
    fn variables_are_numbered_consecutively(segments in vec(parts(), 1..6), choices in any::<u128>()) {
        let endpoint: Endpoint = respelled(&segments, "x", choices).parse().unwrap();
        let numbers: Vec<usize> = endpoint
            .as_str()
            .split("{var")
            .skip(1)
            .map(|rest| rest.split('}').next().unwrap().parse().unwrap())
            .collect();
        prop_assert_eq!(&numbers, &(1..=numbers.len()).collect::<Vec<_>>());
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        let _ = text.parse::<Endpoint>();
        let _ = format!("/{text}").parse::<Endpoint>();
        let _ = text.parse::<Host>();
        let _ = text.parse::<Method>();
        let _ = text.parse::<ZoneId>();
        let _ = text.parse::<OperationId>();
        let _ = text.parse::<Timestamp>();
    }

    #[test]
    fn no_live_path_makes_normalization_panic_or_move_again(path in vec(any::<u8>(), 0..60)) {
        let path = [b"/".as_slice(), &path].concat();
        let once = NormalizedPath::from_live(&path).unwrap();
        prop_assert!(once.as_str().is_ascii());
        prop_assert!(once.as_str().starts_with('/'));
        let twice = NormalizedPath::from_live(once.as_str().as_bytes()).unwrap();
        prop_assert_eq!(&twice, &once);
    }

    #[test]
    fn a_literal_endpoint_is_the_live_path_it_matches(text in r"/[a-c/\\.%0-9A-Fé ~:]{0,40}") {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            let path = NormalizedPath::from_live(text.as_bytes()).unwrap();
            prop_assert_eq!(endpoint.as_str(), path.as_str());
        }
    }

    #[test]
    fn a_host_is_a_fixed_point_within_its_limits(text in r"[a-cA-C0-9.{}éßＡ。xn_-]{0,30}") {
        if let Ok(host) = text.parse::<Host>() {
            let canonical = host.as_str();
            prop_assert!(canonical.is_ascii());
            prop_assert!(canonical.len() <= Host::CHARS_MAX);
            let is_label = |label: &str| (1..=63).contains(&label.len()) || label.starts_with('{');
            prop_assert!(canonical.split('.').all(is_label), "{}", canonical);
            let without_variables = canonical.replace("{hostVar", "");
            prop_assert!(!without_variables.contains(|letter: char| letter.is_ascii_uppercase()), "{}", canonical);
            prop_assert_eq!(canonical.parse::<Host>().unwrap(), host);
        }
    }

    #[test]
    fn equal_meaning_gives_an_equal_host(
        labels in vec(prop_oneof![3 => "[a-z0-9_-]{1,10}", 1 => Just("{}".to_owned())], 1..6),
        name in "[a-z][a-z0-9]{0,5}", upper in any::<bool>(), dot in any::<bool>(),
    ) {
        let plain = |name: &str| format!("{}.example", labels.join(".").replace("{}", &format!("{{{name}}}")));
        let mut other = plain(&name);
        if upper {
            other = other.to_uppercase();
        }
        if dot {
            other.push('.');
        }
        prop_assume!(plain("x").parse::<Host>().is_ok());
        prop_assert_eq!(other.parse::<Host>().unwrap(), plain("x").parse::<Host>().unwrap());
    }

    #[test]
    fn operation_ids_and_times_read_back(random in any::<[u8; 16]>(), micros in any::<i64>()) {
        let id = OperationId::from_time_and_random(Timestamp::from_micros(0).unwrap(), random);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        let zone = ZoneId::from_random(random);
        prop_assert_eq!(zone.as_str().parse(), Ok(zone.clone()));
        if let Some(time) = Timestamp::from_micros(micros) {
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
