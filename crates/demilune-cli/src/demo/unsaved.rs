//! The part of the demo in which operations that nobody wrote down are found, and one of them is saved.

use std::{io, process::Stdio};

use hyper::Method;
use serde_json::{Value, json};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use super::{
    client::{Call, Client, ClientError},
    sample_api::AUTHORS,
    story::{HOST, PATIENCE, RETRY, Story},
};

/// People who look at authors, and how many each looks at: more requests than discovery asks for.
const PEOPLE: u32 = 60;
const LOOKS: u32 = 10;
/// How many people are busy at once.
const AT_ONCE: u32 = 6;
/// The one that is saved.
const SAVED: &str = "/authors/{var1}";

/// What was found, what was saved, and what the next request did.
pub(super) struct Unsaved {
    found: Value,
    saved: Value,
    matched: u64,
}

impl Story {
    /// Sends requests for authors, which the inventory does not know of.
    pub(super) async fn look_at_authors(&self, client: &Client) -> Result<(), ClientError> {
        let mut crowd = tokio::task::JoinSet::new();
        for first in 0..AT_ONCE {
            let (client, gateway) = (client.clone(), self.gateway.clone());
            crowd.spawn(async move {
                for person in (first..PEOPLE).step_by(AT_ONCE as usize) {
                    for look in 0..LOOKS {
                        let author = 1 + (person * 7 + look * 3) % AUTHORS;
                        for path in [format!("/authors/{author}"), format!("/authors/{author}/books")] {
                            let fields =
                                vec![("host", HOST.to_owned()), ("authorization", format!("Bearer reader-{person}"))];
                            let url = format!("{gateway}{path}");
                            client.send(&Call { method: Method::GET, url, fields, body: None }).await?;
                        }
                    }
                }
                Ok::<_, ClientError>(())
            });
        }
        while let Some(finished) = crowd.join_next().await {
            // A task of ours neither panics nor is cancelled.
            finished.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// Waits until they are found, saves one, and sends it a request.
    pub(super) async fn save_one(&self, client: &Client) -> Result<Unsaved, ClientError> {
        let found = self.found().await?;
        let operation = json!({ "method": "GET", "host": HOST, "endpoint": SAVED });
        let saved = self.call(client, Method::POST, "/client/v4", "/api_gateway/operations/item", &operation).await?;
        let matched = self.matched(client, &saved).await?;
        Ok(Unsaved { found, saved: saved["result"].clone(), matched })
    }

    /// What is found once all that was sent is stored.
    async fn found(&self) -> Result<Value, ClientError> {
        let begun = Instant::now();
        loop {
            let program = std::env::current_exe().map_err(ClientError::Discover)?;
            let mut command = Command::new(program);
            command.args(["discover", "--output", "json", "--data", &self.data]).stdin(Stdio::null());
            let output = command.output().await.map_err(ClientError::Discover)?;
            let printed = || io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned());
            let found: Value = serde_json::from_slice(&output.stdout).map_err(|_| ClientError::Discover(printed()))?;
            let is_whole = |found: &Value| found["requests"].as_u64() == Some(u64::from(PEOPLE * LOOKS));
            let whole = found.as_array().map_or(0, |found| found.iter().filter(|found| is_whole(found)).count());
            if whole >= 2 || begun.elapsed() > PATIENCE {
                return Ok(found);
            }
            sleep(RETRY).await;
        }
    }

    /// Sends requests to the saved operation until one is counted for it, which takes a moment.
    async fn matched(&self, client: &Client, saved: &Value) -> Result<u64, ClientError> {
        let begun = Instant::now();
        let id = saved["result"]["operation_id"].as_str().unwrap_or_default();
        loop {
            let (url, fields) = (format!("{}/authors/7", self.gateway), vec![("host", HOST.to_owned())]);
            client.send(&Call { method: Method::GET, url, fields, body: None }).await?;
            let url = format!("{}/demilune/v1/zones/{}/operations/{id}/analytics", self.control, self.zone);
            let fields = vec![("authorization", format!("Bearer {}", self.token))];
            let seen = client.json(&Call { method: Method::GET, url, fields, body: None }).await?;
            let matched = seen["result"]["totals"]["requests"].as_u64().unwrap_or(0);
            if matched > 0 || begun.elapsed() > PATIENCE {
                return Ok(matched);
            }
            sleep(RETRY).await;
        }
    }

    /// What to print of it.
    pub(super) fn about_unsaved(&self, unsaved: &Unsaved) -> String {
        let Self { control, zone, token, data, .. } = self;
        let Unsaved { found, saved, matched } = unsaved;
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let row = |found: &Value| {
            format!(
                "  {:<7} {:<5} {:<24} {:>8}\n",
                text(&found["state"]),
                text(&found["method"]),
                text(&found["endpoint"]),
                found["requests"].as_u64().unwrap_or(0),
            )
        };
        let rows: Vec<String> = found.as_array().map(Vec::as_slice).unwrap_or_default().iter().map(row).collect();
        let rows = rows.concat();
        let id = found.as_array().and_then(|found| found.iter().find(|found| found["endpoint"] == SAVED));
        let id = id.map(|found| text(&found["id"])).unwrap_or_default();
        format!(
            "\nThe bookshop answers more than anybody wrote down. What was found in the requests that no operation \
             matches:\n\n  demilune discover --data '{data}'\n\n{rows}\n\
             Saved GET {} by the call that adds operations; the gateway matches its requests from then on, {matched} so \
             far. Why its last segment is a variable, and which of those found are saved by now:\n\n  \
             curl '{control}/demilune/v1/zones/{zone}/discovery/operations/{id}/explain' \\\n    \
             -H 'Authorization: Bearer {token}'\n  \
             curl '{control}/client/v4/zones/{zone}/api_gateway/discovery/operations?state=saved' \\\n    \
             -H 'Authorization: Bearer {token}'\n",
            text(&saved["endpoint"]),
        )
    }
}
