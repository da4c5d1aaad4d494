//! The success envelope (contract 1.4, 1.6).

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A successful answer.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<T> {
    success: bool,
    errors: [(); 0],
    messages: Vec<Message>,
    result: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_info: Option<ResultInfo>,
}

impl<T: Serialize> Envelope<T> {
    /// An answer with this result.
    pub(crate) fn new(result: T) -> Self {
        Self { success: true, errors: [], messages: Vec::new(), result, result_info: None }
    }

    /// Adds things worth knowing that are no errors.
    pub(crate) fn with_messages(mut self, messages: Vec<Message>) -> Self {
        self.messages = messages;
        self
    }

    /// Makes it one page of a list.
    pub(crate) fn with_page(mut self, info: ResultInfo) -> Self {
        self.result_info = Some(info);
        self
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        json(&self)
    }
}

/// Something worth knowing that is no error.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Message {
    /// A stable number of at least 1000.
    #[schema(minimum = 1000)]
    pub(crate) code: u16,
    /// A sentence.
    pub(crate) message: String,
}

/// Where a page stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ResultInfo {
    /// The page, counted from 1.
    pub(crate) page: u64,
    /// The most items a page holds.
    pub(crate) per_page: u64,
    /// Items on this page.
    pub(crate) count: u64,
    /// Items that pass the filter, over all pages.
    pub(crate) total_count: u64,
    /// Pages that hold at least one item.
    pub(crate) total_pages: u64,
}

/// The envelope around an empty result, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<Empty>` prints")]
pub(crate) struct EmptyAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: Empty,
}

/// The envelope around no result, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<()>` prints")]
pub(crate) struct NullAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    /// Always null.
    #[schema(value_type = Option<bool>)]
    result: (),
}

/// `{}`: some clients decode the result of a deletion, and take no null (contract 3.3).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Empty {}

/// A value as an `application/json` answer.
pub(crate) fn json(value: &impl Serialize) -> Response {
    #[expect(
        clippy::expect_used,
        reason = "our bodies have string keys and no failing Serialize, the two ways to fail"
    )]
    let bytes = serde_json::to_vec(value).expect("bodies serialize");
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
