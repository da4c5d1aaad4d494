//! Everything for which a request is refused before it is read further.

use http::StatusCode;

/// Why a request is refused. Its text is one sentence for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// More than one empty line before the request line (RFC 9112 2.2).
    #[error("more than one empty line stands before the request line")]
    EmptyLines,
    /// A line that ends without a carriage return (RFC 9112 2.2).
    #[error("a line ends in a bare line feed")]
    BareLineFeed,
    /// A carriage return that ends no line (RFC 9112 2.2).
    #[error("a carriage return is not followed by a line feed")]
    BareCarriageReturn,
    /// NUL or another control character in a line (RFC 9110 5.5).
    #[error("a line holds a control character")]
    ControlCharacter,
    /// A first line that is not `METHOD SP TARGET SP VERSION` (RFC 9112 3).
    #[error("the request line is not a method, a target and a version with one space between them")]
    RequestLine,
    /// A method that is no token (RFC 9110 9.1).
    #[error("the method is not a token")]
    Method,
    /// A target in a form that the method does not take (RFC 9112 3.2).
    #[error("the request target has a form that does not fit the method")]
    TargetForm,
    /// A target with a character that must be percent-encoded (RFC 3986 2).
    #[error("the request target holds a character that must be percent-encoded")]
    TargetCharacter,
    /// A target with a fragment (RFC 9112 3.2.1).
    #[error("the request target has a fragment")]
    TargetFragment,
    /// A target whose host or port cannot be one (RFC 9112 3.2.2).
    #[error("the host in the request target is not valid")]
    TargetAuthority,
    /// A version other than 1.0 and 1.1 (RFC 9110 2.5).
    #[error("only HTTP/1.0 and HTTP/1.1 are spoken on this connection")]
    Version,
    /// A field line without a colon (RFC 9112 5).
    #[error("a field line has no colon")]
    ColonMissing,
    /// White space between a field's name and its colon (RFC 9112 5.1).
    #[error("white space stands between a field name and its colon")]
    SpaceBeforeColon,
    /// An empty field name, or one that is no token (RFC 9110 5.1).
    #[error("a field name is not a token")]
    FieldName,
    /// A field line that continues the one before it (RFC 9112 5.2).
    #[error("a field line is folded")]
    Fold,
    /// No Host field (RFC 9112 3.2).
    #[error("the Host field is missing")]
    HostMissing,
    /// More than one Host field (RFC 9112 3.2).
    #[error("there is more than one Host field")]
    HostRepeated,
    /// A Host field that is empty or no host (RFC 9110 7.2).
    #[error("the Host field is not a valid host")]
    Host,
    /// A length that is not a number of bytes (RFC 9110 8.6).
    #[error("the Content-Length field is not one decimal number")]
    ContentLength,
    /// More than one length, equal or not (RFC 9112 6.3).
    #[error("there is more than one Content-Length field")]
    ContentLengthRepeated,
    /// A length beside a transfer coding (RFC 9112 6.1).
    #[error("Content-Length and Transfer-Encoding exclude each other")]
    LengthAndCoding,
    /// A transfer coding in HTTP/1.0 (RFC 9112 6.1).
    #[error("HTTP/1.0 has no Transfer-Encoding")]
    CodingInHttp10,
    /// Transfer codings that do not end in exactly one `chunked` (RFC 9112 6.3).
    #[error("the Transfer-Encoding is not chunked, once")]
    TransferEncoding,
    /// A transfer coding under `chunked` that is not spoken here (RFC 9112 6.1).
    #[error("the only transfer coding supported is chunked")]
    TransferEncodingUnknown,
    /// A connection option that is no token, or that would take away a field which is no hop's own (RFC 9110 7.6.1).
    #[error("the Connection field names what cannot be a connection option")]
    ConnectionOption,
    /// A head above [`head_bytes_max`](super::FramingLimits::head_bytes_max).
    #[error("the request head is too large")]
    HeadTooLarge,
    /// More fields than [`headers_max`](super::FramingLimits::headers_max).
    #[error("the request has too many fields")]
    TooManyFields,
    /// A chunk size that is not one to sixteen hexadecimal digits (RFC 9112 7.1).
    #[error("a chunk size is not a hexadecimal number")]
    ChunkSize,
    /// Chunk extensions outside their grammar (RFC 9112 7.1.1).
    #[error("a chunk extension is malformed")]
    ChunkExtension,
    /// A chunk line, or all chunk extensions of a body, beyond their limit.
    #[error("the chunk extensions are too long")]
    ChunkLineTooLong,
    /// Chunk data that is longer or shorter than its size says (RFC 9112 7.1).
    #[error("chunk data does not end where its size says")]
    ChunkEnd,
    /// A trailer field that acts on framing, routing, authentication or the content's meaning (RFC 9110 6.5.1).
    #[error("a trailer field is one that must stand in the head")]
    TrailerForbidden,
    /// A trailer section above [`trailer_bytes_max`](super::FramingLimits::trailer_bytes_max).
    #[error("the trailer section is too large")]
    TrailersTooLarge,
}

impl Defect {
    /// The status of the refusal.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::TransferEncodingUnknown => StatusCode::NOT_IMPLEMENTED,
            Self::HeadTooLarge | Self::TooManyFields | Self::TrailersTooLarge => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }
}
