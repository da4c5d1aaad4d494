//! Content of `application/x-www-form-urlencoded`, as the object that its schema describes.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use super::{
    body::Media,
    json::{self, Builder, Tape},
    percent,
    place::RequestPlace,
    query,
    reading::{self, Raw},
    schemas::{Fit, Schemas},
    shape::{Kinds, Shape},
    split::{self, Style},
    verdict::{Verdict, Violation},
};

/// How the fields of a form are read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pub(crate) fields: BTreeMap<Box<str>, Field>,
    /// What a field is that the schema does not name.
    pub(crate) other: Option<Field>,
}

/// How one field is read.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) coding: FieldCoding,
    pub(crate) shape: Shape,
}

/// What the text of a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldCoding {
    Style(Style, bool),
    Json,
}

/// What is wrong with a form before its schema is asked: a keyword and the name of the field.
type Wrong<'b> = (&'static str, Cow<'b, str>);

impl Form {
    pub(super) fn check(&self, schemas: &Schemas, media: &Media, body: &[u8], verdict: &mut Verdict) {
        let value =
            std::str::from_utf8(body).map_err(|_| ("encoding", Cow::Borrowed(""))).and_then(|text| self.read(text));
        let fields = match value {
            Ok(fields) => fields,
            Err((keyword, name)) => {
                let mut place = RequestPlace::Body.pointer();
                if !name.is_empty() {
                    schemas.push_name(&mut place, &name);
                }
                return verdict.add(Violation::new(keyword, place, media.place.to_string()));
            }
        };
        let Some(schema) = &media.schema else { return };
        let typed = self.build(&fields, false);
        if schemas.fit(schema, &typed) == Fit::Fits {
            return;
        }
        if schemas.fit(schema, &self.build(&fields, true)) != Fit::Fits {
            schemas.check(schema, &typed, &RequestPlace::Body, verdict);
        }
    }

    /// The fields of a form, in the order in which they first stand.
    fn read<'b>(&self, text: &'b str) -> Result<Vec<(Cow<'b, str>, Content<'b>)>, Wrong<'b>> {
        let mut order: Vec<Cow<'b, str>> = Vec::new();
        let mut values: HashMap<Cow<'b, str>, Vec<&'b str>> = HashMap::new();
        for pair in query::pairs(text) {
            let known = values.entry(pair.name.clone()).or_insert_with(|| {
                order.push(pair.name);
                Vec::new()
            });
            known.push(pair.value);
        }
        let fields = order.into_iter().map(|name| {
            let texts = &values[&name];
            match self.field(&name) {
                None => one(texts).map(Content::Raw),
                Some(field) => field.content(&name, texts),
            }
            .map(|content| (name.clone(), content))
            .map_err(|keyword| (keyword, name))
        });
        fields.collect()
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name).or(self.other.as_ref())
    }

    fn build(&self, fields: &[(Cow<'_, str>, Content<'_>)], as_text: bool) -> Tape<'static> {
        const ANY: &Shape = &Shape {
            kinds: Kinds::ALL,
            items: Kinds::ALL,
            members: BTreeMap::new(),
            other_members: Kinds::ALL,
            takes_others: false,
        };
        let mut to = Builder::default();
        let start = to.begin();
        for (name, content) in fields {
            to.string(name);
            match content {
                Content::Raw(raw) => {
                    let shape = self.field(name).map_or(ANY, |field| &field.shape);
                    reading::put_likeliest(&mut to, raw, shape, as_text);
                }
                Content::Json(value) => to.value(value),
            }
        }
        to.end_object(start, fields.len());
        to.finish()
    }
}

/// What a field holds.
enum Content<'b> {
    Raw(Raw<'b>),
    Json(Tape<'b>),
}

impl Field {
    fn content<'b>(&self, name: &str, texts: &[&'b str]) -> Result<Content<'b>, &'static str> {
        match self.coding {
            FieldCoding::Json => {
                let Raw::One(text) = one(texts)? else { return Err("repeated") };
                let value = json::read(text.as_bytes(), json::DEPTH_MAX).map_err(|error| error.keyword())?;
                let mut owned = Builder::default();
                owned.value(&value);
                Ok(Content::Json(owned.finish()))
            }
            FieldCoding::Style(style, explode) => self.styled(style, explode, name, texts).map(Content::Raw),
        }
    }

    fn styled<'b>(&self, style: Style, explode: bool, name: &str, texts: &[&'b str]) -> Result<Raw<'b>, &'static str> {
        if self.shape.kinds == Kinds::ALL || !self.shape.kinds.has(Kinds::ARRAY | Kinds::OBJECT) {
            return one(texts);
        }
        if self.shape.kinds.has(Kinds::ARRAY) {
            let pieces = match texts {
                _ if explode => texts.to_vec(),
                [text] => split::items(style, false, name, text).map_err(|_| "style")?,
                _ => return Err("repeated"),
            };
            return pieces.into_iter().map(decode).collect::<Result<_, _>>().map(Raw::Items);
        }
        let [text] = texts else { return Err("repeated") };
        let pieces = split::members(style, false, name, text).map_err(|_| "style")?;
        let members = pieces.into_iter().map(|(name, value)| Ok((decode(name)?, decode(value)?)));
        members.collect::<Result<_, _>>().map(Raw::Members)
    }
}

fn one<'b>(texts: &[&'b str]) -> Result<Raw<'b>, &'static str> {
    match texts {
        [text] => decode(text).map(Raw::One),
        _ => Err("repeated"),
    }
}

fn decode(text: &str) -> Result<Cow<'_, str>, &'static str> {
    percent::text(percent::decode_form(text.as_bytes())).ok_or("encoding")
}
