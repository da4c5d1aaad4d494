"""Our verdict on generated requests, through the real gateway, beside that of openapi-core.

Each disagreement has a reason in `differences.py`, or fails the test. `DEMILUNE_DIFFERENTIAL_OPERATIONS` says how many operations
are drawn: 300 unless told, each with 20 requests.
"""

import collections
import http.client
import http.server
import json
import os
import pathlib
import tempfile
import threading
import time
import warnings
from urllib.parse import quote

import differences
import pytest
from demilune_server import TOKEN
from generate import drawn
from hypothesis import HealthCheck, Phase, given, settings
from openapi_core import OpenAPI
from openapi_core.testing.requests import MockRequest
from werkzeug.datastructures import ImmutableMultiDict

HOST = "differential.example.com"
OPERATIONS = int(os.environ.get("DEMILUNE_DIFFERENTIAL_OPERATIONS", "300"))
BATCH = 100
PATIENCE_SECONDS = 20


class Origin(http.server.BaseHTTPRequestHandler):
    """Answers everything with 200."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def zone(server):
    """A zone that blocks what does not fit, with an origin for the host."""
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    zone = server.command("zone", "create", "differential.example")["id"]
    server.text("origin", "set", "--zone", zone, "--host", HOST, f"http://127.0.0.1:{listening.server_port}")
    call(server, "PUT", f"/zones/{zone}/schema_validation/settings", {"validation_default_mitigation_action": "block"})
    yield zone
    listening.shutdown()
    listening.server_close()


def call(server, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    connection.request(method, f"/client/v4{path}", json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, text
    return json.loads(text)["result"]


def draw_operations():
    operations = []
    everything = list(HealthCheck)

    @settings(max_examples=OPERATIONS, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=everything)
    @given(drawn())
    def collect(operation):
        operations.append(operation)

    collect()
    return operations


def document(batch, operations):
    """One OpenAPI document of these operations, and one that says when it is in force."""
    paths = {}
    for number, one in enumerate(operations):
        paths[one.template.replace("{prefix}", f"b{batch}o{number}")] = {one.method: one.operation}
    sentinel = {"name": "q", "in": "query", "required": True, "schema": {"type": "integer"}}
    paths[f"/sentinel{batch}"] = {"get": {"parameters": [sentinel], "responses": {"200": {"description": "OK"}}}}
    return {"openapi": "3.0.3", "info": {"title": "differential", "version": "1"}, "servers": [{"url": f"https://{HOST}"}],
            "paths": paths}


def put_in_force(server, zone, batch, made):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(made, file)
        file.flush()
        server.text("import", file.name, "--zone", zone)
    schema = {"kind": "openapi_v3", "name": f"batch {batch}", "source": json.dumps(made), "validation_enabled": True}
    identifier = call(server, "POST", f"/zones/{zone}/schema_validation/schemas", schema)["schema_id"]
    connection = http.client.HTTPConnection("127.0.0.1", server.gateway_port, timeout=PATIENCE_SECONDS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while send(connection, "GET", f"/sentinel{batch}", {})[0] != 403:
        assert time.monotonic() < deadline, "the document is not in force"
        time.sleep(0.05)
    return identifier, connection


def send(connection, method, target, headers, body=None):
    connection.request(method, target, body, {"Host": HOST, **headers})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def ours(connection, prefix, method, request):
    """Whether the gateway lets a request pass, and what it says does not fit."""
    query = "&".join(f"{quote(name, safe='')}={quote(text, safe=',|')}" for name, text in request.query)
    target = request.path.replace("{prefix}", prefix) + (f"?{query}" if query else "")
    headers = dict(request.headers)
    if request.cookies:
        headers["Cookie"] = "; ".join(f"{name}={text}" for name, text in request.cookies.items())
    if request.content_type:
        headers["Content-Type"] = request.content_type
    status, text = send(connection, method.upper(), target, headers, request.body)
    assert status in (200, 403), f"{status}: {text}"
    if status == 200:
        return True, []
    answer = json.loads(text)
    assert answer["code"] == "schema_violation", text
    return False, answer["violations"]


def theirs(openapi, prefix, one, request):
    """Whether openapi-core lets a request pass, and what it says."""
    # It looks for the delimiter of spaceDelimited as it is written in the query.
    spaced = {parameter["name"] for parameter in one.operation["parameters"] if parameter["style"] == "spaceDelimited"}
    args = ImmutableMultiDict([(name, text.replace(" ", "%20") if name in spaced else text) for name, text in request.query])
    path = request.path.replace("{prefix}", prefix)
    mock = MockRequest(f"https://{HOST}", one.method, path, args=args, headers=request.headers, cookies=request.cookies,
                       data=request.body, content_type=request.content_type or "")
    mock.parameters.query, mock.parameters.path = args, dict(request.path_values)
    try:
        errors = list(openapi.iter_request_errors(mock))
    except Exception as error:  # It fails on what it cannot read.
        return False, f"{type(error).__name__}: {error}"
    return not errors, "; ".join(f"{type(error).__name__}: {error}: {cause_of(error)}" for error in errors)


def cause_of(error):
    cause, parts = error.__cause__, []
    while cause is not None:
        details = getattr(cause, "schema_errors", ())
        parts.append(f"{type(cause).__name__} {cause} " + " / ".join(detail.message for detail in details))
        cause = cause.__cause__
    return " <- ".join(parts)


def test_every_disagreement_with_openapi_core_has_a_reason(server, zone):
    warnings.simplefilter("ignore")
    counts, unexplained = collections.Counter(), []
    operations = draw_operations()
    for batch, start in enumerate(range(0, len(operations), BATCH)):
        some = operations[start:start + BATCH]
        made = document(batch, some)
        openapi = OpenAPI.from_dict(made)
        identifier, connection = put_in_force(server, zone, batch, made)
        for number, one in enumerate(some):
            for request in one.requests:
                prefix = f"b{batch}o{number}"
                our, violations = ours(connection, prefix, one.method, request)
                their, said = theirs(openapi, prefix, one, request)
                if our == their:
                    counts["both let it pass" if our else "both refuse it"] += 1
                    continue
                reason = differences.reason(one, request, our, violations, said)
                counts[reason or "unexplained"] += 1
                if reason is None:
                    unexplained.append((one.operation, one.template, request, our, violations, said))
        connection.close()
        call(server, "DELETE", f"/zones/{zone}/schema_validation/schemas/{identifier}")
    report = "\n".join(f"{count:8} {what}" for what, count in counts.most_common())
    print(f"\n{report}")
    if file := os.environ.get("DEMILUNE_DIFFERENTIAL_REPORT"):
        pathlib.Path(file).write_text(report + "\n\n" + "\n\n".join("\n".join(map(str, one)) for one in unexplained[:200]))
    assert not unexplained, "\n".join(map(str, unexplained[0]))
    assert counts["both let it pass"] > OPERATIONS and counts["both refuse it"] > OPERATIONS, report
