"""The servers under test, each pinned to one core and started afresh, and what the kernel says about them."""

import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import schema

HERE = pathlib.Path(__file__).resolve().parent
PROXY_CORE, LOAD_CORE = 0, 1
ZONE = "023e105f4ecef8ad9ca31a8372d0c353"
TOKEN = "bench-token-0123456789-0123456789-012345"
SESSION_HEADER = "x-session"


class Server:
    """A running server."""

    def __init__(self, name, arguments, port, core=PROXY_CORE, environment=None):
        self.name, self.port = name, port
        self.log = tempfile.TemporaryFile()
        # Whatever ends the benchmark ends the servers, too.
        prefix = ["setpriv", "--pdeathsig", "TERM", "taskset", "--cpu-list", str(core)]
        self.process = subprocess.Popen([*prefix, *map(str, arguments)], stdout=self.log, stderr=self.log, env=environment)
        wait_for(lambda: can_connect(port), self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def rss(self):
        """Resident memory in bytes."""
        pages = (int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids())
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        stats = (pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split() for pid in self.pids())
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

    def output(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


class Bench:
    """Starts servers in a folder with what they share: certificates, an origin, and Demilune's data."""

    def __init__(self, folder, programs, demilune):
        self.folder, self.programs, self.demilune_binary = pathlib.Path(folder), pathlib.Path(programs), demilune
        self.cert, self.key, both = (self.folder / name for name in ("cert.pem", "key.pem", "both.pem"))
        request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=api.example.com"
        openssl = [*request.split(), "-addext", "subjectAltName=DNS:api.example.com"]
        subprocess.run([*openssl, "-keyout", self.key, "-out", self.cert], check=True, capture_output=True)
        both.write_text(self.cert.read_text() + self.key.read_text())
        port = free_port()
        arguments = [self.programs / "origin", "--listen", f"127.0.0.1:{port}"]
        self.origin = Server("origin", arguments, port, core=LOAD_CORE)

    def start(self, name, tls, operations):
        """Starts a proxy: bare, nginx, haproxy, demilune, validating, discovering or blind."""
        return getattr(self, name)(tls, operations)

    def bare(self, tls, _):
        port = free_port()
        files = ["--tls-cert", self.cert, "--tls-key", self.key] if tls else []
        where = ["--listen", f"127.0.0.1:{port}", "--origin", f"127.0.0.1:{self.origin.port}"]
        return Server("bare", [self.programs / "bare", *where, *files], port)

    def nginx(self, tls, _):
        port, config = self.config("nginx.conf", "ssl" if tls else "")
        return Server("nginx", ["nginx", "-e", "stderr", "-c", config], port)

    def haproxy(self, tls, _):
        port, config = self.config("haproxy.cfg", f"ssl crt {self.folder}/both.pem" if tls else "")
        return Server("haproxy", ["haproxy", "-db", "-f", config], port)

    def config(self, template, ssl):
        port, config = free_port(), self.folder / template
        text = (HERE / template).read_text()
        values = {"folder": self.folder, "origin": self.origin.port, "port": port, "ssl": ssl}
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        config.write_text(text)
        return port, config

    def demilune(self, tls, operations):
        data = self.folder / f"demilune-{operations.name}"
        if not data.exists():
            with self.serve_demilune(data, False) as server:
                self.teach(data, server, operations)
        return self.serve_demilune(data, tls)

    def validating(self, tls, operations):
        """Demilune with a document of all operations in force, which blocks what does not fit."""
        data = self.folder / f"validating-{operations.name}"
        if not data.exists():
            with self.serve_demilune(data, False) as server:
                self.teach(data, server, operations)
                for host in operations.hosts():
                    document = json.dumps(schema.document(host, operations.endpoints(host)))
                    body = {"kind": "openapi_v3", "name": host, "source": document, "validation_enabled": True}
                    self.call(server, "POST", "schema_validation/schemas", body)
                self.call(server, "PUT", "schema_validation/settings", {"validation_default_mitigation_action": "block"})
        server = self.serve_demilune(data, tls)
        server.name = "validating"
        return server

    def discovering(self, tls, operations):
        """Demilune without any operation, which looks at what nobody saved."""
        return self.without_operations("discovering", tls, operations)

    def blind(self, tls, operations):
        """The same, but it does not look."""
        return self.without_operations("blind", tls, operations, "--no-learning")

    def without_operations(self, name, tls, operations, *more):
        data = self.folder / f"{name}-{operations.name}"
        if not data.exists():
            with self.serve_demilune(data, False, *more) as server:
                self.teach(data, server, dataclasses.replace(operations, rows=[]), operations.hosts())
        server = self.serve_demilune(data, tls, *more)
        server.name = name
        return server

    def call(self, server, method, path, body):
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        url = f"{server.control}/client/v4/zones/{ZONE}/{path}"
        fetch(urllib.request.Request(url, json.dumps(body).encode(), headers, method=method))

    def serve_demilune(self, data, tls, *more):
        control, port = free_port(), free_port()
        where = ["--data", data, "--listen", f"127.0.0.1:{control}", "--gateway-listen", f"127.0.0.1:{port}"]
        files = ["--gateway-tls-cert", self.cert, "--gateway-tls-key", self.key] if tls else []
        environment = {name: text for name, text in os.environ.items() if not name.startswith("DEMILUNE_")}
        environment |= {"DEMILUNE_BOOTSTRAP_ZONE": f"{ZONE}:example.com", "DEMILUNE_BOOTSTRAP_TOKEN": TOKEN}
        arguments = [self.demilune_binary, "serve", "--workers", "1", *where, *files, *more]
        server = Server("demilune", arguments, port, environment=environment)
        server.control = f"http://127.0.0.1:{control}"
        wait_for(lambda: fetch(f"{server.control}/readyz"), server)
        return server

    def teach(self, data, server, operations, hosts=None):
        """Tells a new Demilune its operations, where their hosts' requests go, and what tells sessions apart."""

        def command(*words, **more):
            arguments = [self.demilune_binary, *words, "--data", data]
            subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, **more)

        for host in hosts or operations.hosts():
            paths = {}
            for method, endpoint in operations.endpoints(host):
                paths.setdefault(endpoint, {})[method.lower()] = {"responses": {"200": {"description": "OK"}}}
            document = {"openapi": "3.0.0", "info": {"title": "bench", "version": "1"}, "paths": paths}
            if paths:
                command("import", "-", "--host", host, input=json.dumps(document).encode())
            command("origin", "set", "--host", host, f"http://127.0.0.1:{self.origin.port}")
        body = {"auth_id_characteristics": [{"type": "header", "name": SESSION_HEADER}]}
        self.call(server, "PUT", "api_gateway/configuration", body)


def matches(server):
    """How many requests Demilune has matched, and how many not."""
    matched = unmatched = 0
    for line in fetch(f"{server.control}/metrics").splitlines():
        if line.startswith("demilune_gateway_operation_requests_total{"):
            count = int(line.rsplit(" ", 1)[1])
            if 'endpoint="unmatched"' in line:
                unmatched += count
            else:
                matched += count
    return matched, unmatched


def install(names):
    """Installs the proxies that are missing and come with Debian, as root."""
    missing = [name for name in ("nginx", "haproxy", "curl", "openssl") if not shutil.which(name)]
    missing = [name for name in missing if name in names or name in ("curl", "openssl")]
    if not missing:
        return
    if os.geteuid() != 0:
        raise SystemExit(f"install {' '.join(missing)} first, or run this as root")
    subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", *missing], check=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def can_connect(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def fetch(what):
    with urllib.request.urlopen(what) as answer:
        return answer.read().decode()


def wait_for(ready, server):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if ready():
                return
        except OSError:
            pass
        time.sleep(0.02)
    server.process.kill()
    raise SystemExit(f"{server.name} does not start: {server.output()}")
