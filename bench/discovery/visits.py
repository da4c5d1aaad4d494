"""A document's requests, and everything else that arrives at its host; the same for the same seed."""

import random
from urllib.parse import quote

import values
from truth import SAFE, hashed, normal

SESSIONS = 400
NETWORKS = 600
# Every operation of the truth has at least so many requests with success, most a few more, some many: it is this number
# divided by u^(1/EXPONENT), for u even between 0 and 1.
REQUESTS_MIN = 700
EXPONENT = 1.5
REQUESTS_MAX = 20_000
# Some are seldom asked for, and are not in the truth: so many of most documents, and of one in eight.
SELDOM, SELDOM_IN_QUIET = 0.15, 0.6
SELDOM_REQUESTS_MAX = 350
TENANTS = 12
DAYS = 7
START = 1_780_000_000
JSON, HTML = "application/json", "text/html; charset=utf-8"
SCANNED = ("/.env /.git/config /wp-login.php /wp-admin/setup-config.php /xmlrpc.php /admin /admin/login /admin/config.php /phpmyadmin/index.php "
           "/actuator/env /actuator/health /server-status /cgi-bin/luci /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php /.aws/credentials "
           "/config.json /api/v1/pods /solr/admin/info/system /console /debug/default/view /telescope/requests /.DS_Store /backup.sql /old /test").split()
STATIC = [("/favicon.ico", "image/x-icon"), ("/static/js/main.{}.js", "application/javascript"), ("/static/css/main.{}.css", "text/css"),
          ("/assets/logo-{}.png", "image/png"), ("/assets/fonts/inter.{}.woff2", "font/woff2"), ("/media/{}.mp4", "video/mp4"), ("/", HTML),
          ("/robots.txt", "text/plain")]


class Request:
    __slots__ = ("seconds", "method", "host", "path", "caller", "has_session", "status", "media", "operation", "stands_for")

    def __init__(self, seconds, method, host, path, caller, has_session, status, media, operation):
        self.seconds, self.method, self.host, self.path, self.caller = seconds, method, host, path, caller
        self.has_session, self.status, self.media, self.operation = has_session, status, media, operation
        # In a sample, so many.
        self.stands_for = 1.0

    def is_for_discovery(self):
        """What the gateway keeps: success, with no page, script, picture or the like."""
        return 200 <= self.status < 300 and self.method != "OPTIONS" and not self.media.startswith(
            ("text/html", "text/css", "application/javascript", "image/", "font/", "audio/", "video/"))

    def line(self):
        return f"{self.seconds}\t{self.method}\t{self.host}\t{self.path}\t{self.caller}\t{int(self.has_session)}\t{self.status}\t{self.media}\n"


class Variable:
    """The values of a variable at one place, and who asks for which."""

    def __init__(self, truth, place, name, parameter):
        seed = f"{truth.name} {place} {name}"
        sort, made = values.kind(truth, name, parameter)
        self.kind = sort
        # Encoded as browsers do.
        self.values = [quote(value, safe="!~*'()") for value in values.population(seed, sort, made)]
        exponent = [0.8, 1.0, 1.0, 1.2][hashed(seed) % 4]
        self.weights = values.zipf(len(self.values), exponent)
        # In some documents everybody asks for the same things, in others mostly for their own.
        self.own = [0.0, 0.5, 0.9][hashed(truth.name + " own") % 3] if len(self.values) >= 30 else 0.0

    def draw(self, draw, count, above, callers, operation):
        """So many values. What is popular depends on what stands above it in the path, and not everything is done with
        everything: one in three things is hardly ever asked for by this operation."""
        size, found = len(self.values), []
        for place, up, caller in zip(draw.choices(range(size), cum_weights=self.weights, k=count), above, callers):
            if self.own and draw.random() < self.own:
                place = (caller * 7919 + place % 7) % size
            if size >= 30 and (place * 2_654_435_761 + operation >> 7) % 3 == 0 and draw.random() < 0.9:
                place = (place * 31 + 17) % size
            found.append(self.values[(place + up) % size if size >= 30 else place])
        return found


def how_many(truth, operation):
    """How many requests with success an operation has: the same for any seed."""
    draw = random.Random(f"{truth.name} {operation.method} {operation.path}")
    seldom = SELDOM_IN_QUIET if hashed(truth.name + " quiet") % 8 == 0 else SELDOM
    if draw.random() < seldom:
        return int(SELDOM_REQUESTS_MAX ** draw.random())
    return int(min(REQUESTS_MAX, REQUESTS_MIN * draw.random() ** (-1 / EXPONENT)))


def templates(truth):
    """What is to be found."""
    host = ("{}." if truth.has_tenants else "") + truth.host
    return {f"{o.method} {host} {normal(o.path)}" for o in truth.operations if how_many(truth, o) >= REQUESTS_MIN}


class Traffic:
    def __init__(self, truth, seed=1):
        self.truth, self.draw = truth, random.Random(f"{truth.name} {seed}")
        self.variables, self.known = {}, {}
        draw = self.draw
        self.sessions = [draw.getrandbits(32) for _ in range(SESSIONS)]
        self.networks = [draw.getrandbits(32) for _ in range(NETWORKS)]
        self.session_weights, self.network_weights = values.zipf(SESSIONS, 0.8), values.zipf(NETWORKS, 0.8)
        tenants = sorted({values.name(draw).lower().replace("_", "-").replace(".", "-") for _ in range(3 * TENANTS)})[:TENANTS]
        self.hosts = [f"{tenant}.{truth.host}" for tenant in tenants] if truth.has_tenants else [truth.host]
        self.host_weights = values.zipf(len(self.hosts), 0.7)

    def variable(self, before, name, parameter):
        # The same word before it and the same name are the same things, wherever they stand.
        place = before.rstrip("/").rsplit("/", 1)[-1], name
        if place not in self.variables:
            self.variables[place] = Variable(self.truth, place[0], name, parameter)
        return self.variables[place]

    def callers(self, count):
        draw = self.draw
        made = zip(draw.choices(self.sessions, cum_weights=self.session_weights, k=count),
                   draw.choices(self.networks, cum_weights=self.network_weights, k=count))
        return [(session, True) if draw.random() < 0.85 else (network, False) for session, network in made]

    def paths(self, operation, callers):
        """Paths of an operation, one for each caller."""
        pieces, count, seed = operation.pieces, len(callers), hashed(operation.method + operation.path) >> 24
        paths, above = [quote(pieces[0], safe="/%" + SAFE)] * count, [0] * count
        for place in range(1, len(pieces), 2):
            variable = self.variable(pieces[place - 1], pieces[place], operation.parameters.get(pieces[place], {}))
            drawn = variable.draw(self.draw, count, above, [caller for caller, _ in callers], seed)
            literal = quote(pieces[place + 1], safe="/%" + SAFE)
            paths = [path + value + literal for path, value in zip(paths, drawn)]
            above = [up + int.from_bytes(value.encode()[-3:], "big") * 31 for up, value in zip(above, drawn)]
        return paths

    def requests(self):
        """All requests, with and without success, one operation after the other; noise at the end."""
        draw, total = self.draw, 0
        moment = lambda: START + draw.randrange(DAYS * 86_400)  # noqa: E731
        for operation in self.truth.operations:
            callers = self.callers(how_many(self.truth, operation))
            total += len(callers)
            hosts = draw.choices(self.hosts, cum_weights=self.host_weights, k=len(callers))
            for (caller, has_session), path, host in zip(callers, self.paths(operation, callers), hosts):
                method, status, media, chance = operation.method, 200, JSON, draw.random()
                yield Request(moment(), method, host, path.replace("/", "//", 1) if chance < 0.005 else path, caller, has_session, status, media, operation)
                if chance > 0.97:  # the same, without success, as a preflight, or for its head
                    kind = draw.randrange(4)
                    method = "OPTIONS" if kind == 0 else "HEAD" if kind == 1 and method == "GET" else method
                    status = 204 if kind == 0 else 200 if method == "HEAD" else draw.choice([400, 401, 403, 404, 429, 500])
                    yield Request(moment(), method, host, path, caller, has_session, status, media, None)
        yield from self.noise(total, moment)

    def noise(self, total, moment):
        draw = self.draw
        scanners = [draw.getrandbits(32) for _ in range(6)]

        def other(count, made, callers=None):
            for _ in range(count):
                method, path, status, media = made()
                caller, has_session = (draw.choice(callers), False) if callers else self.callers(1)[0]
                yield Request(moment(), method, draw.choice(self.hosts), path, caller, has_session, status, media, None)

        def scanned():
            path, chance = draw.choice(SCANNED), draw.random()
            return "GET", path, 404 if chance < 0.6 else 200, HTML if chance < 0.97 else JSON

        def guessed():
            # Below the paths that there are, with an answer for whatever is asked.
            operation = draw.choice(self.truth.operations)
            parent = operation.pieces[0].rstrip("/").rsplit("/", 1)[0]
            return "GET", f"{parent}/{draw.choice(values.WORDS)}{draw.choice(values.LAST)}{draw.choice(values.WORDS)}", 404 if draw.random() < 0.5 else 200, JSON

        def static():
            path, media = draw.choice(STATIC)
            return "GET", path.format(f"{draw.getrandbits(32):08x}"), 200, media

        yield from other(total // 100, scanned, scanners)
        yield from other(total // 200, guessed, scanners[:2])
        yield from other(total // 50, static)
        yield from other(20_000, lambda: ("GET", "/health", 200, JSON), scanners[:2])
        yield from other(total // 1000, lambda: ("GET", "/manifest.json", 200, "application/manifest+json"))
