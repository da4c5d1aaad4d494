//! What checking one value against a schema can cost: how many schemas look at it, and how deep they stand within another.

use serde_json::Value;

use super::library::Library;

/// Most schemas that one value is checked against, each way to reach one counted. A choice among two hundred
/// alternatives of a few parts each stays far below.
const SCHEMAS_PER_VALUE_MAX: u32 = 20_000;
/// How deep schemas for one value may stand within each other. Checking recurses with it, times the depth of the body.
const DEPTH_PER_VALUE_MAX: u32 = 24;

/// Why a schema costs too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Circle,
    Schemas,
    Depth,
}

impl Excess {
    pub(super) fn sentence(self) -> String {
        match self {
            Self::Circle => "the schema refers back to itself without a step into the value".to_owned(),
            Self::Schemas => format!("one value would be checked against more than {SCHEMAS_PER_VALUE_MAX} schemas"),
            Self::Depth => {
                format!("schemas for one value stand more than {DEPTH_PER_VALUE_MAX} deep within each other")
            }
        }
    }
}

/// The definitions that cost too much.
pub(super) fn excesses(library: &Library<'_>) -> Vec<(usize, Excess)> {
    let mut costs = Costs { library, known: vec![State::Unknown; library.definitions.len()] };
    let all = library.definitions.iter().enumerate();
    all.filter_map(|(number, definition)| {
        let cost = costs.definition(number, 0).and_then(|_| costs.everywhere(&definition.schema));
        cost.err().map(|excess| (number, excess))
    })
    .collect()
}

#[derive(Clone, Copy)]
struct Cost {
    schemas: u32,
    depth: u32,
}

#[derive(Clone, Copy)]
enum State {
    Unknown,
    /// It is being looked at: whoever comes back has gone in a circle.
    Open,
    Known(Result<Cost, Excess>),
}

struct Costs<'l, 'd> {
    library: &'l Library<'d>,
    known: Vec<State>,
}

impl Costs<'_, '_> {
    fn definition(&mut self, number: usize, depth: u32) -> Result<Cost, Excess> {
        match self.known.get(number).copied() {
            Some(State::Known(cost)) => return cost,
            Some(State::Open) | None => return Err(Excess::Circle),
            Some(State::Unknown) => {}
        }
        self.known[number] = State::Open;
        let library = self.library;
        let cost = self.value(&library.definitions[number].schema, depth);
        self.known[number] = State::Known(cost);
        cost
    }

    /// Every schema within another: each is what some value begins at.
    fn everywhere(&mut self, schema: &Value) -> Result<(), Excess> {
        match schema {
            Value::Object(members) => {
                self.value(schema, 0)?;
                members.values().try_for_each(|value| self.everywhere(value))
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.everywhere(item)),
            _ => Ok(()),
        }
    }

    /// One value's cost. `depth` is how deep this schema stands, which bounds the recursion.
    fn value(&mut self, schema: &Value, depth: u32) -> Result<Cost, Excess> {
        if depth > DEPTH_PER_VALUE_MAX {
            return Err(Excess::Depth);
        }
        let mut total = Cost { schemas: 1, depth: 1 };
        for (keyword, inner) in schema.as_object().into_iter().flatten() {
            match keyword.as_str() {
                "$ref" => {
                    let definition = inner.as_str().and_then(|text| text.strip_prefix("#/$defs/")?.parse().ok());
                    if let Some(definition) = definition {
                        total.add(self.definition(definition, depth + 1)?)?;
                    }
                }
                "not" | "if" | "then" | "else" => total.add(self.value(inner, depth + 1)?)?,
                "allOf" | "anyOf" | "oneOf" => {
                    for schema in inner.as_array().into_iter().flatten() {
                        total.add(self.value(schema, depth + 1)?)?;
                    }
                }
                "dependentSchemas" => {
                    for (_, schema) in inner.as_object().into_iter().flatten() {
                        total.add(self.value(schema, depth + 1)?)?;
                    }
                }
                _ => {}
            }
        }
        Ok(total)
    }
}

impl Cost {
    fn add(&mut self, inner: Cost) -> Result<(), Excess> {
        self.schemas = self.schemas.saturating_add(inner.schemas);
        self.depth = self.depth.max(inner.depth + 1);
        if self.depth > DEPTH_PER_VALUE_MAX {
            return Err(Excess::Depth);
        }
        if self.schemas > SCHEMAS_PER_VALUE_MAX { Err(Excess::Schemas) } else { Ok(()) }
    }
}
