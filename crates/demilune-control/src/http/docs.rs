//! A readable page of the API and its error codes, which needs nothing from the internet.

use std::sync::LazyLock;

use axum::response::Html;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use super::{error::ERROR_CODES, openapi};

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font: .9em ui-monospace, monospace; }
h3 code { font-size: 1em; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8884; }
tr:target { background: #fd08; }
";

/// `GET /demilune/docs`.
pub(crate) async fn page() -> Html<&'static str> {
    static PAGE: LazyLock<String> = LazyLock::new(|| render().into_string());
    Html(&PAGE)
}

fn render() -> Markup {
    let document = serde_json::to_value(openapi::document_openapi()).unwrap_or_default();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Demilune control API" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Demilune control API" }
                p { (text(&document["info"]["description"])) }
                p { "The same as an OpenAPI document: " a href="/demilune/openapi.json" { "/demilune/openapi.json" } }
                (credentials())
                h2 id="calls" { "Calls" }
                @for (path, item) in members(&document["paths"]) {
                    @for (method, operation) in members(item) { (call(method, path, operation)) }
                }
                (error_table())
            }
        }
    }
}

fn credentials() -> Markup {
    html! {
        h2 id="credentials" { "Credentials" }
        p {
            "Send " code { "Authorization: Bearer <token>" } ", or both " code { "X-Auth-Email" } " and "
            code { "X-Auth-Key" } ". A token changes the inventory of a zone with " code { "Account API Gateway" } " or "
            code { "Domain API Gateway" } ", and reads it with these or with " code { "Account API Gateway Read" } " or "
            code { "Domain API Gateway Read" } ". The calls below " code { "/demilune/v1" } " change something with "
            code { "Demilune Operator" } " alone, and read with any group."
        }
    }
}

fn call(method: &str, path: &str, operation: &Value) -> Markup {
    html! {
        h3 id=(text(&operation["operationId"])) { code { (method.to_uppercase()) " " (path) } }
        p { (text(&operation["summary"])) " " (text(&operation["description"])) }
        @if let Some(parameters) = operation["parameters"].as_array() {
            table {
                tr { th { "Parameter" } th { "In" } th { "Meaning" } }
                @for parameter in parameters {
                    tr {
                        td { code { (text(&parameter["name"])) } }
                        td { (text(&parameter["in"])) }
                        td { (text(&parameter["description"])) }
                    }
                }
            }
        }
    }
}

fn error_table() -> Markup {
    html! {
        h2 id="codes" { "Error codes" }
        table {
            tr { th { "Code" } th { "Status" } th { "What happened" } th { "What to do" } }
            @for error in ERROR_CODES {
                tr id={ "code-" (error.code) } {
                    td { code { (error.code) } }
                    td { (error.status.as_u16()) }
                    td { (error.meaning) }
                    td { (error.remedy) }
                }
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_explains_every_code_under_its_anchor() {
        let page = render().into_string();
        for error in ERROR_CODES {
            assert!(page.contains(&format!("<tr id=\"code-{}\">", error.code)), "{}", error.code);
        }
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        let page = render().into_string();
        assert!(!page.contains("src="));
        assert!(!page.contains("href=\"http"));
    }
}
