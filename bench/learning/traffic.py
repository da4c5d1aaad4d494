"""Requests that fit an operation of an OpenAPI document, and a few that do not; the same for the same seed."""

import datetime
import random
import uuid
from urllib.parse import quote

WORDS = ("alpha bravo copper delta ember forest granite harbor island jasmine kettle lantern meadow nectar orchid "
         "pepper quartz river saddle timber umber velvet willow yellow zephyr").split()
DEPTH_MAX = 4
METHODS = ("get", "post", "put", "patch", "delete")


class Document:
    """A document, with references resolved."""

    def __init__(self, document):
        self.document, self.schemas = document, {}

    def resolve(self, node):
        for _ in range(20):
            if not isinstance(node, dict) or "$ref" not in node:
                return node
            target = self.document
            for token in node["$ref"].lstrip("#/").split("/"):
                token = token.replace("~1", "/").replace("~0", "~")
                target = target[int(token)] if isinstance(target, list) else target.get(token, {})
            node = target
        return {}

    def schema(self, node):
        """A schema without references, allOf and alternatives at its top."""
        # With the node, so that it lives and no other gets its id.
        known = self.schemas.get(id(node))
        if known is None:
            known = self.schemas[id(node)] = node, self.simple(node)
        return known[1]

    def simple(self, node):
        node = dict(self.resolve(node) or {})
        for part in node.pop("allOf", []):
            part = self.schema(part)
            for key, value in part.items():
                if key == "properties":
                    node["properties"] = {**value, **node.get("properties", {})}
                elif key == "required":
                    node["required"] = sorted(set(value) | set(node.get("required", [])))
                else:
                    node.setdefault(key, value)
        for several in ("oneOf", "anyOf"):
            if node.get(several):
                first = self.schema(node.pop(several)[0])
                node = {**first, **node}
        if "type" not in node:
            node["type"] = "object" if "properties" in node else "string" if node.get("enum") else node.get("type")
        return node


class Operation:
    """One operation: its parameters and its JSON body."""

    def __init__(self, document, host, method, path, node, shared):
        self.document, self.host, self.method, self.path = document, host, method, path
        parameters = {}
        for parameter in list(shared) + node.get("parameters", []):
            parameter = document.resolve(parameter)
            if parameter.get("in") in ("path", "query") and "schema" in parameter:
                parameters[parameter["in"], parameter["name"]] = parameter
        self.parameters = [p for p in parameters.values() if self.usable(p)]
        content = document.resolve(node.get("requestBody", {})).get("content", {})
        self.body = next((media.get("schema") for name, media in content.items() if "json" in name), None)
        self.members = {}
        if self.body is not None and method in ("post", "put", "patch"):
            self.flatten(self.body, "", 0)

    def usable(self, parameter):
        schema = self.document.schema(parameter["schema"])
        return schema.get("type") != "object" and parameter.get("style", "form") in ("form", "simple")

    def flatten(self, node, place, depth):
        """All members by place, with their schema and whether they are required."""
        schema = self.document.schema(node)
        if schema.get("type") == "array" and depth < DEPTH_MAX:
            self.flatten(schema.get("items", {}), f"{place}/*", depth + 1)
        for name, member in schema.get("properties", {}).items() if depth < DEPTH_MAX else ():
            member = self.document.schema(member)
            if member.get("readOnly"):
                continue
            self.members[f"{place}/{name}"] = (member, name in schema.get("required", []))
            self.flatten(member, f"{place}/{name}", depth + 1)

    def size(self):
        return sum(p["in"] == "query" for p in self.parameters) + len(self.members)


def operations(document, host):
    resolved = Document(document)
    for path, item in document.get("paths", {}).items():
        item = resolved.resolve(item)
        if "{" in path.replace("/{", "/") and any("{" in part and not (part[0] == "{" and part[-1] == "}") for part in path.split("/") if part):
            continue
        if "?" in path or "#" in path:
            continue
        for method in METHODS:
            if method in item:
                yield Operation(resolved, host, method, path, item[method], item.get("parameters", []))


def choose(document, host, count):
    """The operations with most to be learned, of different paths, none so large that requests would be 64 KiB."""
    found = [operation for operation in operations(document, host) if 2 <= operation.size() <= 60]
    found.sort(key=lambda operation: (-operation.size(), operation.path, operation.method))
    chosen, paths, bodies = [], set(), 0
    for operation in found:
        with_body = bool(operation.members)
        if operation.path not in paths and (not with_body or bodies < (count + 1) // 2):
            paths.add(operation.path)
            bodies += with_body
            chosen.append(operation)
        if len(chosen) == count:
            break
    return chosen


class Values:
    """Valid values, drawn as APIs see them: few words often, ids once."""

    def __init__(self, document, seed):
        self.document, self.random = document, random.Random(seed)

    def value(self, node, name, depth=0):
        draw, schema = self.random, self.document.schema(node)
        if schema.get("enum"):
            values = [value for value in schema["enum"] if value is not None] or schema["enum"]
            return draw.choices(values, [1 / (place + 1) for place in range(len(values))])[0]
        kind = schema.get("type")
        if schema.get("nullable") and depth and draw.random() < 0.05:
            return None
        if kind == "integer":
            return self.integer(schema, name)
        if kind == "number":
            low, high = schema.get("minimum", 0), schema.get("maximum", 1000)
            return round(draw.uniform(float(low), float(max(low, high))), 2)
        if kind == "boolean":
            return draw.random() < 0.5
        if kind == "array":
            count = draw.randint(max(1, schema.get("minItems", 1)), max(1, min(schema.get("maxItems", 3), 3), schema.get("minItems", 1)))
            return [self.value(schema.get("items", {}), name, depth + 1) for _ in range(count)]
        if kind == "object":
            return self.object(schema, depth)
        return self.text(schema, name)

    def object(self, schema, depth):
        members = {}
        for name, member in schema.get("properties", {}).items() if depth < DEPTH_MAX else ():
            if self.document.schema(member).get("readOnly"):
                continue
            if name in schema.get("required", []) or self.random.random() < 0.5:
                members[name] = self.value(member, name, depth + 1)
        return members

    def integer(self, schema, name):
        low = int(schema.get("minimum", 1))
        if schema.get("exclusiveMinimum") is True:
            low += 1
        if "maximum" in schema:
            return self.random.randint(low, max(low, int(schema["maximum"])))
        if name.lower().endswith("id") or schema.get("format") == "int64":
            return low + self.random.randrange(10_000_000)
        return low + min(int(self.random.expovariate(0.02)), 5_000)

    def text(self, schema, name):
        draw, form = self.random, schema.get("format")
        if form == "uuid":
            return str(uuid.UUID(int=draw.getrandbits(128), version=4))
        if form == "date":
            return (datetime.date(2024, 1, 1) + datetime.timedelta(days=draw.randrange(700))).isoformat()
        if form == "date-time":
            return (datetime.datetime(2024, 1, 1) + datetime.timedelta(seconds=draw.randrange(60_000_000))).isoformat() + "Z"
        if form == "email":
            return f"{draw.choice(WORDS)}{draw.randrange(9999)}@example.com"
        if form in ("uri", "url"):
            return f"https://example.com/{draw.choice(WORDS)}/{draw.randrange(9999)}"
        if form == "ipv4":
            return ".".join(str(draw.randrange(256)) for _ in range(4))
        low, high = schema.get("minLength", 0), schema.get("maxLength", 40)
        if name.lower().endswith("id") and not schema.get("pattern"):
            text = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=16))
        else:
            text = " ".join(draw.choice(WORDS) for _ in range(draw.randint(1, 4)))
        text = (text + " and so on" * (low // 10 + 1))[: max(low, min(len(text), high))] if len(text) < low else text
        return text[:high].strip() or "x"


class Request:
    def __init__(self, operation, path, query, body):
        self.operation, self.path, self.query, self.body, self.status = operation, path, query, body, 200

    def target(self):
        query = "&".join(f"{quote(name, safe='[]')}={quote(value)}" for name, value in self.query)
        return self.path + ("?" + query if query else "")


def written(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def request(operation, values):
    """A valid request."""
    path, query = operation.path, []
    for parameter in operation.parameters:
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] == "path":
            text = written(values.value(schema, name))
            path = path.replace("{" + name + "}", quote(text, safe="") or "x")
        elif parameter.get("required") or values.random.random() < 0.4:
            value = values.value(schema, name)
            if not isinstance(value, list):
                query.append((name, written(value)))
            elif parameter.get("explode", True):
                query.extend((name, written(item)) for item in value)
            else:
                query.append((name, ",".join(map(written, value))))
    body = values.value(operation.body, "", 0) if operation.members else None
    while "{" in path:  # a variable that is declared nowhere
        start = path.index("{")
        path = path[:start] + values.random.choice(WORDS) + path[path.index("}", start) + 1:]
    return Request(operation, path, query, body)


def spoil(request, draw):
    """Makes a request that does not fit. One in five of them meets a server that does not mind."""
    kind = draw.randrange(3)
    if kind == 0:
        request.query.append((draw.choice(["debug", "utm_source", "_", "foo"]), str(draw.randrange(10**9))))
    elif kind == 1 and request.query:
        place = draw.randrange(len(request.query))
        request.query[place] = (request.query[place][0], "%00" + draw.choice(WORDS))
    elif isinstance(request.body, dict) and request.body:
        request.body[draw.choice(sorted(request.body))] = draw.choice(["", -1, [], {"a": 1}])
    request.status = 200 if draw.random() < 0.2 else 400
    return request


def traffic(operation, seed, count, noise):
    values = Values(operation.document, seed)
    for _ in range(count):
        made = request(operation, values)
        yield spoil(made, values.random) if values.random.random() < noise else made
