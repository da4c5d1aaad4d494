//! The part of the demo in which a document is put in force, and blocks an order.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    client::{Call, Client, ClientError},
    story::{HOST, PATIENCE, RETRY, Story},
};

const DOCUMENT: &str = include_str!("bookshop.yaml");

/// An order that was blocked, and the event that says so.
pub(super) struct Blocked {
    order: Value,
    problem: Value,
    event: Value,
}

impl Story {
    /// Uploads a document, has it block, and sends an order that does not fit it.
    pub(super) async fn block_an_order(&self, client: &Client) -> Result<Blocked, ClientError> {
        let prefix = "/client/v4";
        let schema =
            json!({ "kind": "openapi_v3", "name": "bookshop.yaml", "source": DOCUMENT, "validation_enabled": true });
        self.call(client, Method::POST, prefix, "/schema_validation/schemas", &schema).await?;
        let action = json!({ "validation_default_mitigation_action": "block" });
        self.call(client, Method::PUT, prefix, "/schema_validation/settings", &action).await?;
        let order = json!({ "book_id": 7, "count": "two" });
        let problem = self.refused(client, &order).await?;
        let event = self.event(client, &problem).await?;
        Ok(Blocked { order, problem, event })
    }

    /// Sends the order until the document is in force, which takes a moment.
    async fn refused(&self, client: &Client, order: &Value) -> Result<Value, ClientError> {
        let begun = Instant::now();
        loop {
            let url = format!("{}/orders", self.gateway);
            let fields = vec![("host", HOST.to_owned())];
            let (status, body) = client.send(&Call { method: Method::POST, url, fields, body: Some(order) }).await?;
            if status == StatusCode::FORBIDDEN || begun.elapsed() > PATIENCE {
                return Ok(serde_json::from_slice(&body)?);
            }
            sleep(RETRY).await;
        }
    }

    /// The event of a request, once it is stored.
    async fn event(&self, client: &Client, problem: &Value) -> Result<Value, ClientError> {
        let begun = Instant::now();
        let request_id = problem["request_id"].as_str().unwrap_or_default();
        loop {
            let url = format!("{}?request_id={request_id}", self.events_url());
            let fields = vec![("authorization", format!("Bearer {}", self.token))];
            let found = client.json(&Call { method: Method::GET, url, fields, body: None }).await?;
            if !found["result"][0].is_null() || begun.elapsed() > PATIENCE {
                return Ok(found["result"][0].clone());
            }
            sleep(RETRY).await;
        }
    }

    fn events_url(&self) -> String {
        format!("{}/demilune/v1/zones/{}/events", self.control, self.zone)
    }

    /// What to print of it.
    pub(super) fn about_blocked(&self, blocked: &Blocked) -> String {
        let Self { gateway, token, .. } = self;
        let Blocked { order, problem, event } = blocked;
        let url = self.events_url();
        format!(
            "\nPut an OpenAPI document of the bookshop in force, which blocks what does not fit it, and sent an order that does \
             not. The shop never saw it:\n\n  \
             curl '{gateway}/orders' -H 'Host: {HOST}' -H 'Content-Type: application/json' -d '{order}'\n\n\
             {problem:#}\n\n\
             The event says where, and holds nothing that was sent:\n\n  \
             curl '{url}?action=block' -H 'Authorization: Bearer {token}'\n\n\
             {event:#}\n"
        )
    }
}
