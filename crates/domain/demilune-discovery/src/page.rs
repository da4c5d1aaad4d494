//! Answers that no operation is discovered by: what browsers show, and what pages are made of.

/// What the media types of pages and their parts begin with.
const PAGES: [&[u8]; 8] = [
    b"text/html",
    b"text/css",
    b"text/javascript",
    b"application/javascript",
    b"image/",
    b"font/",
    b"video/",
    b"audio/",
];

/// Whether an answer with this `Content-Type` is a web page, or a part of one. One that says nothing is none: many APIs
/// answer without a body.
#[must_use]
pub fn is_page(media_type: &[u8]) -> bool {
    PAGES.iter().any(|page| media_type.get(..page.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(page)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_show_is_told_from_what_programs_read() {
        let check = |media_type: &str, expected: bool| {
            assert_eq!(is_page(media_type.as_bytes()), expected, "{media_type}");
        };
        check("text/html", true);
        check("Text/HTML; charset=utf-8", true);
        check("image/svg+xml", true);
        check("application/javascript", true);
        check("application/json", false);
        check("text/plain", false);
        check("text/htm", false);
        check("", false);
    }
}
