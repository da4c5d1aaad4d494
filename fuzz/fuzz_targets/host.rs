//! Hosts: one canonical form within its limits, whatever the letter case and with or without the final dot.
#![no_main]

use demilune_inventory::Host;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(host) = text.parse::<Host>() {
        check_host(&host);
        check_respelled(text, &host);
    }
});

fn check_host(host: &Host) {
    let canonical = host.as_str();
    assert!(canonical.len() <= Host::CHARS_MAX, "{canonical} is too long");
    assert_eq!(canonical.parse().as_ref(), Ok(host), "no fixed point");
    let mut variables = 0;
    for label in canonical.rsplit('.') {
        if label.starts_with('{') {
            variables += 1;
            assert_eq!(label, format!("{{hostVar{variables}}}"), "{canonical} is not numbered from the right");
        } else {
            assert!((1..=Host::LABEL_CHARS_MAX).contains(&label.len()), "{canonical} has a label of a wrong length");
            let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
            assert!(label.bytes().all(legal), "{canonical} holds an illegal character");
        }
    }
}

fn check_respelled(text: &str, host: &Host) {
    // No variable can appear that was not written as one.
    assert_eq!(text.matches('{').count(), host.as_str().matches('{').count(), "{text} gains or loses a variable");
    assert_eq!(text.to_ascii_uppercase().parse().as_ref(), Ok(host), "letter case counts");
    let complete = format!("{text}.");
    if !text.ends_with(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) && complete.chars().count() <= Host::CHARS_MAX {
        // Only text that ends in a dot, or in what maps to nothing, cannot take one more.
        match complete.parse::<Host>() {
            Ok(other) => assert_eq!(&other, host, "the final dot counts"),
            Err(_) => assert!(!text.is_ascii(), "{complete} is refused"),
        }
    }
}
