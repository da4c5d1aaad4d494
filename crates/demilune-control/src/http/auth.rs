//! Who is calling, and whether they may (contract 1.2, 1.3, 9.1).

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, header, request::Parts},
};
use demilune_inventory::{Host, OperationId, ZoneId};
use demilune_store::{DiscoveredId, SchemaId};

use super::{
    SharedState,
    error::{
        AUTH_EMAIL_FORMAT, AUTH_KEY_FORMAT, AUTHENTICATION_FAILED, AUTHORIZATION_FORMAT, ApiError, ChainedError,
        Defect, HEADERS_INVALID, TOKEN_INVALID, ZONE_OUT_OF_SCOPE,
    },
};
use crate::{
    clock,
    credentials::{Access, Caller, Permission},
};

/// The address of the other end, put on each request by the listener.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A caller whose credential is good; what they may do is still to be asked.
pub(crate) struct Authenticated(pub(crate) Arc<Caller>);

/// The zone of the path, whose inventory the caller may read.
pub(crate) struct ReadableZone(pub(crate) ZoneId);

/// The zone of the path, whose inventory the caller may change.
pub(crate) struct WritableZone(pub(crate) ZoneId);

/// The zone of the path, which the caller may see, and how its gateway is set up.
pub(crate) struct VisibleZone(pub(crate) ZoneId);

/// The zone of the path, whose gateway the caller may set up.
pub(crate) struct OperatedZone(pub(crate) ZoneId);

/// The operation of the path. A malformed id names no operation, so it is not found (contract 9.3).
pub(crate) struct OperationInPath(pub(crate) OperationId);

impl FromRequestParts<SharedState> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        let credential = credential(&parts.headers).map_err(|defect| {
            state.metrics.authentication_failed("malformed");
            ApiError::from(defect)
        })?;
        let caller = match credential {
            Credential::Token(token) => state.credentials.by_token(token, clock::now()).await?,
            Credential::Key { email, key } => state.credentials.by_key(email, key).await?,
        };
        if let Some(caller) = caller {
            return Ok(Self(caller));
        }
        state.metrics.authentication_failed("unknown");
        if let Some(Peer(address)) = parts.extensions.get() {
            state.throttle.failed(address.ip()).await;
        }
        Err(Defect::new(&AUTHENTICATION_FAILED, "Authentication error").into())
    }
}

macro_rules! zone_extractors {
    ($($extractor:ident = $access:ident;)*) => {
        $(impl FromRequestParts<SharedState> for $extractor {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
                zone(parts, state, Access::$access).await.map(Self)
            }
        })*
    };
}
zone_extractors! {
    ReadableZone = Read;
    WritableZone = Write;
    VisibleZone = See;
    OperatedZone = Operate;
}

impl FromRequestParts<SharedState> for OperationInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        let text = path_parameter(parts, state, "operation_id").await?;
        text.parse().map(Self).map_err(|_| ApiError::operation_unknown())
    }
}

/// The discovered operation of the path. A malformed id names none, so it is not found.
pub(crate) struct DiscoveredInPath(pub(crate) DiscoveredId);

impl FromRequestParts<SharedState> for DiscoveredInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        let text = path_parameter(parts, state, "operation_id").await?;
        text.parse().map(Self).map_err(|_| ApiError::discovered_unknown())
    }
}

/// The schema of the path. A malformed id names no schema, so it is not found.
pub(crate) struct SchemaInPath(pub(crate) SchemaId);

impl FromRequestParts<SharedState> for SchemaInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        let text = path_parameter(parts, state, "schema_id").await?;
        text.parse().map(Self).map_err(|_| ApiError::schema_unknown())
    }
}

/// The host of the path. A malformed host names no origin, so it is not found.
pub(crate) struct HostInPath(pub(crate) Host);

impl FromRequestParts<SharedState> for HostInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        let text = path_parameter(parts, state, "host").await?;
        text.parse().map(Self).map_err(|_| ApiError::origin_unknown())
    }
}

/// A caller of the call that verifies a token: a token, and one that is good.
pub(crate) struct VerifiedToken(pub(crate) demilune_store::Token);

impl FromRequestParts<SharedState> for VerifiedToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        let Authenticated(caller) = match Authenticated::from_request_parts(parts, state).await {
            Err(error) if error.code() == AUTHENTICATION_FAILED.code => return Err(token_invalid()),
            other => other?,
        };
        match &*caller {
            Caller::Token(token) => Ok(Self(token.clone())),
            Caller::User(_) => Err(token_invalid()),
        }
    }
}

fn token_invalid() -> ApiError {
    Defect::new(&TOKEN_INVALID, "Invalid API Token").into()
}

async fn zone(parts: &mut Parts, state: &SharedState, access: Access) -> Result<ZoneId, ApiError> {
    let Authenticated(caller) = Authenticated::from_request_parts(parts, state).await?;
    let text = path_parameter(parts, state, "zone_id").await?;
    let zone: ZoneId = text.parse().map_err(|_| ApiError::zone_unknown(&text))?;
    match caller.permission(access, &zone) {
        Permission::Granted => Ok(zone),
        Permission::GroupMissing => Err(Defect::new(&AUTHENTICATION_FAILED, group_missing(access)).into()),
        Permission::ZoneOutOfScope => {
            Err(Defect::new(&ZONE_OUT_OF_SCOPE, "Unauthorized to access requested resource").into())
        }
    }
}

fn group_missing(access: Access) -> &'static str {
    match access {
        // Every group lets a caller see.
        Access::Read | Access::See => {
            "Authentication error: this token may operate the zone but not read its inventory; that needs one of the \
             groups Account API Gateway, Account API Gateway Read, Domain API Gateway and Domain API Gateway Read."
        }
        Access::Write => {
            "Authentication error: this token may see the zone but not change its inventory; that needs the group \
             Account API Gateway or Domain API Gateway."
        }
        Access::Operate => {
            "Authentication error: this token may see how the zone's gateway is set up but not change it; that needs \
             the group Demilune Operator."
        }
    }
}

/// A parameter of the path, percent-decoded; text that is not UTF-8 names nothing.
async fn path_parameter(parts: &mut Parts, state: &SharedState, name: &str) -> Result<String, ApiError> {
    let path = parts.uri.path().to_owned();
    let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::no_route(&path))?;
    let value = parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    value.ok_or_else(|| ApiError::no_route(&path))
}

#[derive(Debug, PartialEq, Eq)]
enum Credential<'a> {
    Token(&'a [u8]),
    Key { email: &'a str, key: &'a [u8] },
}

/// Finds the credential in the headers. An `Authorization` header decides alone (contract 10, point 16).
fn credential(headers: &HeaderMap) -> Result<Credential<'_>, Defect> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        return bearer_token(value.as_bytes())
            .map(Credential::Token)
            .ok_or_else(|| headers_invalid(&[AUTHORIZATION_FORMAT], "write it as `Authorization: Bearer <token>`."));
    }
    let email = headers.get("x-auth-email").map(|value| value.to_str().unwrap_or_default());
    let key = headers.get("x-auth-key").map(axum::http::HeaderValue::as_bytes);
    match (email, key) {
        (None, None) => Err(headers_invalid(
            &[],
            "there is no credential; send `Authorization: Bearer <token>`, or `X-Auth-Email` and `X-Auth-Key`.",
        )),
        (Some(_), None) => Err(headers_invalid(
            &[AUTH_KEY_FORMAT],
            "X-Auth-Email came alone. An SDK that finds CLOUDFLARE_EMAIL in its environment may send it in place of \
             the token: unset CLOUDFLARE_EMAIL, or add the X-Auth-Key header.",
        )),
        (None, Some(_)) => Err(headers_invalid(
            &[AUTH_EMAIL_FORMAT],
            "X-Auth-Key came alone. An SDK that finds CLOUDFLARE_API_KEY in its environment may send it in place of \
             the token: unset CLOUDFLARE_API_KEY, or add the X-Auth-Email header.",
        )),
        (Some(email), Some(_)) if !email.contains('@') => {
            Err(headers_invalid(&[AUTH_EMAIL_FORMAT], "X-Auth-Email must be an e-mail address."))
        }
        (Some(_), Some([])) => Err(headers_invalid(&[AUTH_KEY_FORMAT], "X-Auth-Key must not be empty.")),
        (Some(email), Some(key)) => Ok(Credential::Key { email, key }),
    }
}

fn headers_invalid(chain: &'static [ChainedError], advice: &str) -> Defect {
    let message = format!("Invalid request headers: {advice}");
    Defect { code: &HEADERS_INVALID, message, pointer: None, chain }
}

/// The token of `Bearer <token>`: scheme in any case, then spaces, then visible characters (RFC 6750 section 2.1,
/// RFC 9110 section 11.4).
fn bearer_token(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(b"bearer".len())?;
    let token = rest.trim_ascii();
    let separated = rest.first().is_some_and(|byte| *byte == b' ');
    let usable = !token.is_empty() && token.iter().all(u8::is_ascii_graphic);
    (scheme.eq_ignore_ascii_case(b"bearer") && separated && usable).then_some(token)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn check_chain(pairs: &[(&'static str, &str)], expected: &[ChainedError]) {
        let headers = headers(pairs);
        assert_eq!(credential(&headers).unwrap_err().chain, expected, "{pairs:?}");
    }

    #[test]
    fn a_bearer_token_is_taken_whatever_the_case_of_the_scheme() {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let headers = headers(&[("authorization", &format!("{scheme} abc_DEF-1"))]);
            assert_eq!(credential(&headers), Ok(Credential::Token(b"abc_DEF-1")));
        }
    }

    #[test]
    fn authorization_decides_alone_when_both_schemes_are_there() {
        let headers = headers(&[("authorization", "Bearer t"), ("x-auth-email", "a@b"), ("x-auth-key", "k")]);
        assert_eq!(credential(&headers), Ok(Credential::Token(b"t")));
        check_chain(
            &[("authorization", "Basic t"), ("x-auth-email", "a@b"), ("x-auth-key", "k")],
            &[AUTHORIZATION_FORMAT],
        );
    }

    #[test]
    fn e_mail_and_key_are_a_credential_together() {
        let headers = headers(&[("x-auth-email", "a@b.example"), ("x-auth-key", "k")]);
        assert_eq!(credential(&headers), Ok(Credential::Key { email: "a@b.example", key: b"k" }));
    }

    #[test]
    fn a_malformed_header_is_named_by_the_chain() {
        check_chain(&[], &[]);
        check_chain(&[("authorization", "Bearer")], &[AUTHORIZATION_FORMAT]);
        check_chain(&[("authorization", "Bearer ")], &[AUTHORIZATION_FORMAT]);
        check_chain(&[("authorization", "Bearer a b")], &[AUTHORIZATION_FORMAT]);
        check_chain(&[("authorization", "Bearertoken")], &[AUTHORIZATION_FORMAT]);
        check_chain(&[("x-auth-email", "a@b")], &[AUTH_KEY_FORMAT]);
        check_chain(&[("x-auth-key", "k")], &[AUTH_EMAIL_FORMAT]);
        check_chain(&[("x-auth-email", "nobody"), ("x-auth-key", "k")], &[AUTH_EMAIL_FORMAT]);
        check_chain(&[("x-auth-email", "a@b"), ("x-auth-key", "")], &[AUTH_KEY_FORMAT]);
    }

    #[test]
    fn a_stray_variable_is_named_in_the_message() {
        let check = |pairs: &[(&'static str, &str)], variable: &str| {
            let headers = headers(pairs);
            assert!(credential(&headers).unwrap_err().message.contains(variable));
        };
        check(&[("x-auth-email", "a@b")], "unset CLOUDFLARE_EMAIL");
        check(&[("x-auth-key", "k")], "unset CLOUDFLARE_API_KEY");
    }
}
