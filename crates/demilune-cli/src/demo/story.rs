//! What the demo does, step by step, through the same calls that everybody uses.

use std::{
    fmt::Write,
    io,
    path::PathBuf,
    process::Stdio,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use super::{
    client::{Call, Client, ClientError},
    day,
    sample_api::OPERATIONS,
    traffic::{self, Sent},
};

/// The host of the sample API; requests reach the gateway by its address and name the host in `Host`.
pub(super) const HOST: &str = "bookshop.example";
/// How long to wait for rules or counts: several times what they take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
pub(super) const RETRY: Duration = Duration::from_millis(100);

/// Where everything is.
pub(crate) struct Story {
    pub(crate) control: String,
    pub(crate) gateway: String,
    pub(crate) origin: String,
    pub(crate) zone: String,
    pub(crate) token: String,
    pub(crate) data: String,
}

impl Story {
    /// Tells it, and gives what to print.
    pub(crate) async fn tell(&self) -> Result<String, ClientError> {
        let client = Client::new();
        self.prepare(&client).await?;
        self.rules_in_force(&client).await?;
        let sent = traffic::send(&client, &self.gateway, HOST).await?;
        let seen = self.counted(&client, sent).await?;
        self.look_at_authors(&client).await?;
        let imported = self.import_day().await?;
        let unsaved = self.save_one(&client).await?;
        let blocked = self.block_an_order(&client).await?;
        let operation = busiest(&seen);
        let answer = self.call(&client, Method::POST, "/client/v4", "/api_gateway/operations/item", &operation).await?;
        let explanation = self.explanation(&client, &answer).await?;
        Ok([
            self.beginning(sent, &seen),
            self.about_import(&imported),
            self.about_unsaved(&unsaved),
            self.about_blocked(&blocked),
            self.about_operation(&operation, &answer),
            self.about_threshold(&answer, &explanation),
            self.about_schema(&answer),
            self.ending(),
        ]
        .concat())
    }

    /// The origin comes last: once it answers, all that was set before is in force, too.
    async fn prepare(&self, client: &Client) -> Result<(), ClientError> {
        let mut looked_at = None;
        for (method, endpoint) in OPERATIONS {
            let operation = json!({ "method": method, "host": HOST, "endpoint": endpoint });
            let added =
                self.call(client, Method::POST, "/client/v4", "/api_gateway/operations/item", &operation).await?;
            if endpoint == "/books/{book_id}" {
                looked_at = added["result"]["operation_id"].as_str().map(ToOwned::to_owned);
            }
        }
        if let Some(id) = looked_at {
            let route = json!({ "route": format!("{}/catalogue/{{var1}}", self.origin) });
            let path = format!("/api_gateway/operations/{id}/route");
            self.call(client, Method::PUT, "/client/v4", &path, &route).await?;
        }
        let sessions = json!({ "auth_id_characteristics": [{ "type": "header", "name": "Authorization" }] });
        self.call(client, Method::PUT, "/client/v4", "/api_gateway/configuration", &sessions).await?;
        let origin = json!({ "host": HOST, "url": self.origin });
        self.call(client, Method::PUT, "/demilune/v1", "/origins", &origin).await?;
        Ok(())
    }

    async fn rules_in_force(&self, client: &Client) -> Result<(), ClientError> {
        let begun = Instant::now();
        loop {
            let fields = vec![("host", HOST.to_owned())];
            // Fits no operation, so that the table shows what the traffic did and no more.
            let call = Call { method: Method::GET, url: format!("{}/ready", self.gateway), fields, body: None };
            let (status, body) = client.send(&call).await?;
            if status == StatusCode::NOT_FOUND {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let body = String::from_utf8_lossy(&body).into_owned();
                return Err(ClientError::Refused { call: "the gateway".to_owned(), status, body });
            }
            sleep(RETRY).await;
        }
    }

    /// Waits until what the gateway counted is stored.
    async fn counted(&self, client: &Client, sent: Sent) -> Result<Value, ClientError> {
        let begun = Instant::now();
        loop {
            let url = format!("{}/demilune/v1/zones/{}/analytics", self.control, self.zone);
            let fields = vec![("authorization", format!("Bearer {}", self.token))];
            let seen = client.json(&Call { method: Method::GET, url, fields, body: None }).await?;
            let requests = seen["result"]["totals"]["requests"].as_u64().unwrap_or(0);
            if requests >= u64::from(sent.requests) || begun.elapsed() > PATIENCE {
                return Ok(seen["result"].clone());
            }
            sleep(RETRY).await;
        }
    }

    /// Writes the access log of the last 24 full hours, and imports it as everybody does.
    async fn import_day(&self) -> Result<Value, ClientError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let log = self.log();
        tokio::fs::write(&log, day::access_log(HOST, now - now % 3_600)).await.map_err(ClientError::Import)?;
        let program = std::env::current_exe().map_err(ClientError::Import)?;
        let mut command = Command::new(program);
        command.args(["traffic", "import", "--output", "json", "--data", &self.data]).arg(log);
        let output = command.stdin(Stdio::null()).output().await.map_err(ClientError::Import)?;
        let printed = || io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned());
        serde_json::from_slice(&output.stdout).map_err(|_| ClientError::Import(printed()))
    }

    fn log(&self) -> PathBuf {
        [&self.data, "yesterday.jsonl"].iter().collect()
    }

    async fn explanation(&self, client: &Client, answer: &Value) -> Result<Value, ClientError> {
        let fields = vec![("authorization", format!("Bearer {}", self.token))];
        let call = Call { method: Method::GET, url: self.explain_url(answer), fields, body: None };
        Ok(client.json(&call).await?["result"].clone())
    }

    fn explain_url(&self, answer: &Value) -> String {
        let id = answer["result"]["operation_id"].as_str().unwrap_or_default();
        format!("{}/demilune/v1/zones/{}/operations/{id}/thresholds/explain", self.control, self.zone)
    }

    pub(super) async fn call(
        &self,
        client: &Client,
        method: Method,
        prefix: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, ClientError> {
        let url = format!("{}{prefix}/zones/{}{path}", self.control, self.zone);
        let fields = vec![("authorization", format!("Bearer {}", self.token))];
        client.json(&Call { method, url, fields, body: Some(body) }).await
    }

    fn beginning(&self, sent: Sent, seen: &Value) -> String {
        let Self { control, gateway, origin, .. } = self;
        let operations = OPERATIONS.len();
        let requests = sent.requests;
        let mut text = format!(
            "A bookshop's API behind a gateway, on this machine:\n\n  \
             origin       {origin}  (the sample API; yours in real life)\n  \
             gateway      {gateway}  (live traffic goes here)\n  \
             control API  {control}  (documentation: {control}/demilune/docs)\n\n\
             Added {operations} operations of {HOST} and sent {requests} requests through the gateway:\n\n"
        );
        text.push_str(&table(seen));
        text
    }

    fn about_import(&self, imported: &Value) -> String {
        let count = |name: &str| imported[name].as_u64().unwrap_or(0);
        format!(
            "\nImported the access log of the day before, from when the bookshop had no gateway yet: {} requests, \
             {} of them to its operations, {} answered with 2xx in a session.\n\n  \
             demilune traffic import --data '{}' '{}'\n",
            count("lines"),
            count("matched"),
            count("counted"),
            self.data,
            self.log().display(),
        )
    }

    fn about_operation(&self, operation: &Value, answer: &Value) -> String {
        let Self { control, zone, token, .. } = self;
        format!(
            "\nAsk about the busiest operation as Cloudflare's reference page does; this adds it if it is not there:\n\n  \
             curl '{control}/client/v4/zones/{zone}/api_gateway/operations/item' \\\n    \
             -H 'Content-Type: application/json' \\\n    \
             -H 'Authorization: Bearer {token}' \\\n    \
             -d '{operation}'\n\n{answer:#}\n"
        )
    }

    fn about_threshold(&self, answer: &Value, explanation: &Value) -> String {
        let (url, token) = (self.explain_url(answer), &self.token);
        let result = &explanation["result"];
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let reasons = result["confidence"]["reasons"].as_array().map(Vec::as_slice).unwrap_or_default();
        let reasons: Vec<String> = reasons.iter().map(text).collect();
        format!(
            "\nAsk what the threshold rests on, with the histogram behind it:\n\n  \
             curl '{url}' \\\n    \
             -H 'Authorization: Bearer {token}'\n\n  \
             {}\n  \
             Confidence {}: {}.\n",
            text(&explanation["summary"]),
            text(&result["confidence"]["label"]),
            reasons.join("; "),
        )
    }

    fn about_schema(&self, answer: &Value) -> String {
        let id = answer["result"]["operation_id"].as_str().unwrap_or_default();
        let Self { control, zone, token, data, .. } = self;
        format!(
            "\nAsk what each keyword of the learned parameters rests on, and export what was learned of every operation as \
             one OpenAPI document:\n\n  \
             curl '{control}/demilune/v1/zones/{zone}/operations/{id}/parameter_schemas/explain' \\\n    \
             -H 'Authorization: Bearer {token}'\n  \
             demilune schema export --data '{data}' --host {HOST}\n"
        )
    }

    fn ending(&self) -> String {
        let Self { gateway, data, .. } = self;
        format!(
            "\nSend a request through the gateway, and ask which operation it belongs to and why:\n\n  \
             curl '{gateway}/books/7' -H 'Host: {HOST}'\n  \
             demilune explain --data '{data}' GET 'http://{HOST}/books/7'\n"
        )
    }
}

/// The operation with most requests, as its call wants it.
fn busiest(seen: &Value) -> Value {
    let operations = seen["operations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let requests = |operation: &&Value| operation["totals"]["requests"].as_u64();
    let busiest = operations.iter().filter(|operation| operation["operation_id"].is_string()).max_by_key(requests);
    let member = |name: &str| busiest.map_or(Value::Null, |operation| operation[name].clone());
    json!({ "method": member("method"), "host": member("host"), "endpoint": member("endpoint") })
}

fn table(seen: &Value) -> String {
    let mut text = format!(
        "  {:<7} {:<26} {:>8} {:>6} {:>6} {:>6} {:>9} {:>9}\n",
        "METHOD", "ENDPOINT", "REQUESTS", "2xx", "4xx", "5xx", "P50 ms", "P99 ms"
    );
    for operation in seen["operations"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let totals = &operation["totals"];
        let count = |value: &Value| value.as_u64().unwrap_or(0);
        let ms = |value: &Value| value.as_f64().map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}"));
        let _ = writeln!(
            text,
            "  {:<7} {:<26} {:>8} {:>6} {:>6} {:>6} {:>9} {:>9}",
            operation["method"].as_str().unwrap_or("-"),
            operation["endpoint"].as_str().unwrap_or("(no operation fits)"),
            count(&totals["requests"]),
            count(&totals["status"]["2xx"]),
            count(&totals["status"]["4xx"]),
            count(&totals["status"]["5xx"]),
            ms(&totals["duration_ms"]["p50"]),
            ms(&totals["duration_ms"]["p99"]),
        );
    }
    text
}
