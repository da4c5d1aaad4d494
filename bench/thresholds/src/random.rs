//! Random numbers that are a function of their number, so that any language on any machine makes the same sessions.

use crate::normal;

/// What a random number is used for: each use has a stream of its own, so that none depends on how many others there are.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the uses are what they are named")]
pub enum Stream {
    Component = 1,
    Rate = 2,
    Length = 3,
    Start = 4,
    On = 5,
    Noise = 6,
    Count = 7,
    Multiplier = 8,
    Hash = 9,
}

const GOLD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The number of this seed, stream and counter.
#[must_use]
pub const fn number(seed: u64, stream: Stream, counter: u64) -> u64 {
    x64(seed, stream as u64, counter)
}

/// The same, evenly in (0, 1).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
pub fn uniform(seed: u64, stream: Stream, counter: u64) -> f64 {
    let unit = 2_f64.powi(-53);
    (number(seed, stream, counter) >> 11) as f64 * unit + unit / 2.0
}

/// A number of the normal distribution around 0 with deviation 1.
#[must_use]
pub fn gaussian(seed: u64, stream: Stream, counter: u64) -> f64 {
    normal::quantile(uniform(seed, stream, counter))
}

/// From here on a Poisson distribution is taken for a normal one, rounded.
const POISSON_MEAN_LARGE: f64 = 64.0;

/// The smallest number that a Poisson distribution of this mean does not exceed with probability `u`.
#[must_use]
pub fn poisson(mean: f64, u: f64) -> u32 {
    if mean < POISSON_MEAN_LARGE {
        return poisson_by_inversion(mean, u);
    }
    floor(mean + mean.sqrt() * normal::quantile(u) + 0.5)
}

fn poisson_by_inversion(mean: f64, u: f64) -> u32 {
    let mut number = 0;
    let mut probability = (-mean).exp();
    let mut up_to = probability;
    // The sum may stop below the largest `u` by a rounding error; what follows then is too small to matter.
    while up_to < u && (f64::from(number) <= mean || probability > f64::EPSILON / 16.0) {
        number += 1;
        probability *= mean / f64::from(number);
        up_to += probability;
    }
    number
}

/// The largest whole number that is not above; 0 for what is negative.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates at both ends")]
pub const fn floor(number: f64) -> u32 {
    number as u32
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014, as a generator that counts.
const fn x64(seed: u64, stream: u64, counter: u64) -> u64 {
    let stream = mix(seed.wrapping_mul(GOLD).wrapping_add(stream));
    mix(stream.wrapping_add(counter.wrapping_mul(GOLD)))
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_agreed_one() {
        assert_eq!(x64(1, 2, 3), 15_536_041_703_846_764_912);
    }

    #[test]
    fn a_poisson_number_is_the_quantile() {
        let check = |mean, u, expected| assert_eq!(poisson(mean, u), expected, "{mean} {u}");
        // P(X <= 0) = e^-1 = .3679, P(X <= 1) = .7358, P(X <= 2) = .9197.
        check(1.0, 0.367, 0);
        check(1.0, 0.368, 1);
        check(1.0, 0.735, 1);
        check(1.0, 0.736, 2);
        check(1.0, 0.9198, 3);
        check(100.0, 0.5, 100);
        check(100.0, 0.841_344_746_068_543, 110);
        check(64.0, 1e-300, 0);
    }

    #[test]
    fn the_largest_number_ends_the_sum() {
        for mean in [1e-9, 0.3, 20.0, 63.9] {
            assert!(poisson(mean, 1.0 - f64::EPSILON / 4.0) < 200, "{mean}");
        }
    }

    #[test]
    fn numbers_are_spread_evenly() {
        let mean = (0..100_000).map(|counter| uniform(5, Stream::Rate, counter)).sum::<f64>() / 1e5;
        assert!((mean - 0.5).abs() < 0.003, "{mean}");
    }
}
