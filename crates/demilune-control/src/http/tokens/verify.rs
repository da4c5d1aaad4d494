//! `GET /user/tokens/verify`: whether the caller's token is good. Clients call it before anything else.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{
    auth::VerifiedToken,
    envelope::{Envelope, Message},
    error::{ApiError, FailureBody},
};

/// A token that is good.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenStatus {
    id: String,
    #[schema(value_type = String, example = "active")]
    status: &'static str,
    /// When it stops being good; absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_on: Option<String>,
}

/// The envelope around it, for the API description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Envelope<TokenStatus>` prints")]
pub(crate) struct TokenStatusAnswer {
    success: bool,
    errors: Vec<Message>,
    messages: Vec<Message>,
    result: TokenStatus,
}

/// Says whether the token of the request is good.
#[utoipa::path(get, path = "/user/tokens/verify", tag = "Zones and tokens", operation_id = "token_verify",
    responses(
        (status = 200, description = "The token is good.", body = TokenStatusAnswer),
        (status = "4XX", description = "The token is not good, or there is none.", body = FailureBody),
        (status = 503, description = "The store is away.", body = FailureBody),
    ))]
pub(crate) async fn verify(VerifiedToken(token): VerifiedToken) -> Result<Envelope<TokenStatus>, ApiError> {
    let status =
        TokenStatus { id: token.id, status: "active", expires_on: token.expires_at.map(|time| time.to_string()) };
    let message = Message { code: 10000, message: "This API Token is valid and active".to_owned() };
    Ok(Envelope::new(status).with_messages(vec![message]))
}
