//! What was seen of requests without an operation: any request is taken, what is accepted as bytes is the one encoding, and
//! whatever is found can be saved.
#![no_main]

use demilune_discovery::{DiscoveryOptions, Sighting, Sightings, candidates};
use demilune_inventory::Method;
use libfuzzer_sys::fuzz_target;

/// Finds whatever there is.
const OPTIONS: DiscoveryOptions = DiscoveryOptions { requests_min: 1, callers_min: 1, candidates_max: 100 };

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sightings) = Sightings::decode(bytes) {
        assert_eq!(sightings.encode(), bytes, "sightings have another encoding");
        let mut twice = sightings.clone();
        twice.merge(&sightings);
        assert!(twice.bytes() <= Sightings::BYTES_MAX);
        assert_eq!(Sightings::decode(&twice.encode()), Ok(twice), "a sum does not read back");
        let _ = candidates(&sightings, &OPTIONS);
    }
    let text = String::from_utf8_lossy(bytes);
    let (mut whole, mut halves) = (Sightings::default(), [Sightings::default(), Sightings::default()]);
    for (number, path) in (0_u32..).zip(text.lines()) {
        let sighting = Sighting {
            method: Method::ALL[path.len() % Method::ALL.len()],
            host: ["a.example", "b.example", "c.example"][number as usize % 3],
            path,
            caller: number.wrapping_mul(0x9E37_79B9),
            has_session: number.is_multiple_of(2),
            nonce: u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15),
            seconds: u64::from(number),
        };
        whole.observe(&sighting);
        halves[path.len() % 2].observe(&sighting);
    }
    let [mut one, other] = halves;
    one.merge(&other);
    assert_eq!(one, whole, "the halves are not the whole");
    assert!(whole.bytes() <= Sightings::BYTES_MAX);
    assert_eq!(Sightings::decode(&whole.encode()).as_ref(), Ok(&whole), "sightings do not read back");
    for candidate in candidates(&whole, &OPTIONS) {
        assert_eq!(candidate.key.endpoint.as_str().parse(), Ok(candidate.key.endpoint), "an endpoint is not canonical");
    }
});
