//! The content of an operation's requests: its media types and what each must fit.

use serde_json::Value;

use super::{Code, parameter::field_style, place::Place, schema::Library};
use crate::validate::{Body, Field, FieldCoding, Form, Kinds, Media, MediaRange, Style, is_form, is_json};

const NOT_READ: &str = "content of this media type is not read";
const FORM_NOT_READ: &str = "a form with a field of this kind is not read";

/// Reads a request body. What cannot be understood is among the problems.
pub(super) fn read<'d>(library: &mut Library<'d>, value: &'d Value, place: &Place<'_>) -> Option<Body> {
    let (value, pointer) = library.target(value, place)?;
    let place = &Place::At(&pointer);
    let Some(content) = value.get("content").and_then(Value::as_object) else {
        library.problem(Code::Structure, place, "a request body needs content by media type");
        return None;
    };
    let outer = place.member("content");
    let mut media = Vec::new();
    for (name, value) in content.iter().filter(|(name, _)| !name.starts_with("x-")) {
        media.extend(read_media(library, name, value, &outer.member(name)));
    }
    let is_required = value.get("required") == Some(&Value::Bool(true));
    Some(Body { is_required, media, place: pointer.as_str().into() })
}

fn read_media<'d>(library: &mut Library<'d>, name: &str, value: &'d Value, place: &Place<'_>) -> Option<Media> {
    let Some(range) = MediaRange::parse(name) else {
        library.problem(Code::MediaType, place, format!("{name:?} is no media type"));
        return None;
    };
    let mut media = Media { range, schema: None, form: None, place: place.pointer().into() };
    let Some(schema) = value.get("schema") else { return Some(media) };
    let is_form = is_form(&media.range);
    if media.range.is_concrete() && !is_json(&media.range) && !is_form {
        library.report().ignored("content", NOT_READ, place);
        return Some(media);
    }
    library.report().enforced("content", place);
    media.schema = library.add(schema, &place.member("schema"));
    if is_form {
        media.form = form(library, schema, value.get("encoding"), place);
    }
    Some(media)
}

/// How the fields of a form are read; `None` if one of them cannot be.
fn form(library: &mut Library<'_>, schema: &Value, encoding: Option<&Value>, place: &Place<'_>) -> Option<Form> {
    let mut form = Form::default();
    let outer = place.member("encoding");
    for (name, schema) in library.fields(schema) {
        let own = encoding.and_then(|encoding| encoding.get(&*name));
        let shape = library.shape(schema);
        let Some(coding) = coding(own, shape.kinds, shape.items) else {
            library.report().ignored("encoding", FORM_NOT_READ, &outer.member(&name));
            return None;
        };
        form.fields.insert(name, Field { coding, shape });
    }
    let others = library.other_fields(schema).map(|schema| library.shape(schema));
    form.other = others.map(|shape| Field { coding: FieldCoding::Style(Style::Form, true), shape });
    Some(form)
}

/// How a field is written: by a style if one is said, else by its kind (OpenAPI 3.0.4, "Encoding Object").
fn coding(encoding: Option<&Value>, kinds: Kinds, items: Kinds) -> Option<FieldCoding> {
    let member = |name: &str| encoding.and_then(|encoding| encoding.get(name));
    let has_style = ["style", "explode", "allowReserved"].into_iter().any(|name| member(name).is_some());
    if has_style {
        let style = field_style(member("style").and_then(Value::as_str))?;
        let explode = member("explode").and_then(Value::as_bool).unwrap_or(style == Style::Form);
        // The members of an exploded object are fields on their own.
        let is_spread = explode && kinds != Kinds::ALL && kinds.has(Kinds::OBJECT);
        return (!is_spread).then_some(FieldCoding::Style(style, explode));
    }
    let says_json = member("contentType").and_then(Value::as_str).and_then(MediaRange::parse);
    if says_json.is_some_and(|range| is_json(&range)) || kinds.without(Kinds::NULL) == Kinds::OBJECT {
        return Some(FieldCoding::Json);
    }
    let is_list_of_objects = kinds != Kinds::ALL && kinds.has(Kinds::ARRAY) && items == Kinds::OBJECT;
    (!is_list_of_objects).then_some(FieldCoding::Style(Style::Form, true))
}
