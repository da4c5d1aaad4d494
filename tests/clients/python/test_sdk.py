"""The official Python SDK against the real binary."""

import concurrent.futures
import inspect
import itertools
import json
import threading
import time

import cloudflare
import httpx
import pytest
import yaml
from cloudflare import Cloudflare
from demilune_server import TOKEN, ZONE
from openapi_spec_validator import validate

NUMBERS = itertools.count()


@pytest.fixture
def client(server, monkeypatch):
    for name in ("CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY", "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return with_token(server, TOKEN)


@pytest.fixture
def host():
    """A host that no other test uses."""
    return f"test-{next(NUMBERS)}.example.com"


def sdk(server, **credentials):
    # Left to itself the SDK asks again after a failure of the server, which no test would then see.
    return Cloudflare(base_url=server.base_url, max_retries=0, **credentials)


def with_token(server, token):
    return sdk(server, api_token=token)


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


def add_three(client, host):
    add(client, host, "/users", "POST")
    add(client, host, "/users", "GET")
    add(client, f"a-{host}", "/a/{id}", "PUT")
    return [host, f"a-{host}"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [("GET", "/users"), ("POST", "/users"), ("PUT", "/a/{var1}")]),
        ({"method": ["POST"]}, [("POST", "/users")]),
        ({"method": ["POST", "PUT"]}, [("POST", "/users"), ("PUT", "/a/{var1}")]),
        ({"endpoint": "/{var1}"}, [("PUT", "/a/{var1}")]),
        ({"endpoint": "/users", "method": ["GET"]}, [("GET", "/users")]),
    ],
)
def test_a_list_is_filtered(client, host, query, expected):
    hosts = add_three(client, host)
    assert sorted((method, endpoint) for method, _, endpoint in listed(client, host=hosts, **query)) == expected


def test_a_list_is_of_the_hosts_that_were_asked_for(client, host):
    add_three(client, host)
    assert listed(client, host=[f"a-{host}"]) == [("PUT", f"a-{host}", "/a/{var1}")]
    assert listed(client, host=["nobody.example.com"]) == []


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(("order", "column"), [("method", 0), ("host", 1), ("endpoint", 2)])
def test_a_list_is_sorted(client, host, order, column, direction):
    hosts = add_three(client, host)
    values = [row[column] for row in listed(client, host=hosts, order=order, direction=direction)]
    assert len(values) == 3
    assert values == sorted(values, reverse=direction == "desc")


def test_a_get_answers_what_the_create_answered(client, host):
    created = add(client, host)
    got = client.api_gateway.operations.get(operation_id=created.operation_id, zone_id=ZONE)
    assert (got.operation_id, got.last_updated, got.features) == (created.operation_id, created.last_updated, None)


def test_only_the_feature_that_was_asked_for_is_there(client, host):
    created = add(client, host)
    got = client.api_gateway.operations.get(operation_id=created.operation_id, zone_id=ZONE, feature=["thresholds"])
    assert got.to_dict()["features"] == {"thresholds": {}}


def import_visits(server, host, sessions, tmp_path):
    """An access log of the last hours: session number n makes n % 9 + 1 requests within some minutes."""
    begun = time.time() - 3 * 3600
    log = tmp_path / f"{host}.jsonl"
    with open(log, "w") as lines:
        for session in range(sessions):
            for request in range(session % 9 + 1):
                record = {
                    "time": begun + session + request,
                    "method": "GET",
                    "host": host,
                    "path": f"/visits/{request}",
                    "status": 200,
                    "request_headers": {"X-Client": f"client-{session}"},
                }
                print(json.dumps(record), file=lines)
    summary = server.command("traffic", "import", "--zone", ZONE, "--session", "X-Client", str(log))
    assert summary["counted"] == sum(session % 9 + 1 for session in range(sessions))


def test_thresholds_and_their_intervals_are_typed(server, client, host, tmp_path):
    created = add(client, host, "/visits/{number}")
    import_visits(server, host, 90, tmp_path)
    got = client.api_gateway.operations.get(
        operation_id=created.operation_id, zone_id=ZONE, feature=["thresholds", "confidence_intervals"]
    )
    features = got.to_dict()["features"]
    thresholds = features["thresholds"]
    assert (thresholds["auth_id_tokens"], thresholds["data_points"], thresholds["requests"]) == (90, 90, 450)
    assert (thresholds["p50"], thresholds["p90"], thresholds["p99"], thresholds["period_seconds"]) == (5, 9, 9, 600)
    intervals = features["confidence_intervals"]["suggested_threshold"]
    for bounds in intervals["confidence_intervals"].values():
        assert bounds["lower"] <= thresholds["suggested_threshold"] <= bounds["upper"]
    again = add(client, host, "/visits/{number}")
    assert again.to_dict()["features"] == features
    # Of several features the SDK types one; asked for alone, each is typed.
    got = client.api_gateway.operations.get(operation_id=created.operation_id, zone_id=ZONE, feature=["thresholds"])
    assert got.features.thresholds.suggested_threshold == thresholds["suggested_threshold"]


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_a_list_is_sorted_by_thresholds_and_those_without_come_last(server, client, host, direction, tmp_path):
    hosts = [host, f"b-{host}", f"c-{host}"]
    for name, sessions in zip(hosts, [60, 0, 120]):
        add(client, name, "/visits/{number}")
        if sessions:
            import_visits(server, name, sessions, tmp_path)
    query = {"host": hosts, "feature": ["thresholds"], "order": "thresholds.requests", "direction": direction}
    found = [name for _, name, _ in listed(client, **query)]
    with_value = [hosts[0], hosts[2]]
    assert found == (with_value if direction == "asc" else with_value[::-1]) + [hosts[1]]


def exported(client, **query):
    """The documents, asked for with what this version of the SDK knows, and the rest as plain parameters."""
    call = client.api_gateway.schemas.list
    known = {name: query.pop(name) for name in list(query) if name in inspect.signature(call).parameters}
    answer = call(zone_id=ZONE, extra_query=query, **known)
    assert answer.timestamp.endswith("Z")
    for document in answer.schemas:
        validate(document)
    return answer.schemas


def got(client, operation_id, **query):
    """An operation, asked for likewise, as data."""
    call = client.api_gateway.operations.get
    known = {name: query.pop(name) for name in list(query) if name in inspect.signature(call).parameters}
    return call(operation_id=operation_id, zone_id=ZONE, extra_query=query, **known).to_dict()


def test_an_operation_without_a_learned_schema_says_so(client, host):
    created = add(client, host, "/users/{id}")
    with_feature = got(client, created.operation_id, feature=["parameter_schemas"])
    assert with_feature["features"] == {"parameter_schemas": {}}
    assert got(client, created.operation_id, with_schemas="true")["schemas"] == {"learned": None, "uploaded": None}


def test_each_host_has_a_document_that_is_valid(client, host):
    hosts = [host, f"{{tenant}}.{host}"]
    for name in hosts:
        for method in ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "CONNECT", "PATCH", "TRACE"]:
            add(client, name, "/users/{id}/a%20b/{from}...{to}", method)
        add(client, name, "/")
    hosts[1] = f"{{hostVar1}}.{host}"
    documents = exported(client, host=hosts)
    assert sorted(document["info"]["title"] for document in documents) == sorted(hosts)
    for document in documents:
        assert document["openapi"] == "3.0.0"
        assert list(document["paths"]) == ["/", "/users/{var1}/a%20b/{var2}...{var3}"]
        assert len(document["paths"]["/users/{var1}/a%20b/{var2}...{var3}"]) == 9
    for query in ({"feature": ["thresholds", "parameter_schemas", "schema_info"]}, {"include_schema_kind": ["learned"]}):
        assert exported(client, host=hosts, **query) == documents


def test_a_document_is_the_same_from_the_command_line_in_yaml(server, client, host):
    for endpoint in ["/yes", "/1e3/{id}", "/a'b", "/%C3%A9"]:
        add(client, host, endpoint)
    written = yaml.safe_load(server.text("schema", "export", "--zone", ZONE, "--host", host))
    assert [written] == exported(client, host=[host], feature=["parameter_schemas"])


def test_documents_of_something_else_are_refused(client):
    with pytest.raises(cloudflare.BadRequestError) as raised:
        client.api_gateway.schemas.list(zone_id=ZONE, feature=["everything"], host=["a b"])
    assert sorted(error.source.pointer for error in raised.value.errors) == ["/feature", "/host"]


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
    assert [error.source.pointer for error in raised.value.errors] == ["/endpoint", "/host"]


def test_a_defect_among_several_is_named_with_its_position(client, host):
    operations = [{"endpoint": endpoint, "host": host, "method": "GET"} for endpoint in ("/", "no-slash")]
    with pytest.raises(cloudflare.BadRequestError) as raised:
        bulk(client, operations)
    assert [error.source.pointer for error in raised.value.errors] == ["/1/endpoint"]
    assert listed(client, host=[host]) == []


def configuration(client, **query):
    """The session identifiers, asked for with what this version of the SDK knows, and the rest as plain parameters."""
    call = client.api_gateway.configurations.get
    known = {name: query.pop(name) for name in list(query) if name in inspect.signature(call).parameters}
    answer = call(zone_id=ZONE, extra_query=query, **known)
    return [(found.type, found.name) for found in answer.auth_id_characteristics]


def configure(client, *identifiers):
    characteristics = [{"type": kind, "name": name} for kind, name in identifiers]
    client.api_gateway.configurations.update(zone_id=ZONE, auth_id_characteristics=characteristics)


def test_session_identifiers_keep_their_order_and_spelling(client):
    configure(client, ("cookie", "SID"), ("header", "X-Api-Key"))
    assert configuration(client) == [("cookie", "SID"), ("header", "X-Api-Key")]
    assert configuration(client, properties=["auth_id_characteristics"]) == configuration(client)


def test_an_empty_list_removes_every_session_identifier(client):
    configure(client, ("header", "X-Api-Key"))
    configure(client)
    assert configuration(client) == []


def test_header_names_are_normalized_on_request(client):
    configure(client, ("header", "X-Api-Key"), ("cookie", "SID"))
    assert configuration(client, normalize=True) == [("header", "x-api-key"), ("cookie", "SID")]
    assert configuration(client, normalize=False) == [("header", "X-Api-Key"), ("cookie", "SID")]


def test_a_claim_of_a_token_is_refused_as_a_session_identifier(client):
    configure(client)
    with pytest.raises(cloudflare.BadRequestError) as raised:
        configure(client, ("header", "a"), ("jwt", "id:$.sub"))
    assert [error.source.pointer for error in raised.value.errors] == ["/auth_id_characteristics/1/type"]
    assert configuration(client) == []


def fallthrough(client, *hosts):
    return client.api_gateway.expression_template.fallthrough.create(zone_id=ZONE, hosts=list(hosts))


def test_an_expression_catches_what_no_operation_fits(client):
    made = fallthrough(client, "a.example.com", "B.example.com")
    assert made.title == "Fallthrough Expression for [a.example.com, b.example.com]"
    assert made.expression == (
        '(cf.api_gateway.fallthrough_detected and http.host in {"a.example.com" "b.example.com"})'
    )


def test_an_expression_takes_hosts_with_variables(client):
    made = fallthrough(client, "{zone}.domain1.tld")
    assert made.expression == (
        r'(cf.api_gateway.fallthrough_detected and http.host matches "^[^.]+\\.domain1\\.tld$")'
    )


def test_an_expression_is_for_hosts_alone(client):
    with pytest.raises(cloudflare.BadRequestError) as raised:
        fallthrough(client, "a.example.com", "https://b.example.com")
    assert [error.source.pointer for error in raised.value.errors] == ["/hosts/1"]


def test_an_unknown_token_is_forbidden(server, client, host):
    with pytest.raises(cloudflare.PermissionDeniedError) as raised:
        add(with_token(server, "nobody-has-this-token-0123456789"), host)
    assert raised.value.errors[0].code == 10000


@pytest.fixture
def reader(server, client):
    return with_token(server, server.command("token", "create", "--group", "Account API Gateway Read")["token"])


def test_a_token_that_may_only_read_reads(client, reader, host):
    add(client, host)
    assert len(listed(reader, host=[host])) == 1
    configure(client, ("header", "X-Api-Key"))
    assert configuration(reader) == [("header", "X-Api-Key")]


def test_a_token_that_may_only_read_does_not_write(client, reader, host):
    for call in (lambda: add(reader, host), lambda: configure(reader), lambda: fallthrough(reader, host)):
        with pytest.raises(cloudflare.PermissionDeniedError):
            call()
    assert listed(client, host=[host]) == []


@pytest.fixture
def scoped(server, client):
    return with_token(
        server, server.command("token", "create", "--group", "Domain API Gateway", "--zone", ZONE)["token"]
    )


def test_a_token_of_one_zone_works_there(scoped, host):
    assert add(scoped, host).host == host


def test_a_token_of_one_zone_is_none_in_another(server, scoped, host):
    other = server.command("zone", "create", f"zone-{next(NUMBERS)}.example")["id"]
    for call in (lambda: add(scoped, host, zone=other), lambda: scoped.api_gateway.operations.list(zone_id=other)):
        with pytest.raises(cloudflare.PermissionDeniedError):
            call()


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
    by_key = sdk(server, api_email=email, api_key=key)
    assert add(by_key, host).host == host


@pytest.mark.parametrize(
    ("variable", "value"), [("CLOUDFLARE_EMAIL", "stray@example.com"), ("CLOUDFLARE_API_KEY", "0" * 32)]
)
def test_a_stray_variable_is_explained(server, client, host, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    # With the variable there, the SDK leaves the token out.
    stray = with_token(server, TOKEN)
    with pytest.raises(cloudflare.BadRequestError) as raised:
        add(stray, host)
    assert variable in str(raised.value)


def test_an_unknown_zone_is_not_found(client, host):
    with pytest.raises(cloudflare.NotFoundError) as raised:
        add(client, host, zone="f" * 32)
    assert raised.value.errors[0].code == 7003


def test_many_at_once_make_one_operation(client, host):
    start = threading.Barrier(64, timeout=20)

    def together(_):
        start.wait()
        return add(client, host, "/same/{id}")

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        added = list(pool.map(together, range(64)))
    assert len(added) == 64
    assert len({operation.operation_id for operation in added}) == 1


def test_zones_and_the_token_can_be_looked_up(client):
    assert client.user.tokens.verify().status == "active"
    assert client.zones.get(zone_id=ZONE).name == "example.com"
    assert ZONE in [zone.id for zone in client.zones.list()]
