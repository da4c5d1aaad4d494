//! The members of objects: those that the document names, and others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    body::Tree,
    difference::{At, Counted, Difference, Kind},
    findings::Findings,
    parts::{Part, Parts},
    presence::{self, Chances, Named},
    spot::Spot,
    types,
};
use crate::{
    learn::{Class, Field, FieldHash, Step, Tally},
    validate::push_token,
};

/// What stands for names that are not shown.
const OTHER_NAMES: &str = "other names";

const BY_PATTERN: &str = "names are not matched with patterns, so which are undocumented is not known";
const HIDDEN: &str = "the values of names that fewer than five callers sent, or too rarely, are not looked at";
const TOO_DEEP: &str = "no deeper places are kept";

/// The members of one place's objects.
pub(super) struct Members<'c, 'e> {
    spot: &'c Spot<'c>,
    objects: &'c Tally,
    children: BTreeMap<&'e str, (FieldHash, &'e Field)>,
    /// Those that are required, and where.
    required: BTreeMap<&'c str, String>,
    /// The learned schemas of those that are shown.
    shown: Option<&'c Map<String, Value>>,
    /// Whether there was no room for every place that was seen.
    is_cut: bool,
}

impl<'c, 'e> Members<'c, 'e> {
    /// None where there was no object.
    pub(super) fn of(spot: &'c Spot<'c>, children: &[(FieldHash, &'e Field)], is_cut: bool) -> Option<Self> {
        let name = |field: &'e Field| match &field.step {
            Step::Member(name) => Some(&**name),
            _ => None,
        };
        let children = children.iter().filter_map(|(at, field)| Some((name(field)?, (*at, *field)))).collect();
        let shown = spot.learned.within("properties").and_then(Value::as_object);
        let objects = spot.field.classes.get(Class::Object)?;
        Some(Self { spot, objects, children, required: spot.parts.required(), shown, is_cut })
    }

    pub(super) fn compare(&self, tree: &Tree<'_>, findings: &mut Findings) {
        let documented: BTreeSet<&str> =
            self.spot.parts.schemas.iter().filter_map(Part::properties).flatten().map(|(name, _)| &**name).collect();
        if self.spot.field.depth >= Field::DEPTH_MAX {
            if !documented.is_empty() {
                findings.not_compared(self.spot.place, "properties", TOO_DEEP);
            }
            return;
        }
        for name in &documented {
            self.documented(name, tree, findings);
        }
        for (name, location) in self.required.iter().filter(|(name, _)| !documented.contains(*name)) {
            self.presence(name, &self.place(name), location, findings);
        }
        self.others(&documented, tree, findings);
    }

    fn place(&self, name: &str) -> String {
        let mut place = self.spot.place.to_owned();
        push_token(&mut place, name);
        place
    }

    fn documented(&self, name: &str, tree: &Tree<'_>, findings: &mut Findings) {
        let place = self.place(name);
        let parts = Parts::of(self.spot.parts.member(name));
        let own = self.spot.parts.schemas.iter().find(|part| part.property(name).is_some());
        let location = own.map(|part| part.property_at(name)).unwrap_or_default();
        if let Some((part, _)) = parts.keyword("readOnly").find(|(_, value)| **value == json!(true)) {
            if let Some((_, field)) = self.children.get(name) {
                let at = At { place: &place, location: part.at("readOnly"), keyword: "readOnly" };
                let values = [json!(true), Value::Null];
                findings.add(Difference::of(Kind::Tighter, at, values, &field.seen, self.objects.count));
            }
            return;
        }
        self.presence(name, &place, &location, findings);
        if let Some((at, field)) = self.children.get(name) {
            // One part may name what another, which does not, refuses.
            for location in self.closed(name) {
                let at = At { place: &place, location, keyword: "additionalProperties" };
                let values = [json!(false), types::names(field.classes.iter())];
                findings.add(Difference::of(Kind::Tighter, at, values, &field.seen, self.objects.count));
            }
            tree.compare(&place, &parts, (*at, field), self.learned(name), findings);
        }
    }

    fn presence(&self, name: &str, place: &str, location: &str, findings: &mut Findings) {
        let learned = self.spot.learned.within("required").and_then(Value::as_array);
        let is_learned_required = learned.is_some_and(|names| names.iter().any(|other| other == name));
        let named = Named {
            name,
            place,
            location,
            keyword: "properties",
            required: self.required.get(name).cloned(),
            is_unclear: self.spot.parts.may_name_members(),
        };
        let field = self.children.get(name).map(|(_, field)| *field);
        let chances = Chances { of: self.objects.count, ground: self.objects, is_cut: self.is_cut };
        presence::compare(&named, field, is_learned_required, chances, findings);
    }

    fn learned(&self, name: &str) -> Option<&'c Value> {
        self.shown.and_then(|shown| shown.get(name))
    }

    /// Members that no part names.
    fn others(&self, documented: &BTreeSet<&str>, tree: &Tree<'_>, findings: &mut Findings) {
        let others = self.children.iter().filter(|(name, _)| !documented.contains(*name));
        let mut hidden: Vec<&Tally> =
            Some(&self.spot.field.unnamed).filter(|tally| tally.count > 0).into_iter().collect();
        for (name, (at, field)) in others {
            match self.learned(name) {
                Some(learned) => self.other(name, (*at, field), learned, tree, findings),
                None => hidden.push(&field.seen),
            }
        }
        if hidden.is_empty() {
            return;
        }
        if self.spot.parts.says("additionalProperties") && !self.is_closed() {
            findings.not_compared(self.spot.place, "additionalProperties", HIDDEN);
        }
        // Some of these names may have come in one object.
        let ground = hidden.iter().fold(Tally::EMPTY, |sum, tally| sum.merged(tally));
        let largest = hidden.iter().map(|tally| tally.count).max().unwrap_or(0).min(self.objects.count);
        for location in self.closed("") {
            let at = self.spot.at("additionalProperties", location);
            let values = [json!(false), json!(OTHER_NAMES)];
            let difference = Difference::of(Kind::Tighter, at, values, &ground, self.objects.count);
            findings.add(Difference { count: largest, ..difference.counted(Counted::AtLeast) });
        }
    }

    /// One that the document does not name, and that is shown.
    fn other(
        &self,
        name: &str,
        (hash, field): (FieldHash, &Field),
        learned: &'c Value,
        tree: &Tree<'_>,
        findings: &mut Findings,
    ) {
        let place = self.place(name);
        let parts = &self.spot.parts;
        if parts.says("patternProperties") {
            return findings.not_compared(self.spot.place, "patternProperties", BY_PATTERN);
        }
        let closed = self.closed(name);
        for location in &closed {
            let at = At { place: &place, location: location.clone(), keyword: "additionalProperties" };
            let values = [json!(false), learned.clone()];
            findings.add(Difference::of(Kind::Tighter, at, values, &field.seen, self.objects.count));
        }
        if !closed.is_empty() {
            return;
        }
        if parts.says("additionalProperties") {
            let schemas = parts.member(name);
            if !schemas.is_empty() {
                tree.compare(&place, &Parts::of(schemas), (hash, field), Some(learned), findings);
            }
            return;
        }
        // An alternative, or what a reference leads to, may name it.
        if !parts.may_name_members() && !self.required.contains_key(name) {
            let at = At { place: &place, location: parts.first("properties").1, keyword: "properties" };
            let values = [Value::Null, learned.clone()];
            findings.add(Difference::of(Kind::Undocumented, at, values, &field.seen, self.objects.count));
        }
    }

    fn is_closed(&self) -> bool {
        !self.closed("").is_empty()
    }

    /// Where members are refused that are not named beside it.
    fn closed(&self, name: &str) -> Vec<String> {
        let parts = self.spot.parts.schemas.iter();
        let closed = parts.filter(|part| part.get("additionalProperties") == Some(&Value::Bool(false)));
        let closed = closed.filter(|part| part.get("patternProperties").is_none() && part.property(name).is_none());
        closed.map(|part| part.at("additionalProperties")).collect()
    }
}

#[cfg(test)]
mod tests {
    use demilune_traffic::Hour;
    use serde_json::{Value, json};

    use crate::{
        document::OperationText,
        drift::{
            compare,
            testing::{ALL, Request, add, evidence, lines, not_compared, of_bodies},
        },
    };

    /// Bodies of `{"id": 1}`, half of them with `note`.
    fn body(number: u64) -> Value {
        if number.is_multiple_of(2) { json!({"id": 1, "note": "for you"}) } else { json!({"id": 1}) }
    }

    fn check(schema: &Value, expected: &[&str], skipped: &[&str]) {
        let comparison = of_bodies(2_000, schema, body);
        assert_eq!(lines(&comparison, &ALL), expected, "{schema}");
        assert_eq!(not_compared(&comparison), skipped, "{schema}");
    }

    #[test]
    fn members_that_are_not_named_are_told() {
        let id = json!({"id": {"type": "integer"}});
        let undocumented = r#"undocumented /body/note properties: null but {"type":"string"}, exactly 1000 of 2000"#;
        let closed = r#"tighter /body/note additionalProperties: false but {"type":"string"}, exactly 1000 of 2000"#;
        let object = |rest: &Value| {
            let mut schema = json!({"type": "object", "required": ["id"], "properties": id});
            schema.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            schema
        };
        check(&object(&json!({})), &[undocumented], &[]);
        check(&object(&json!({"additionalProperties": false})), &[closed], &[]);
        check(&object(&json!({"additionalProperties": true})), &[], &[]);
        check(
            &object(&json!({"additionalProperties": {"type": "boolean"}})),
            &[r#"tighter /body/note type: "boolean" but ["text"], exactly 1000 of 1000"#],
            &[],
        );
        check(&object(&json!({"patternProperties": {"^n": {}}})), &[], &["/body patternProperties"]);
        check(&object(&json!({"allOf": [{"properties": {"note": {"type": "string"}}}]})), &[], &[]);
        check(&object(&json!({"allOf": [{"additionalProperties": false, "properties": {"id": {}}}]})), &[closed], &[]);
        check(
            &object(&json!({
                "allOf": [{"properties": {"note": {}}}, {"additionalProperties": false, "properties": {"id": {}}}],
            })),
            &[
                r#"looser /body/note type: null but "string", exactly 1000 of 1000"#,
                r#"tighter /body/note additionalProperties: false but ["text"], exactly 1000 of 2000"#,
            ],
            &[],
        );
        check(&object(&json!({"minProperties": 1})), &[undocumented], &["/body minProperties"]);
        check(&object(&json!({"oneOf": [{"type": "object"}, {"title": "other"}]})), &[], &["/body oneOf"]);
    }

    #[test]
    fn members_that_nobody_sends_are_unseen_unless_they_may_not_be_sent() {
        let schema = |more: Value| {
            let properties = json!({"id": {"type": "integer"}, "note": {"type": "string"}, "more": more});
            json!({"type": "object", "required": ["id"], "properties": properties})
        };
        let unseen = r#"unseen /body/more properties: "more" but null, exactly 0 of 2000"#;
        check(&schema(json!({"type": "string"})), &[unseen], &[]);
        check(&schema(json!({"type": "string", "readOnly": true})), &[], &[]);
    }

    #[test]
    fn members_that_may_not_be_sent_are_told_if_they_are() {
        let properties = json!({"id": {"readOnly": true}, "note": {"type": "string"}});
        let schema = json!({"type": "object", "required": ["id"], "properties": properties});
        check(&schema, &["tighter /body/id readOnly: true but null, exactly 2000 of 2000"], &[]);
    }

    #[test]
    fn required_members_that_are_missing_are_counted() {
        let properties = json!({"id": {"type": "integer"}, "note": {"type": "string"}});
        let schema = json!({"type": "object", "required": ["id", "note"], "properties": properties});
        check(&schema, &["tighter /body/note required: true but false, exactly 1000 of 2000"], &[]);
    }

    #[test]
    fn names_that_fewer_than_five_callers_sent_are_not_told() {
        let request = |body| Request { id: "1".to_owned(), query: String::new(), body: Some(body) };
        let mut evidence = evidence(2_000, |_| request(json!({"id": 1})));
        for caller in 0..4 {
            add(&mut evidence, caller, Hour::of(0), &request(json!({"id": 1, "planted": 1, "4111111111111111": 2})));
        }
        let schema = json!({"type": "object", "additionalProperties": false, "properties": {"id": {}}});
        let request_body = Some(json!({"content": {"application/json": {"schema": schema}}}));
        let comparison = compare(&OperationText { request_body, ..OperationText::default() }, &evidence, &["var1"]);
        let tighter = r#"tighter /body additionalProperties: false but "other names", at least 4 of 2004"#;
        assert!(lines(&comparison, &ALL).iter().any(|line| line == tighter), "{comparison:?}");
        assert!(!format!("{comparison:?}").contains("planted"));
    }

    #[test]
    fn items_are_compared_one_by_one() {
        let items = json!({"type": "object", "required": ["sku"], "properties": {"sku": {"type": "integer"}}});
        let schema = json!({"type": "array", "items": items});
        let comparison = of_bodies(2_000, &schema, |_| json!([{"sku": 1}, {"sku": "a b"}]));
        let expected = [r#"tighter /body/*/sku type: "integer" but ["text"], exactly 2000 of 4000"#];
        assert_eq!(lines(&comparison, &ALL), expected);
        assert!(comparison.differences[0].location.ends_with("/schema/items/properties/sku/type"));
    }
}
