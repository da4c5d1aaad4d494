//! The content of a request: its media type must be declared, and what can be read must fit its schema.

use std::borrow::Cow;

use http::{HeaderMap, header::CONTENT_TYPE};

use super::{
    form::Form,
    json::{self, JsonError, JsonErrorKind, Step},
    media_type::{self, MediaRange},
    place::{RequestPlace, push_token},
    request::{Content, RequestParts},
    schemas::{SchemaUse, Schemas},
    verdict::{Verdict, Violation},
};

/// What a document says of the content of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) is_required: bool,
    pub(crate) media: Vec<Media>,
    /// Where it is in the document.
    pub(crate) place: Box<str>,
}

/// One media type that is declared, or a range of them.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    pub(crate) range: MediaRange,
    pub(crate) schema: Option<SchemaUse>,
    /// How a form of this schema is read.
    pub(crate) form: Option<Form>,
    /// Where it is in the document.
    pub(crate) place: Box<str>,
}

impl Body {
    /// Adds to the verdict what is wrong with the content of a request.
    pub(super) fn check(&self, schemas: &Schemas, request: &RequestParts<'_>, verdict: &mut Verdict) {
        let body = match request.content {
            Content::None | Content::Whole([]) if self.is_required => return self.add("required", "/body", verdict),
            Content::None | Content::Whole([]) => return,
            Content::Whole(body) => Some(body),
            Content::NotRead => None,
        };
        match (self.media_of(request.headers), body) {
            (None, _) => self.add("contentType", "/header/content-type", verdict),
            (Some((media, found)), Some(body)) => media.check(schemas, &found, body, verdict),
            (Some(_), None) => {}
        }
    }

    /// Whether content of the media type that a request says is read.
    pub(super) fn is_read(&self, headers: &HeaderMap) -> bool {
        self.media_of(headers).is_some_and(|(_, found)| media_type::is_json(&found) || media_type::is_form(&found))
    }

    /// What is declared for the media type of a request, which must say one, once.
    fn media_of(&self, headers: &HeaderMap) -> Option<(&Media, Cow<'_, MediaRange>)> {
        let mut fields = headers.get_all(CONTENT_TYPE).iter();
        let field = fields.next().filter(|_| fields.next().is_none())?;
        if let Some(media) = self.media.iter().find(|media| media.range.is_written(field.as_bytes())) {
            return Some((media, Cow::Borrowed(&media.range)));
        }
        let found = MediaRange::parse(field.to_str().ok()?).filter(MediaRange::is_concrete)?;
        Some((self.declared(&found)?, Cow::Owned(found)))
    }

    fn declared(&self, found: &MediaRange) -> Option<&Media> {
        let fitting = self.media.iter().filter_map(|media| Some((media.range.closeness(found)?, media)));
        fitting.max_by_key(|(closeness, _)| *closeness).map(|(_, media)| media)
    }

    fn add(&self, keyword: &str, request_place: &str, verdict: &mut Verdict) {
        verdict.add(Violation::new(keyword, request_place.to_owned(), self.place.to_string()));
    }
}

impl Media {
    fn check(&self, schemas: &Schemas, found: &MediaRange, body: &[u8], verdict: &mut Verdict) {
        let is_json = media_type::is_json(found);
        if !is_json && !media_type::is_form(found) {
            return;
        }
        if !found.is_utf8() {
            let place = "/header/content-type".to_owned();
            return verdict.add(Violation::new("charset", place, self.place.to_string()));
        }
        if is_json {
            self.check_json(schemas, body, verdict);
        } else if let Some(form) = &self.form {
            form.check(schemas, self, body, verdict);
        }
    }

    fn check_json(&self, schemas: &Schemas, body: &[u8], verdict: &mut Verdict) {
        match json::read(body, json::DEPTH_MAX) {
            Err(error) => {
                let place = error.request_place(schemas, &RequestPlace::Body);
                verdict.add(Violation::new(error.keyword(), place, self.place.to_string()));
            }
            Ok(value) => {
                if let Some(schema) = &self.schema {
                    schemas.check(schema, &value, &RequestPlace::Body, verdict);
                }
            }
        }
    }
}

impl JsonError {
    pub(super) fn keyword(&self) -> &'static str {
        match self.kind {
            JsonErrorKind::Encoding => "encoding",
            JsonErrorKind::Syntax => "syntax",
            JsonErrorKind::Duplicate => "duplicate",
            JsonErrorKind::Depth => "depth",
            JsonErrorKind::Number => "number",
            JsonErrorKind::Size => "size",
        }
    }

    /// Where it is in a request, with the names that schemas know.
    pub(super) fn request_place(&self, schemas: &Schemas, value: &RequestPlace<'_>) -> String {
        let mut place = value.pointer();
        for step in &self.steps {
            match step {
                Step::Member(name) => schemas.push_name(&mut place, name),
                Step::Item(index) => push_token(&mut place, &index.to_string()),
            }
        }
        place
    }
}
