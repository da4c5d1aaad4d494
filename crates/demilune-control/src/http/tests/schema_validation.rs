//! What happens to requests that do not fit their schema: settings of zones and actions of operations.

use serde_json::{Value, json};

use crate::http::testing::{Answer, Api, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER};

const OLDER: &str = "api_gateway/settings/schema_validation";
const CURRENT: &str = "schema_validation/settings";
const ACTIONS: &str = "schema_validation/settings/operations";
const OLDER_ACTIONS: &str = "api_gateway/operations/schema_validation";
const UNKNOWN: &str = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415";

async fn call(api: &Api, method: &str, path: &str, body: Option<Value>) -> Answer {
    api.call_as(WRITER, method, &format!("/client/v4/zones/{ZONE}/{path}"), body).await
}

fn settings(default: &str, over: Option<&str>) -> Value {
    json!({"validation_default_mitigation_action": default, "validation_override_mitigation_action": over})
}

fn action(action: &str) -> Value {
    json!({ "mitigation_action": action })
}

/// Holds that an answer's members stand in `result` and beside it, and hands them out.
fn open(answer: &Answer) -> Value {
    let result = answer.result();
    for (name, value) in result.as_object().unwrap() {
        assert_eq!(&answer.body[name], value, "{}", answer.body);
    }
    result.clone()
}

/// The settings as both families show them, which must agree.
async fn shown(api: &Api) -> Value {
    let older = open(&call(api, "GET", OLDER, None).await);
    let mut current = call(api, "GET", CURRENT, None).await.result().clone();
    if current.get("validation_override_mitigation_action").is_none() {
        current["validation_override_mitigation_action"] = Value::Null;
    }
    assert_eq!(older, current);
    older
}

async fn with_operations() -> (Api, [String; 2]) {
    let api = Api::start().await;
    let ids = [api.add("GET", "a.example", "/a").await, api.add("GET", "a.example", "/b").await];
    (api, ids)
}

fn older(id: &str) -> String {
    format!("api_gateway/operations/{id}/schema_validation")
}

fn current(id: &str) -> String {
    format!("{ACTIONS}/{id}")
}

#[tokio::test]
async fn settings_start_as_they_are_documented() {
    let api = Api::start().await;
    assert_eq!(shown(&api).await, settings("none", None));
    insta::assert_json_snapshot!("older_settings", call(&api, "GET", OLDER, None).await.body);
    insta::assert_json_snapshot!("current_settings", call(&api, "GET", CURRENT, None).await.body);
}

#[tokio::test]
async fn the_older_calls_change_settings_by_their_rules() {
    let api = Api::start().await;
    let check = async |method: &str, body: Value, expected: Value| {
        assert_eq!(open(&call(&api, method, OLDER, Some(body.clone())).await), expected, "{method} {body}");
        assert_eq!(shown(&api).await, expected, "{method} {body}");
    };
    check("PUT", json!({"validation_default_mitigation_action": "log"}), settings("log", None)).await;
    check("PUT", settings("block", Some("none")), settings("block", Some("none"))).await;
    check("PATCH", settings("log", None), settings("log", Some("none"))).await;
    check("PATCH", json!({"validation_default_mitigation_action": null}), settings("log", Some("none"))).await;
    let disable = json!({"validation_override_mitigation_action": "disable_override"});
    check("PATCH", disable, settings("log", None)).await;
    check("PATCH", json!({"validation_override_mitigation_action": "none"}), settings("log", Some("none"))).await;
    check("PUT", settings("log", Some("disable_override")), settings("log", None)).await;
    check("PUT", settings("log", Some("none")), settings("log", Some("none"))).await;
    check("PUT", settings("none", None), settings("none", None)).await;
}

#[tokio::test]
async fn the_current_calls_change_settings_by_their_rules() {
    let api = Api::start().await;
    let check = async |method: &str, body: Value, expected: Value| {
        let answer = call(&api, method, CURRENT, Some(body.clone())).await;
        let result = answer.result();
        assert_eq!(shown(&api).await, expected, "{method} {body}");
        let shown_override = &expected["validation_override_mitigation_action"];
        assert_eq!(result.get("validation_override_mitigation_action").unwrap_or(&Value::Null), shown_override);
    };
    check("PUT", settings("block", Some("none")), settings("block", Some("none"))).await;
    check("PATCH", json!({"validation_default_mitigation_action": "log"}), settings("log", Some("none"))).await;
    check("PATCH", json!({"validation_override_mitigation_action": null}), settings("log", None)).await;
    check("PATCH", json!({"validation_override_mitigation_action": "none"}), settings("log", Some("none"))).await;
    check("PUT", json!({"validation_default_mitigation_action": "block"}), settings("block", None)).await;
    check("PATCH", json!({}), settings("block", None)).await;
}

#[tokio::test]
async fn a_bad_override_is_refused_in_the_words_that_clients_know() {
    let api = Api::start().await;
    for method in ["PUT", "PATCH"] {
        let answer = call(&api, method, OLDER, Some(settings("log", Some("block")))).await;
        answer.check_failure(400, &[10400]);
        assert_eq!(answer.pointers(), ["/validation_override_mitigation_action"]);
        let message = "Bad override mitigation action: Only 'disable_override' and 'none' are accepted.";
        assert_eq!(answer.body["errors"][0]["message"], message);
        let disable = call(&api, method, CURRENT, Some(settings("log", Some("disable_override")))).await;
        disable.check_failure(400, &[10400]);
    }
    assert_eq!(shown(&api).await, settings("none", None));
}

#[tokio::test]
async fn every_defect_of_settings_has_its_place() {
    let api = Api::start().await;
    for path in [OLDER, CURRENT] {
        for method in ["PUT", "PATCH"] {
            let answer = call(&api, method, path, Some(settings("drop", Some("log")))).await;
            answer.check_failure(400, &[10400, 10400]);
            let pointers = ["/validation_default_mitigation_action", "/validation_override_mitigation_action"];
            assert_eq!(answer.pointers(), pointers);
            call(&api, method, path, Some(json!("log"))).await.check_failure(400, &[10400]);
        }
        call(&api, "PUT", path, Some(json!({}))).await.check_failure(400, &[10400]);
    }
}

#[tokio::test]
async fn an_action_is_set_and_taken_away_by_the_older_calls() {
    let (api, [id, _]) = with_operations().await;
    let check = async |body: Option<Value>, expected: Value| {
        let method = if body.is_some() { "PUT" } else { "GET" };
        let answer = call(&api, method, &older(&id), body.clone()).await;
        assert_eq!(open(&answer), json!({"operation_id": id, "mitigation_action": expected}), "{body:?}");
    };
    check(None, Value::Null).await;
    check(Some(action("block")), json!("block")).await;
    check(None, json!("block")).await;
    insta::assert_json_snapshot!("older_action", call(&api, "GET", &older(&id), None).await.body, {
        ".operation_id" => "…", ".result.operation_id" => "…",
    });
    check(Some(json!({"mitigation_action": null})), Value::Null).await;
    check(Some(action("NONE")), json!("none")).await;
    check(Some(json!({})), Value::Null).await;
    check(None, Value::Null).await;
}

#[tokio::test]
async fn an_action_is_set_and_taken_away_by_the_current_calls() {
    let (api, [id, _]) = with_operations().await;
    let with = |action: Value| json!({"operation_id": id, "mitigation_action": action});
    call(&api, "GET", &current(&id), None).await.check_failure(404, &[10404]);
    for word in ["block", "none", "log"] {
        assert_eq!(call(&api, "PUT", &current(&id), Some(action(word))).await.result(), &with(json!(word)));
        assert_eq!(call(&api, "GET", &current(&id), None).await.result(), &with(json!(word)));
    }
    let null = json!({"mitigation_action": null});
    assert_eq!(call(&api, "PUT", &current(&id), Some(null)).await.result(), &with(Value::Null));
    call(&api, "GET", &current(&id), None).await.check_failure(404, &[10404]);
    call(&api, "PUT", &current(&id), Some(action("log"))).await.result();
    for _ in 0..2 {
        assert_eq!(call(&api, "DELETE", &current(&id), None).await.result(), &json!({"operation_id": id}));
        call(&api, "GET", &current(&id), None).await.check_failure(404, &[10404]);
    }
    for body in [json!({}), json!([]), action("drop"), json!({"mitigation_action": 1})] {
        call(&api, "PUT", &current(&id), Some(body)).await.check_failure(400, &[10400]);
    }
}

#[tokio::test]
async fn several_actions_are_changed_by_either_family() {
    let (api, [a, b]) = with_operations().await;
    let body = json!({a.as_str(): action("block"), b.as_str(): action("log")});
    assert_eq!(call(&api, "PATCH", OLDER_ACTIONS, Some(body.clone())).await.result(), &body);
    let with = |id: &str, action: Value| json!({"operation_id": id, "mitigation_action": action});
    let change = json!({a.as_str(): {}, b.as_str(): {"mitigation_action": null}});
    let expected = json!({a.as_str(): with(&a, json!("block")), b.as_str(): with(&b, Value::Null)});
    assert_eq!(call(&api, "PATCH", ACTIONS, Some(change)).await.result(), &expected);
    assert_eq!(call(&api, "GET", ACTIONS, None).await.result(), &json!([with(&a, json!("block"))]));
    for path in [ACTIONS, OLDER_ACTIONS] {
        assert_eq!(call(&api, "PATCH", path, Some(json!({}))).await.result(), &json!({}));
    }
}

#[tokio::test]
async fn one_defect_keeps_all_of_a_change_out() {
    let (api, [a, b]) = with_operations().await;
    for path in [ACTIONS, OLDER_ACTIONS] {
        let check = async |body: Value, status: u16, code: u64, pointers: &[&str]| {
            let answer = call(&api, "PATCH", path, Some(body.clone())).await;
            answer.check_failure(status, &vec![code; pointers.len()]);
            assert_eq!(answer.pointers(), pointers, "{body}");
        };
        let unknown = json!({a.as_str(): action("block"), UNKNOWN: action("log")});
        check(unknown, 404, 10404, &[&format!("/{UNKNOWN}")]).await;
        check(json!({a.as_str(): action("block"), "x/y": action("log")}), 400, 10400, &["/x~1y"]).await;
        let drop = json!({a.as_str(): action("block"), b.as_str(): action("drop")});
        check(drop, 400, 10400, &[&format!("/{b}/mitigation_action")]).await;
        check(json!({a.as_str(): "block"}), 400, 10400, &[&format!("/{a}")]).await;
        check(json!([]), 400, 10400, &[""]).await;
    }
    assert_eq!(call(&api, "GET", ACTIONS, None).await.result(), &json!([]));
}

#[tokio::test]
async fn actions_are_listed_by_page() {
    let api = Api::start().await;
    let mut changes = serde_json::Map::new();
    for number in 0..7 {
        changes.insert(api.add("GET", "a.example", &format!("/{number}")).await, action("log"));
    }
    let mut ids: Vec<_> = changes.keys().cloned().collect();
    ids.sort_unstable();
    call(&api, "PATCH", ACTIONS, Some(Value::Object(changes))).await.result();
    let check = async |page: u32, expected: &[String]| {
        let answer = call(&api, "GET", &format!("{ACTIONS}?per_page=5&page={page}"), None).await;
        let found: Vec<_> =
            answer.result().as_array().unwrap().iter().map(|item| item["operation_id"].clone()).collect();
        assert_eq!(found, expected);
        assert_eq!(answer.body["result_info"]["total_count"], 7);
    };
    check(1, &ids[..5]).await;
    check(2, &ids[5..]).await;
    check(3, &[]).await;
}

#[tokio::test]
async fn an_operation_shows_the_schema_in_force_and_what_happens() {
    let (api, [id, other]) = with_operations().await;
    let info = async |id: &str| {
        let got = api.call("GET", &format!("/operations/{id}?feature=schema_info"), None).await.result().clone();
        let listed = api.call("GET", "/operations?feature=schema_info", None).await;
        assert!(listed.result().as_array().unwrap().contains(&got));
        got["features"]["schema_info"].clone()
    };
    let nothing = json!({"learned_available": false, "mitigation_action": "none"});
    assert_eq!(info(&id).await, nothing);
    let source = r#"{"openapi": "3.0.0", "servers": [{"url": "https://a.example"}], "paths": {"/a": {"get": {}}}}"#;
    let schema = json!({"kind": "openapi_v3", "name": "a.json", "source": source, "validation_enabled": true});
    let added = call(&api, "POST", "schema_validation/schemas", Some(schema)).await.result().clone();
    call(&api, "PUT", &current(&other), Some(action("block"))).await.result();
    call(&api, "PUT", CURRENT, Some(settings("log", None))).await.result();
    let active = json!({"id": added["schema_id"], "created_at": added["created_at"], "is_learned": false,
                        "name": "a.json"});
    let expected = json!({"active_schema": active, "learned_available": false, "mitigation_action": "log"});
    assert_eq!(info(&id).await, expected);
    assert_eq!(info(&other).await, json!({"learned_available": false, "mitigation_action": "block"}));
    call(&api, "PUT", CURRENT, Some(settings("log", Some("none")))).await.result();
    assert_eq!(info(&other).await, nothing);
}

#[tokio::test]
async fn adding_an_operation_again_shows_its_schema_and_a_new_one_shows_nothing() {
    let api = Api::start().await;
    let source = r#"{"openapi": "3.0.0", "servers": [{"url": "https://a.example"}], "paths": {"/a": {"get": {}}}}"#;
    let schema = json!({"kind": "openapi_v3", "name": "a.json", "source": source, "validation_enabled": true});
    let added = call(&api, "POST", "schema_validation/schemas", Some(schema)).await.result().clone();
    let add = async |query: &str| {
        let body = json!({"method": "GET", "host": "a.example", "endpoint": "/a"});
        api.call("POST", &format!("/operations/item{query}"), Some(body)).await.result().get("features").cloned()
    };
    assert_eq!(add("").await, None);
    let again = add("").await.unwrap();
    assert_eq!(again["schema_info"]["active_schema"]["id"], added["schema_id"]);
    assert_eq!(add("?feature=schema_info").await, Some(again));
    assert_eq!(add("?feature=thresholds").await, Some(json!({"thresholds": {}})));
}

#[tokio::test]
async fn an_unknown_operation_or_zone_is_not_found() {
    let (api, [id, _]) = with_operations().await;
    let body = || Some(action("log"));
    for id in [UNKNOWN, "x"] {
        for path in [older(id), current(id)] {
            call(&api, "GET", &path, None).await.check_failure(404, &[10404]);
            call(&api, "PUT", &path, body()).await.check_failure(404, &[10404]);
        }
        call(&api, "DELETE", &current(id), None).await.check_failure(404, &[10404]);
    }
    let nowhere = format!("/client/v4/zones/{}", "f".repeat(32));
    for path in [older(&id), current(&id), OLDER.to_owned(), CURRENT.to_owned(), ACTIONS.to_owned()] {
        api.call_as(WRITER, "GET", &format!("{nowhere}/{path}"), None).await.check_failure(404, &[7003, 7000]);
    }
    for path in [older(&id), current(&id)] {
        api.call_as(WRITER, "PUT", &format!("{nowhere}/{path}"), body()).await.check_failure(404, &[7003, 7000]);
    }
    for path in [OLDER, CURRENT] {
        for method in ["PUT", "PATCH"] {
            let answer = api.call_as(WRITER, method, &format!("{nowhere}/{path}"), Some(settings("log", None))).await;
            answer.check_failure(404, &[7003, 7000]);
        }
    }
    for path in [ACTIONS, OLDER_ACTIONS] {
        for body in [json!({}), json!({id.as_str(): action("log")})] {
            let answer = api.call_as(WRITER, "PATCH", &format!("{nowhere}/{path}"), Some(body)).await;
            answer.check_failure(404, &[7003, 7000]);
        }
    }
}

#[tokio::test]
async fn settings_are_read_by_readers_and_changed_by_writers() {
    let (api, [id, _]) = with_operations().await;
    let path = |zone: &str, path: &str| format!("/client/v4/zones/{zone}/{path}");
    for read in [OLDER, CURRENT, ACTIONS, &older(&id)] {
        api.call_as(READER, "GET", &path(ZONE, read), None).await.result();
        api.call_as(ZONE_WRITER, "GET", &path(OTHER_ZONE, read), None).await.check_failure(403, &[9109]);
    }
    let changes = [
        ("PUT", OLDER.to_owned()),
        ("PATCH", OLDER.to_owned()),
        ("PUT", CURRENT.to_owned()),
        ("PATCH", CURRENT.to_owned()),
        ("PATCH", ACTIONS.to_owned()),
        ("PATCH", OLDER_ACTIONS.to_owned()),
        ("PUT", older(&id)),
        ("PUT", current(&id)),
        ("DELETE", current(&id)),
    ];
    for (method, change) in changes {
        api.call_as(READER, method, &path(ZONE, &change), Some(json!({}))).await.check_failure(403, &[10000]);
        let elsewhere = api.call_as(ZONE_WRITER, method, &path(OTHER_ZONE, &change), Some(json!({}))).await;
        elsewhere.check_failure(403, &[9109]);
    }
}

#[tokio::test]
async fn literal_segments_win_over_ids() {
    let api = Api::start().await;
    let answer = call(&api, "GET", OLDER_ACTIONS, None).await;
    answer.check_failure(405, &[10405]);
    assert_eq!(answer.headers["allow"], "PATCH");
    assert_eq!(call(&api, "GET", "api_gateway/user_schemas/hosts", None).await.result(), &json!([]));
}
