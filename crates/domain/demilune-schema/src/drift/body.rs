//! JSON bodies: which schema is theirs, and every place within.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    difference::{At, Difference, Kind},
    findings::Findings,
    members::Members,
    parts::{Located, Parts},
    presence::NO_ROOM,
    spot::{Learned, Spot, Written},
};
use crate::{
    learn::{Class, Evidence, Field, FieldHash, Shown, Step},
    validate::{MediaRange, is_json, push_token},
};

const PLACE: &str = "/body";
const CONTENT: &str = "/requestBody/content";

const NONE_READ: &str = "no JSON body was read";
const SAMPLED: &str = "bodies are sampled, so how many requests had none is not known";
const NO_CONTENT: &str = "a request body needs content by media type";
const NOT_JSON: &str = "only JSON is learned";
const SEVERAL: &str = "bodies of several JSON types are counted together";
const UNREADABLE: &str = "bodies that are no JSON, or in which a name stands twice, are not looked into";
const NO_SCHEMA: &str = "the document says nothing of it";

/// The places of bodies.
pub(super) struct Tree<'e> {
    children: HashMap<FieldHash, Vec<(FieldHash, &'e Field)>>,
    shown: Option<&'e Shown>,
    is_cut: bool,
}

/// Compares the request body object with bodies.
pub(super) fn compare(
    request_body: Option<&Value>,
    evidence: &Evidence,
    shown: Option<&Shown>,
    findings: &mut Findings,
) {
    let learned = shown.and_then(|shown| shown.body.as_ref()).map(|schema| Value::Object(schema.clone()));
    let Some(request_body) = request_body else {
        return undocumented(evidence, learned, findings);
    };
    if request_body.get("required") == Some(&Value::Bool(true)) {
        findings.not_compared(PLACE, "required", SAMPLED);
    }
    let Some((pointer, schema)) = schema(request_body, evidence, findings) else { return };
    let Some(field) = evidence.body.get(FieldHash::BODY) else {
        return findings.not_compared(PLACE, "requestBody", NONE_READ);
    };
    if evidence.unreadable_bodies() > 0 {
        findings.not_compared(PLACE, "requestBody", UNREADABLE);
    }
    if evidence.body.cut.is_some() {
        findings.not_compared(PLACE, "properties", NO_ROOM);
    }
    let tree = Tree { children: evidence.body.children(), shown, is_cut: evidence.body.cut.is_some() };
    let parts = Parts::of(vec![(pointer, schema)]);
    tree.compare(PLACE, &parts, (FieldHash::BODY, field), learned.as_ref(), findings);
}

/// Bodies that the document does not mention are not refused, only unknown.
fn undocumented(evidence: &Evidence, learned: Option<Value>, findings: &mut Findings) {
    if let Some(learned) = learned
        && evidence.bodies.is_supported()
    {
        let at = At { place: PLACE, location: "/requestBody".to_owned(), keyword: "requestBody" };
        let values = [Value::Null, learned];
        findings.add(Difference::of(Kind::Undocumented, at, values, &evidence.bodies, evidence.requests()));
    }
}

/// The one schema of JSON bodies, and where it is.
fn schema<'d>(request_body: &'d Value, evidence: &Evidence, findings: &mut Findings) -> Option<Located<'d>> {
    let Some(content) = request_body.get("content").and_then(Value::as_object) else {
        findings.not_compared(PLACE, "content", NO_CONTENT);
        return None;
    };
    let mut schemas: Vec<Located<'d>> = Vec::new();
    let mut takes_json = false;
    for (name, media) in content.iter().filter(|(name, _)| !name.starts_with("x-")) {
        if !may_be_json(name) {
            findings.not_compared(PLACE, name.clone(), NOT_JSON);
            continue;
        }
        takes_json = true;
        match media.get("schema") {
            Some(schema) if schemas.iter().all(|(_, other)| *other != schema) => schemas.push((at(name), schema)),
            Some(_) => {}
            None => findings.not_compared(PLACE, name.clone(), NO_SCHEMA),
        }
    }
    if !takes_json {
        refused(content, evidence, findings);
    }
    if schemas.len() > 1 {
        findings.not_compared(PLACE, "content", SEVERAL);
        return None;
    }
    schemas.pop()
}

/// Whether a body of such a type may be JSON: ranges take it in.
fn may_be_json(name: &str) -> bool {
    MediaRange::parse(name).is_some_and(|range| {
        let json = MediaRange::parse("application/json");
        is_json(&range) || json.is_some_and(|json| range.closeness(&json).is_some())
    })
}

fn at(name: &str) -> String {
    let mut pointer = CONTENT.to_owned();
    push_token(&mut pointer, name);
    pointer.push_str("/schema");
    pointer
}

/// JSON where only other types are documented.
fn refused(content: &Map<String, Value>, evidence: &Evidence, findings: &mut Findings) {
    if evidence.bodies() > 0 {
        let at = At { place: PLACE, location: CONTENT.to_owned(), keyword: "content" };
        let values = [content.keys().map(String::as_str).collect(), json!("application/json")];
        findings.add(Difference::of(Kind::Tighter, at, values, &evidence.bodies, evidence.bodies()));
    }
}

impl Tree<'_> {
    /// Compares one place, and those within.
    pub(super) fn compare(
        &self,
        place: &str,
        parts: &Parts<'_>,
        (at, field): (FieldHash, &Field),
        learned: Option<&Value>,
        findings: &mut Findings,
    ) {
        let learned = Learned::at(self.shown, at, learned);
        let spot = Spot { place, parts, field, written: Written::Json, learned };
        spot.compare(findings);
        let children = self.children.get(&at).map_or(&[][..], Vec::as_slice);
        if let Some(members) = Members::of(&spot, children, self.is_cut) {
            members.compare(self, findings);
        }
        if field.classes.get(Class::Array).is_some() {
            self.items(&spot, children, findings);
        }
    }

    fn items(&self, spot: &Spot<'_>, children: &[(FieldHash, &Field)], findings: &mut Findings) {
        let items = Parts::of(spot.parts.items());
        let Some((at, field)) = children.iter().find(|(_, field)| field.step == Step::Items) else { return };
        let place = format!("{}/*", spot.place);
        self.compare(&place, &items, (*at, field), spot.learned.within("items"), findings);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        document::OperationText,
        drift::{
            compare,
            testing::{ALL, Request, evidence, lines, not_compared, of_content},
        },
    };

    fn check(content: &Value, expected: &[&str], skipped: &[&str]) {
        let comparison = of_content(2_000, content, |_| json!("a b"));
        assert_eq!(lines(&comparison, &ALL), expected, "{content}");
        assert_eq!(not_compared(&comparison), skipped, "{content}");
    }

    #[test]
    fn the_schema_of_json_is_taken() {
        let integer = json!({"schema": {"type": "integer"}});
        let text = json!({"schema": {"type": "string"}});
        let type_is_told = r#"tighter /body type: "integer" but ["text"], exactly 2000 of 2000"#;
        check(&json!({"application/json": integer}), &[type_is_told], &[]);
        check(&json!({"application/*": integer}), &[type_is_told], &[]);
        check(&json!({"application/json": integer, "text/csv": text}), &[type_is_told], &["/body text/csv"]);
        check(&json!({"application/json": integer, "application/hal+json": integer}), &[type_is_told], &[]);
        check(&json!({"application/json": integer, "application/hal+json": text}), &[], &["/body content"]);
        check(&json!({"application/json": {}}), &[], &["/body application/json"]);
        check(&json!({"application/json": {"schema": 7}}), &[], &["/body schema"]);
        check(
            &json!({"application/json": {"schema": {"type": "string", "required": "x", "properties": 7}}}),
            &[],
            &["/body properties", "/body required"],
        );
        check(&json!({"application/json": {"schema": {"$ref": "#/x"}}}), &[], &["/body $ref"]);
    }

    #[test]
    fn json_where_other_types_are_documented_is_refused() {
        check(
            &json!({"text/csv": {}}),
            &[r#"tighter /body content: ["text/csv"] but "application/json", exactly 2000 of 2000"#],
            &["/body text/csv"],
        );
    }

    #[test]
    fn json_where_no_body_is_documented_is_undocumented() {
        let request = |_| Request { id: "1".to_owned(), query: String::new(), body: Some(json!(true)) };
        let comparison = compare(&OperationText::default(), &evidence(2_000, request), &["var1"]);
        let expected = [r#"undocumented /body requestBody: null but {"type":"boolean"}, exactly 2000 of 2000"#];
        assert_eq!(lines(&comparison, &ALL), expected);
    }

    #[test]
    fn a_body_that_nobody_sends_as_json_is_not_compared() {
        let request = |_| Request { id: "1".to_owned(), ..Request::default() };
        let request_body = Some(json!({"required": true, "content": {"application/json": {"schema": {}}}}));
        let text = OperationText { request_body, ..OperationText::default() };
        let comparison = compare(&text, &evidence(2_000, request), &["var1"]);
        assert_eq!(lines(&comparison, &ALL), Vec::<String>::new());
        assert_eq!(not_compared(&comparison), ["/body requestBody", "/body required"]);
    }
}
