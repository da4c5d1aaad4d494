//! One parameter of an operation: where its text is found, and how it is read.

use std::borrow::Cow;

use http::HeaderName;

use super::{
    json, percent,
    place::RequestPlace,
    query::Pair,
    reading::{self, Raw},
    request::RequestParts,
    schemas::{Fit, SchemaUse, Schemas},
    shape::{Kinds, Shape},
    split::{self, NotOfStyle, Style},
    verdict::{Verdict, Violation},
};

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Box<str>,
    pub(crate) source: Source,
    pub(crate) is_required: bool,
    /// Whether it may be there without a value, whatever its schema.
    pub(crate) allows_empty: bool,
    pub(crate) coding: Coding,
    pub(crate) schema: Option<SchemaUse>,
    /// Where it is in the document.
    pub(crate) place: Box<str>,
}

/// Where its text is found.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// In the path variable of that index.
    Path(usize),
    Query,
    Header(HeaderName),
    Cookie,
}

/// How its text is read.
#[derive(Clone, Debug)]
pub(crate) enum Coding {
    Style(Style, bool, Shape),
    /// It is JSON.
    Json,
    /// It is not read, only asked for.
    Opaque,
}

/// The pairs of a request that its parameters share.
pub(super) struct Pairs<'r> {
    pub(super) query: Vec<Pair<'r>>,
    /// `None` if they are not UTF-8.
    pub(super) cookies: Option<Vec<Pair<'r>>>,
    /// The names of all query parameters, which no other takes for members of its own.
    pub(super) declared: &'r [Box<str>],
}

/// Why the text of a parameter is not read.
enum Unread {
    Absent,
    Repeated,
    Style,
    Encoding,
}

impl From<NotOfStyle> for Unread {
    fn from(_: NotOfStyle) -> Self {
        Self::Style
    }
}

impl Parameter {
    /// Adds to the verdict what is wrong with this parameter of a request.
    pub(super) fn check(
        &self,
        schemas: &Schemas,
        request: &RequestParts<'_>,
        pairs: &Pairs<'_>,
        verdict: &mut Verdict,
    ) {
        let texts = match self.texts(request, pairs) {
            Ok(texts) => texts,
            Err(unread) => return self.add_unread(&unread, verdict),
        };
        let result = match &self.coding {
            Coding::Opaque if texts.is_empty() => Err(Unread::Absent),
            Coding::Opaque => Ok(()),
            Coding::Json => self.check_json(schemas, &texts, verdict),
            Coding::Style(style, explode, shape) => {
                let coding = Styled { parameter: self, style: *style, explode: *explode, shape, pairs };
                self.check_style(schemas, &coding, &texts, verdict)
            }
        };
        if let Err(unread) = result {
            self.add_unread(&unread, verdict);
        }
    }

    fn add_unread(&self, unread: &Unread, verdict: &mut Verdict) {
        let keyword = match unread {
            Unread::Absent if !self.is_required => return,
            Unread::Absent => "required",
            Unread::Repeated => "repeated",
            Unread::Style => "style",
            Unread::Encoding => "encoding",
        };
        verdict.add(Violation::new(keyword, self.request_place().pointer(), self.place.to_string()));
    }

    fn request_place(&self) -> RequestPlace<'_> {
        match self.source {
            Source::Path(_) => RequestPlace::Path(&self.name),
            Source::Query => RequestPlace::Query(&self.name),
            Source::Header(_) => RequestPlace::Header(&self.name),
            Source::Cookie => RequestPlace::Cookie(&self.name),
        }
    }

    /// Its text, as often as it stands in the request.
    fn texts<'r>(&self, request: &RequestParts<'r>, pairs: &Pairs<'r>) -> Result<Vec<&'r str>, Unread> {
        let named =
            |pairs: &[Pair<'r>]| pairs.iter().filter(|pair| pair.name == *self.name).map(|pair| pair.value).collect();
        match &self.source {
            Source::Path(index) => Ok(request.variables.get(*index).copied().into_iter().collect()),
            Source::Query => Ok(named(&pairs.query)),
            Source::Cookie => pairs.cookies.as_deref().map(named).ok_or(Unread::Encoding),
            Source::Header(name) => {
                let fields = request.headers.get_all(name).iter();
                fields.map(|field| std::str::from_utf8(field.as_bytes()).map_err(|_| Unread::Encoding)).collect()
            }
        }
    }

    /// Queries and paths are decoded; header fields and cookies mean what they say.
    fn decode<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, Unread> {
        let decoded = match self.source {
            Source::Path(_) => percent::decode(text.as_bytes()),
            Source::Query => percent::decode_form(text.as_bytes()),
            Source::Header(_) => return Ok(Cow::Borrowed(text.trim_matches([' ', '\t']))),
            Source::Cookie => return Ok(Cow::Borrowed(text)),
        };
        percent::text(decoded).ok_or(Unread::Encoding)
    }

    fn check_json(&self, schemas: &Schemas, texts: &[&str], verdict: &mut Verdict) -> Result<(), Unread> {
        let text = self.decode(only(texts)?)?;
        match json::read(text.as_bytes(), json::DEPTH_MAX) {
            Err(error) => {
                let place = error.request_place(schemas, &self.request_place());
                verdict.add(Violation::new(error.keyword(), place, self.place.to_string()));
            }
            Ok(value) => {
                if let Some(schema) = &self.schema {
                    schemas.check(schema, &value, &self.request_place(), verdict);
                }
            }
        }
        Ok(())
    }

    fn check_style(
        &self,
        schemas: &Schemas,
        coding: &Styled<'_>,
        texts: &[&str],
        verdict: &mut Verdict,
    ) -> Result<(), Unread> {
        if self.allows_empty && texts.iter().all(|text| text.is_empty()) && !texts.is_empty() {
            return Ok(());
        }
        let mut first = None;
        let mut unread = None;
        for raw in coding.raws(texts) {
            match raw {
                Err(error) => unread = unread.or(Some(error)),
                Ok(raw) => {
                    let Some(schema) = &self.schema else { return Ok(()) };
                    for value in reading::readings(&raw, coding.shape) {
                        if schemas.fit(schema, &value) == Fit::Fits {
                            return Ok(());
                        }
                        first = first.or(Some(value));
                    }
                }
            }
        }
        match (first, &self.schema) {
            (Some(value), Some(schema)) => schemas.check(schema, &value, &self.request_place(), verdict),
            _ => return Err(unread.unwrap_or(Unread::Absent)),
        }
        Ok(())
    }
}

/// The text of a parameter that may stand only once.
fn only<'t>(texts: &[&'t str]) -> Result<&'t str, Unread> {
    match texts {
        [] => Err(Unread::Absent),
        [text] => Ok(text),
        _ => Err(Unread::Repeated),
    }
}

/// A parameter that is read by its style.
struct Styled<'p> {
    parameter: &'p Parameter,
    style: Style,
    explode: bool,
    shape: &'p Shape,
    pairs: &'p Pairs<'p>,
}

impl Styled<'_> {
    /// What the text may be: a list, an object or one value, as far as the schema lets each through.
    fn raws<'t>(&'t self, texts: &[&'t str]) -> Vec<Result<Raw<'t>, Unread>> {
        let kinds = if self.shape.kinds == Kinds::ALL { Kinds::STRING } else { self.shape.kinds };
        let mut raws = Vec::with_capacity(1);
        if kinds.has(Kinds::ARRAY) {
            raws.push(self.items(texts));
        }
        if kinds.has(Kinds::OBJECT) {
            raws.push(self.members(texts));
        }
        if raws.is_empty() || kinds.has(Kinds::STRING | Kinds::NUMBER | Kinds::BOOLEAN | Kinds::NULL) {
            raws.push(self.one(texts));
        }
        raws
    }

    fn one<'t>(&self, texts: &[&'t str]) -> Result<Raw<'t>, Unread> {
        let text = split::scalar(self.style, &self.parameter.name, only(texts)?)?;
        self.parameter.decode(text).map(Raw::One)
    }

    fn items<'t>(&self, texts: &[&'t str]) -> Result<Raw<'t>, Unread> {
        let is_exploded = self.explode && self.is_of_pairs();
        let pieces = match self.parameter.source {
            _ if texts.is_empty() => return Err(Unread::Absent),
            Source::Cookie if is_exploded => exploded_cookie(texts, &self.parameter.name)?,
            _ if is_exploded => texts.to_vec(),
            // Several fields of one name are one list (RFC 9110 section 5.3).
            Source::Header(_) => texts.iter().flat_map(|text| text.split(',')).collect(),
            _ => split::items(self.style, self.explode, &self.parameter.name, only(texts)?)?,
        };
        pieces.into_iter().map(|piece| self.parameter.decode(piece)).collect::<Result<_, _>>().map(Raw::Items)
    }

    fn members<'t>(&'t self, texts: &[&'t str]) -> Result<Raw<'t>, Unread> {
        if self.explode && self.is_of_pairs() {
            return self.members_of_pairs();
        }
        let pieces = split::members(self.style, self.explode, &self.parameter.name, only(texts)?)?;
        let decode = |text| self.parameter.decode(text);
        let members = pieces.into_iter().map(|(name, value)| Ok((decode(name)?, decode(value)?)));
        once_each(members.collect::<Result<_, Unread>>()?)
    }

    /// The members of an exploded object are parameters on their own.
    fn members_of_pairs<'t>(&'t self) -> Result<Raw<'t>, Unread> {
        let pairs: Vec<(Cow<'t, str>, &'t str)> = match self.parameter.source {
            Source::Cookie => {
                let cookies = self.pairs.cookies.as_deref().ok_or(Unread::Encoding)?;
                cookies.iter().flat_map(exploded_cookie_pairs).collect()
            }
            _ => self.pairs.query.iter().map(|pair| (Cow::Borrowed(&*pair.name), pair.value)).collect(),
        };
        let mine = pairs.into_iter().filter(|(name, _)| self.is_member(name));
        let members = mine.map(|(name, value)| Ok((name, self.parameter.decode(value)?)));
        let members = members.collect::<Result<Vec<_>, Unread>>()?;
        if members.is_empty() { Err(Unread::Absent) } else { once_each(members) }
    }

    fn is_member(&self, name: &str) -> bool {
        let is_declared = self.pairs.declared.iter().any(|declared| **declared == *name);
        self.shape.members.contains_key(name) || (self.shape.takes_others && !is_declared)
    }

    /// Whether each item or member is a pair of its own. Delimited lists have no exploded form of their own.
    fn is_of_pairs(&self) -> bool {
        matches!(self.style, Style::Form | Style::SpaceDelimited | Style::PipeDelimited)
    }
}

/// `color=blue&color=black` is one cookie to a browser: what stands behind the first value repeats the name.
fn exploded_cookie<'t>(texts: &[&'t str], name: &str) -> Result<Vec<&'t str>, Unread> {
    let mut items = Vec::new();
    for text in texts {
        let mut pieces = text.split('&');
        items.extend(pieces.next());
        for piece in pieces {
            let value = piece.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            items.push(value.ok_or(Unread::Style)?);
        }
    }
    Ok(items)
}

fn exploded_cookie_pairs<'t>(pair: &'t Pair<'_>) -> impl Iterator<Item = (Cow<'t, str>, &'t str)> {
    let mut pieces = pair.value.split('&');
    let first = pieces.next().map(|value| (Cow::Borrowed(&*pair.name), value));
    let others = pieces.filter_map(|piece| piece.split_once('=')).map(|(name, value)| (Cow::Borrowed(name), value));
    first.into_iter().chain(others)
}

fn once_each<'t>(members: Vec<(Cow<'t, str>, Cow<'t, str>)>) -> Result<Raw<'t>, Unread> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) { Err(Unread::Repeated) } else { Ok(Raw::Members(members)) }
}
