//! The parameters of an operation: where each is, how it is written, and what it must fit.

use http::{
    HeaderName,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Map, Value};

use super::{Code, place::Place, schema::Library};
use crate::validate::{Coding, MediaRange, Parameter, Source, Style, is_json};

const RESERVED_HEADER: &str = "OpenAPI describes this field elsewhere";
const DEEP_OBJECT: &str = "deepObject is not read";
const NOT_READ: &str = "parameters of this media type are not read";
const RESERVED_CHARACTERS: &str = "reserved characters are let through either way";

/// Reads a list of parameters for a path. What cannot be understood is among the problems.
pub(super) fn list<'d>(
    library: &mut Library<'d>,
    list: Option<&'d Value>,
    path: &str,
    place: &Place<'_>,
) -> Vec<Parameter> {
    let items = match list {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            library.problem(Code::Structure, place, "parameters must be a list");
            return Vec::new();
        }
    };
    let mut parameters: Vec<Parameter> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let place = place.item(index);
        let Some(parameter) = read(library, item, path, &place) else { continue };
        if parameters.iter().any(|other| is_same(other, &parameter)) {
            let sentence = format!("the parameter {} stands twice", parameter.name);
            library.problem(Code::RepeatedParameter, &place, sentence);
        } else {
            parameters.push(parameter);
        }
    }
    parameters
}

/// The parameters of a path, where an operation does not have its own of that name and place, and the operation's.
pub(super) fn merge(shared: &[Parameter], own: Vec<Parameter>) -> Vec<Parameter> {
    let inherited = shared.iter().filter(|parameter| !own.iter().any(|other| is_same(other, parameter)));
    inherited.cloned().collect::<Vec<_>>().into_iter().chain(own).collect()
}

/// The names of query parameters, by which those that take any name leave others alone.
pub(super) fn query_names(parameters: &[Parameter]) -> Vec<Box<str>> {
    let query = parameters.iter().filter(|parameter| matches!(parameter.source, Source::Query));
    query.map(|parameter| parameter.name.clone()).collect()
}

/// Says which variables of a path no parameter describes.
pub(super) fn check_variables(library: &mut Library<'_>, parameters: &[Parameter], path: &str, place: &Place<'_>) {
    for (index, name) in variables(path).enumerate() {
        let is_described =
            parameters.iter().any(|parameter| matches!(parameter.source, Source::Path(variable) if variable == index));
        if !is_described {
            let sentence = format!("the variable {{{name}}} has no parameter, and is not checked");
            library.problem(Code::Variable, place, sentence);
        }
    }
}

/// The names of a path's variables, in their order.
pub(super) fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn is_same(one: &Parameter, other: &Parameter) -> bool {
    match (&one.source, &other.source) {
        (Source::Header(one), Source::Header(other)) => one == other,
        (Source::Path(one), Source::Path(other)) => one == other,
        (Source::Query, Source::Query) | (Source::Cookie, Source::Cookie) => one.name == other.name,
        _ => false,
    }
}

fn read<'d>(library: &mut Library<'d>, value: &'d Value, path: &str, place: &Place<'_>) -> Option<Parameter> {
    let (value, pointer) = library.target(value, place)?;
    let place = &Place::At(&pointer);
    let Some(members) = value.as_object() else {
        library.problem(Code::Parameter, place, "a parameter must be an object");
        return None;
    };
    let Some(name) = members.get("name").and_then(Value::as_str) else {
        library.problem(Code::Parameter, place, "a parameter needs a name");
        return None;
    };
    let source = source(library, members, name, path, place)?;
    let is_required = members.get("required") == Some(&Value::Bool(true));
    if matches!(source, Source::Path(_)) && !is_required {
        library.problem(Code::Variable, place, "a path parameter must say required: true, and is required either way");
    }
    let (coding, schema) = match members.get("content") {
        Some(content) => content_coding(library, content, place)?,
        None => style_coding(library, members, &source, place)?,
    };
    let allows_empty = flag(members, "allowEmptyValue") && matches!(source, Source::Query);
    if flag(members, "allowReserved") {
        library.report().ignored("allowReserved", RESERVED_CHARACTERS, &place.member("allowReserved"));
    }
    Some(Parameter { name: name.into(), source, is_required, allows_empty, coding, schema, place: pointer.into() })
}

fn flag(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name) == Some(&Value::Bool(true))
}

fn source(
    library: &mut Library<'_>,
    members: &Map<String, Value>,
    name: &str,
    path: &str,
    place: &Place<'_>,
) -> Option<Source> {
    match members.get("in").and_then(Value::as_str) {
        Some("query") => Some(Source::Query),
        Some("cookie") => Some(Source::Cookie),
        Some("path") => {
            let index = variables(path).position(|variable| variable == name);
            if index.is_none() {
                let sentence = format!("the path has no variable {{{name}}}, so that the parameter is not used");
                library.problem(Code::Variable, place, sentence);
            }
            index.map(Source::Path)
        }
        Some("header") => match HeaderName::from_bytes(name.as_bytes()) {
            Ok(reserved) if [ACCEPT, AUTHORIZATION, CONTENT_TYPE].contains(&reserved) => {
                library.report().ignored("parameter", RESERVED_HEADER, place);
                None
            }
            Ok(name) => Some(Source::Header(name)),
            Err(_) => {
                library.problem(Code::Parameter, place, format!("{name:?} is no name of a header field"));
                None
            }
        },
        _ => {
            library.problem(Code::Parameter, place, "a parameter is in one of path, query, header and cookie");
            None
        }
    }
}

type Coded = (Coding, Option<crate::validate::SchemaUse>);

fn content_coding<'d>(library: &mut Library<'d>, content: &'d Value, place: &Place<'_>) -> Option<Coded> {
    let place = place.member("content");
    let Some((name, media)) = content.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next()) else {
        library.problem(Code::Parameter, &place, "the content of a parameter has one media type");
        return None;
    };
    let place = place.member(name);
    let Some(range) = MediaRange::parse(name) else {
        library.problem(Code::MediaType, &place, format!("{name:?} is no media type"));
        return None;
    };
    if !is_json(&range) {
        library.report().ignored("content", NOT_READ, &place);
        return Some((Coding::Opaque, None));
    }
    library.report().enforced("content", &place);
    let schema = media.get("schema").and_then(|schema| library.add(schema, &place.member("schema")));
    Some((Coding::Json, schema))
}

fn style_coding<'d>(
    library: &mut Library<'d>,
    members: &'d Map<String, Value>,
    source: &Source,
    place: &Place<'_>,
) -> Option<Coded> {
    let style_place = place.member("style");
    let named = members.get("style").map(|style| style.as_str().unwrap_or_default());
    if named == Some("deepObject") && matches!(source, Source::Query) {
        library.report().ignored("style: deepObject", DEEP_OBJECT, &style_place);
        return None;
    }
    let Some(style) = style(named, source) else {
        library.problem(Code::Style, &style_place, "this style does not go with the parameter's place");
        return None;
    };
    let explode = match members.get("explode") {
        Some(Value::Bool(explode)) => *explode,
        _ => style == Style::Form,
    };
    let Some(schema) = members.get("schema") else {
        library.problem(Code::Parameter, place, "a parameter needs a schema or content");
        return None;
    };
    let shape = library.shape(schema);
    let schema = library.add(schema, &place.member("schema"))?;
    Some((Coding::Style(style, explode, shape), Some(schema)))
}

/// The style of that name, or the one for want of a name, if it goes with the place.
fn style(name: Option<&str>, source: &Source) -> Option<Style> {
    match (source, name) {
        (Source::Path(_), Some("label")) => Some(Style::Label),
        (Source::Path(_), Some("matrix")) => Some(Style::Matrix),
        (Source::Path(_) | Source::Header(_), None | Some("simple")) => Some(Style::Simple),
        (Source::Query, Some("spaceDelimited")) => Some(Style::SpaceDelimited),
        (Source::Query, Some("pipeDelimited")) => Some(Style::PipeDelimited),
        (Source::Query | Source::Cookie, None | Some("form")) => Some(Style::Form),
        _ => None,
    }
}

/// The style of a field of a form.
pub(super) fn field_style(name: Option<&str>) -> Option<Style> {
    style(name, &Source::Query)
}
