"""The official Python SDK against the real binary."""

import concurrent.futures
import itertools

import cloudflare
import httpx
import pytest
from cloudflare import Cloudflare
from demilune_server import TOKEN, ZONE

NUMBERS = itertools.count()


@pytest.fixture
def client(server, monkeypatch):
    for name in ("CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Cloudflare(api_token=TOKEN, base_url=server.base_url)


@pytest.fixture
def host():
    """A host that no other test uses."""
    return f"test-{next(NUMBERS)}.example.com"


def with_token(server, token):
    return Cloudflare(api_token=token, base_url=server.base_url)


def add(client, host, endpoint="/", method="GET", zone=ZONE):
    return client.api_gateway.operations.create(zone_id=zone, endpoint=endpoint, host=host, method=method)


def listed(client, **query):
    operations = client.api_gateway.operations.list(zone_id=ZONE, **query)
    return [(operation.method, operation.host, operation.endpoint) for operation in operations]


def bulk(client, operations):
    return list(client.api_gateway.operations.bulk_create(zone_id=ZONE, body=operations))


def test_a_new_operation_is_answered_in_canonical_form(client, host):
    operation = add(client, host, "/api/v1/users/{id}")
    assert operation.endpoint == "/api/v1/users/{var1}"
    assert (operation.method, operation.host) == ("GET", host)
    assert len(operation.operation_id) == 36
    assert operation.features is None


def test_adding_again_keeps_the_id_and_moves_the_time(client, host):
    first = add(client, host, "/api/v1/users/{id}")
    second = add(client, host.upper(), "/api//v1/./users/{other}")
    assert second.operation_id == first.operation_id
    assert second.last_updated > first.last_updated


@pytest.mark.parametrize("per_page", [5, 20])
def test_every_operation_is_on_one_page(client, host, per_page):
    expected = [f"/{number:02}" for number in range(45)]
    for endpoint in expected:
        add(client, host, endpoint)
    assert [endpoint for _, _, endpoint in listed(client, host=[host], per_page=per_page)] == expected


def test_a_list_is_filtered_and_sorted(client, host):
    add(client, host, "/users", "POST")
    add(client, host, "/users", "GET")
    add(client, host, "/a/{id}", "GET")
    assert listed(client, host=[host], method=["POST"]) == [("POST", host, "/users")]
    assert listed(client, host=[host], endpoint="/{var1}") == [("GET", host, "/a/{var1}")]
    assert listed(client, host=[host], order="method", direction="desc")[0] == ("POST", host, "/users")
    assert listed(client, host=["nobody.example.com"]) == []


def test_a_get_answers_what_the_create_answered(client, host):
    created = add(client, host)
    got = client.api_gateway.operations.get(operation_id=created.operation_id, zone_id=ZONE)
    assert (got.operation_id, got.last_updated, got.features) == (created.operation_id, created.last_updated, None)


def test_a_feature_that_was_asked_for_is_there(client, host):
    created = add(client, host)
    got = client.api_gateway.operations.get(operation_id=created.operation_id, zone_id=ZONE, feature=["thresholds"])
    assert got.features is not None


def test_a_deleted_operation_is_not_found(client, host):
    created = add(client, host)
    deleted = client.api_gateway.operations.delete(operation_id=created.operation_id, zone_id=ZONE)
    assert deleted.success
    for call in (client.api_gateway.operations.get, client.api_gateway.operations.delete):
        with pytest.raises(cloudflare.NotFoundError) as raised:
            call(operation_id=created.operation_id, zone_id=ZONE)
        assert raised.value.errors[0].code == 10404


def test_several_operations_are_added_in_order(client, host):
    operations = [{"endpoint": f"/{19 - number}", "host": host, "method": "GET"} for number in range(20)]
    added = bulk(client, operations)
    assert [operation.endpoint for operation in added] == [operation["endpoint"] for operation in operations]


def test_more_than_twenty_operations_are_refused(client, host):
    operations = [{"endpoint": f"/{number}", "host": host, "method": "GET"} for number in range(21)]
    with pytest.raises(cloudflare.BadRequestError):
        bulk(client, operations)
    assert listed(client, host=[host]) == []


def test_the_bulk_delete_of_the_sdk_sends_no_body_and_deletes_nothing(client, host):
    add(client, host)
    with pytest.raises(cloudflare.BadRequestError):
        client.api_gateway.operations.bulk_delete(zone_id=ZONE)
    assert len(listed(client, host=[host])) == 1


def test_a_bulk_delete_with_a_body_deletes(client, server, host):
    created = add(client, host)
    answer = httpx.request(
        "DELETE",
        f"{server.base_url}/zones/{ZONE}/api_gateway/operations",
        headers={"Authorization": f"Bearer {TOKEN}"},
        json=[{"operation_id": created.operation_id}],
    )
    assert answer.status_code == 200
    assert listed(client, host=[host]) == []


def test_a_defect_is_named_with_its_place(client):
    with pytest.raises(cloudflare.BadRequestError) as raised:
        add(client, "https://example.com", "no-slash", "GET")
    body = raised.value.body
    assert [error["source"]["pointer"] for error in body["errors"]] == ["/endpoint", "/host"]


def test_an_unknown_token_is_forbidden(server, client, host):
    with pytest.raises(cloudflare.PermissionDeniedError) as raised:
        add(with_token(server, "nobody-has-this-token-0123456789"), host)
    assert raised.value.errors[0].code == 10000


def test_a_token_that_may_only_read_does_not_write(server, client, host):
    token = server.command("token", "create", "--group", "Account API Gateway Read")["token"]
    reader = with_token(server, token)
    add(client, host)
    assert len(listed(reader, host=[host])) == 1
    with pytest.raises(cloudflare.PermissionDeniedError):
        add(reader, host)


def test_a_token_of_one_zone_is_none_in_another(server, client, host):
    other = server.command("zone", "create", f"zone-{next(NUMBERS)}.example")["id"]
    token = server.command("token", "create", "--group", "Domain API Gateway", "--zone", ZONE)["token"]
    scoped = with_token(server, token)
    add(scoped, host)
    with pytest.raises(cloudflare.PermissionDeniedError):
        add(scoped, host, zone=other)


def test_a_revoked_token_stops(server, host):
    created = server.command("token", "create", "--group", "Account API Gateway")
    client = with_token(server, created["token"])
    add(client, host)
    server.command("token", "delete", created["id"])
    with pytest.raises(cloudflare.PermissionDeniedError):
        add(client, host)


def test_e_mail_and_key_act_with_every_group(server, client, host):
    email = f"person-{next(NUMBERS)}@example.com"
    key = server.command("user", "create", "--email", email)["key"]
    by_key = Cloudflare(api_email=email, api_key=key, base_url=server.base_url)
    assert add(by_key, host).host == host


def test_a_stray_e_mail_is_explained(server, client, host, monkeypatch):
    monkeypatch.setenv("CLOUDFLARE_EMAIL", "stray@example.com")
    # With the variable there, the SDK leaves the token out.
    stray = with_token(server, TOKEN)
    with pytest.raises(cloudflare.BadRequestError) as raised:
        add(stray, host)
    assert "CLOUDFLARE_EMAIL" in str(raised.value)


def test_an_unknown_zone_is_not_found(client, host):
    with pytest.raises(cloudflare.NotFoundError) as raised:
        add(client, host, zone="f" * 32)
    assert raised.value.errors[0].code == 7003


def test_many_at_once_make_one_operation(client, host):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        added = list(pool.map(lambda _: add(client, host, "/same/{id}"), range(64)))
    assert len({operation.operation_id for operation in added}) == 1


def test_zones_and_the_token_can_be_looked_up(client):
    assert client.user.tokens.verify().status == "active"
    assert client.zones.get(zone_id=ZONE).name == "example.com"
    assert ZONE in [zone.id for zone in client.zones.list()]
