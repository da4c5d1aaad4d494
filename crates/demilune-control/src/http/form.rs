//! Reads the fields of a `multipart/form-data` body (RFC 7578) within its limits.

use std::collections::BTreeMap;

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, header},
};
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use multer::{Constraints, Multipart, SizeLimit};

use super::{
    body::{ReadError, read_with},
    error::{ApiError, Defect, INPUT_INVALID, MEDIA_TYPE_UNSUPPORTED},
};

/// The fields of a form that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Form(BTreeMap<&'static str, Field>);

/// One field.
#[derive(Debug)]
pub(crate) struct Field {
    /// What the client calls the file; plain fields have none.
    pub(crate) file_name: Option<String>,
    /// The content as it was sent.
    pub(crate) content: Bytes,
}

/// A field that a call takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldLimit {
    pub(crate) name: &'static str,
    pub(crate) bytes_max: usize,
}

impl Form {
    /// Takes a field out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Field> {
        self.0.remove(name)
    }

    /// A field as text, or a sentence about why it is none.
    pub(crate) fn text(&self, name: &str) -> Option<Result<&str, String>> {
        let field = self.0.get(name)?;
        Some(std::str::from_utf8(&field.content).map_err(|_| format!("The field {name} is not UTF-8.")))
    }
}

/// Whether a body is declared to be a form.
pub(crate) fn declares_form(headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    declared.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("multipart/form-data")
}

/// Reads a form of at most so many bytes; fields that were not asked for are read and dropped. Of two fields with one
/// name, the last counts.
pub(crate) async fn read(request: Request, bytes_max: usize, wanted: &[FieldLimit]) -> Result<Form, ApiError> {
    if !declares_form(request.headers()) {
        let message = "The body must be a form; send it as multipart/form-data.";
        return Err(Defect::new(&MEDIA_TYPE_UNSUPPORTED, message).into());
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(content_type.unwrap_or_default())
        .map_err(|_| Defect::new(&INPUT_INVALID, "The header Content-Type of a form must name its boundary."))?;
    read_with(request, bytes_max, async |body| fields(body, boundary, bytes_max, wanted).await).await
}

async fn fields(body: &mut Body, boundary: String, bytes_max: usize, wanted: &[FieldLimit]) -> Result<Form, ReadError> {
    let limit = SizeLimit::new().whole_stream(bytes_max as u64);
    let mut parts = Multipart::with_constraints(data(body), boundary, Constraints::new().size_limit(limit));
    let mut form = Form::default();
    while let Some(mut part) = parts.next_field().await.map_err(read_error)? {
        let Some(wanted) = wanted.iter().find(|wanted| Some(wanted.name) == part.name()) else {
            while part.chunk().await.map_err(read_error)?.is_some() {}
            continue;
        };
        let file_name = part.file_name().map(str::to_owned);
        let content = part.bytes().await.map_err(read_error)?;
        if content.len() > wanted.bytes_max {
            let message = format!("The field {} may have at most {} bytes.", wanted.name, wanted.bytes_max);
            return Err(ReadError::Defective(Defect::at(format!("/{}", wanted.name), message)));
        }
        form.0.insert(wanted.name, Field { file_name, content });
    }
    Ok(form)
}

/// The data of a body, piece by piece.
fn data(body: &mut Body) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    stream::unfold(body, async |body| {
        loop {
            match body.frame().await? {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Some((Ok(data), body));
                    }
                }
                Err(error) => return Some((Err(error), body)),
            }
        }
    })
}

fn read_error(error: multer::Error) -> ReadError {
    match error {
        multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => ReadError::TooLarge,
        multer::Error::StreamReadFailed(_) => ReadError::Broken,
        other => {
            let message = format!("The body cannot be read as multipart/form-data: {other}.");
            ReadError::Defective(Defect::new(&INPUT_INVALID, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [FieldLimit; 2] =
        [FieldLimit { name: "file", bytes_max: 8 }, FieldLimit { name: "name", bytes_max: 4 }];

    /// Reads a body that is split into pieces of each size, which must all come to the same.
    async fn read_all(content_type: &str, body: &str) -> Result<Vec<(&'static str, Option<String>, String)>, u16> {
        let mut outcomes = Vec::new();
        for size in [1, 7, body.len().max(1)] {
            let pieces: Vec<_> = body
                .as_bytes()
                .chunks(size)
                .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
                .collect();
            let request = Request::builder().header(header::CONTENT_TYPE, content_type);
            let request = request.body(Body::from_stream(stream::iter(pieces))).unwrap();
            let form = read(request, 400, &WANTED).await;
            let fields = form.map(|form| {
                let field = |(name, field): (_, Field)| {
                    (name, field.file_name, String::from_utf8(field.content.to_vec()).unwrap())
                };
                form.0.into_iter().map(field).collect::<Vec<_>>()
            });
            outcomes.push(fields.map_err(|error| error.status().as_u16()));
        }
        outcomes.dedup();
        assert_eq!(outcomes.len(), 1, "{outcomes:?}");
        outcomes.remove(0)
    }

    fn part(head: &str, content: &str) -> String {
        format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
    }

    #[tokio::test]
    async fn fields_are_read_and_others_dropped() {
        let body = [
            part("name=\"name\"", "n"),
            part("name=\"other\"; filename=\"x\"", &"x".repeat(50)),
            part("name=\"file\"; filename=\"a b.json\"\r\nContent-Type: application/json", "{\r\n}"),
            "--b--\r\n".to_owned(),
        ];
        let expected = [("file", Some("a b.json".to_owned()), "{\r\n}".to_owned()), ("name", None, "n".to_owned())];
        assert_eq!(read_all("multipart/form-data; boundary=b", &body.concat()).await.unwrap(), expected);
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        let check = async |content_type: &str, body: &str, status: u16| {
            assert_eq!(read_all(content_type, body).await, Err(status), "{content_type} {body}");
        };
        check("application/json", "{}", 415).await;
        check("multipart/mixed; boundary=b", "--b--", 415).await;
        check("multipart/form-data", "--b--", 400).await;
        check("Multipart/Form-Data; boundary=b", &part("name=\"file\"", "{}"), 400).await;
        check("multipart/form-data; boundary=b", "nothing", 400).await;
        check("multipart/form-data; boundary=b", &(part("name=\"name\"", "12345") + "--b--"), 400).await;
        check("multipart/form-data; boundary=b", &(part("name=\"x\"", &"x".repeat(400)) + "--b--"), 413).await;
    }
}
