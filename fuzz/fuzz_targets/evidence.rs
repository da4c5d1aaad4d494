//! Evidence of what callers send: any request is taken, and what is accepted as bytes is the one encoding.
#![no_main]

use std::sync::Arc;

use demilune_schema::learn::{Evidence, LearnKey, Learned, Profile, Supporter};
use demilune_traffic::Hour;
use libfuzzer_sys::fuzz_target;

const KEY: LearnKey = LearnKey::new([7; 16]);
const HOUR: Hour = Hour::of(1_767_312_000);

fuzz_target!(|bytes: &[u8]| {
    if let Ok(evidence) = Evidence::decode(bytes) {
        assert_eq!(evidence.encode(), bytes, "evidence has another encoding");
        let mut twice = evidence.clone();
        twice.merge(&evidence);
        assert!(twice.bytes() <= Evidence::BYTES_MAX);
        assert_eq!(Evidence::decode(&twice.encode()), Ok(twice), "a sum does not read back");
        let _ = Learned::of(&evidence, &["var1"], Profile::Enforce);
    }
    let mut evidence = Evidence::new(Arc::default());
    let text = String::from_utf8_lossy(bytes);
    let (variable, query) = text.split_once('?').unwrap_or((&text, ""));
    for caller in 0..5 {
        evidence.observe(&KEY, HOUR, Supporter(caller), &[variable], Some(query));
        evidence.observe_body(&KEY, HOUR, Supporter(caller), bytes);
    }
    assert!(evidence.bytes() <= Evidence::BYTES_MAX);
    assert_eq!(Evidence::decode(&evidence.encode()).as_ref(), Ok(&evidence), "evidence does not read back");
    let _ = Learned::of(&evidence, &["var1"], Profile::Document);
});
