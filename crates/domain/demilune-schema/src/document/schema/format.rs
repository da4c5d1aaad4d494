//! `format`: which of them restrict values, and how those of OpenAPI do.

use serde_json::{Value, json};

use super::{
    super::{place::Place, problem::Code},
    transform::{At, Transform},
    written::Written,
};

/// Formats of texts that `jsonschema` checks in 2020-12.
const TEXTS: [&str; 19] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];
/// Base64 (RFC 4648 section 4) with its padding, of whole groups.
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";

const UNKNOWN: &str = "no format that is known here";
const NO_RESTRICTION: &str = "the format restricts nothing beyond the type";

/// Writes what a format restricts.
pub(super) fn write(transform: &mut Transform<'_, '_>, value: &Value, at: &At<'_>, to: &mut Written) {
    let place = at.place.member("format");
    let Some(format) = value.as_str() else {
        return transform.library.problem(Code::Schema, &place, "a format must be a text");
    };
    let keyword = format!("format: {format}");
    match restriction(format) {
        Restriction::Text => to.put("format", value.clone()),
        Restriction::Schema(schema) => to.require(schema, "format", &place),
        Restriction::Nothing(reason) => return transform.library.report.ignored(&keyword, reason, &place),
    }
    enforced(transform, &keyword, &place);
}

fn enforced(transform: &mut Transform<'_, '_>, keyword: &str, place: &Place<'_>) {
    transform.library.report.enforced(keyword, place);
}

enum Restriction {
    Text,
    Schema(Value),
    Nothing(&'static str),
}

fn restriction(format: &str) -> Restriction {
    if let Some([minimum, maximum]) = integer_bounds(format) {
        // A text with such a format is left alone.
        return Restriction::Schema(json!({"minimum": minimum, "maximum": maximum}));
    }
    match format {
        "byte" => Restriction::Schema(json!({"pattern": BASE64})),
        "float" | "double" | "binary" | "password" => Restriction::Nothing(NO_RESTRICTION),
        text if TEXTS.contains(&text) => Restriction::Text,
        _ => Restriction::Nothing(UNKNOWN),
    }
}

/// The least and the greatest whole number that a format of integers lets through.
pub(crate) fn integer_bounds(format: &str) -> Option<[i64; 2]> {
    match format {
        "int8" => Some([i8::MIN.into(), i8::MAX.into()]),
        "int16" => Some([i16::MIN.into(), i16::MAX.into()]),
        "int32" => Some([i32::MIN.into(), i32::MAX.into()]),
        "int64" => Some([i64::MIN, i64::MAX]),
        _ => None,
    }
}
