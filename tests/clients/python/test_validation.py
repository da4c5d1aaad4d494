"""Uploaded schemas and their validation: the official Python SDK against the real binary."""

import io
import itertools

import cloudflare
import pytest
from cloudflare import Cloudflare
from demilune_server import TOKEN

NUMBERS = itertools.count()
# The SDK says of the older calls that there are newer ones.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
DOCUMENT = """openapi: 3.0.3
info: {title: Users, version: "1"}
servers: [{url: "https://api.example.com/v1"}]
paths:
  /users/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    delete: {}
"""
BROKEN = DOCUMENT.replace("in: path", "in: somewhere").replace("delete:", "query:")


@pytest.fixture
def client(server, monkeypatch):
    for name in ("CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Cloudflare(base_url=server.base_url, api_token=TOKEN, max_retries=0)


@pytest.fixture
def zone(server):
    """A zone that no other test uses: settings and schemas belong to a zone."""
    return server.command("zone", "create", f"validation-{next(NUMBERS)}.example")["id"]


@pytest.fixture
def operation(client, zone):
    return client.api_gateway.operations.create(
        zone_id=zone, endpoint="/v1/users/{user}", host="api.example.com", method="GET"
    )


def upload(client, zone, source=DOCUMENT, **members):
    file = ("users.yaml", io.BytesIO(source.encode()), "application/yaml")
    return client.api_gateway.user_schemas.create(zone_id=zone, file=file, kind="openapi_v3", **members)


def create(client, zone, source=DOCUMENT, enabled=True, name="users.yaml"):
    return client.schema_validation.schemas.create(
        zone_id=zone, kind="openapi_v3", name=name, source=source, validation_enabled=enabled
    )


def not_found(call, code, **arguments):
    with pytest.raises(cloudflare.NotFoundError) as raised:
        call(**arguments)
    assert raised.value.errors[0].code == code


def test_a_schema_is_uploaded_as_a_form(client, zone):
    uploaded = upload(client, zone)
    schema = uploaded.schema_
    assert (schema.name, schema.kind, schema.source) == ("users.yaml", "openapi_v3", DOCUMENT)
    assert schema.validation_enabled is False
    assert len(schema.schema_id) == 36
    (warning,) = uploaded.upload_details.warnings
    assert (warning.code, warning.locations) == (21, ['.paths["/users/{id}"].delete'])
    named = upload(client, zone, name="other", validation_enabled="true").schema_
    assert (named.name, named.validation_enabled) == ("other", True)


def test_a_document_that_cannot_be_used_is_explained(client, zone):
    for call in (upload, create):
        with pytest.raises(cloudflare.BadRequestError) as raised:
            call(client, zone, BROKEN)
        assert raised.value.errors[0].code == 21400
        details = raised.value.body["result"]["upload_details"]
        assert [event["code"] for event in details["errors"]] == [20]
        assert [event["code"] for event in details["warnings"]] == [21, 12]
    assert list(client.api_gateway.user_schemas.list(zone_id=zone)) == []


def test_an_older_schema_is_read_switched_on_and_removed(client, zone):
    schema_id = create(client, zone, enabled=False).schema_id
    calls = client.api_gateway.user_schemas
    assert calls.get(schema_id=schema_id, zone_id=zone).source == DOCUMENT
    assert calls.get(schema_id=schema_id, zone_id=zone, omit_source=True).source is None
    assert calls.edit(schema_id=schema_id, zone_id=zone, validation_enabled=True).validation_enabled is True
    with pytest.raises(cloudflare.BadRequestError):
        calls.edit(schema_id=schema_id, zone_id=zone, validation_enabled=False)
    assert calls.delete(schema_id=schema_id, zone_id=zone).success
    for call in (calls.get, calls.delete):
        not_found(call, 19400, schema_id=schema_id, zone_id=zone)


def test_a_schema_is_created_read_switched_and_removed(client, zone):
    created = create(client, zone, enabled=False)
    calls = client.schema_validation.schemas
    assert calls.get(schema_id=created.schema_id, zone_id=zone).to_dict() == created.to_dict()
    for enabled in (True, False):
        edited = calls.edit(schema_id=created.schema_id, zone_id=zone, validation_enabled=enabled)
        assert edited.to_dict() == {**created.to_dict(), "validation_enabled": enabled}
    removed = calls.delete(schema_id=created.schema_id, zone_id=zone)
    # One version has a type for it, the other has none.
    removed = removed if isinstance(removed, dict) else removed.to_dict()
    assert removed["schema_id"] == removed["id"] == created.schema_id
    for call in (calls.get, calls.delete):
        not_found(call, 19400, schema_id=created.schema_id, zone_id=zone)


@pytest.mark.parametrize("family", ["api_gateway.user_schemas", "schema_validation.schemas"])
def test_every_schema_is_on_one_page(client, zone, family):
    expected = [f"{number}.yaml" for number in range(7)]
    for number, name in enumerate(expected):
        create(client, zone, name=name, enabled=number % 2 == 0)
    calls = client
    for name in family.split("."):
        calls = getattr(calls, name)
    listed = list(calls.list(zone_id=zone, per_page=5))
    assert [schema.name for schema in listed] == expected[::-1]
    assert all(schema.source == DOCUMENT for schema in listed)
    enabled = list(calls.list(zone_id=zone, validation_enabled=True, omit_source=True))
    assert [(schema.name, schema.source) for schema in enabled] == [(name, None) for name in expected[::-2]]


def test_what_a_schema_describes_is_listed(client, zone, operation):
    schema_id = create(client, zone).schema_id
    calls = client.api_gateway.user_schemas.operations

    def listed(**query):
        found = calls.list(schema_id=schema_id, zone_id=zone, **query)
        return [(item.method, item.endpoint, getattr(item, "operation_id", None)) for item in found]

    known = ("GET", "/v1/users/{var1}", operation.operation_id)
    unknown = ("DELETE", "/v1/users/{var1}", None)
    assert sorted(listed()) == sorted([known, unknown])
    assert listed(operation_status="existing") == [known]
    assert listed(operation_status="new") == [unknown]
    assert listed(method=["DELETE"], host=["api.example.com"], endpoint="users") == [unknown]
    assert listed(host=["other.example.com"]) == []
    (item,) = calls.list(schema_id=schema_id, zone_id=zone, feature=["schema_info"], operation_status="existing")
    assert item.to_dict()["features"]["schema_info"]["active_schema"]["id"] == schema_id


def test_hosts_are_listed_by_schema(client, zone):
    created = create(client, zone)
    (item,) = client.api_gateway.user_schemas.hosts.list(zone_id=zone)
    assert (item.schema_id, item.name, item.hosts) == (created.schema_id, "users.yaml", ["api.example.com"])
    assert item.created_at == created.created_at


def older_settings(client, zone):
    found = client.api_gateway.settings.schema_validation.get(zone_id=zone)
    return (found.validation_default_mitigation_action, found.validation_override_mitigation_action)


def current_settings(client, zone):
    found = client.schema_validation.settings.get(zone_id=zone)
    return (found.validation_default_mitigation_action, found.validation_override_mitigation_action)


def test_settings_are_changed_by_the_older_calls(client, zone):
    calls = client.api_gateway.settings.schema_validation
    assert older_settings(client, zone) == ("none", None)
    updated = calls.update(
        zone_id=zone, validation_default_mitigation_action="block", validation_override_mitigation_action="none"
    )
    assert updated.validation_default_mitigation_action == "block"
    assert older_settings(client, zone) == current_settings(client, zone) == ("block", "none")
    edit = {"validation_default_mitigation_action": "log", "validation_override_mitigation_action": None}
    edited = calls.edit(zone_id=zone, extra_body=edit)
    assert edited.validation_override_mitigation_action == "none"
    calls.edit(zone_id=zone, validation_override_mitigation_action="disable_override")
    assert older_settings(client, zone) == ("log", None)


def test_settings_are_changed_by_the_current_calls(client, zone):
    calls = client.schema_validation.settings
    updated = calls.update(
        zone_id=zone, validation_default_mitigation_action="block", validation_override_mitigation_action="none"
    )
    assert updated.validation_override_mitigation_action == "none"
    edited = calls.edit(zone_id=zone, validation_default_mitigation_action="log")
    assert edited.validation_override_mitigation_action == "none"
    calls.edit(zone_id=zone, extra_body={"validation_override_mitigation_action": None})
    assert older_settings(client, zone) == current_settings(client, zone) == ("log", None)


def test_an_action_is_set_by_the_older_calls(client, zone, operation):
    calls = client.api_gateway.operations.schema_validation
    operation_id = operation.operation_id
    for action in ("block", "none", "log", None):
        for answer in (
            calls.update(operation_id=operation_id, zone_id=zone, mitigation_action=action),
            calls.get(operation_id=operation_id, zone_id=zone),
        ):
            assert (answer.mitigation_action, answer.operation_id) == (action, operation_id)
    multiple = {operation_id: {"mitigation_action": "block"}}
    changed = calls.edit(zone_id=zone, settings_multiple_request=multiple)
    assert changed[operation_id].mitigation_action == "block"
    unknown = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415"
    not_found(calls.get, 10404, operation_id=unknown, zone_id=zone)
    not_found(calls.edit, 10404, zone_id=zone, settings_multiple_request={unknown: {"mitigation_action": None}})


def test_an_action_is_set_by_the_current_calls(client, zone, operation):
    calls = client.schema_validation.settings.operations
    operation_id = operation.operation_id
    not_found(calls.get, 10404, operation_id=operation_id, zone_id=zone)
    for action in ("block", "none"):
        for answer in (
            calls.update(operation_id=operation_id, zone_id=zone, mitigation_action=action),
            calls.get(operation_id=operation_id, zone_id=zone),
        ):
            assert (answer.mitigation_action, answer.operation_id) == (action, operation_id)
    assert [(item.operation_id, item.mitigation_action) for item in calls.list(zone_id=zone)] == [(operation_id, "none")]
    changed = calls.bulk_edit(zone_id=zone, body={operation_id: {"mitigation_action": "log"}})
    assert changed[operation_id].mitigation_action == "log"
    assert calls.delete(operation_id=operation_id, zone_id=zone).operation_id == operation_id
    not_found(calls.get, 10404, operation_id=operation_id, zone_id=zone)
    assert calls.update(operation_id=operation_id, zone_id=zone, mitigation_action=None).mitigation_action is None
    assert list(calls.list(zone_id=zone)) == []


def test_an_operation_shows_the_schema_in_force(client, zone, operation):
    def info():
        got = client.api_gateway.operations.get(
            operation_id=operation.operation_id, zone_id=zone, feature=["schema_info"]
        )
        return got.features.schema_info

    assert info().active_schema is None
    assert (info().learned_available, info().mitigation_action) == (False, "none")
    created = create(client, zone)
    client.schema_validation.settings.update(zone_id=zone, validation_default_mitigation_action="log")
    active = info().active_schema
    assert (active.id, active.name, active.is_learned) == (created.schema_id, "users.yaml", False)
    assert (active.created_at, info().mitigation_action) == (created.created_at, "log")


def test_a_token_that_may_only_read_does_not_upload(server, client, zone):
    token = server.command("token", "create", "--group", "Account API Gateway Read")["token"]
    reader = Cloudflare(base_url=server.base_url, api_token=token, max_retries=0)
    create(client, zone)
    assert len(list(reader.schema_validation.schemas.list(zone_id=zone))) == 1
    # The larger one is refused while it is still on its way.
    for source in (DOCUMENT, f"{DOCUMENT}# {'x' * 4_000_000}"):
        for call in (upload, create):
            with pytest.raises(cloudflare.PermissionDeniedError):
                call(reader, zone, source)
