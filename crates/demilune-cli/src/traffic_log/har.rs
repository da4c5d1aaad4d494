//! HAR 1.2: the entries of one document, one after another, whatever their number.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read},
    rc::Rc,
};

use http::header;
use serde::{
    Deserialize, Deserializer as _,
    de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

use super::{Defect, LogRecord, Place, record::status, request_line, time};

/// Most bytes of one entry, which is held as a whole: longer ones hold answers' bodies that browsers leave out.
const ENTRY_BYTES_MAX: u64 = 64 << 20;

/// Gives the record of each entry, or says why it is none. A document that ends or breaks in the middle has given all
/// entries before.
pub(super) fn read<E: From<io::Error>>(
    reader: impl BufRead,
    each: impl FnMut(Place, Result<LogRecord, Defect>) -> Result<(), E>,
) -> Result<(), E> {
    let left = Rc::new(Cell::new(ENTRY_BYTES_MAX));
    let mut walk = Walk { each, left: Rc::clone(&left), entries: 0, stopped: None };
    let mut document = Deserializer::from_reader(Metered { reader, left });
    let outcome = document.deserialize_map(Document(&mut walk));
    if let Some(error) = walk.stopped {
        return Err(error);
    }
    match outcome {
        Ok(()) => Ok(()),
        Err(error) if is_about_reading(&error) => Err(io::Error::from(error).into()),
        Err(_) => (walk.each)(Place::Entry(walk.entries + 1), Err(Defect::Document)),
    }
}

/// Whether the file cannot be read on, as distinct from what it holds.
fn is_about_reading(error: &serde_json::Error) -> bool {
    error.is_io() && error.io_error_kind() != Some(io::ErrorKind::FileTooLarge)
}

/// Ends the reading of an entry that is too long.
struct Metered<R> {
    reader: R,
    left: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        let left = self.left.get().checked_sub(length as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        self.left.set(left);
        Ok(length)
    }
}

/// What goes along through the document.
struct Walk<F, E> {
    each: F,
    left: Rc<Cell<u64>>,
    entries: u64,
    stopped: Option<E>,
}

impl<F: FnMut(Place, Result<LogRecord, Defect>) -> Result<(), E>, E> Walk<F, E> {
    /// Takes an entry; false ends the reading.
    fn take(&mut self, entry: &RawValue) -> bool {
        self.left.set(ENTRY_BYTES_MAX);
        self.entries += 1;
        let record = serde_json::from_str(entry.get()).map_err(|_| Defect::Form).and_then(Entry::record);
        self.stopped = (self.each)(Place::Entry(self.entries), record).err();
        self.stopped.is_none()
    }
}

/// The member of an object that is looked into; the others are passed over.
macro_rules! walker {
    ($name:ident, $member:literal, $next:ident) => {
        struct $name<'w, F, E>(&'w mut Walk<F, E>);

        impl<'de, F, E> Visitor<'de> for $name<'_, F, E>
        where
            F: FnMut(Place, Result<LogRecord, Defect>) -> Result<(), E>,
        {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("an object with ", $member))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                while let Some(name) = map.next_key::<String>()? {
                    if name == $member {
                        map.next_value_seed($next(&mut *self.0))?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(())
            }
        }
    };
}

walker!(Document, "log", Log);
walker!(LogMembers, "entries", Entries);

struct Log<'w, F, E>(&'w mut Walk<F, E>);

impl<'de, F, E> DeserializeSeed<'de> for Log<'_, F, E>
where
    F: FnMut(Place, Result<LogRecord, Defect>) -> Result<(), E>,
{
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(LogMembers(self.0))
    }
}

struct Entries<'w, F, E>(&'w mut Walk<F, E>);

impl<'de, F, E> DeserializeSeed<'de> for Entries<'_, F, E>
where
    F: FnMut(Place, Result<LogRecord, Defect>) -> Result<(), E>,
{
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F, E> Visitor<'de> for Entries<'_, F, E>
where
    F: FnMut(Place, Result<LogRecord, Defect>) -> Result<(), E>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<Box<RawValue>>()? {
            if !self.0.take(&entry) {
                return Err(serde::de::Error::custom("the reading was stopped"));
            }
        }
        Ok(())
    }
}

/// The members of an entry that matter.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    #[serde(default)]
    time: f64,
    request: Request,
    #[serde(default)]
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Pair>,
    #[serde(default)]
    cookies: Vec<Pair>,
    post_data: Option<PostData>,
    body_size: Option<i64>,
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: Option<String>,
    text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    status: f64,
    headers: Option<Vec<Pair>>,
    content: Option<Content>,
    body_size: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    mime_type: Option<String>,
}

impl Response {
    /// The media type as the server named it or, where an exporter left that out, as the browser took it.
    fn media_type(self) -> Option<String> {
        let is_type = |field: &Pair| field.name.eq_ignore_ascii_case(header::CONTENT_TYPE.as_str());
        let named = self.headers.and_then(|fields| fields.into_iter().find(is_type)).map(|field| field.value);
        named.or_else(|| self.content?.mime_type)
    }
}

impl Entry {
    fn record(self) -> Result<LogRecord, Defect> {
        let time_micros = time::iso_8601(&self.started_date_time).ok_or(Defect::Time)?;
        let method = request_line::method(&self.request.method)?;
        let target = request_line::Target::parse(&self.request.url)?;
        let mut record = LogRecord::new(time_micros, method, target);
        record.status = status(self.response.status);
        record.duration_us = time::micros(self.time / 1e3);
        record.request_bytes = self.request.body_size.and_then(|size| u64::try_from(size).ok());
        record.response_bytes = self.response.body_size.and_then(|size| u64::try_from(size).ok());
        record.response_type = self.response.media_type();
        for Pair { name, value } in &self.request.headers {
            record.add_header(name, value);
        }
        if !record.headers.contains_key(header::COOKIE) {
            for Pair { name, value } in &self.request.cookies {
                record.add_cookie(name, value);
            }
        }
        if let Some(PostData { mime_type, text }) = self.request.post_data {
            if let Some(mime_type) = mime_type.filter(|_| !record.headers.contains_key(header::CONTENT_TYPE)) {
                record.add_header("content-type", &mime_type);
            }
            record.request_body = text.map(String::into_bytes);
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As browsers write it, shortened.
    const DOCUMENT: &str = r#"{"log": {
        "version": "1.2", "creator": {"name": "Firefox", "version": "139.0"}, "pages": [{"id": "page_1"}],
        "entries": [
            {"startedDateTime": "2026-05-21T16:27:00.250+02:00", "time": 12.5, "pageref": "page_1",
             "request": {"method": "POST", "url": "https://api.example.com/orders?dry=1#top", "httpVersion": "HTTP/2",
                "headers": [{"name": ":authority", "value": "api.example.com"}, {"name": "X-Api-Key", "value": "k1"}],
                "cookies": [{"name": "sid", "value": "s1"}], "queryString": [], "headersSize": 300, "bodySize": 7,
                "postData": {"mimeType": "application/json", "params": [], "text": "{\"n\":1}"}},
             "response": {"status": 201, "statusText": "", "bodySize": 310, "headers": [{"name": "Server", "value": "x"}],
                "content": {"size": 310, "mimeType": "application/json", "text": "…"}},
             "cache": {}, "timings": {}},
            {"startedDateTime": "2026-05-21T14:27:01Z", "request": {"method": "GET", "url": "https://api.example.com"},
             "response": {"status": 0, "bodySize": -1}},
            {"startedDateTime": "today", "request": {"method": "GET", "url": "https://api.example.com"}},
            {"request": 7}
        ], "comment": ""}}"#;

    fn all(document: &[u8]) -> Vec<(Place, Result<LogRecord, Defect>)> {
        let mut all = Vec::new();
        read(document, |place, record| {
            all.push((place, record));
            Ok::<_, io::Error>(())
        })
        .unwrap();
        all
    }

    fn defects(document: &[u8]) -> Vec<(Place, Option<Defect>)> {
        all(document).into_iter().map(|(place, record)| (place, record.err())).collect()
    }

    #[test]
    fn an_entry_is_read_whole() {
        let record = all(DOCUMENT.as_bytes()).swap_remove(0).1.unwrap();
        assert_eq!(record.time_micros, 1_779_373_620_250_000);
        assert_eq!((record.method.as_str(), record.path.as_str()), ("POST", "/orders?dry=1"));
        assert_eq!((record.host.as_deref(), record.status), (Some("api.example.com"), Some(201)));
        assert_eq!(
            (record.request_bytes, record.response_bytes, record.duration_us),
            (Some(7), Some(310), Some(12_500))
        );
        assert_eq!(record.request_body.as_deref(), Some(&b"{\"n\":1}"[..]));
        assert_eq!(record.response_type.as_deref(), Some("application/json"));
        let header = |name: &str| record.headers[name].to_str().unwrap();
        assert_eq!(["x-api-key", "cookie", "content-type"].map(header), ["k1", "sid=s1", "application/json"]);
    }

    #[test]
    fn what_the_server_called_its_answer_comes_first() {
        let check = |response: &str, expected: Option<&str>| {
            let response: Response = serde_json::from_str(response).unwrap();
            assert_eq!(response.media_type().as_deref(), expected);
        };
        let sniffed =
            r#"{"headers": [{"name": "content-type", "value": "text/html"}], "content": {"mimeType": "x-unknown"}}"#;
        check(sniffed, Some("text/html"));
        check(r#"{"headers": [], "content": {"mimeType": "text/css"}}"#, Some("text/css"));
        check(r#"{"headers": null, "content": null}"#, None);
        check("{}", None);
    }

    #[test]
    fn a_broken_entry_does_not_hide_the_others() {
        use Place::Entry;
        let expected =
            [(Entry(1), None), (Entry(2), None), (Entry(3), Some(Defect::Time)), (Entry(4), Some(Defect::Form))];
        assert_eq!(defects(DOCUMENT.as_bytes()), expected);
        assert_eq!(all(DOCUMENT.as_bytes())[1].1.as_ref().unwrap().status, None);
    }

    #[test]
    fn a_document_that_is_cut_off_has_given_what_came_before() {
        let end = DOCUMENT.find("today").unwrap();
        let cut = defects(&DOCUMENT.as_bytes()[..end]);
        assert_eq!(cut[2..], [(Place::Entry(3), Some(Defect::Document))]);
        for document in ["", "[]", "{\"log\":7}", "{\"log\":{\"entries\":{}}}", "{\"log\":{\"entries\":[,]}}"] {
            assert_eq!(defects(document.as_bytes()), [(Place::Entry(1), Some(Defect::Document))], "{document}");
        }
        assert_eq!(defects(b"{\"log\":{}}"), []);
    }

    #[test]
    fn an_entry_that_is_too_long_ends_the_reading() {
        let start = br#"{"log":{"entries":[{"request":""#;
        let endless = start.chain(io::repeat(b'x'));
        let mut found = Vec::new();
        let outcome = read(io::BufReader::new(endless), |place, record| {
            found.push((place, record.err()));
            Ok::<_, io::Error>(())
        });
        outcome.unwrap();
        assert_eq!(found, [(Place::Entry(1), Some(Defect::Document))]);
    }

    #[test]
    fn who_takes_the_records_may_stop() {
        let outcome = read(DOCUMENT.as_bytes(), |_, _| Err(io::Error::other("enough")));
        assert_eq!(outcome.unwrap_err().to_string(), "enough");
    }
}
