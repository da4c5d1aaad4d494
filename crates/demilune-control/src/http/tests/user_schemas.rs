//! Uploaded schemas, in the older calls and the current ones.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use crate::http::testing::{Answer, Api, OTHER_ZONE, READER, WRITER, ZONE, ZONE_WRITER};

const OLDER: &str = "api_gateway/user_schemas";
const CURRENT: &str = "schema_validation/schemas";
const PETS: &str = r#"openapi: 3.0.3
info: {title: Pets, version: "1"}
servers: [{url: "https://api.example.com/v1"}]
paths:
  /pets/{petId}:
    get:
      parameters: [{name: petId, in: path, required: true, schema: {type: integer, format: int32}}]
    put:
      parameters: [{name: weight, in: query, schema: {type: number, format: float}}]
      requestBody: {content: {application/octet-stream: {}}}
"#;
/// A document with problems of several kinds, one of them in two places.
const BROKEN: &str = r##"{"openapi": "3.0.0", "servers": [{"url": "https://api.example.com"}], "paths": {
  "/a": {"get": {"parameters": [{"name": "a", "in": "query", "style": "matrix"}, {"in": "query"}]}},
  "/b": {"get": {"parameters": [{"name": "b", "in": "query", "style": "matrix"}]}, "query": {}},
  "/c": {"get": {"requestBody": {"$ref": "#/components/requestBodies/none"}}}
}}"##;

/// One field of a form: its name, what the client calls the file, and the content.
type Field<'a> = (&'a str, Option<&'a str>, &'a str);

async fn send_form(api: &Api, method: &str, path: &str, fields: &[Field<'_>]) -> Answer {
    let field = |(name, file_name, content): &Field<'_>| {
        let file_name = file_name.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n{content}\r\n")
    };
    let body = fields.iter().map(field).collect::<Vec<_>>().concat() + "--b--\r\n";
    let request = Request::builder()
        .method(method)
        .uri(format!("/client/v4/zones/{ZONE}/{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {WRITER}"))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    api.send(request.body(Body::from(body)).unwrap()).await
}

async fn upload(api: &Api, source: &str) -> Answer {
    let fields = [("file", Some("pets.yaml"), source), ("kind", None, "openapi_v3")];
    send_form(api, "POST", OLDER, &fields).await
}

async fn call(api: &Api, method: &str, path: &str, body: Option<Value>) -> Answer {
    api.call_as(WRITER, method, &format!("/client/v4/zones/{ZONE}/{path}"), body).await
}

fn schema(name: &str, source: &str, validation_enabled: bool) -> Value {
    json!({"kind": "openapi_v3", "name": name, "source": source, "validation_enabled": validation_enabled})
}

async fn add(api: &Api, name: &str, source: &str, validation_enabled: bool) -> Value {
    call(api, "POST", CURRENT, Some(schema(name, source, validation_enabled))).await.result().clone()
}

fn id(schema: &Value) -> &str {
    schema["schema_id"].as_str().unwrap()
}

/// A document that describes `GET https://{host}/{path}`.
fn document(host: &str, path: &str) -> String {
    json!({"openapi": "3.1.0", "servers": [{"url": format!("https://{host}")}], "paths": {path: {"get": {}}}})
        .to_string()
}

#[tokio::test]
async fn an_uploaded_schema_is_answered_with_what_was_found_in_it() {
    let api = Api::start().await;
    let mut answer = upload(&api, PETS).await;
    let added = answer.result()["schema"].clone();
    assert_eq!(added["source"], PETS);
    assert_eq!(id(&added).len(), 36);
    assert!(added["created_at"].as_str().unwrap().ends_with('Z'));
    for member in ["schema_id", "created_at"] {
        answer.body["result"]["schema"][member] = json!("…");
    }
    insta::assert_json_snapshot!(answer.body);
}

#[tokio::test]
async fn a_form_says_what_a_schema_is_called_and_whether_it_is_on() {
    let api = Api::start().await;
    let source = document("a.example", "/");
    let check = async |fields: &[Field<'_>], name: &str, enabled: bool| {
        let kind = ("kind", None, "openapi_v3");
        let answer = send_form(&api, "POST", OLDER, &[&[kind], fields].concat()).await;
        let schema = &answer.result()["schema"];
        assert_eq!((&schema["name"], &schema["validation_enabled"]), (&json!(name), &json!(enabled)), "{fields:?}");
    };
    let file = ("file", Some("upload"), source.as_str());
    check(&[file], "upload", false).await;
    check(&[file, ("name", None, "é é.json"), ("validation_enabled", None, "true")], "é é.json", true).await;
    check(&[("name", None, ""), ("validation_enabled", None, "false"), ("file", None, &source)], "schema", false).await;
    check(&[("file", Some(&"x".repeat(256)), &source), ("other", Some("x"), "x")], "schema", false).await;
}

#[tokio::test]
async fn every_defect_of_a_form_has_its_place() {
    let api = Api::start().await;
    let check = async |fields: &[Field<'_>], pointers: &[&str]| {
        let answer = send_form(&api, "POST", OLDER, fields).await;
        assert_eq!(answer.status, 400, "{fields:?}: {}", answer.body);
        assert_eq!(answer.pointers(), pointers, "{fields:?}");
    };
    let (file, kind) = (("file", None, PETS), ("kind", None, "openapi_v3"));
    check(&[], &["/kind", "/file"]).await;
    check(&[file, ("kind", None, "raml"), ("validation_enabled", None, "yes")], &["/kind", "/validation_enabled"])
        .await;
    check(&[file, kind, ("name", None, &"x".repeat(256))], &["/name"]).await;
    check(&[file, kind, ("name", None, "a\tb")], &["/name"]).await;
    let body = call(&api, "POST", OLDER, Some(schema("a", PETS, false))).await;
    body.check_failure(415, &[10415]);
}

#[tokio::test]
async fn every_problem_of_a_document_is_answered_by_both_families() {
    let api = Api::start().await;
    let older = upload(&api, BROKEN).await;
    assert_eq!(older.status, 400);
    insta::assert_json_snapshot!("broken", older.body);
    let current = call(&api, "POST", CURRENT, Some(schema("a", BROKEN, true))).await;
    assert_eq!(current.status, 400);
    assert_eq!(current.body["result"], older.body["result"]);
    assert_eq!(current.codes(), older.codes());
    assert!(current.pointers().iter().all(|pointer| *pointer == "/source"));
    assert_eq!(call(&api, "GET", OLDER, None).await.result(), &json!([]));
}

#[tokio::test]
async fn what_ends_reading_is_critical() {
    let api = Api::start().await;
    let check = async |source: &str, code: u64| {
        let answer = upload(&api, source).await;
        assert_eq!((answer.status.as_u16(), answer.codes()), (400, vec![21400]), "{}", answer.body);
        let details = &answer.body["result"]["upload_details"];
        assert_eq!((&details["critical"]["code"], &details["critical"]["location"]), (&json!(code), &json!("")));
        assert_eq!(answer.body["errors"][0]["message"], details["critical"]["message"]);
    };
    check("{", 2).await;
    check("", 3).await;
    check("{\"swagger\": \"2.0\"}", 3).await;
    check("a: b\n  c: d", 2).await;
}

#[tokio::test]
async fn warnings_stand_in_messages_where_there_is_no_other_place() {
    let api = Api::start().await;
    let answer = call(&api, "POST", CURRENT, Some(schema("pets", PETS, true))).await;
    answer.result();
    let older = upload(&api, PETS).await;
    let warnings = older.result()["upload_details"]["warnings"].as_array().unwrap();
    let messages = answer.body["messages"].as_array().unwrap();
    assert!(!warnings.is_empty());
    for (message, warning) in messages.iter().zip(warnings) {
        assert_eq!(message["code"].as_u64().unwrap(), 21200 + warning["code"].as_u64().unwrap());
        assert!(message["message"].as_str().unwrap().starts_with(warning["message"].as_str().unwrap()));
    }
    assert_eq!(messages.len(), warnings.len());
}

#[tokio::test]
async fn a_document_without_operations_is_taken_with_a_warning() {
    let api = Api::start().await;
    let source = r#"{"openapi": "3.0.3", "servers": [{"url": "api.example.com"}], "paths": {"/": {}}}"#;
    let answer = upload(&api, source).await;
    assert_eq!(answer.result()["upload_details"]["warnings"][0]["code"], 5);
    let path = format!("{OLDER}/{}/operations", id(&answer.result()["schema"]));
    assert_eq!(call(&api, "GET", &path, None).await.result(), &json!([]));
}

#[tokio::test]
async fn servers_without_a_host_are_the_zones_own() {
    let api = Api::start().await;
    let source = r#"{"openapi": "3.0.3", "servers": [{"url": "/v1"}], "paths": {"/a": {"get": {}}}}"#;
    let added = add(&api, "a", source, true).await;
    let described = call(&api, "GET", &format!("{OLDER}/{}/operations", id(&added)), None).await;
    assert_eq!(described.result(), &json!([{"method": "GET", "host": "example.com", "endpoint": "/v1/a"}]));
}

#[tokio::test]
async fn a_source_is_kept_byte_for_byte() {
    let api = Api::start().await;
    let source = format!("\u{feff}# é\r\n{}\r\n\t", PETS.replace('\n', "\r\n"));
    let by_form = upload(&api, &source).await.result()["schema"].clone();
    let by_json = add(&api, "a", &source, false).await;
    for added in [by_form, by_json] {
        assert_eq!(added["source"], source);
        for family in [OLDER, CURRENT] {
            assert_eq!(call(&api, "GET", &format!("{family}/{}", id(&added)), None).await.result(), &added);
        }
    }
}

#[tokio::test]
async fn every_defect_of_a_body_has_its_place() {
    let api = Api::start().await;
    let check = async |body: Value, pointers: &[&str]| {
        let answer = call(&api, "POST", CURRENT, Some(body.clone())).await;
        answer.check_failure(400, &vec![10400; pointers.len()]);
        assert_eq!(answer.pointers(), pointers, "{body}");
    };
    check(json!({}), &["/kind", "/name", "/source", "/validation_enabled"]).await;
    check(json!([]), &["/kind", "/name", "/source", "/validation_enabled"]).await;
    check(
        json!({"kind": "openapi_v4", "name": "", "source": {}, "validation_enabled": "true"}),
        &["/kind", "/name", "/source", "/validation_enabled"],
    )
    .await;
    check(schema(&"é".repeat(256), PETS, true), &["/name"]).await;
    check(schema("a\u{0}", PETS, true), &["/name"]).await;
}

#[tokio::test]
async fn both_families_list_one_set_the_newest_first() {
    let api = Api::start().await;
    let first = add(&api, "first", PETS, true).await;
    let second = upload(&api, PETS).await.result()["schema"].clone();
    assert!(second["created_at"].as_str() > first["created_at"].as_str());
    let older = call(&api, "GET", OLDER, None).await;
    assert_eq!(older.result(), &json!([second, first]));
    let info = json!({"page": 1, "per_page": 20, "count": 2, "total_count": 2, "total_pages": 1});
    assert_eq!(older.body["result_info"], info);
    assert_eq!(call(&api, "GET", CURRENT, None).await.body, older.body);
    let names = async |query: &str| {
        let mut names = Vec::new();
        for family in [OLDER, CURRENT] {
            let answer = call(&api, "GET", &format!("{family}?{query}"), None).await;
            let list = answer.result().as_array().unwrap().clone();
            names.push(list.iter().map(|schema| schema["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
        }
        assert_eq!(names[0], names[1]);
        names.remove(0)
    };
    assert_eq!(names("validation_enabled=true").await, ["first"]);
    assert_eq!(names("validation_enabled=false").await, ["pets.yaml"]);
    assert_eq!(names("page=2").await, [""; 0]);
    let without = call(&api, "GET", &format!("{CURRENT}?omit_source=true"), None).await;
    assert!(without.result().as_array().unwrap().iter().all(|schema| schema.get("source").is_none()));
    call(&api, "GET", &format!("{OLDER}?omit_source=yes"), None).await.check_failure(400, &[10400]);
}

#[tokio::test]
async fn a_schema_is_switched_on_by_either_family_and_off_by_the_current_one() {
    let api = Api::start().await;
    let added = add(&api, "a", PETS, false).await;
    let with = |enabled: bool| {
        let mut schema = added.clone();
        schema["validation_enabled"] = json!(enabled);
        schema
    };
    let (older, current) = (format!("{OLDER}/{}", id(&added)), format!("{CURRENT}/{}", id(&added)));
    let on = || Some(json!({"validation_enabled": true}));
    let off = || Some(json!({"validation_enabled": false}));
    call(&api, "PATCH", &older, off()).await.check_failure(400, &[10400]);
    assert_eq!(call(&api, "PATCH", &older, on()).await.result(), &with(true));
    assert_eq!(call(&api, "PATCH", &older, on()).await.result(), &with(true));
    let refused = call(&api, "PATCH", &older, off()).await;
    refused.check_failure(400, &[10400]);
    assert_eq!(refused.pointers(), ["/validation_enabled"]);
    assert_eq!(call(&api, "PATCH", &current, Some(json!({}))).await.result(), &with(true));
    assert_eq!(call(&api, "PATCH", &current, off()).await.result(), &with(false));
    assert_eq!(call(&api, "GET", &current, None).await.result(), &with(false));
    assert_eq!(call(&api, "PATCH", &current, on()).await.result(), &with(true));
    for body in [json!([]), json!({"validation_enabled": "true"}), json!({"validation_enabled": null})] {
        for path in [&older, &current] {
            call(&api, "PATCH", path, Some(body.clone())).await.check_failure(400, &[10400]);
        }
    }
}

#[tokio::test]
async fn a_form_of_terraform_switches_a_schema_on() {
    let api = Api::start().await;
    let form = |enabled: &'static str| {
        let file = json!({"openapi": "3.0.0", "servers": [{"url": "https://a.example"}], "paths": {"/": {"get": {}}}});
        let file: &'static str = file.to_string().leak();
        [
            ("file", None, file),
            ("kind", None, "openapi_v3"),
            ("name", None, "example_schema.json"),
            ("validation_enabled", None, enabled),
        ]
    };
    let added = send_form(&api, "POST", OLDER, &form("false")).await.result()["schema"].clone();
    let path = format!("{OLDER}/{}", id(&added));
    assert_eq!(send_form(&api, "PATCH", &path, &form("false")).await.result(), &added);
    assert_eq!(send_form(&api, "PATCH", &path, &form("true")).await.result()["validation_enabled"], true);
    assert_eq!(send_form(&api, "PATCH", &path, &form("true")[..3]).await.result()["validation_enabled"], true);
    send_form(&api, "PATCH", &path, &form("false")).await.check_failure(400, &[10400]);
    send_form(&api, "PATCH", &path, &form("maybe")).await.check_failure(400, &[10400]);
}

#[tokio::test]
async fn a_removed_schema_is_gone() {
    let api = Api::start().await;
    let (first, second) = (add(&api, "a", PETS, true).await, add(&api, "b", PETS, true).await);
    let older = format!("{OLDER}/{}", id(&first));
    assert_eq!(call(&api, "DELETE", &older, None).await.result(), &json!({}));
    let current = format!("{CURRENT}/{}", id(&second));
    let removed = json!({"id": id(&second), "schema_id": id(&second)});
    assert_eq!(call(&api, "DELETE", &current, None).await.result(), &removed);
    for path in [&older, &current] {
        for method in ["GET", "DELETE"] {
            call(&api, method, path, None).await.check_failure(404, &[19400]);
        }
        call(&api, "PATCH", path, Some(json!({"validation_enabled": true}))).await.check_failure(404, &[19400]);
    }
    assert_eq!(call(&api, "GET", CURRENT, None).await.result(), &json!([]));
}

#[tokio::test]
async fn what_a_schema_describes_is_listed_with_what_the_zone_has() {
    let api = Api::start().await;
    let added = upload(&api, PETS).await.result()["schema"].clone();
    let saved = api.add("GET", "api.example.com", "/v1/pets/{id}").await;
    let whole = api.call("GET", &format!("/operations/{saved}"), None).await.result().clone();
    let new = json!({"method": "PUT", "host": "api.example.com", "endpoint": "/v1/pets/{var1}"});
    let check = async |query: &str, expected: Value| {
        let path = format!("{OLDER}/{}/operations{query}", id(&added));
        let answer = call(&api, "GET", &path, None).await;
        assert_eq!(answer.result(), &expected, "{query}");
        assert_eq!(answer.body["result_info"]["total_count"], expected.as_array().unwrap().len());
    };
    check("", json!([whole, new])).await;
    check("?operation_status=existing", json!([whole])).await;
    check("?operation_status=NEW", json!([new])).await;
    check("?method=put&host=API.example.com", json!([new])).await;
    check("?host=other.example.com", json!([])).await;
    check("?endpoint=%2Fpets&per_page=5", json!([whole, new])).await;
    let mut featured = whole.clone();
    featured["features"] =
        json!({"thresholds": {}, "schema_info": {"learned_available": false, "mitigation_action": "none"}});
    check("?feature=thresholds&feature=schema_info", json!([featured, new])).await;
    let bad = format!("{OLDER}/{}/operations?operation_status=old&method=fetch&feature=x", id(&added));
    let refused = call(&api, "GET", &bad, None).await;
    refused.check_failure(400, &[10400, 10400, 10400]);
    assert_eq!(refused.pointers(), ["/feature", "/method", "/operation_status"]);
}

#[tokio::test]
async fn hosts_are_listed_by_schema() {
    let api = Api::start().await;
    let first = add(&api, "a", &document("b.example.com", "/"), true).await;
    let second = upload(&api, PETS).await.result()["schema"].clone();
    let answer = call(&api, "GET", &format!("{OLDER}/hosts"), None).await;
    let item = |schema: &Value, host: &str| {
        json!({"schema_id": schema["schema_id"], "name": schema["name"], "created_at": schema["created_at"],
               "hosts": [host]})
    };
    let expected = json!([item(&second, "api.example.com"), item(&first, "b.example.com")]);
    assert_eq!(answer.result(), &expected);
    assert_eq!(answer.body["result_info"]["total_count"], 2);
}

#[tokio::test]
async fn uploads_have_a_size_of_their_own() {
    let api = Api::start().await;
    let comment = format!("{PETS}# {}\n", "x".repeat(2 * 1024 * 1024));
    assert_eq!(upload(&api, &comment).await.result()["schema"]["size"], comment.len());
    assert_eq!(add(&api, "a", &comment, false).await["size"], comment.len());
    let too_large = format!("{PETS}# {}\n", "x".repeat(16 * 1024 * 1024));
    let answer = upload(&api, &too_large).await;
    answer.check_failure(400, &[10400]);
    assert_eq!(answer.pointers(), ["/file"]);
    upload(&api, &"x".repeat(17 * 1024 * 1024)).await.check_failure(413, &[10413]);
    let by_json = call(&api, "POST", CURRENT, Some(schema("a", &too_large, true))).await;
    assert_eq!(by_json.body["result"]["upload_details"]["critical"]["code"], 1);
}

#[tokio::test]
async fn schemas_are_read_by_readers_and_changed_by_writers() {
    let api = Api::start().await;
    let added = add(&api, "a", PETS, true).await;
    let path = |zone: &str, path: &str| format!("/client/v4/zones/{zone}/{path}");
    let one = format!("{CURRENT}/{}", id(&added));
    for (method, call) in [("POST", CURRENT), ("PATCH", &one), ("DELETE", &one)] {
        let body = Some(schema("a", PETS, true));
        api.call_as(READER, method, &path(ZONE, call), body.clone()).await.check_failure(403, &[10000]);
        api.call_as(ZONE_WRITER, method, &path(OTHER_ZONE, call), body).await.check_failure(403, &[9109]);
    }
    for call in [CURRENT, OLDER, &one] {
        api.call_as(READER, "GET", &path(ZONE, call), None).await.result();
        api.call_as(ZONE_WRITER, "GET", &path(OTHER_ZONE, call), None).await.check_failure(403, &[9109]);
    }
    api.call_as(WRITER, "GET", &path(OTHER_ZONE, &one), None).await.check_failure(404, &[19400]);
}

#[tokio::test]
async fn an_unknown_zone_or_schema_is_not_found() {
    let api = Api::start().await;
    let zone = format!("/client/v4/zones/{}", "f".repeat(32));
    let unknown = "0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e";
    let body = || Some(schema("a", PETS, true));
    for path in
        [OLDER.to_owned(), CURRENT.to_owned(), format!("{OLDER}/hosts"), format!("{OLDER}/{unknown}/operations")]
    {
        api.call_as(WRITER, "GET", &format!("{zone}/{path}"), None).await.check_failure(404, &[7003, 7000]);
    }
    api.call_as(WRITER, "POST", &format!("{zone}/{CURRENT}"), body()).await.check_failure(404, &[7003, 7000]);
    for family in [OLDER, CURRENT] {
        for method in ["GET", "PATCH", "DELETE"] {
            let body = (method == "PATCH").then(|| body().unwrap());
            let path = format!("{zone}/{family}/{unknown}");
            api.call_as(WRITER, method, &path, body.clone()).await.check_failure(404, &[7003, 7000]);
            for id in [unknown, "x", "hosts2"] {
                call(&api, method, &format!("{family}/{id}"), body.clone()).await.check_failure(404, &[19400]);
            }
        }
    }
    call(&api, "GET", &format!("{OLDER}/{unknown}/operations"), None).await.check_failure(404, &[19400]);
}
