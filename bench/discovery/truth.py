"""Which documents, and what their operations are."""

import hashlib
import json
import pathlib
import re
import sys
from urllib.parse import quote, unquote, urlsplit

HERE = pathlib.Path(__file__).resolve().parent
LEARNING = HERE.parent / "learning"
sys.path.insert(0, str(LEARNING))
import traffic  # noqa: E402  (the reader of documents that the benchmark of learned schemas has)

# Of each class of size, by number of paths, so many documents.
CLASSES = [(10, 30, 10), (30, 100, 12), (100, 300, 12), (300, 100_000, 8)]
# More make a run too long: it is one document of the collection that has thirty times as many.
OPERATIONS_MAX = 1_300
GITHUB = "github"
SAFE = "!$&'()*+,;=:@-._~"


def hashed(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def load(data, name):
    place = "github/package/generated/api.github.com.json" if name == GITHUB else f"directory/package/api/{name}.json"
    return json.loads((data / place).read_text())


def is_path(path):
    return path.startswith("/") and "?" not in path and "#" not in path


def choose(data):
    """The rule that `documents.txt` comes of: of each provider the document with the most operations, of each class
    those whose names have the lowest hashes, and GitHub's own."""
    root, best = data / "directory/package/api", {}
    for file in sorted(root.rglob("*.json")):
        name = str(file.relative_to(root))[:-5]
        items = {p: item for p, item in json.loads(file.read_text()).get("paths", {}).items() if is_path(p)}
        operations = sum(method in item for item in items.values() for method in traffic.METHODS)
        provider = name.split("/")[0]
        if operations <= OPERATIONS_MAX and operations > best.get(provider, ("", 0, 0))[1]:
            best[provider] = name, operations, len(items)
    # The collection's own copy of GitHub's document is an older one.
    best.pop("github.com", None)
    chosen = [GITHUB]
    for low, high, count in CLASSES:
        chosen += sorted((name for name, _, paths in best.values() if low <= paths < high), key=hashed)[:count]
    return chosen


def documents():
    return (HERE / "documents.txt").read_text().split()


def tuning_half(names):
    return set(sorted(names, key=lambda name: hashed(name + " half"))[: (len(names) + 1) // 2])


def normal(path):
    """A template or a path in the one form that all are compared in."""
    path = re.sub(r"/+", "/", "/" + path)
    pieces = re.split(r"(\{[^{}]*\})", path)
    return "".join("{}" if piece.startswith("{") else quote(unquote(piece), safe="/" + SAFE) for piece in pieces)


class Operation:
    def __init__(self, method, path, parameters):
        self.method, self.path, self.parameters = method.upper(), path, parameters
        # Literal text and names of variables, alternating.
        self.pieces = re.split(r"\{([^{}]*)\}", path)


class Truth:
    """A document's operations, below the path of its server."""

    def __init__(self, data, name):
        document = load(data, name)
        self.name, self.document = name, traffic.Document(document)
        server = (document.get("servers") or [{}])[0]
        url = server.get("url", "")
        for variable, known in server.get("variables", {}).items():
            url = url.replace("{" + variable + "}", str(known.get("default", variable)))
        base = urlsplit(url).path.rstrip("/")
        base = "" if "{" in base else base
        # One document in six, and those whose server's first label is a variable, have a host for each tenant.
        self.has_tenants = server.get("url", "").startswith("https://{") or hashed(name + " tenants") % 6 == 0
        label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        self.host = label + ".example"
        found = {}
        for path, item in document.get("paths", {}).items():
            item = self.document.resolve(item)
            if not is_path(path):
                continue
            for method in traffic.METHODS:
                if method in item:
                    operation = self.operation(method, base + path, item, item[method])
                    found.setdefault((operation.method, normal(operation.path)), operation)
        self.operations = [found[key] for key in sorted(found)]

    def operation(self, method, path, item, node):
        parameters = {}
        for parameter in item.get("parameters", []) + node.get("parameters", []):
            parameter = self.document.resolve(parameter)
            if parameter.get("in") == "path" and "name" in parameter:
                parameters[parameter["name"]] = parameter
        return Operation(method, re.sub(r"/+", "/", path), parameters)
