"""The Terraform provider's calls about schemas and their validation, over plain HTTP as the provider sends them."""

import http.client
import itertools
import json

import pytest
from demilune_server import TOKEN
from test_terraform import V4, V5

NUMBERS = itertools.count()
DOCUMENT = """openapi: 3.0.0
info:
  title: Products
  version: 1.0.0
servers:
  - url: https://api.example.com
paths:
  /products:
    get:
      responses:
        '200':
          description: A list.
"""


class Zone:
    """A zone of its own, as the provider calls it: version 5 unless told."""

    def __init__(self, server):
        self.port = server.port
        self.id = server.command("zone", "create", f"replay-{next(NUMBERS)}.example")["id"]

    def call(self, method, path, body=None, form=None, flavour=V5):
        headers = {"Authorization": f"Bearer {TOKEN}", **flavour}
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(body)
        if form is not None:
            headers["Content-Type"] = "multipart/form-data; boundary=0123456789abcdef"
            parts = [
                f'--0123456789abcdef\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in form.items()
            ]
            payload = "".join(parts) + "--0123456789abcdef--\r\n"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, f"/client/v4/zones/{self.id}{path}", payload, headers)
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "application/json"
        content = json.loads(answer.read())
        connection.close()
        return answer.status, content

    def succeed(self, *arguments, **members):
        status, content = self.call(*arguments, **members)
        assert (status, content["success"], content["errors"]) == (200, True, []), content
        return content

    def operation(self, method="GET"):
        body = {"endpoint": "/products", "host": "api.example.com", "method": method}
        return self.succeed("POST", "/api_gateway/operations/item", body)["result"]["operation_id"]


@pytest.fixture
def zone(server):
    return Zone(server)


def test_the_action_of_an_operation_goes_through_the_steps_of_version_5(zone):
    path = f"/api_gateway/operations/{zone.operation()}/schema_validation"
    # Null is left out on create and written on update; members are read at the root.
    for body, wanted in [
        ({"mitigation_action": "block"}, "block"),
        ({"mitigation_action": None}, None),
        ({"mitigation_action": "none"}, "none"),
        ({}, None),
    ]:
        assert zone.succeed("PUT", path, body)["mitigation_action"] == wanted
        for _ in range(2):
            assert zone.succeed("GET", path)["mitigation_action"] == wanted


def test_the_action_of_an_operation_goes_through_the_steps_of_version_4(zone):
    operation_id = zone.operation()
    for wanted in ("block", "log", None):
        body = {operation_id: {"mitigation_action": wanted}}
        changed = zone.succeed("PATCH", "/api_gateway/operations/schema_validation", body, flavour=V4)
        assert changed["result"] == body
        path = f"/api_gateway/operations/{operation_id}/schema_validation"
        # That client sends a body along, and looks into the result.
        found = zone.succeed("GET", path, {"OperationID": operation_id}, flavour=V4)["result"]
        assert found == {"operation_id": operation_id, "mitigation_action": wanted}


def settings(action, override):
    return {"validation_default_mitigation_action": action, "validation_override_mitigation_action": override}


def test_older_settings_go_through_the_steps_of_version_5(zone):
    path = "/api_gateway/settings/schema_validation"
    for body, wanted in [
        ({"validation_default_mitigation_action": "log"}, settings("log", None)),
        (settings("block", "none"), settings("block", "none")),
    ]:
        for content in (zone.succeed("PUT", path, body), zone.succeed("GET", path), zone.succeed("GET", path)):
            assert {name: content[name] for name in wanted} == wanted


def test_older_settings_go_through_the_steps_of_version_4(zone):
    path = "/api_gateway/settings/schema_validation"
    for body, wanted in [
        (settings("log", None), settings("log", None)),
        (settings("block", "none"), settings("block", "none")),
        (settings("block", None), settings("block", "none")),
        (settings("none", "disable_override"), settings("none", None)),
    ]:
        assert zone.succeed("PATCH", path, body, flavour=V4)["result"] == wanted
        assert zone.succeed("GET", path, flavour=V4)["result"] == wanted


def test_a_schema_in_a_form_goes_through_the_steps_of_version_5(zone):
    source = json.dumps(
        {
            "openapi": "3.0.3",
            "info": {"title": "Example", "version": "0.1.0"},
            "servers": [{"url": "api.example.com"}],
            "paths": {"/": {}},
        }
    )
    form = {"file": source, "kind": "openapi_v3", "name": "example_schema.json", "validation_enabled": "true"}
    schema = zone.succeed("POST", "/api_gateway/user_schemas", form=form)["result"]["schema"]
    assert (schema["name"], schema["source"], schema["validation_enabled"]) == ("example_schema.json", source, True)
    path = f"/api_gateway/user_schemas/{schema['schema_id']}"
    assert zone.succeed("GET", path)["result"] == schema
    assert zone.succeed("PATCH", path, form=form)["result"] == schema
    zone.succeed("DELETE", path)
    status, content = zone.call("GET", path)
    assert (status, content["success"]) == (404, False)


def test_a_schema_goes_through_the_steps_of_version_5(zone):
    body = {"kind": "openapi_v3", "name": "test.yaml", "source": DOCUMENT, "validation_enabled": False}
    created = zone.succeed("POST", "/schema_validation/schemas", body)["result"]
    assert {name: created[name] for name in body} == body
    path = f"/schema_validation/schemas/{created['schema_id']}"
    assert zone.succeed("GET", path)["result"] == created
    edited = zone.succeed("PATCH", path, {"validation_enabled": True})["result"]
    assert edited == {**created, "validation_enabled": True}
    for _ in range(2):
        # A second plan, and an import.
        assert zone.succeed("GET", path)["result"] == edited
    zone.succeed("DELETE", path)
    assert zone.call("GET", path)[0] == 404


def test_settings_go_through_the_steps_of_version_5(zone):
    path = "/schema_validation/settings"
    for body, override in [
        ({"validation_default_mitigation_action": "block"}, None),
        ({"validation_default_mitigation_action": "none"}, None),
        (settings("block", "none"), "none"),
        (settings("block", None), None),
    ]:
        for content in (zone.succeed("PUT", path, body), zone.succeed("GET", path)):
            result = content["result"]
            wanted = body["validation_default_mitigation_action"]
            assert result["validation_default_mitigation_action"] == wanted
            assert result.get("validation_override_mitigation_action") == override


def test_settings_of_an_operation_go_through_the_steps_of_version_5(zone):
    operation_id = zone.operation()
    path = f"/schema_validation/settings/operations/{operation_id}"
    for wanted in ("block", "none"):
        for content in (zone.succeed("PUT", path, {"mitigation_action": wanted}), zone.succeed("GET", path)):
            assert content["result"] == {"mitigation_action": wanted, "operation_id": operation_id}
    zone.succeed("DELETE", path)
    assert zone.call("GET", path)[0] == 404


def test_settings_vanish_with_their_operation(zone):
    operation_id = zone.operation()
    path = f"/schema_validation/settings/operations/{operation_id}"
    zone.succeed("PUT", path, {"mitigation_action": "block"})
    zone.succeed("DELETE", f"/api_gateway/operations/{operation_id}")
    assert zone.call("GET", path)[0] == 404
    assert zone.operation() != operation_id
    assert zone.succeed("GET", "/schema_validation/settings/operations")["result"] == []
