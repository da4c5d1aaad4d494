"""The calls of the Terraform provider's acceptance tests, over plain HTTP as the provider sends them."""

import http.client
import itertools
import json

import pytest
from demilune_server import TOKEN, ZONE

NUMBERS = itertools.count()
V5 = {
    "User-Agent": "terraform-provider-cloudflare/5.22.0 terraform-plugin-framework/1.15.0 terraform/1.13.0",
    "Accept": "application/json",
    "x-stainless-lang": "Terraform",
    "x-stainless-runtime": "terraform-plugin-framework",
    "x-stainless-runtime-version": "1.15.0",
    "X-Stainless-Retry-Count": "0",
}
V4 = {"User-Agent": "terraform/1.13.0 terraform-plugin-sdk/2.36.1 terraform-provider-cloudflare/4.52.0"}


class Provider:
    """One flavour: v5 adds one operation, v4 an array of one, and sends a content type with every request."""

    def __init__(self, server, flavour):
        self.port = server.port
        self.v4 = flavour == "v4"

    def call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {TOKEN}", **(V4 if self.v4 else V5)}
        if body is not None or self.v4:
            headers["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        payload = None if body is None else json.dumps(body)
        connection.request(method, f"/client/v4/zones/{ZONE}/api_gateway{path}", payload, headers)
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "application/json"
        content = json.loads(answer.read())
        connection.close()
        return answer.status, content

    def create(self, method, host, endpoint):
        body = {"endpoint": endpoint, "host": host, "method": method}
        if self.v4:
            status, content = self.call("POST", "/operations", [body])
            (result,) = content["result"]
        else:
            status, content = self.call("POST", "/operations/item", body)
            result = content["result"]
        assert status == 200
        assert (content["success"], content["errors"], content["messages"]) == (True, [], [])
        return result

    def read(self, operation_id):
        return self.call("GET", f"/operations/{operation_id}")

    def destroy(self, operation_id):
        return self.call("DELETE", f"/operations/{operation_id}")


@pytest.fixture(params=["v4", "v5"])
def provider(server, request):
    return Provider(server, request.param)


@pytest.fixture
def host():
    return f"replay-{next(NUMBERS)}.example.com"


def test_a_created_operation_is_as_it_was_configured(provider, host):
    result = provider.create("GET", host, "/api/users/{var1}")
    assert (result["method"], result["host"], result["endpoint"]) == ("GET", host, "/api/users/{var1}")
    assert result["operation_id"] and result["last_updated"]


def test_an_import_reads_exactly_what_the_create_wrote(provider, host):
    created = provider.create("GET", host, "/api/users")
    for _ in range(2):
        status, content = provider.read(created["operation_id"])
        assert status == 200
        assert content["result"] == created


def test_a_changed_method_is_another_operation(provider, host):
    before = provider.create("GET", host, "/api/users")
    assert provider.destroy(before["operation_id"])[0] == 200
    after = provider.create("POST", host, "/api/users")
    assert after["operation_id"] != before["operation_id"]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "CONNECT", "PATCH", "TRACE"])
def test_every_method_is_accepted(provider, host, method):
    result = provider.create(method, host, f"/api/{method}/test")
    assert (result["method"], result["endpoint"]) == (method, f"/api/{method}/test")
    _, content = provider.read(result["operation_id"])
    assert content["result"] == result


@pytest.mark.parametrize(
    "endpoint", ["/api/users", "/api/users/{var1}", "/api/users/{var1}/posts/{var2}", "/api/resources/", "/"]
)
def test_a_second_plan_sees_no_difference(provider, host, endpoint):
    created = provider.create("GET", host, endpoint)
    status, content = provider.read(created["operation_id"])
    assert status == 200
    assert (content["result"]["method"], content["result"]["host"]) == ("GET", host)
    assert content["result"]["endpoint"] == endpoint
    assert content["result"] == created


def test_a_destroyed_operation_is_a_genuine_404(provider, host):
    created = provider.create("GET", host, "/")
    status, content = provider.destroy(created["operation_id"])
    assert (status, content["success"]) == (200, True)
    status, content = provider.read(created["operation_id"])
    assert status == 404
    assert content["success"] is False and content["errors"][0]["code"] == 10404


def test_the_sweeper_removes_all_that_the_first_page_shows(provider, host):
    for number in range(3):
        provider.create("GET", host, f"/{number}")
    status, content = provider.call("GET", "/operations")
    assert status == 200
    swept = [operation["operation_id"] for operation in content["result"]]
    assert len(swept) >= 3
    for operation_id in swept:
        assert provider.destroy(operation_id)[0] == 200
    status, content = provider.call("GET", "/operations")
    assert status == 200
    assert not {operation["operation_id"] for operation in content["result"]} & set(swept)


def characteristics(*pairs):
    return {"auth_id_characteristics": [{"type": kind, "name": name} for kind, name in pairs]}


def test_session_identifiers_go_through_the_steps_of_the_provider(provider):
    for wanted in (
        characteristics(("header", "test-header")),
        characteristics(("cookie", "test-cookie")),
        characteristics(),
        characteristics(("header", "test-header"), ("cookie", "test-cookie")),
    ):
        status, content = provider.call("PUT", "/configuration", wanted)
        assert (status, content["result"]) == (200, wanted)
        status, content = provider.call("GET", "/configuration")
        assert (status, content["result"]) == (200, wanted)
