"""Operations, and requests that fit them: real routes with real-looking values, and made-up ones, from a fixed seed."""

import dataclasses
import random
import re

SESSIONS = 1_000
REQUESTS = 10_007  # Prime, so that no path keeps meeting the same position of anything.
API_HOST = "api.example.com"

WORDS = """accounts alerts apps archive billing branches builds carts charges comments contacts coupons customers
devices disputes drafts events exports files folders groups hooks images invoices issues items jobs keys labels
leads limits links locks members merges messages metrics milestones notes orders orgs owners pages payments plans
projects pulls quotes rates refunds releases reports repos reviews roles rules runs search secrets sessions shares
sites stars stats status steps tags tasks teams threads tickets tokens topics users values versions views watches
webhooks workflows zones""".split()


@dataclasses.dataclass(frozen=True)
class Operations:
    """A named set of operations, each a method, a host and an endpoint."""

    name: str
    title: str
    rows: list[tuple[str, str, str]]
    names: float = 0.5  # The share of variables that are names; the others are numbers.

    def hosts(self):
        return sorted({host for _, host, _ in self.rows})

    def endpoints(self, host):
        return [(method, endpoint) for method, on, endpoint in self.rows if on == host]

    def requests(self, method):
        """The lines of a request file: METHOD HOST PATH SESSION, spread evenly over the method's operations."""
        chance = random.Random(f"{self.name} {method}")
        rows = [row for row in self.rows if row[0] == method]
        picked = [rows[number % len(rows)] for number in range(REQUESTS)]
        chance.shuffle(picked)
        lines = []
        for _, host, endpoint in picked:
            path = re.sub(r"\{[^}]*\}", lambda _: value(chance, self.names), endpoint)
            lines.append(f"{method} {host} {path} session-{chance.randrange(SESSIONS):04}")
        return "\n".join(lines) + "\n"


def value(chance, names):
    """What stands for a variable: a number, or a name that no route has as a literal."""
    if chance.random() < 1 - names:
        return str(chance.randrange(1, 10**8))
    return "v" + "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=chance.randrange(4, 12)))


def real(file):
    """The routes of a real API, one `METHOD PATH` a line, on one host."""
    rows = [tuple(line.split(" ", 1)) for line in file.read_text().splitlines()]
    return Operations("real", f"{len(rows):,} real operations on one host", [(m, API_HOST, p) for m, p in rows])


def numbered(file):
    """The same, asked for by numbers alone."""
    return dataclasses.replace(real(file), name="numbered", title=f"{real(file).title}, with numbers for variables", names=0)


def made_up(count=10_000, hosts=200):
    """Routes of two to six segments, a third of them variables, spread over hosts."""
    chance = random.Random("routes")
    rows = {}
    while len(rows) < count:
        host = f"api{len(rows) % hosts}.example.com"
        method = chance.choices(["GET", "POST", "PUT", "DELETE"], [5, 3, 1, 1])[0]
        segments = [chance.choice(WORDS)]
        for number in range(chance.randrange(1, 6)):
            segments.append(f"{{v{number}}}" if chance.random() < 0.4 else chance.choice(WORDS))
        endpoint = "/" + "/".join(segments)
        rows[method, host, re.sub(r"\{[^}]*\}", "{}", endpoint)] = (method, host, endpoint)
    return Operations("made-up", f"{count:,} made-up operations on {hosts} hosts", list(rows.values()))
