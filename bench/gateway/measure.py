"""What is measured of each proxy, part by part, each a Markdown table."""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import re
import resource
import statistics
import subprocess
import sys
import time
import zlib

import servers
import workload
from watch import Peak, Watch

GIBIBYTE = 1 << 30
ACTIVE = 2_000
LOAD_PINNED = ["taskset", "--cpu-list", str(servers.LOAD_CORE)]
OTHERS_MAX = 0.10  # A run in which other processes took more of the two cores than this is repeated for a while.


@dataclasses.dataclass
class Run:
    """What the load generator says of one run, and how much of the two cores went to others meanwhile."""

    requests: int
    seconds: float
    cpu_seconds: float
    p50_us: float
    p99_us: float
    others: float

    @property
    def rate(self):
        return self.requests / self.seconds

    @property
    def busy(self):
        """The share of one core."""
        return self.cpu_seconds / self.seconds

    @property
    def cpu_us(self):
        return self.cpu_seconds / self.requests * 1e6


class Measure:
    def __init__(self, bench, options):
        self.bench, self.options = bench, options
        self.programs, self.folder = bench.programs, bench.folder
        self.others = []

    def requests(self, operations, method):
        file = self.folder / f"{operations.name}-{method}.txt"
        if not file.exists():
            file.write_text(operations.requests(method))
        return file

    def load(self, server, file, tls, *more):
        where = [f"127.0.0.1:{server.port}", file, *(["--tls"] if tls else [])]
        if "validating" in self.options.only:
            where.append("--orders")
        return [*LOAD_PINNED, self.programs / "load", *where, *map(str, more)]

    def run(self, server, file, tls, *more, seconds=None, patience=None):
        """One run; or, where others were busy meanwhile and there is patience, the quietest of several."""
        tls = tls and server is not self.bench.origin
        pids = ",".join(map(str, server.pids()))
        command = self.load(server, file, tls, "--seconds", seconds or self.options.seconds, "--cpu-of", pids, *more)
        deadline = time.monotonic() + (self.options.patience if patience is None else patience)
        runs = []
        while not runs or (runs[-1].others > OTHERS_MAX and time.monotonic() < deadline):
            watch = Watch(server, self.bench.origin)
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{server.name}: {done.stderr}\n{server.output()}")
            runs.append(Run(**json.loads(done.stdout), others=watch.others()))
        best = min(runs, key=lambda run: run.others)
        self.others.append(best.others)
        note(f"  {server.name:9}{best.rate:9.0f}/s {best.cpu_us:6.1f} µs, p50 {best.p50_us:.0f} p99 {best.p99_us:.0f}, "
             f"others {best.others:.0%}, {len(runs)} tried")
        return best

    def table(self, title, columns, rows):
        lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
        noise = f"other processes took {median(self.others):.0%} of the two cores, {max(self.others):.0%} at worst"
        print(f"{title} ({noise}):\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n", flush=True)
        self.others = []

    @contextlib.contextmanager
    def all(self, tls, operations):
        """Every proxy, each started afresh."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.bench.start(name, tls, operations)) for name in self.options.only]

    def throughput(self):
        print("## CPU a request, and most requests a second\n")
        for operations in self.options.operations:
            for tls in self.options.tls:
                with self.all(tls, operations) as proxies:
                    for method in ("GET", "POST"):
                        self.compare(proxies, operations, method, tls)
                    for proxy in proxies:
                        if proxy.name in ("demilune", "validating"):
                            check_matches(proxy)
                        if proxy.name == "discovering":
                            check_discovery(proxy)
                        if proxy.name == "validating":
                            check_blocks(proxy, operations)

    def compare(self, proxies, operations, method, tls):
        title = f"{'GET' if method == 'GET' else 'POST of 1 KiB'}, {protocol(tls)}, {operations.title}"
        note(title)
        file = self.requests(operations, method)
        direct, runs = [], {proxy.name: [] for proxy in proxies}
        for _ in range(self.options.rounds):
            direct.append(self.run(self.bench.origin, file, tls))
            for proxy in proxies:
                runs[proxy.name].append(self.run(proxy, file, tls))
        bases = [base for base in ("bare", "nginx", "blind") if base in runs]
        rows = [
            [name, number(median(run.rate for run in own)), f"{median(run.busy for run in own):.0%}",
             spread([run.cpu_us for run in own]), *(ratio(own, runs[base]) for base in bases)]
            for name, own in runs.items()
        ]
        rows.append(["*none: the origin, without TLS*", number(median(run.rate for run in direct)), "", "", *("" for _ in bases)])
        columns = ["proxy", "requests/s", "of its core", "CPU µs a request", *(f"÷ {base}" for base in bases)]
        self.table(title, columns, rows)

    def latency(self):
        print("## Latency at half of each proxy's most requests a second\n")
        operations = self.options.operations[0]
        file = self.requests(operations, "GET")
        for tls in self.options.tls:
            title = f"GET, {protocol(tls)}, {operations.title}"
            note(title)
            with self.all(tls, operations) as proxies:
                most = {proxy.name: [] for proxy in proxies}
                for _ in range(self.options.rounds):
                    for proxy in proxies:
                        most[proxy.name].append(self.run(proxy, file, tls).rate)
                rates = {name: max(rates) / 2 for name, rates in most.items()}
                pairs = {proxy.name: [] for proxy in proxies}
                for _ in range(self.options.rounds):
                    for proxy in proxies:
                        paced = ["--rate", rates[proxy.name]]
                        direct = self.run(self.bench.origin, file, tls, *paced)
                        pairs[proxy.name].append((direct, self.run(proxy, file, tls, *paced)))
            rows = [[name, number(rates[name]), *quantiles(pairs[name], "p50_us"), *quantiles(pairs[name], "p99_us")]
                    for name in pairs]
            self.table(title, ["proxy", "requests/s", "p50 µs", "added", "p99 µs", "added"], rows)

    def memory(self):
        print("## Memory of connections\n")
        idle = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
        operations = self.options.operations[0]
        file = self.requests(operations, "GET")
        for tls in self.options.tls:
            rows = []
            for name in self.options.only:
                with self.used(name, tls, operations, file) as proxy:
                    at_rest = proxy.rss()
                    each_idle = (self.idle(proxy, file, tls, idle) - at_rest) / idle
                with self.used(name, tls, operations, file) as proxy:
                    at_rest = proxy.rss()
                    each_active = (self.active(proxy, file, tls, ACTIVE) - at_rest) / ACTIVE
                rows.append([name, mebibytes(at_rest), f"{each_idle / 1024:.1f}", f"{each_active / 1024:.1f}"])
                note(" ".join(rows[-1]))
            columns = [f"KiB for each of {number(count)} {kind}" for count, kind in ((idle, "idle"), (ACTIVE, "active"))]
            self.table(f"{protocol(tls)}, {operations.title}", ["proxy", "MiB after a short run", *columns], rows)

    @contextlib.contextmanager
    def used(self, name, tls, operations, file):
        """A proxy that was started afresh and has served for a second."""
        with self.bench.start(name, tls, operations) as proxy:
            self.run(proxy, file, tls, seconds=1, patience=0)
            yield proxy

    def idle(self, proxy, file, tls, count):
        command = self.load(proxy, file, tls, "--idle", "--connections", count)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holding:
            holding.stdout.readline()
            time.sleep(1)
            held = proxy.rss()
            holding.communicate()
        if holding.returncode:
            raise SystemExit(f"{proxy.name} does not keep {count} connections: {proxy.output()}")
        return held

    def active(self, proxy, file, tls, count):
        with Peak(proxy) as peak:
            self.run(proxy, file, tls, "--connections", count, seconds=5, patience=0)
        return peak.bytes

    def transfer(self):
        print("## Memory while 1 GiB passes\n")
        operations = workload.Operations("none", "no operations", [("GET", workload.API_HOST, "/")])
        file = self.requests(operations, "GET")
        large = self.folder / "large"
        with open(large, "wb") as sparse:
            sparse.truncate(GIBIBYTE)
        for tls in self.options.tls:
            rows = []
            for name in self.options.only:
                row = [name]
                for path, upload in (("/sink", large), (f"/bytes/{GIBIBYTE}", None)):
                    with self.used(name, tls, operations, file) as proxy:
                        at_rest = proxy.rss()
                        peak, seconds = self.curl(proxy, tls, path, upload)
                    row += [mebibytes(peak - at_rest), number(GIBIBYTE / seconds / (1 << 20))]
                rows.append(row)
                note(" ".join(row))
            self.table(protocol(tls), ["proxy", "upload: + MiB", "MiB/s", "download: + MiB", "MiB/s"], rows)

    def held(self):
        print("## Memory while 64 bodies are held to be validated\n")
        operations = workload.Operations("held", "one operation", [("POST", workload.API_HOST, "/orders")])
        item = '{"id":1,"sku":"AB-0001","price":1,"quantity":1}'
        plain = ('{"items":[' + item + '],"note":"' + "x" * ((1 << 20) - 200) + '"}').encode()
        bomb = zlib.compressobj(9, wbits=31)
        bomb = b"".join([bomb.compress(b" " * (1 << 20)) for _ in range(960)] + [bomb.flush()])
        rows = []
        for title, content, coding in (("1 MiB each", plain, {}), (f"{len(bomb) >> 10} KiB of gzip each, 960 MiB without", bomb, {"Content-Encoding": "gzip"})):
            with self.bench.start("validating", False, operations) as proxy:
                at_rest = proxy.rss()
                with Peak(proxy) as peak, concurrent.futures.ThreadPoolExecutor(64) as clients:
                    began = time.monotonic()
                    statuses = list(clients.map(lambda _: upload(proxy, content, coding), range(64)))
                    seconds = time.monotonic() - began
                counts = ", ".join(f"{statuses.count(status)} × {status}" for status in sorted(set(statuses)))
                rows.append([title, mebibytes(at_rest), mebibytes(peak.bytes - at_rest), f"{seconds:.1f}", counts])
                note(" ".join(rows[-1]))
        self.others = [0]
        self.table("HTTP/1.1", ["64 uploads at once", "MiB at rest", "+ MiB", "seconds", "answers"], rows)

    def curl(self, proxy, tls, path, upload):
        """Moves a gibibyte; returns the most memory that the proxy held, and the seconds that it took."""
        url = f"{'https' if tls else 'http'}://127.0.0.1:{proxy.port}{path}"
        answer = self.folder / "answer"
        sent = ["--request", "POST", "--upload-file", upload, "--output", answer] if upload else ["--output", "/dev/null"]
        report = "%{http_code} %{size_download} %{time_total}"
        headers = ["--header", f"Host: {workload.API_HOST}", "--header", "Expect:"]
        command = ["curl", "--silent", "--insecure", *headers, *sent, "--write-out", report, url]
        with Peak(proxy) as peak:
            done = subprocess.run([*LOAD_PINNED, *command], capture_output=True, text=True)
        status, down, seconds = done.stdout.split()
        moved = answer.read_text() if upload and status == "200" else down
        if (status, moved) != ("200", str(GIBIBYTE)):
            raise SystemExit(f"{proxy.name}: {path}: status {status}, {moved} bytes: {proxy.output()}")
        return peak.bytes, float(seconds)


def check_matches(proxy):
    matched, unmatched = servers.matches(proxy)
    note(f"demilune matched {matched} requests")
    if unmatched or not matched:
        raise SystemExit(f"{unmatched} requests matched no operation, {matched} did: this measures something else")


def check_discovery(proxy):
    counts = {}
    for line in servers.fetch(f"{proxy.control}/metrics").splitlines():
        if line.startswith("demilune_gateway_discovery_"):
            name, count = line.removeprefix("demilune_gateway_discovery_").rsplit(" ", 1)
            counts[name] = float(count)
    seen, dropped = counts["requests_total"], counts["dropped_total"]
    note(f"{seen:.0f} requests were seen for discovery, {dropped:.0f} were dropped")
    if dropped > 0.01 * seen:
        raise SystemExit(f"{dropped:.0f} of {seen:.0f} requests were dropped: this measures something else")


def upload(proxy, content, coding):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=60)
    headers = {"Host": workload.API_HOST, "Content-Type": "application/json", "X-Session": "s", **coding}
    try:
        connection.request("POST", "/orders", content, headers)
    except (BrokenPipeError, ConnectionResetError):
        pass  # The answer may be there before all is sent.
    return connection.getresponse().status


def check_blocks(proxy, operations):
    """Holds that what does not fit is blocked, so that what was measured was validated."""
    method, host, endpoint = next(row for row in operations.rows if row[0] == "POST")
    path = re.sub(r"\{[^}]*\}", "v1", endpoint)
    answers = []
    for body in ('{"items":[]}', '{"items":[{"id":1,"sku":"AB-0001","price":1,"quantity":1}]}'):
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
        connection.request(method, path, body, {"Host": host, "Content-Type": "application/json", "X-Session": "s"})
        answers.append(connection.getresponse().status)
    if answers != [403, 200]:
        raise SystemExit(f"{method} {path} is answered with {answers}: nothing is validated")


def quantiles(pairs, name):
    """A quantile through the proxy, and by how much it is above that of the origin itself."""
    through = median(getattr(proxy, name) for _, proxy in pairs)
    added = median(getattr(proxy, name) - getattr(direct, name) for direct, proxy in pairs)
    return [number(through), number(added)]


def ratio(own, anchor):
    """The median of each round's ratio, since what disturbs the machine disturbs neighbouring runs alike."""
    return f"{median(a.cpu_us / b.cpu_us for a, b in zip(own, anchor)):.2f}" if anchor else ""


def median(values):
    return statistics.median(values)


def spread(values):
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def number(value):
    return f"{value:,.0f}"


def mebibytes(value):
    return f"{value / (1 << 20):.1f}"


def protocol(tls):
    return "HTTP/1.1 over TLS 1.3" if tls else "HTTP/1.1"


def note(text):
    print(text, file=sys.stderr, flush=True)
