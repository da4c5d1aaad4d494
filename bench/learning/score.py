"""What a learned document says, beside what the true one says."""

from urllib.parse import unquote

FORMATS = {"date", "date-time", "uuid", "email", "uri", "ipv4", "ipv6"}
COLUMNS = ("found", "right names", "type", "format", "required", "enum", "bounds hold", "bounds help")


class Said:
    """What a document says of one parameter or member."""

    def __init__(self, schema, required):
        kind = schema.get("type")
        self.type = next((k for k in kind if k != "null"), None) if isinstance(kind, list) else kind
        self.format, self.required = schema.get("format"), bool(required)
        self.enum = schema.get("enum")
        self.low, self.high = schema.get("minimum"), schema.get("maximum")
        if schema.get("exclusiveMinimum") is True and self.low is not None:
            self.low += 1e-9


def merged(document, schema, depth=0):
    """A schema with references and alternatives folded in, as far as these tools write them."""
    while isinstance(schema, dict) and "$ref" in schema:
        target = document
        for token in schema["$ref"].lstrip("#/").split("/"):
            target = target.get(token, {})
        schema = target
    schema = dict(schema or {})
    alternatives = [merged(document, part, depth + 1) for key in ("oneOf", "anyOf", "allOf") for part in schema.pop(key, [])]
    alternatives = [part for part in alternatives if part.get("type") != "null"]
    if alternatives and depth < 6:
        kinds = {part.get("type") for part in alternatives}
        if len(kinds) == 1:
            properties = {}
            for part in alternatives:
                properties.update(part.get("properties", {}))
            required = set.intersection(*(set(part.get("required", [])) for part in alternatives))
            schema = {**alternatives[0], **schema, "properties": properties, "required": sorted(required)}
    return schema


def flatten(document, schema, place, depth, into):
    schema = merged(document, schema)
    if schema.get("type") == "array" and depth < 4:
        flatten(document, schema.get("items", {}), f"{place}/*", depth + 1, into)
    for name, member in schema.get("properties", {}).items() if depth < 4 else ():
        member = merged(document, member)
        into[f"{place}/{name}"] = Said(member, name in schema.get("required", []))
        flatten(document, member, f"{place}/{name}", depth + 1, into)


def read(document, method, path):
    """Parameters and members that a document has for an operation; variables by their place in the path."""
    parameters, members = {}, {}
    shape = ["{}" if part.startswith("{") else part for part in path.split("/")]
    for found, item in (document or {}).get("paths", {}).items():
        parts = unquote(found).split("?")[0].split("/")
        if ["{}" if part.startswith("{") else part for part in parts] != shape or method not in item:
            continue
        names = [part.strip("{}") for part in parts if part.startswith("{")]
        operation = item[method]
        for parameter in item.get("parameters", []) + operation.get("parameters", []):
            parameter = merged(document, parameter)
            if parameter.get("in") == "path" and parameter["name"] in names:
                parameters["path", names.index(parameter["name"])] = Said(merged(document, parameter.get("schema", {})), True)
            elif parameter.get("in") == "query":
                schema = merged(document, parameter.get("schema", {}))
                parameters["query", parameter["name"]] = Said(schema, parameter.get("required"))
        content = merged(document, operation.get("requestBody", {})).get("content", {})
        for media in content.values():
            flatten(document, media.get("schema", {}), "", 0, members)
    return parameters, members


class Tally:
    def __init__(self):
        self.right, self.of = dict.fromkeys(COLUMNS, 0), dict.fromkeys(COLUMNS, 0)

    def count(self, column, right):
        self.of[column] += 1
        self.right[column] += bool(right)

    def add(self, other):
        for column in COLUMNS:
            self.right[column] += other.right[column]
            self.of[column] += other.of[column]

    def share(self, column):
        return self.right[column] / self.of[column] if self.of[column] else None


def score(truth, said, sent):
    """`truth` and `said`: by place. `sent`: for each place the held-out values, and how often each was drawn."""
    tally = Tally()
    for place, true in truth.items():
        if place not in sent:
            continue
        tally.count("found", place in said)
        found = said.get(place)
        # What was not found is wrong in every other column that the true document has something for.
        tally.count("type", found and found.type == true.type)
        tally.count("required", found and found.required == true.required)
        if true.format in FORMATS:
            tally.count("format", found and found.format == true.format)
        counts, held_out = sent[place]
        if true.type == "string" and true.enum and 2 <= len(true.enum) <= 16:
            drawn = {value for value, count in counts.items() if count >= 10}
            tally.count("enum", found and found.enum is not None and set(found.enum) == drawn)
        numbers = [value for value in held_out if isinstance(value, (int, float)) and not isinstance(value, bool)]
        if true.type in ("integer", "number") and numbers:
            fits = lambda value: found and (found.low is None or value >= found.low) and (found.high is None or value <= found.high)
            tally.count("bounds hold", sum(map(bool, map(fits, numbers))) >= 0.999 * len(numbers))
            if true.high is not None and true.high > 0:
                tally.count("bounds help", found and found.high is not None and found.high < 10 * true.high)
    for place in said:
        tally.count("right names", place in truth)
    return tally
