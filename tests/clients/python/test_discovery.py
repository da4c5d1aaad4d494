"""Operations that nobody saved: live requests make them, the official Python SDK reviews them."""

import cloudflare
import pytest
from cloudflare import Cloudflare
from demilune_server import TOKEN
from unsaved import REQUESTS, discover, origin_of, send

HOST = "unsaved.example.com"
OPERATIONS = [("GET", "/orders/{}"), ("GET", "/orders/{}/lines"), ("POST", "/searches")]


@pytest.fixture(scope="module")
def client(server):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_BASE_URL"):
            patch.delenv(name, raising=False)
        yield Cloudflare(base_url=server.base_url, api_token=TOKEN, max_retries=0)


@pytest.fixture(scope="module")
def zone(server, client):
    """A zone of its own, whose operations nobody wrote down."""
    zone = server.command("zone", "create", "unsaved.example")["id"]
    client.api_gateway.configurations.update(
        zone_id=zone, auth_id_characteristics=[{"type": "header", "name": "Authorization"}]
    )
    with origin_of(server, zone, HOST):
        discover(server, zone, HOST, OPERATIONS)
        yield zone


@pytest.fixture
def discovered(client, zone):
    """The list with these filters, as texts, in the order of the answer."""

    def discovered(**filters):
        found = client.api_gateway.discovery.operations.list(zone_id=zone, **filters)
        return [f"{found.method} {found.endpoint}" for found in found]

    return discovered


LINES, ONE, SEARCHES = "GET /orders/{var1}/lines", "GET /orders/{var1}", "POST /searches"


def test_what_was_found_is_typed(client, zone):
    (found,) = client.api_gateway.discovery.operations.list(zone_id=zone, endpoint="lines")
    assert (found.method, found.host, found.endpoint) == ("GET", HOST, "/orders/{var1}/lines")
    assert found.state == "review"
    assert sorted(found.origin) == ["ML", "SessionIdentifier"]
    stats = found.features.traffic_stats
    assert (stats.requests, stats.last_updated) == (REQUESTS, found.last_updated)
    assert stats.period_seconds >= 864_000


def test_lists_are_filtered(discovered):
    assert discovered() == [ONE, LINES, SEARCHES]
    assert discovered(method=["POST"]) == [SEARCHES]
    assert discovered(method=["POST", "GET"], endpoint="orders") == [ONE, LINES]
    assert discovered(host=["other.example.com"]) == []
    assert discovered(host=[HOST], origin="SessionIdentifier", state="review") == [ONE, LINES, SEARCHES]
    assert discovered(origin="LabelDiscovery") == discovered(state="saved") == []
    assert discovered(page=2, per_page=5) == []


def test_lists_are_ordered(discovered):
    assert discovered(order="endpoint", direction="desc") == [SEARCHES, LINES, ONE]
    assert discovered(order="method", direction="desc") == [SEARCHES, LINES, ONE]
    assert discovered(order="host") == [ONE, LINES, SEARCHES]
    for order in ("traffic_stats.requests", "traffic_stats.last_updated"):
        assert discovered(order=order) == [ONE, LINES, SEARCHES]
        assert discovered(order=order, direction="desc") == [SEARCHES, LINES, ONE]


def test_documents_describe_what_was_found(client, zone):
    discovery = client.api_gateway.discovery.get(zone_id=zone)
    (document,) = discovery.schemas
    assert document["servers"] == [{"url": f"https://{HOST}"}]
    assert sorted(document["paths"]) == ["/orders/{var1}", "/orders/{var1}/lines", "/searches"]
    assert discovery.timestamp


def ids(client, zone):
    found = client.api_gateway.discovery.operations.list(zone_id=zone)
    return {f"{found.method} {found.endpoint}": found.id for found in found}


def test_states_are_patched(client, zone, discovered):
    operations, known = client.api_gateway.discovery.operations, ids(client, zone)
    answer = operations.bulk_edit(zone_id=zone, body={known[LINES]: {"state": "ignored"}, known[ONE]: {}})
    assert {id: item.state for id, item in answer.items()} == {known[LINES]: "ignored", known[ONE]: "review"}
    assert discovered(state="ignored") == [LINES]
    assert discovered(state="review") == [ONE, SEARCHES]
    assert operations.bulk_edit(zone_id=zone, body={known[LINES]: {"state": "review"}})[known[LINES]].state == "review"
    assert discovered(state="ignored") == []
    path = f"/zones/{zone}/api_gateway/discovery/operations"
    if hasattr(operations, "edit"):
        assert operations.edit(known[ONE], zone_id=zone, state="ignored").state == "ignored"
    else:
        client.patch(f"{path}/{known[ONE]}", body={"state": "ignored"}, cast_to=object)
    assert discovered(state="ignored") == [ONE]
    client.patch(f"{path}/{known[ONE]}", body={"state": "review"}, cast_to=object)
    assert discovered(state="ignored") == []


def test_what_cannot_be_set_is_refused_and_nothing_changes(client, zone, discovered):
    operations, known = client.api_gateway.discovery.operations, ids(client, zone)
    unknown = "00000000-0000-8000-8000-000000000000"
    with pytest.raises(cloudflare.BadRequestError, match="saved follows"):
        operations.bulk_edit(zone_id=zone, body={known[ONE]: {"state": "ignored"}, known[LINES]: {"state": "saved"}})
    with pytest.raises(cloudflare.NotFoundError):
        operations.bulk_edit(zone_id=zone, body={known[ONE]: {"state": "ignored"}, unknown: {"state": "ignored"}})
    assert discovered(state="ignored") == []
    with pytest.raises(cloudflare.BadRequestError, match="order must be"):
        list(operations.list(zone_id=zone, order="requests"))


def test_one_that_is_saved_is_matched_from_then_on(server, client, zone, discovered):
    saved = client.api_gateway.operations.create(zone_id=zone, method="POST", host=HOST, endpoint="/searches")
    assert discovered(state="saved") == [SEARCHES]
    assert discovered(diff=True) == [ONE, LINES]
    assert discovered(diff=False) == [ONE, LINES, SEARCHES]
    explained = server.command("explain", "--zone", zone, "POST", f"http://{HOST}/searches")
    assert saved.operation_id in str(explained)
    assert send(server, HOST, "POST", "/searches", "session-1") == 200
    client.api_gateway.operations.delete(saved.operation_id, zone_id=zone)
    assert discovered(state="saved") == []
