//! Quantiles of the normal distribution: Wichura, "Algorithm AS 241: the percentage points of the normal distribution",
//! Applied Statistics 37 (1988), 477-484, routine PPND16, exact to about sixteen digits.

/// The number that one of the normal distribution around 0 with deviation 1 stays below with probability `p` in (0, 1).
#[must_use]
pub(crate) fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.425 * 0.425 - q * q;
        return q * CENTRE.at(r);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let distance = if r <= 5.0 { SHOULDER.at(r - 1.6) } else { TAIL.at(r - 5.0) };
    distance.copysign(q)
}

/// A quotient of two polynomials: coefficients of the highest power first.
struct Rational {
    above: [f64; 8],
    below: [f64; 8],
}

impl Rational {
    fn at(&self, r: f64) -> f64 {
        let polynomial = |coefficients: &[f64; 8]| coefficients.iter().fold(0.0, |sum, next| sum * r + next);
        polynomial(&self.above) / polynomial(&self.below)
    }
}

const CENTRE: Rational = Rational {
    above: [
        2_509.080_928_730_122_7,
        33_430.575_583_588_13,
        67_265.770_927_008_7,
        45_921.953_931_549_87,
        13_731.693_765_509_46,
        1_971.590_950_306_551_3,
        133.141_667_891_784_38,
        3.387_132_872_796_366_5,
    ],
    below: [
        5_226.495_278_852_854,
        28_729.085_735_721_943,
        39_307.895_800_092_71,
        21_213.794_301_586_597,
        5_394.196_021_424_751,
        687.187_007_492_057_9,
        42.313_330_701_600_91,
        1.0,
    ],
};
const SHOULDER: Rational = Rational {
    above: [
        0.000_774_545_014_278_341_4,
        0.022_723_844_989_269_184,
        0.241_780_725_177_450_6,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    below: [
        1.050_750_071_644_416_9e-9,
        0.000_547_593_808_499_534_5,
        0.015_198_666_563_616_457,
        0.148_103_976_427_480_08,
        0.689_767_334_985_1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
};
const TAIL: Rational = Rational {
    above: [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        0.001_242_660_947_388_078_4,
        0.026_532_189_526_576_124,
        0.296_560_571_828_504_87,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    below: [
        2.044_263_103_389_939_7e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        0.000_786_869_131_145_613_3,
        0.014_875_361_290_850_615,
        0.136_929_880_922_735_8,
        0.599_832_206_555_888,
        1.0,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let check = |p: f64, expected: f64| {
            assert!((quantile(p) - expected).abs() <= 1e-14 * expected.abs(), "{p}: {:e}", quantile(p));
        };
        check(0.25, -0.674_489_750_196_081_7);
        check(0.95, 1.644_853_626_951_472_2);
        check(0.975, 1.959_963_984_540_054);
        check(0.995, 2.575_829_303_548_900_4);
        check(0.001, -3.090_232_306_167_813_5);
        check(1e-20, -9.262_340_089_798_408);
        assert!(quantile(0.5).abs() < f64::EPSILON);
    }
}
