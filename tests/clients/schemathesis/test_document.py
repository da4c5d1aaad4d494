"""What the served API description promises, tried with generated requests: no 5xx, no answer outside the document."""

import functools
import itertools
import json
import tempfile
import time
import urllib.request
import zlib

import schemathesis
from demilune_server import TOKEN, ZONE
from unsaved import discover, origin_of
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
NUMBERS = itertools.count()
SETTINGS_OF_VALIDATION = ["/schema_validation/settings", "/api_gateway/settings/schema_validation"]
ACTIONS = [
    "/schema_validation/settings/operations",
    "/schema_validation/settings/operations/{operation_id}",
    "/api_gateway/operations/schema_validation",
    "/api_gateway/operations/{operation_id}/schema_validation",
]

schema = schemathesis.pytest.from_fixture("api_description")


@schema.parametrize()
@settings(
    max_examples=60,
    # The fixed seed: every run makes the same requests.
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case, server, answered):
    # Generated names and bodies are nearly all refused. What stands behind them is tried with real ones.
    # An absent body prints its address, which would make another choice in every run.
    body = case.body if case.media_type else None
    share = zlib.crc32(repr((case.path_parameters, case.query, body)).encode(errors="replace"))
    if share % 8:
        name_what_exists(case, server)
    if share % 2:
        send_what_is_accepted(case, server)
    answer = case.call_and_validate(checks=CHECKS, headers=HEADERS)
    answered.setdefault(case.operation.label, set()).add(answer.status_code)


def test_every_call_was_also_answered_with_success(api_description, answered):
    # Or else the test before this one held nothing but failures against the document.
    calls = [result.ok().label for result in api_description.get_all_operations()]
    assert [call for call in calls if 200 not in answered.get(call, ())] == []


def name_what_exists(case, server):
    if "zone_id" in case.path_parameters:
        case.path_parameters["zone_id"] = ZONE
    if "/discovery/operations/" in case.operation.path:
        case.path_parameters["operation_id"] = discovered_operation(server)
    elif "operation_id" in case.path_parameters:
        case.path_parameters["operation_id"] = add_operation(server)
        if case.operation.path.endswith("/route"):
            path = case.operation.path.replace("{zone_id}", ZONE)
            path = path.replace("{operation_id}", case.path_parameters["operation_id"])
            send(server, "PUT", path, new_route())
        if case.operation.path.endswith("/settings/operations/{operation_id}"):
            path = case.operation.path.replace("{zone_id}", ZONE)
            path = path.replace("{operation_id}", case.path_parameters["operation_id"])
            send(server, "PUT", path, {"mitigation_action": "log"})
        if case.operation.path.endswith("/cloudflare_learned_schema"):
            case.path_parameters["operation_id"] = learned_operation(server)
            case.query = {}
    if case.operation.path.endswith("/schema_trial"):
        send(server, "PUT", f"/demilune/v1/zones/{ZONE}/schema_trial", {"source": new_schema()["source"]})
    if "schema_id" in case.path_parameters:
        case.path_parameters["schema_id"] = add_schema(server)
    if "host" in case.path_parameters:
        origin = new_origin()
        send(server, "PUT", f"/demilune/v1/zones/{ZONE}/origins", origin)
        case.path_parameters["host"] = origin["host"]


def send_what_is_accepted(case, server):
    if case.media_type == "multipart/form-data":
        case.body = {"file": new_schema()["source"], "kind": "openapi_v3", "validation_enabled": "true"}
        return
    if case.media_type != "application/json":
        return
    path = case.operation.path.partition("{zone_id}")[2]
    if (case.method, path) == ("POST", "/api_gateway/operations/item"):
        case.body = new_operation()
    elif (case.method, path) == ("POST", "/api_gateway/operations"):
        case.body = [new_operation() for _ in range(3)]
    elif (case.method, path) == ("DELETE", "/api_gateway/operations"):
        case.body = [{"operation_id": add_operation(server)}]
    elif (case.method, path) == ("PUT", "/api_gateway/operations/{operation_id}/route"):
        case.body = new_route()
    elif (case.method, path) == ("PUT", "/api_gateway/configuration"):
        case.body = {"auth_id_characteristics": [{"type": "header", "name": "X-Api-Key"}]}
    elif (case.method, path) == ("POST", "/api_gateway/expression-template/fallthrough"):
        case.body = {"hosts": ["a.example.com", "{zone}.example.com"]}
    elif (case.method, path) == ("POST", "/schema_validation/schemas"):
        case.body = new_schema()
    elif case.method == "PATCH" and path.endswith("schemas/{schema_id}"):
        case.body = {"validation_enabled": True}
    elif case.method in ("PUT", "PATCH") and path in SETTINGS_OF_VALIDATION:
        case.body = {"validation_default_mitigation_action": "log", "validation_override_mitigation_action": "none"}
    elif case.method == "PUT" and path in ACTIONS:
        case.body = {"mitigation_action": "block"}
    elif (case.method, path) == ("PATCH", "/api_gateway/discovery/operations"):
        case.body = {discovered_operation(server): {"state": "review"}}
    elif (case.method, path) == ("PATCH", "/api_gateway/discovery/operations/{operation_id}"):
        case.body = {"state": "review"}
    elif case.method == "PATCH" and path in ACTIONS:
        case.body = {add_operation(server): {"mitigation_action": "block"}}
    elif (case.method, path) == ("PUT", "/origins"):
        case.body = new_origin()
    elif (case.method, path) == ("PUT", "/settings"):
        case.body = {"unmatched": "log", "forward_path": "raw", "head_as_get": False, "validated_bytes_max": None,
                     "schemas_max": 100, "schemas_bytes_max": 1 << 20}
    elif (case.method, path) == ("POST", "/drift"):
        case.body = {"source": new_schema()["source"]}
    elif (case.method, path) == ("PUT", "/schema_trial"):
        case.body = {"name": "a.json", "source": new_schema()["source"]}
    elif (case.method, path) == ("PATCH", "/settings"):
        case.body = {"head_as_get": True}


def new_operation():
    return {"method": "GET", "host": f"generated-{next(NUMBERS)}.example.com", "endpoint": "/users/{id}"}


def new_schema():
    paths = {"/users/{id}": {"get": {}}}
    source = {"openapi": "3.0.0", "servers": [{"url": f"https://generated-{next(NUMBERS)}.example.com"}], "paths": paths}
    return {"kind": "openapi_v3", "name": "a.json", "source": json.dumps(source), "validation_enabled": True}


def new_route():
    return {"route": "https://api.example.com/{var1}"}


def new_origin():
    return {"host": f"generated-{next(NUMBERS)}.example.com", "url": "http://127.0.0.1:8080", "host_header": "a:81"}


def add_operation(server):
    """Each deletion needs an operation of its own."""
    path = f"/client/v4/zones/{ZONE}/api_gateway/operations/item"
    return send(server, "POST", path, new_operation())["operation_id"]


@functools.cache
def learned_operation(server):
    """An operation that enough was seen of for a schema: an hour ago, in a log."""
    operation = {"method": "GET", "host": "learned.example.com", "endpoint": "/users/{id}"}
    operation_id = send(server, "POST", f"/client/v4/zones/{ZONE}/api_gateway/operations/item", operation)["operation_id"]
    lines = [json.dumps({"time": time.time() - 600, "remote_addr": f"10.{number % 100}.0.1", "method": "GET", "status": 200,
                         "host": operation["host"], "path": f"/users/{number}"}) for number in range(1_200)]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as log:
        log.write("\n".join(lines))
        log.flush()
        server.text("traffic", "import", log.name, "--zone", ZONE)
    return operation_id


@functools.cache
def discovered_operation(server):
    """An operation that nobody saved and that enough requests were sent to."""
    host, sessions = "unsaved.example.com", {"auth_id_characteristics": [{"type": "header", "name": "Authorization"}]}
    send(server, "PUT", f"/client/v4/zones/{ZONE}/api_gateway/configuration", sessions)
    with origin_of(server, ZONE, host):
        return discover(server, ZONE, host, [("GET", "/orders/{}")])["GET /orders/{var1}"]["id"]


def add_schema(server):
    """Each deletion needs a schema of its own, and a zone has room for so many."""
    path = f"/client/v4/zones/{ZONE}/schema_validation/schemas"
    there = send(server, "GET", f"{path}?omit_source=true&per_page=50")
    for schema in there if len(there) == 50 else []:
        send(server, "DELETE", f"{path}/{schema['schema_id']}")
    return send(server, "POST", path, new_schema())["schema_id"]


def send(server, method, path, body=None):
    request = urllib.request.Request(
        f"{server.url}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={**HEADERS, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["result"]
