//! What each keyword of a schema is, in either version.

use super::super::Version;

/// What a keyword holds and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It describes, and is left out.
    Description,
    /// It restricts and is kept as it is.
    Restriction,
    /// It holds a schema.
    Schema,
    /// It holds a list of schemas.
    List,
    /// It holds schemas by name.
    Map,
    /// It is one of those that have rules of their own.
    Own,
    /// It restricts nothing here, for this reason.
    Ignored(&'static str),
}

/// Why a keyword that nobody knows changes nothing.
const UNKNOWN: &str = "no keyword of this version of OpenAPI";
const CONTENT: &str = "describes what a text holds and restricts nothing";

/// What a keyword is.
pub(super) fn kind(keyword: &str, version: Version) -> Kind {
    match keyword {
        "title" | "description" | "default" | "example" | "externalDocs" | "xml" | "deprecated" | "writeOnly"
        | "readOnly" => Kind::Description,
        "multipleOf" | "maximum" | "minimum" | "maxLength" | "minLength" | "maxItems" | "minItems" | "uniqueItems"
        | "maxProperties" | "minProperties" | "enum" => Kind::Restriction,
        "not" | "additionalProperties" | "items" => Kind::Schema,
        "allOf" | "anyOf" | "oneOf" => Kind::List,
        "type" | "nullable" | "exclusiveMaximum" | "exclusiveMinimum" | "required" | "properties" | "pattern"
        | "format" | "discriminator" | "$ref" => Kind::Own,
        extension if extension.starts_with("x-") => Kind::Description,
        later if version == Version::V31 => later_kind(later),
        _ => Kind::Ignored(UNKNOWN),
    }
}

/// Whether a keyword restricts values in some version.
pub(crate) fn restricts(keyword: &str) -> bool {
    !matches!(kind(keyword, Version::V31), Kind::Description | Kind::Ignored(_))
}

/// What OpenAPI 3.1 adds, which is the rest of JSON Schema 2020-12.
fn later_kind(keyword: &str) -> Kind {
    match keyword {
        "examples" | "$comment" | "$vocabulary" => Kind::Description,
        "const" | "minContains" | "maxContains" | "dependentRequired" | "$id" | "$anchor" | "$dynamicAnchor"
        | "$dynamicRef" => Kind::Restriction,
        "if" | "then" | "else" | "contains" | "propertyNames" | "unevaluatedItems" | "unevaluatedProperties" => {
            Kind::Schema
        }
        "prefixItems" => Kind::List,
        "dependentSchemas" | "$defs" => Kind::Map,
        "patternProperties" | "$schema" => Kind::Own,
        "contentEncoding" | "contentMediaType" | "contentSchema" => Kind::Ignored(CONTENT),
        _ => Kind::Ignored(UNKNOWN),
    }
}
