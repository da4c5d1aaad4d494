"""Live requests for what nobody saved, as many as discovery asks for."""

import contextlib
import http.client
import http.server
import threading
import time

# More than the 500 that discovery asks for.
REQUESTS = 520
SESSIONS = 40
PATIENCE_SECONDS = 40


class Origin(http.server.BaseHTTPRequestHandler):
    """Answers everything with an empty object."""

    protocol_version = "HTTP/1.1"
    # Head and body are two writes, the second of which would wait for an acknowledgement.
    disable_nagle_algorithm = True

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def origin_of(server, zone, host):
    """An origin for a host, while it lasts."""
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    server.text("origin", "set", "--zone", zone, "--host", host, f"http://127.0.0.1:{listening.server_port}")
    try:
        yield
    finally:
        server.text("origin", "delete", "--zone", zone, "--host", host)
        listening.shutdown()
        listening.server_close()


def send(server, host, method, path, session):
    """The status of one live request, on a connection that others use after it."""
    connection = getattr(server, "live", None) or http.client.HTTPConnection("127.0.0.1", server.gateway_port, timeout=20)
    server.live = connection
    headers = {"Host": host, "Authorization": f"Bearer {session}", "Content-Type": "application/json"}
    connection.request(method, path, body="{}" if method == "POST" else None, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def discover(server, zone, host, operations):
    """Sends requests for operations, given as method and path with a place for a number, and waits until all are found;
    the origin must be there, and so must session identifiers if sessions are wanted."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while send(server, host, "GET", "/", "nobody") != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for method, path in operations:
        for number in range(REQUESTS):
            assert send(server, host, method, path.format(1_000 + number), f"session-{number % SESSIONS}") == 200
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = [found for found in server.command("discover", "--zone", zone) if found["host"] == host]
        if len(found) == len(operations) and all(found["requests"] == REQUESTS for found in found):
            return {f"{found['method']} {found['endpoint']}": found for found in found}
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
