//! Parameters of the path and the query.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    difference::{At, Difference, Kind},
    findings::Findings,
    parts::{Part, Parts},
    presence::{self, Chances, Named},
    spot::{Learned, Spot, Written},
};
use crate::{
    document::OperationText,
    learn::{Evidence, Field, FieldHash, Shown, Step},
    validate::{Kinds, RequestPlace},
};

const NOT_READ: &str = "this is no parameter object with a name and a place";
const NOT_LEARNED: &str = "header fields and cookies are not learned";
const NO_VARIABLE: &str = "the path has no such variable";
const NOT_DESCRIBED: &str = "the document does not describe this variable of its path";
const STYLE: &str = "parameters of this style are not told apart";
const CONTENT: &str = "parameters that are documents of their own are not looked into";
const NO_SCHEMA: &str = "the document says nothing of its values";
const PARTS_OF_TEXT: &str = "lists and objects within one text are not looked into";
const LIST_SIZES: &str = "how often a parameter stands in one request is not counted";

/// Compares the parameter objects of an operation.
pub(super) fn compare(
    text: &OperationText,
    evidence: &Evidence,
    variables: &[&str],
    shown: Option<&Shown>,
    findings: &mut Findings,
) {
    let children = evidence.parameters.children().remove(&FieldHash::ROOT).unwrap_or_default();
    let name = |field: &Field| match &field.step {
        Step::Query(name) => Some(name.clone()),
        _ => None,
    };
    let query = children.into_iter().filter_map(|(at, field)| Some((name(field)?, (at, field)))).collect();
    let mut comparer = Comparer { text, evidence, variables, shown, query, claims: Vec::new(), findings };
    for (index, parameter) in text.parameters.iter().enumerate() {
        comparer.parameter(&format!("/parameters/{index}"), parameter);
    }
    comparer.undescribed_variables();
    comparer.undocumented();
}

struct Comparer<'c> {
    text: &'c OperationText,
    evidence: &'c Evidence,
    /// The endpoint's own names of its variables.
    variables: &'c [&'c str],
    shown: Option<&'c Shown>,
    query: BTreeMap<Box<str>, (FieldHash, &'c Field)>,
    /// Which names of query parameters the document describes.
    claims: Vec<Claim<'c>>,
    findings: &'c mut Findings,
}

/// Names that a parameter takes.
enum Claim<'c> {
    Name(&'c str),
    /// Those of an object whose members are written `name[member]`.
    Bracketed(&'c str),
    /// Any.
    Others,
}

impl Claim<'_> {
    fn covers(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => *own == name,
            Self::Bracketed(own) => name.strip_prefix(own).is_some_and(|rest| rest.starts_with('[')),
            Self::Others => true,
        }
    }
}

impl<'c> Comparer<'c> {
    fn parameter(&mut self, pointer: &str, parameter: &'c Value) {
        let member = |name: &str| parameter.get(name).and_then(Value::as_str);
        match (member("in"), member("name")) {
            (Some("query"), Some(name)) => self.query(pointer, parameter, name),
            (Some("path"), Some(name)) => self.path(pointer, parameter, name),
            (Some("header"), Some(name)) => self.not_learned(RequestPlace::Header(name)),
            (Some("cookie"), Some(name)) => self.not_learned(RequestPlace::Cookie(name)),
            _ => self.findings.not_compared(pointer, "parameters", NOT_READ),
        }
    }

    fn not_learned(&mut self, place: RequestPlace<'_>) {
        self.findings.not_compared(&place.pointer(), "in", NOT_LEARNED);
    }

    fn path(&mut self, pointer: &str, parameter: &'c Value, name: &str) {
        let position = self.text.variables.iter().position(|variable| variable == name);
        let Some(position) = position else {
            return self.findings.not_compared(&RequestPlace::Path(name).pointer(), "parameters", NO_VARIABLE);
        };
        let own = self.variables.get(position).copied().unwrap_or(name);
        let place = RequestPlace::Path(own).pointer();
        if !self.is_plain(&place, parameter, "simple") {
            return;
        }
        let at = u16::try_from(position).ok().map(FieldHash::variable);
        let Some((at, field)) = at.and_then(|at| Some((at, self.evidence.parameters.get(at)?))) else { return };
        let Some(parts) = self.parts(pointer, parameter, &place) else { return };
        self.value(&place, parameter, &parts, (at, field));
    }

    fn query(&mut self, pointer: &str, parameter: &'c Value, name: &'c str) {
        let place = RequestPlace::Query(name).pointer();
        if self.claims.iter().any(|claim| matches!(claim, Claim::Name(own) if *own == name)) {
            return self.findings.not_compared(pointer, "parameters", "the parameter stands twice");
        }
        self.claims.push(Claim::Name(name));
        if parameter.get("style").and_then(Value::as_str) == Some("deepObject") {
            self.claims.push(Claim::Bracketed(name));
        }
        if !self.is_plain(&place, parameter, "form") {
            return;
        }
        let parts = self.parts(pointer, parameter, &place);
        let kinds = parts.as_ref().map_or(Kinds::ALL, Parts::kinds);
        if kinds != Kinds::ALL && kinds.has(Kinds::OBJECT) {
            return self.object(&place, parameter, parts.as_ref());
        }
        let found = self.query.get(name).copied();
        self.presence(pointer, parameter, name, &place, found.map(|(_, field)| field));
        if let (Some(parts), Some(found)) = (parts, found) {
            self.value(&place, parameter, &parts, found);
        }
    }

    /// Whether a parameter is written in the style that is usual in its place.
    fn is_plain(&mut self, place: &str, parameter: &Value, usual: &str) -> bool {
        if parameter.get("content").is_some() {
            self.findings.not_compared(place, "content", CONTENT);
            return false;
        }
        let is_usual = parameter.get("style").is_none_or(|style| style == usual);
        if !is_usual {
            self.findings.not_compared(place, "style", STYLE);
        }
        is_usual
    }

    fn parts(&mut self, pointer: &str, parameter: &'c Value, place: &str) -> Option<Parts<'c>> {
        let Some(schema) = parameter.get("schema") else {
            self.findings.not_compared(place, "schema", NO_SCHEMA);
            return None;
        };
        Some(Parts::of(vec![(format!("{pointer}/schema"), schema)]))
    }

    /// The members of an object are parameters on their own.
    fn object(&mut self, place: &str, parameter: &Value, parts: Option<&Parts<'c>>) {
        self.findings.not_compared(place, "type", PARTS_OF_TEXT);
        if !explodes(parameter) {
            return;
        }
        let Some(parts) = parts else { return };
        let names = parts.schemas.iter().filter_map(Part::properties).flatten();
        self.claims.extend(names.map(|(name, _)| Claim::Name(name)));
        let is_closed = parts.keyword("additionalProperties").any(|(_, others)| others == &Value::Bool(false));
        if !is_closed && (parts.says("additionalProperties") || !parts.unclear.is_empty()) {
            self.claims.push(Claim::Others);
        }
    }

    fn presence(&mut self, pointer: &str, parameter: &Value, name: &str, place: &str, field: Option<&Field>) {
        let is_required = parameter.get("required") == Some(&Value::Bool(true));
        let learned = self.learned_parameter("query", name);
        let named = Named {
            name,
            place,
            location: pointer,
            keyword: "parameters",
            required: is_required.then(|| format!("{pointer}/required")),
            is_unclear: false,
        };
        let chances = Chances {
            of: self.evidence.requests(),
            ground: &self.evidence.requests,
            is_cut: self.evidence.parameters.cut.is_some(),
        };
        let is_learned_required = learned.is_some_and(|learned| learned["required"] == json!(true));
        presence::compare(&named, field, is_learned_required, chances, self.findings);
    }

    fn learned_parameter(&self, place: &str, name: &str) -> Option<&'c Value> {
        let mut parameters = self.shown?.parameters.iter().map(|parameter| &parameter.written);
        parameters.find(|written| written["in"] == place && written["name"] == name)
    }

    fn learned_schema(&self, at: FieldHash) -> Option<&'c Value> {
        let mut parameters = self.shown?.parameters.iter();
        parameters.find(|parameter| parameter.explained.at == at).map(|parameter| &parameter.written["schema"])
    }

    /// The values of a parameter, or the items of the list that it is.
    fn value(&mut self, place: &str, parameter: &Value, parts: &Parts<'c>, (at, field): (FieldHash, &'c Field)) {
        let kinds = parts.kinds();
        let is_query = matches!(field.step, Step::Query(_));
        if kinds == Kinds::ALL || !kinds.has(Kinds::ARRAY | Kinds::OBJECT) {
            self.repeated(place, field, parts);
            return self.scalar(place, parameter, parts, (at, field));
        }
        if kinds.without(Kinds::NULL) != Kinds::ARRAY || !is_query || !explodes(parameter) {
            return self.findings.not_compared(place, "type", PARTS_OF_TEXT);
        }
        for (keyword, why) in &parts.unclear {
            self.findings.not_compared(place, *keyword, why);
        }
        for keyword in ["minItems", "maxItems", "enum", "const"].into_iter().filter(|keyword| parts.says(keyword)) {
            self.findings.not_compared(place, keyword, LIST_SIZES);
        }
        let items = Parts::of(parts.items());
        if items.kinds() != Kinds::ALL && items.kinds().has(Kinds::ARRAY | Kinds::OBJECT) {
            return self.findings.not_compared(place, "items", PARTS_OF_TEXT);
        }
        self.scalar(place, parameter, &items, (at, field));
    }

    fn scalar(&mut self, place: &str, parameter: &Value, parts: &Parts<'_>, (at, field): (FieldHash, &Field)) {
        let kinds = match parts.kinds() {
            Kinds::ALL => Kinds::STRING,
            kinds => kinds,
        };
        let is_query = matches!(field.step, Step::Query(_));
        let allows_empty = is_query && parameter.get("allowEmptyValue") == Some(&Value::Bool(true));
        let schema = self.learned_schema(at);
        // Of a list, its items.
        let schema = schema.map(|schema| if schema["type"] == "array" { &schema["items"] } else { schema });
        let learned = Learned::at(self.shown, at, schema);
        let spot = Spot { place, parts, field, written: Written::Text { kinds, allows_empty }, learned };
        spot.compare(self.findings);
    }

    /// A parameter that is no list may stand once.
    fn repeated(&mut self, place: &str, field: &Field, parts: &Parts<'_>) {
        if field.repeated.count > 0 {
            let (documented, location) = parts.first("type");
            let at = At { place, location, keyword: "repeated" };
            let values = [documented, json!("array")];
            self.findings.add(Difference::of(Kind::Tighter, at, values, &field.repeated, field.seen.count));
        }
    }

    fn undescribed_variables(&mut self) {
        let is_described = |name: &str| {
            let mut parameters = self.text.parameters.iter();
            parameters.any(|parameter| {
                let is = |member, text| parameter.get(member).is_some_and(|value| value == text);
                is("in", "path") && is("name", name)
            })
        };
        for (position, name) in self.text.variables.iter().enumerate().filter(|(_, name)| !is_described(name)) {
            let own = self.variables.get(position).copied().unwrap_or(name);
            self.findings.not_compared(&RequestPlace::Path(own).pointer(), "parameters", NOT_DESCRIBED);
        }
    }

    /// Query parameters that are shown, and that nothing in the document covers.
    fn undocumented(&mut self) {
        if self.evidence.unnamed.count > 0 {
            self.findings.not_compared("/query", "parameters", presence::LIKE_DATA);
        }
        if self.evidence.parameters.cut.is_some() {
            self.findings.not_compared("/query", "parameters", presence::NO_ROOM);
        }
        for (name, (at, field)) in &self.query {
            if self.claims.iter().any(|claim| claim.covers(name)) {
                continue;
            }
            let Some(schema) = self.learned_schema(*at) else { continue };
            let place = RequestPlace::Query(name).pointer();
            let at = At { place: &place, location: "/parameters".to_owned(), keyword: "parameters" };
            let values = [Value::Null, schema.clone()];
            self.findings.add(Difference::of(Kind::Undocumented, at, values, &field.seen, self.evidence.requests()));
        }
    }
}

/// Whether each item or member is a parameter of its own, as it is by default in queries.
fn explodes(parameter: &Value) -> bool {
    parameter.get("explode") != Some(&Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        document::OperationText,
        drift::{
            compare,
            testing::{ALL, Request, evidence, lines, not_compared, of_query},
        },
    };

    fn check(parameters: &[Value], query: &str, expected: &[&str], skipped: &[&str]) {
        let comparison = of_query(2_000, parameters.to_vec(), |_| query.to_owned());
        assert_eq!(lines(&comparison, &ALL), expected, "{parameters:?}");
        assert_eq!(not_compared(&comparison), skipped, "{parameters:?}");
    }

    fn query(name: &str, schema: &Value) -> Value {
        json!({"name": name, "in": "query", "required": true, "schema": schema})
    }

    #[test]
    fn parameters_that_are_not_named_are_undocumented() {
        let expected = r#"undocumented /query/q parameters: null but {"type":"integer"}, exactly 2000 of 2000"#;
        check(&[query("p", &json!({"type": "integer"}))], "p=1&q=2", &[expected], &[]);
    }

    #[test]
    fn the_items_of_a_list_are_compared_where_each_is_a_parameter() {
        let list = json!({"type": "array", "items": {"type": "integer"}});
        check(&[query("p", &list)], "p=1&p=2", &[], &[]);
        check(
            &[query("p", &list)],
            "p=1,2",
            &[r#"tighter /query/p type: "integer" but ["text"], at most 2000 of 2000"#],
            &[],
        );
        let mut commas = query("p", &list);
        commas["explode"] = json!(false);
        check(&[commas], "p=1,2", &[], &["/query/p type"]);
    }

    #[test]
    fn a_single_value_may_not_stand_twice() {
        let expected = r#"tighter /query/p repeated: "integer" but "array", exactly 2000 of 2000"#;
        check(&[query("p", &json!({"type": "integer"}))], "p=1&p=2", &[expected], &[]);
    }

    #[test]
    fn objects_take_their_members_and_are_not_compared() {
        let mut deep = query("filter", &json!({"type": "object"}));
        deep["style"] = json!("deepObject");
        check(&[deep], "filter[a]=1", &[], &["/query/filter style"]);
        let object = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
        let undocumented = r#"undocumented /query/b parameters: null but {"type":"integer"}, exactly 2000 of 2000"#;
        check(&[query("filter", &object)], "a=1&b=2", &[undocumented], &["/query/filter type"]);
        let map = json!({"type": "object", "additionalProperties": {"type": "integer"}});
        check(&[query("filter", &map)], "a=1&b=2", &[], &["/query/filter type"]);
    }

    #[test]
    fn an_empty_value_may_be_let_through() {
        let mut parameter = query("p", &json!({"type": "integer"}));
        let refused = r#"tighter /query/p type: "integer" but ["empty text"], exactly 2000 of 2000"#;
        check(&[parameter.clone()], "p", &[refused], &[]);
        parameter["allowEmptyValue"] = json!(true);
        check(&[parameter], "p", &[], &[]);
    }

    #[test]
    fn variables_are_matched_by_their_position() {
        let id = json!({"name": "petId", "in": "path", "required": true, "schema": {"type": "integer"}});
        let other = json!({"name": "nobody", "in": "path", "required": true, "schema": {"type": "integer"}});
        let text = OperationText {
            variables: vec!["petId".to_owned(), "more".to_owned()],
            parameters: vec![id, other],
            request_body: None,
        };
        let evidence = evidence(2_000, |_| Request { id: "Rex".to_owned(), ..Request::default() });
        let comparison = compare(&text, &evidence, &["var1", "var2"]);
        let expected = [r#"tighter /path/var1 type: "integer" but ["text"], at most 2000 of 2000"#];
        assert_eq!(lines(&comparison, &ALL), expected);
        assert_eq!(not_compared(&comparison), ["/path/nobody parameters", "/path/var2 parameters"]);
    }

    #[test]
    fn what_is_no_parameter_that_is_learned_is_not_compared() {
        let parameters = [
            json!({"name": "X-A", "in": "header", "schema": {}}),
            json!({"name": "sid", "in": "cookie", "schema": {}}),
            json!({"name": "p", "in": "query", "content": {"application/json": {}}}),
            json!(7),
            query("q", &json!({"type": "string", "pattern": "a b", "minLength": 1})),
        ];
        let skipped =
            ["/cookie/sid in", "/header/X-A in", "/parameters/3 parameters", "/query/p content", "/query/q pattern"];
        check(&parameters, "p=1&q=a+b", &[], &skipped);
    }
}
