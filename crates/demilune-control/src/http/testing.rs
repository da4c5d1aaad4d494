//! Drives the real router on a real SQLite file in tests.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use demilune_inventory::{Timestamp, ZoneId};
use demilune_store::{Database, Grant, PermissionGroup, Store, StoreOptions, Token, User, Zone};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use super::{State, router};
use crate::{
    ControlOptions, CredentialCache,
    credentials::Credentials,
    metrics::Metrics,
    secret::{Secret, hash_secret},
    throttle::Throttle,
};

/// The zone that tests call, and one beside it.
pub(crate) const ZONE: &str = "023e105f4ecef8ad9ca31a8372d0c353";
pub(crate) const OTHER_ZONE: &str = "0123456789abcdef0123456789abcdef";
/// Tokens by what they may do.
pub(crate) const WRITER: &str = "writer-token-0123456789";
pub(crate) const READER: &str = "reader-token-0123456789";
pub(crate) const ZONE_WRITER: &str = "zone-writer-token-0123456789";
pub(crate) const OPERATOR: &str = "operator-token-0123456789";
pub(crate) const EXPIRED: &str = "expired-token-0123456789";
/// A person and their key.
pub(crate) const EMAIL: &str = "user@example.com";
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef01234";

/// The API over a store of its own.
pub(crate) struct Api {
    router: Router,
    pub(crate) store: Store,
    pub(crate) cache: CredentialCache,
    _folder: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Api {
    /// An empty inventory with two zones, the tokens and the person above. A zone holds 60 operations at most.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("test.db"));
        let store = Store::open(&StoreOptions { database, migrate: true, operations_per_zone_max: 60 }).await.unwrap();
        let created_at = Timestamp::from_micros(1_700_000_000_000_000).unwrap();
        for (id, name) in [(ZONE, "example.com"), (OTHER_ZONE, "example.net")] {
            let zone = Zone { id: id.parse().unwrap(), name: name.to_owned(), created_at };
            store.zone_create(zone).await.unwrap();
        }
        let tokens = [
            (WRITER, PermissionGroup::AccountApiGateway, None, None),
            (READER, PermissionGroup::AccountApiGatewayRead, None, None),
            (ZONE_WRITER, PermissionGroup::DomainApiGateway, Some(ZONE), None),
            (OPERATOR, PermissionGroup::DemiluneOperator, None, None),
            (EXPIRED, PermissionGroup::AccountApiGateway, None, Some(created_at)),
        ];
        for (number, (secret, group, zone, expires_at)) in tokens.into_iter().enumerate() {
            let grants = vec![Grant { group, zone: zone.map(|zone: &str| zone.parse::<ZoneId>().unwrap()) }];
            let token = Token { id: format!("{number:032x}"), name: String::new(), grants, created_at, expires_at };
            let secret = Secret::supplied(secret.to_owned()).unwrap();
            store.token_create(token, secret.hash()).await.unwrap();
        }
        let user = User { id: "f".repeat(32), email: EMAIL.to_owned(), created_at };
        store.user_create(user, hash_secret(KEY.as_bytes())).await.unwrap();

        let options = ControlOptions {
            public_url: "http://127.0.0.1:8787".to_owned(),
            body_bytes_max: 1024 * 1024,
            connections_max: 16,
            drain_max: Duration::from_secs(1),
            allow_private_targets: false,
        };
        let cache = CredentialCache::default();
        let state = State {
            store: store.clone(),
            options,
            credentials: Credentials::new(store.clone(), cache.clone()),
            throttle: Throttle::default(),
            metrics: Metrics::new(store.clone(), |_| {}),
            ready: Arc::new(|| true),
        };
        Self { router: router(Arc::new(state)), store, cache, _folder: folder }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A call with the token that may do everything. `path` is below the zone.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call_as(WRITER, method, &format!("/client/v4/zones/{ZONE}/api_gateway{path}"), body).await
    }

    /// Adds an operation and hands out its id.
    pub(crate) async fn add(&self, method: &str, host: &str, endpoint: &str) -> String {
        let body = serde_json::json!({"method": method, "host": host, "endpoint": endpoint});
        let answer = self.call("POST", "/operations/item", Some(body)).await;
        answer.result()["operation_id"].as_str().unwrap().to_owned()
    }

    /// A call with some token. `path` is whole.
    pub(crate) async fn call_as(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {token}"));
        let request = match body {
            None => request.body(Body::empty()),
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
        };
        self.send(request.unwrap()).await
    }
}

impl Answer {
    /// The codes of the errors, in order.
    pub(crate) fn codes(&self) -> Vec<u64> {
        self.body["errors"].as_array().unwrap().iter().map(|error| error["code"].as_u64().unwrap()).collect()
    }

    /// The pointers of the errors, in order.
    pub(crate) fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().unwrap();
        errors.iter().map(|error| error["source"]["pointer"].as_str().unwrap_or_default()).collect()
    }

    /// Holds that this is a success in the envelope, and hands out its result.
    pub(crate) fn result(&self) -> &Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.body["success"], true);
        assert_eq!(self.body["errors"], Value::Array(Vec::new()));
        &self.body["result"]
    }

    /// Holds that this is a failure in the envelope, with these codes.
    pub(crate) fn check_failure(&self, status: u16, codes: &[u64]) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.body["success"], false);
        assert_eq!(self.body["result"], Value::Null);
        assert_eq!(self.body["messages"], Value::Array(Vec::new()));
        assert_eq!(self.codes(), codes, "{}", self.body);
    }
}
