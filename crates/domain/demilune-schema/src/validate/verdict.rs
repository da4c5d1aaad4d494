//! What is found out about a request.

/// Whether a request fits, and if not, where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What does not fit, at most [`Verdict::VIOLATIONS_MAX`]. Empty if everything does.
    pub violations: Vec<Violation>,
    /// Whether there is more that does not fit.
    pub has_more: bool,
}

/// One thing that does not fit. It holds nothing that the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The keyword of the schema, or what else is wrong: `required` (something is missing), `repeated` (a parameter that
    /// is no list, or its member, stands twice), `style` (the text is not of the parameter's style), `encoding` (it is not
    /// UTF-8), `contentType` (the media type is not declared, or stands twice), `charset`, `syntax` (no JSON), `duplicate` (a JSON member stands twice), `depth`,
    /// `number` (no double holds it), `size`, `work` (checking takes more work than is allowed) and `schema` (it does not fit, and
    /// saying why takes more work than is allowed).
    pub keyword: String,
    /// Where in the request, as a JSON Pointer such as `/query/limit` or `/body/items/0/*`. Names that no schema knows
    /// are written `*`.
    pub request_place: String,
    /// Where in the document, as a JSON Pointer.
    pub document_place: String,
}

impl Verdict {
    /// How many violations are listed.
    pub const VIOLATIONS_MAX: usize = 16;

    /// Whether the request fits.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.violations.is_empty()
    }

    pub(super) fn add(&mut self, violation: Violation) {
        if self.violations.len() < Self::VIOLATIONS_MAX {
            self.violations.push(violation);
        } else {
            self.has_more = true;
        }
    }
}

impl Violation {
    pub(super) fn new(keyword: &str, request_place: String, document_place: String) -> Self {
        Self { keyword: keyword.to_owned(), request_place, document_place }
    }
}
