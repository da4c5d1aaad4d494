//! Whether words look like what people and programs call their things.

use std::collections::BTreeSet;

/// Words of which this part must look like data.
const DATA_MIN: usize = 6;
const DATA_SHARE: f64 = 0.6;
/// Words written with points, digits, hyphens or capitals: so many, in so many ways, none of which has a larger part. One
/// interface is written by people who agree, its data is not.
const MIXED_MIN: usize = 10;
const STYLES_MIN: usize = 3;
const STYLE_SHARE_MAX: f64 = 0.6;

/// So many words, being this part of all, that are made of a head and something behind a point or a capital, as
/// `chat.update` and `getUser`, with so many words to a head on average, are what procedures are called.
const PROCEDURES_MIN: usize = 10;
const PROCEDURES_SHARE: f64 = 0.6;
const OF_HEAD_MIN: usize = 2;

/// Whether most words look like data, or are written in as many ways as only those of different people are.
pub(crate) fn are_data(words: &[&str]) -> bool {
    let data = words.iter().filter(|word| looks_like_data(word)).count();
    (data >= DATA_MIN && data as f64 >= DATA_SHARE * words.len() as f64) || are_mixed(words)
}

fn are_mixed(words: &[&str]) -> bool {
    let mut styles = [0_usize; 5];
    for style in words.iter().filter_map(|word| style(word)) {
        styles.get_mut(style).into_iter().for_each(|count| *count += 1);
    }
    let all: usize = styles.iter().sum();
    let most = styles.iter().max().copied().unwrap_or_default();
    let used = styles.iter().filter(|count| **count > 0).count();
    all >= MIXED_MIN && used >= STYLES_MIN && most as f64 <= STYLE_SHARE_MAX * all as f64
}

/// How a word is written, if it is more than lower-case letters. An interface may well use hyphens in one place and
/// underscores in another.
fn style(word: &str) -> Option<usize> {
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let is_upper = word.starts_with(|letter: char| letter.is_ascii_uppercase());
    [word.contains('.'), has(u8::is_ascii_digit), word.contains(['-', '_']), is_upper, has(u8::is_ascii_uppercase)]
        .iter()
        .position(|is| *is)
}

/// Whether the words are what procedures are called.
pub(crate) fn are_procedures(words: &[&str]) -> bool {
    let heads: Vec<&str> = words.iter().filter_map(|word| head(word)).collect();
    let different: BTreeSet<&&str> = heads.iter().collect();
    heads.len() >= PROCEDURES_MIN
        && heads.len() as f64 >= PROCEDURES_SHARE * words.len() as f64
        && different.len() * OF_HEAD_MIN <= heads.len()
}

fn head(word: &str) -> Option<&str> {
    let end = word.find(|letter: char| letter == '.' || letter.is_ascii_uppercase())?;
    word.get(..end).filter(|head| !head.is_empty())
}

/// Digits, several hyphens, capitals behind hyphens, or codes; but versions are names.
fn looks_like_data(word: &str) -> bool {
    let is_version =
        word.strip_prefix('v').is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()));
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    !is_version && (has_digit || word.matches('-').count() >= 2 || is_capitalized(word) || is_code(word))
}

fn is_capitalized(word: &str) -> bool {
    word.split(['-', '_', '.']).all(|part| part.starts_with(|letter: char| letter.is_ascii_uppercase()))
        && word.contains(['-', '_', '.'])
}

/// Codes of countries, currencies, locales and shares: `DE`, `USD`, `pt-BR`.
fn is_code(word: &str) -> bool {
    let is_upper = |part: &str| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_uppercase());
    is_upper(word)
        || word.split_once(['-', '_']).is_some_and(|(language, country)| language.len() <= 3 && is_upper(country))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_from_names() {
        let check = |words: &str, expected: bool| {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(are_data(&words), expected, "{words:?}");
        };
        check("US DE GB FR JP CN IN", true);
        check("en-US pt-BR de-DE fr-FR ja-JP it-IT", true);
        check("how-to-build tips-and-tricks my-first-post the-new-office a-b-c d-e-f", true);
        check("ada92 tim7 octocat2 ken1 grace3 alan4", true);
        // Written in many ways: points, digits, hyphens, capitals.
        check("stone.io karma3 dune_wave PineKettle red-fox eagle.js tulip9 OceanBravo a_b north.py", true);
        check("users orders invoices payments refunds carts items", false);
        check("v1 v2 v3 v1beta1 v2alpha v4", false);
        check(
            "chat.postMessage chat.update users.list users.info files.upload auth.test api.test rtm.start a.b c.d",
            false,
        );
        check("load_balancers magic-transit access_rules custom-pages dns_records ssl-packs a_b c-d e_f g-h", false);
        check("US DE", false);
    }

    #[test]
    fn procedures_share_their_heads() {
        let check = |words: &str, expected: bool| {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(are_procedures(&words), expected, "{words:?}");
        };
        check(
            "chat.update chat.delete chat.post users.list users.info users.get files.list files.get api.test api.x",
            true,
        );
        check("getUser getOrder getItem listUsers listOrders listItems addUser addItem addOrder addTax ping", true);
        check("ada.lovelace grace.hopper alan.turing ken.thompson tim.lee joan.clarke a.b c.d e.f g.h", false);
        check("users orders items", false);
        check("chat.update chat.delete", false);
    }
}
