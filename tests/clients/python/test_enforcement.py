"""From an uploaded schema to a blocked request: the official Python SDK says it, live requests show it."""

import http.client
import http.server
import io
import threading
import time

import pytest
from cloudflare import Cloudflare
from demilune_server import TOKEN

# The SDK says of the older calls that there are newer ones.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
HOST = "walkthrough.example.com"
DOCUMENT = f"""openapi: 3.0.3
info: {{title: Users, version: "1"}}
servers: [{{url: "https://{HOST}"}}]
paths:
  /users/{{id}}:
    get:
      parameters: [{{name: id, in: path, required: true, schema: {{type: integer}}}}]
      responses: {{}}
"""
PATIENCE_SECONDS = 10


@pytest.fixture
def client(server, monkeypatch):
    for name in ("CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Cloudflare(base_url=server.base_url, api_token=TOKEN, max_retries=0)


@pytest.fixture
def zone(server):
    return server.command("zone", "create", "walkthrough.example")["id"]


class Origin(http.server.BaseHTTPRequestHandler):
    """Answers every GET with 200."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def origin(server, zone):
    """An origin for the host, which keeps it until the test is over."""
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    server.text("origin", "set", "--zone", zone, "--host", HOST, f"http://127.0.0.1:{listening.server_port}")
    yield
    server.text("origin", "delete", "--zone", zone, "--host", HOST)
    listening.shutdown()
    listening.server_close()


def status(server, path="/users/rex"):
    """The status of a live request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.gateway_port, timeout=PATIENCE_SECONDS)
    connection.request("GET", path, headers={"Host": HOST})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def soon(condition):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def violations(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    connection.request("GET", "/metrics")
    metrics = connection.getresponse().read().decode()
    connection.close()
    lines = [line for line in metrics.splitlines() if "schema_violations_total{" in line and HOST in line]
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines)


def test_a_request_that_does_not_fit_meets_what_the_sdk_said(server, client, zone, origin):
    file = ("users.yaml", io.BytesIO(DOCUMENT.encode()), "application/yaml")
    uploaded = client.api_gateway.user_schemas.create(
        zone_id=zone, file=file, kind="openapi_v3", validation_enabled="true"
    )
    schema_id = uploaded.schema_.schema_id
    described = client.api_gateway.user_schemas.operations
    (new,) = described.list(schema_id=schema_id, zone_id=zone, operation_status="new")
    client.api_gateway.operations.create(zone_id=zone, method=new.method, host=new.host, endpoint=new.endpoint)
    assert list(described.list(schema_id=schema_id, zone_id=zone, operation_status="new")) == []
    soon(lambda: status(server) == 200)

    settings = client.schema_validation.settings
    settings.update(zone_id=zone, validation_default_mitigation_action="log")
    soon(lambda: status(server) == 200 and violations(server) > 0)
    settings.edit(zone_id=zone, validation_default_mitigation_action="block")
    soon(lambda: status(server) == 403)
    assert status(server, "/users/7") == 200
    settings.edit(zone_id=zone, validation_override_mitigation_action="none")
    soon(lambda: status(server) == 200)
    settings.edit(zone_id=zone, extra_body={"validation_override_mitigation_action": None})
    soon(lambda: status(server) == 403)

    client.schema_validation.schemas.delete(schema_id=schema_id, zone_id=zone)
    soon(lambda: status(server) == 200)
