//! The table of error codes and the one failure body (contract 1.4, 1.5, 9).

use std::{error::Error, sync::Arc};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use demilune_store::StoreFailure;
use serde::Serialize;
use utoipa::ToSchema;

use super::user_schemas::UploadDetails;

/// One stable error code, listed in the documentation page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ErrorCode {
    /// The number on the wire.
    pub(crate) code: u16,
    /// The status it comes with.
    pub(crate) status: StatusCode,
    /// What happened, for the table.
    pub(crate) meaning: &'static str,
    /// What to do about it, for the table.
    pub(crate) remedy: &'static str,
}

macro_rules! error_codes {
    ($($name:ident = $code:literal $status:ident $meaning:literal, $remedy:literal;)*) => {
        $(pub(crate) const $name: ErrorCode =
            ErrorCode { code: $code, status: StatusCode::$status, meaning: $meaning, remedy: $remedy };)*
        /// Every code, in the order of the documentation page.
        pub(crate) const ERROR_CODES: &[&ErrorCode] = &[$(&$name),*];
    };
}

error_codes! {
    TOKEN_INVALID = 1000 UNAUTHORIZED
        "The call that verifies a token was made without a token that is valid.",
        "Send `Authorization: Bearer <token>` with a token that `demilune token list` shows as current.";
    HEADERS_INVALID = 6003 BAD_REQUEST
        "The request has no usable credential. `error_chain` names the header: 6111 Authorization, 6102 X-Auth-Email, 6103 X-Auth-Key.",
        "Send either `Authorization: Bearer <token>`, or both `X-Auth-Email` and `X-Auth-Key`. An SDK that finds CLOUDFLARE_EMAIL or CLOUDFLARE_API_KEY in its environment may leave the token out: unset them.";
    ROUTE_UNKNOWN = 7000 NOT_FOUND
        "No call has this path.",
        "Compare the path with the list of calls on this page.";
    ROUTE_FAILED = 7003 NOT_FOUND
        "The path leads nowhere: it names no call, or its zone id is malformed or unknown.",
        "Check the zone id against `demilune zone list`, and the path against the list of calls on this page.";
    ZONE_OUT_OF_SCOPE = 9109 FORBIDDEN
        "The credential is good, but none of its grants covers this zone.",
        "Use a token with a grant on the zone; `demilune token create --zone ZONE --group GROUP` makes one.";
    AUTHENTICATION_FAILED = 10000 FORBIDDEN
        "The credential is unknown, revoked or expired, or its permission groups do not allow the call.",
        "Use a current credential. Calls that change the inventory need `Account API Gateway` or `Domain API Gateway`; those that change how a gateway is set up need `Demilune Operator`.";
    INPUT_INVALID = 10400 BAD_REQUEST
        "The body or a query parameter is not of the form that the call takes; `source.pointer` names the member.",
        "Change what the message says. Each defect has an entry of its own.";
    NOT_FOUND = 10404 NOT_FOUND
        "The zone has no operation with this id, the operation has no route or no action of its own, or the zone has no origin for this host.",
        "List the zone's operations or origins to find it. A deleted operation gets a new id when it is added again, and no route.";
    METHOD_NOT_ALLOWED = 10405 METHOD_NOT_ALLOWED
        "The path exists, but not with this method.",
        "Use one of the methods in the `Allow` header of the answer.";
    BODY_TIMEOUT = 10408 REQUEST_TIMEOUT
        "The body did not arrive in time.",
        "Send the request again; it is safe to repeat.";
    BODY_TOO_LARGE = 10413 PAYLOAD_TOO_LARGE
        "The body is larger than the server takes.",
        "Split the call, or start the server with a higher `--body-bytes-max`.";
    MEDIA_TYPE_UNSUPPORTED = 10415 UNSUPPORTED_MEDIA_TYPE
        "The body is not declared as JSON.",
        "Send `Content-Type: application/json`.";
    OPERATIONS_FULL = 10430 BAD_REQUEST
        "The zone holds as many operations as it may; nothing was added.",
        "Delete operations that are no longer needed, or start the server with a higher `--operations-per-zone-max`.";
    ORIGINS_FULL = 10431 BAD_REQUEST
        "The zone has as many origins as it may; nothing was changed.",
        "Delete origins that are no longer needed, or give several hosts one pattern.";
    HOST_TAKEN = 10432 BAD_REQUEST
        "Another zone has an origin for a pattern that some host fits as well, so that its requests would belong to two zones.",
        "Delete the origin that the message names, or choose a host that does not fit its pattern.";
    SCHEMAS_FULL = 10433 BAD_REQUEST
        "The zone has as many schemas as it may, or they have as many bytes together as they may; nothing was added.",
        "Delete schemas that are no longer needed.";
    SCHEMA_NOT_LEARNED = 10434 BAD_REQUEST
        "Too little was learned about the operation's requests for a schema that could be enforced; nothing was changed.",
        "Do what the message says: mostly, wait for more requests that are answered with 2xx, or import a log of them.";
    INTERNAL = 10500 INTERNAL_SERVER_ERROR
        "The server failed in a way that it did not expect; its log has the cause under the request id.",
        "Report it with the `X-Request-Id` of the answer.";
    UNAVAILABLE = 10503 SERVICE_UNAVAILABLE
        "The store is away, restarting, full or overloaded.",
        "Repeat the call after the seconds that `Retry-After` names; every call is safe to repeat.";
    SCHEMA_UNKNOWN = 19400 NOT_FOUND
        "The zone has no schema with this id.",
        "List the zone's schemas to find it. A schema that is uploaded again gets a new id.";
    SCHEMA_REJECTED = 21400 BAD_REQUEST
        "The document cannot be used as a schema; `result.upload_details` lists everything that is wrong with it, each with a number, a sentence and its places.",
        "Correct the document where the entries say.";
}

/// What a chained entry of an error says; these texts are what clients know (contract 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ChainedError {
    code: u16,
    #[schema(value_type = String)]
    message: &'static str,
}

pub(crate) const AUTHORIZATION_FORMAT: ChainedError =
    ChainedError { code: 6111, message: "Invalid format for Authorization header" };
pub(crate) const AUTH_EMAIL_FORMAT: ChainedError =
    ChainedError { code: 6102, message: "Invalid format for X-Auth-Email header" };
pub(crate) const AUTH_KEY_FORMAT: ChainedError =
    ChainedError { code: 6103, message: "Invalid format for X-Auth-Key header" };

/// One defect: a code, a sentence that says what to change, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Defect {
    pub(crate) code: &'static ErrorCode,
    pub(crate) message: String,
    /// A JSON Pointer into the body, or `/name` of a query parameter.
    pub(crate) pointer: Option<String>,
    pub(crate) chain: &'static [ChainedError],
}

impl Defect {
    /// A defect of the request as a whole.
    pub(crate) fn new(code: &'static ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), pointer: None, chain: &[] }
    }

    /// A defect of one member of the body or of one query parameter.
    pub(crate) fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: &INPUT_INVALID, message: message.into(), pointer: Some(pointer.into()), chain: &[] }
    }
}

/// A failed request: at least one defect, and the cause for the log, which the client never sees.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    first: Box<Defect>,
    further: Vec<Defect>,
    cause: Option<Arc<StoreFailure>>,
    /// What is wrong with a document that was uploaded.
    upload: Option<Arc<UploadResult>>,
}

impl ApiError {
    /// The status, which is that of the first defect.
    pub(crate) fn status(&self) -> StatusCode {
        self.first.code.status
    }

    /// What goes to the log beside the answer.
    pub(crate) fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }

    /// The first defect's code.
    pub(crate) fn code(&self) -> u16 {
        self.first.code.code
    }

    /// One error out of all defects found; none if there are none.
    pub(crate) fn collect(defects: Vec<Defect>) -> Result<(), Self> {
        let mut defects = defects.into_iter();
        match defects.next() {
            None => Ok(()),
            Some(first) => Err(Self { first: Box::new(first), further: defects.collect(), cause: None, upload: None }),
        }
    }

    /// One error out of all defects found, of which there are some.
    pub(crate) fn of(defects: impl IntoIterator<Item = Defect>) -> Self {
        Self::collect(defects.into_iter().collect()).err().unwrap_or_else(Self::internal)
    }

    /// One error out of the sentences about members, of which there are some.
    pub(crate) fn at_members<const N: usize>(found: [(&str, Option<String>); N]) -> Self {
        let defects = found.into_iter();
        Self::of(defects.filter_map(|(name, message)| Some(Defect::at(format!("/{name}"), message?))))
    }

    /// The path leads nowhere (contract 9.1: 7003, then 7000).
    pub(crate) fn no_route(path: &str) -> Self {
        let message = format!("Could not route to {path}, perhaps your object identifier is invalid?");
        Self {
            first: Box::new(Defect::new(&ROUTE_FAILED, message)),
            further: vec![Defect::new(&ROUTE_UNKNOWN, "No route for that URI")],
            cause: None,
            upload: None,
        }
    }

    /// The zone in the path does not exist or cannot exist.
    pub(crate) fn zone_unknown(zone: &str) -> Self {
        Self::no_route(&format!("/zones/{zone}"))
    }

    /// Part of the process cannot do its work yet.
    pub(crate) fn not_ready() -> Self {
        Defect::new(&UNAVAILABLE, "The gateway in this process has no rules yet; it reads them from the store.").into()
    }

    /// The zone has no operation with this id.
    pub(crate) fn operation_unknown() -> Self {
        Defect::new(&NOT_FOUND, "There is no operation with this id in the zone; list the operations to find it.")
            .into()
    }

    /// Nothing is tried on the requests of the zone.
    pub(crate) fn trial_unknown() -> Self {
        Defect::new(&NOT_FOUND, "Nothing is tried on the requests of this zone; begin with PUT.").into()
    }

    /// A document cannot be used, for each of these reasons.
    pub(crate) fn document_rejected(sentences: Vec<String>) -> Self {
        let defect = |message| {
            let pointer = Some("/source".to_owned());
            Defect { pointer, ..Defect::new(&SCHEMA_REJECTED, message) }
        };
        Self::of(sentences.into_iter().map(defect))
    }

    /// There is no such discovered operation.
    pub(crate) fn discovered_unknown() -> Self {
        let message = "There is no discovered operation with this id in the zone; list them to find it.";
        Defect::new(&NOT_FOUND, message).into()
    }

    /// The operation is there and has no route.
    pub(crate) fn route_absent() -> Self {
        Defect::new(&NOT_FOUND, "The operation has no route, so that its requests go to the origin of its host.").into()
    }

    /// The operation is there and has no action of its own.
    pub(crate) fn action_absent() -> Self {
        Defect::new(&NOT_FOUND, "The operation has no action of its own, so that the default of its zone holds.").into()
    }

    /// The zone has no origin for this host.
    pub(crate) fn origin_unknown() -> Self {
        Defect::new(&NOT_FOUND, "There is no origin for this host in the zone; list the origins to find it.").into()
    }

    /// The zone has no schema with this id.
    pub(crate) fn schema_unknown() -> Self {
        Defect::new(&SCHEMA_UNKNOWN, "There is no schema with this id in the zone; list the schemas to find it.").into()
    }

    /// A document that was uploaded is not used; the defects say why, and the details say it whole.
    pub(crate) fn with_upload(self, details: UploadDetails) -> Self {
        Self { upload: Some(Arc::new(UploadResult { upload_details: details })), ..self }
    }

    /// A defect of ours.
    pub(crate) fn internal() -> Self {
        Defect::new(&INTERNAL, "The server failed; its log has the cause under the request id of this answer.").into()
    }

    /// The body of the answer.
    pub(crate) fn body(&self, public_url: &str) -> FailureBody<'_> {
        let errors = std::iter::once(&*self.first).chain(&self.further);
        FailureBody {
            success: false,
            errors: errors.map(|defect| ErrorBody::new(defect, public_url)).collect(),
            messages: [],
            result: self.upload.as_deref(),
        }
    }
}

impl From<Defect> for ApiError {
    fn from(defect: Defect) -> Self {
        Self { first: Box::new(defect), further: Vec::new(), cause: None, upload: None }
    }
}

impl From<StoreFailure> for ApiError {
    fn from(failure: StoreFailure) -> Self {
        let error = match failure {
            StoreFailure::Unavailable { .. } | StoreFailure::Overloaded => {
                let message = "The store is not available at the moment; repeat the call, which is safe.";
                Self::from(Defect::new(&UNAVAILABLE, message))
            }
            _ => Self::internal(),
        };
        Self { cause: Some(Arc::new(failure)), ..error }
    }
}

impl IntoResponse for ApiError {
    /// Leaves the body to `http::render_error`, which knows the address of the documentation.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The failure envelope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct FailureBody<'a> {
    /// Always false.
    success: bool,
    /// One entry for each defect.
    #[schema(min_items = 1)]
    errors: Vec<ErrorBody<'a>>,
    /// Always empty.
    #[schema(value_type = Vec<super::envelope::Message>, max_items = 0)]
    messages: [(); 0],
    /// Null, except where a document was uploaded that cannot be used.
    #[schema(value_type = Option<bool>)]
    result: Option<&'a UploadResult>,
}

/// The failure envelope of the calls that take a document.
#[derive(ToSchema)]
#[schema(as = UploadFailure)]
#[expect(dead_code, reason = "describes what `FailureBody` prints where a document was uploaded")]
pub(crate) struct UploadFailureBody {
    /// Always false.
    success: bool,
    /// One entry for each defect.
    #[schema(min_items = 1)]
    errors: Vec<ErrorBody<'static>>,
    /// Always empty.
    #[schema(value_type = Vec<super::envelope::Message>, max_items = 0)]
    messages: [(); 0],
    /// What is wrong with the document; null if it was not read.
    result: Option<UploadResult>,
}

/// What is wrong with a document that was uploaded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadResult {
    upload_details: UploadDetails,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
struct ErrorBody<'a> {
    /// A stable number of at least 1000.
    #[schema(minimum = 1000)]
    code: u16,
    /// A sentence that says what to change.
    message: &'a str,
    /// Where the code is explained.
    documentation_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<ErrorSource<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    error_chain: &'a [ChainedError],
}

impl<'a> ErrorBody<'a> {
    fn new(defect: &'a Defect, public_url: &str) -> Self {
        Self {
            code: defect.code.code,
            message: &defect.message,
            documentation_url: format!("{public_url}/demilune/docs#code-{}", defect.code.code),
            source: defect.pointer.as_deref().map(|pointer| ErrorSource { pointer }),
            error_chain: defect.chain,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorSource<'a> {
    /// A JSON Pointer (RFC 6901) into the body, or `/name` of a query parameter.
    pointer: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_and_is_a_legal_number() {
        let mut codes: Vec<u16> = ERROR_CODES.iter().map(|error| error.code).collect();
        assert!(codes.iter().all(|code| *code >= 1000));
        codes.dedup();
        assert_eq!(codes.len(), ERROR_CODES.len());
        assert!(codes.is_sorted());
    }

    #[test]
    fn every_code_is_a_client_error_or_one_of_ours() {
        for error in ERROR_CODES {
            assert!(error.status.is_client_error() || error.status.is_server_error(), "{}", error.code);
            assert_ne!(error.status, StatusCode::CONFLICT, "clients retry 409 (contract 7.4)");
        }
    }
}
