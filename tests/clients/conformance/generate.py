"""Operations of OpenAPI 3.0 and requests to them that fit or do not, drawn by hypothesis."""

import dataclasses
import json
import string
from urllib.parse import quote, unquote

from hypothesis import strategies as st

LETTERS = string.ascii_letters + string.digits
# What stands in parameters: nothing that delimits, so that both sides read the same texts.
WORDS = st.text(st.sampled_from(LETTERS + "äß€"), min_size=0, max_size=6)
ASCII_WORDS = st.text(st.sampled_from(LETTERS), min_size=0, max_size=6)
STYLES = {"path": ["simple", "label", "matrix"], "query": ["form", "spaceDelimited", "pipeDelimited"],
          "header": ["simple"], "cookie": ["form"]}
REQUESTS = 20


@dataclasses.dataclass
class Request:
    """One request, as it goes out and as parts."""

    path: str
    path_values: dict
    query: list
    headers: dict
    cookies: dict
    body: bytes | None = None
    content_type: str | None = None


@dataclasses.dataclass
class Drawn:
    """An operation and requests to it; `{prefix}` stands for what tells its path from the others'."""

    method: str
    template: str
    operation: dict
    requests: list


@st.composite
def leaf(draw, for_body=False):
    """A schema of one kind."""
    kind = draw(st.sampled_from(["integer", "number", "string", "boolean", "integer", "string"]))
    schema = {"type": kind}
    if kind in ("integer", "number"):
        low = draw(st.integers(-20, 20))
        for keyword, value in (("minimum", low), ("maximum", low + draw(st.integers(0, 30))),
                               ("multipleOf", draw(st.sampled_from([1, 2, 5])))):
            if draw(st.integers(0, 2)) == 0:
                schema[keyword] = value
        if "minimum" in schema and draw(st.integers(0, 3)) == 0:
            schema["exclusiveMinimum"] = draw(st.booleans())
    elif kind == "string":
        choice = draw(st.integers(0, 5))
        if choice == 0:
            schema["enum"] = draw(st.lists(ASCII_WORDS.filter(bool), min_size=1, max_size=4, unique=True))
        elif choice == 1:
            schema["format"] = draw(st.sampled_from(["date", "uuid"]))
        elif choice == 2:
            schema["pattern"] = draw(st.sampled_from(["^[a-z]+$", "^[0-9]{1,3}$", "a", "^.{2}", "^[A-Z][a-z]*$"]))
        else:
            schema["minLength"] = draw(st.integers(0, 3))
            schema["maxLength"] = schema["minLength"] + draw(st.integers(0, 4))
    if for_body and draw(st.integers(0, 4)) == 0:
        schema["nullable"] = True
    return schema


@st.composite
def listed(draw, items):
    schema = {"type": "array", "items": draw(items)}
    if draw(st.booleans()):
        schema["minItems"] = draw(st.integers(0, 2))
    if draw(st.booleans()):
        schema["maxItems"] = schema.get("minItems", 0) + draw(st.integers(0, 2))
    if draw(st.integers(0, 3)) == 0:
        schema["uniqueItems"] = True
    return schema


@st.composite
def members(draw, values, extra=None):
    names = draw(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True))
    schema = {"type": "object", "properties": {name: draw(values) for name in names}}
    required = [name for name in names if draw(st.booleans())]
    if required:
        schema["required"] = required
    extra = draw(st.sampled_from([None, True, False])) if extra is None else extra
    if extra is not None:
        schema["additionalProperties"] = extra
    return schema


def body_schema():
    inner = leaf(for_body=True)
    shallow = st.one_of(inner, listed(inner), members(inner))
    combined = st.builds(lambda keyword, parts: {keyword: parts}, st.sampled_from(["oneOf", "anyOf", "allOf"]),
                         st.lists(shallow, min_size=1, max_size=2))
    negated = st.builds(lambda schema: {"not": schema}, inner)
    return st.one_of(members(st.one_of(shallow, combined)), members(inner), listed(shallow), combined, negated)


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-40, 60), st.sampled_from([0.5, -1.25, 2.0, 7.75]), WORDS)


@st.composite
def value(draw, schema, words=WORDS, mischief=12):
    """A value that mostly fits a schema; one in so many is anything."""
    if draw(st.integers(0, mischief)) == 0:
        return draw(SCALARS if words is WORDS else st.one_of(st.booleans(), st.integers(-40, 60), words))
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            return draw(value(draw(st.sampled_from(schema[keyword])), words, mischief))
    if "allOf" in schema:
        return draw(value(schema["allOf"][0], words, mischief))
    kind = schema.get("type")
    if schema.get("nullable") and draw(st.integers(0, 4)) == 0:
        return None
    if kind in ("integer", "number"):
        step = schema.get("multipleOf", 1)
        drawn = draw(st.integers(schema.get("minimum", -25), max(schema.get("maximum", 55), schema.get("minimum", -25)))) // step * step
        return drawn if kind == "integer" or draw(st.integers(0, 2)) else draw(st.sampled_from([0.5, 2.0, 9.75, float(drawn)]))
    if kind == "boolean":
        return draw(st.booleans())
    if kind == "string":
        if "enum" in schema:
            return draw(st.sampled_from(schema["enum"]))
        if schema.get("format") == "date":
            return draw(st.sampled_from(["2026-11-24", "2024-02-29", "1999-12-31", "2026-02-29", "24.11.2026"]))
        if schema.get("format") == "uuid":
            return draw(st.sampled_from(["0f05e4fc-1c36-4bd2-a5e7-b29d32d3dc8e", "0F05E4FC-1C36-4BD2-A5E7-B29D32D3DC8E", "0f05e4fc"]))
        if "pattern" in schema:
            fitting = {"^[a-z]+$": "abc", "^[0-9]{1,3}$": "123", "a": "xax", "^.{2}": "Zz", "^[A-Z][a-z]*$": "Ab"}[schema["pattern"]]
            return draw(st.sampled_from([fitting, fitting, fitting, "7", "Ab", "1234", ""]))
        made = draw(words)
        return (made + "abcdefg")[:draw(st.integers(schema["minLength"], schema["maxLength"]))] if draw(st.integers(0, 4)) else made
    if kind == "array":
        least = schema.get("minItems", 0)
        return [draw(value(schema["items"], words, mischief * 2)) for _ in range(draw(st.integers(least, max(least, schema.get("maxItems", 3)))))]
    if kind == "object":
        made = {}
        for name, inner in schema["properties"].items():
            if name in schema.get("required", []) and draw(st.integers(0, 15)) or draw(st.booleans()):
                made[name] = draw(value(inner, words, mischief * 2))
        if draw(st.integers(0, 5 if schema.get("additionalProperties") is not False else 15)) == 0:
            made["zz"] = draw(words)
        return made
    return draw(SCALARS)


def text(scalar):
    if scalar is None:
        return ""
    return json.dumps(scalar) if isinstance(scalar, (bool, int, float)) else str(scalar)


def flat(made):
    """A value as lists and objects of texts."""
    if isinstance(made, dict):
        return {name: text(one) for name, one in made.items()}
    if isinstance(made, list):
        return [text(one) for one in made]
    return text(made)


def joined(made, delimiter, pair):
    if isinstance(made, dict):
        return delimiter.join(f"{name}{pair}{one}" for name, one in made.items())
    return delimiter.join(made) if isinstance(made, list) else made


def simple(made, explode, delimiter=","):
    if isinstance(made, dict) and not explode:
        return delimiter.join(part for item in made.items() for part in item)
    return joined(made, delimiter, "=")


def path_text(name, style, explode, made):
    """What stands in the path (OpenAPI 3.0.4, style examples)."""
    made = {key: quote(one, safe="") for key, one in made.items()} if isinstance(made, dict) else (
        [quote(one, safe="") for one in made] if isinstance(made, list) else quote(made, safe=""))
    if style == "simple":
        return simple(made, explode)
    if style == "label":
        return "." + simple(made, explode, "." if explode else ",")
    if not explode or not isinstance(made, (list, dict)):
        return f";{name}={simple(made, False)}"
    if isinstance(made, list):
        return "".join(f";{name}={one}" for one in made)
    return "".join(f";{key}={one}" for key, one in made.items())


def query_pairs(name, style, explode, made):
    if explode and isinstance(made, list):
        return [(name, one) for one in made]
    if explode and isinstance(made, dict):
        return list(made.items())
    delimiter = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}[style]
    return [(name, simple(made, False, delimiter))]


@st.composite
def parameter(draw, number, place):
    name = f"p{number}"
    style = draw(st.sampled_from(STYLES[place]))
    lists_only = style in ("spaceDelimited", "pipeDelimited")
    inner = leaf()
    schema = draw(listed(inner) if lists_only else st.one_of(inner, inner, listed(inner), members(inner, extra=False)))
    kind = schema["type"]
    explode = False if lists_only or place == "cookie" else draw(st.booleans())
    if place == "query" and kind == "object":
        explode = False
    required = place == "path" or draw(st.booleans())
    return {"name": name, "in": place, "style": style, "explode": explode, "required": required, "schema": schema}


def path_key(one):
    """The name that openapi-core has for what stands in the path: as in a URI Template (RFC 6570)."""
    if one["style"] == "simple":
        return one["name"]
    return {"label": ".", "matrix": ";"}[one["style"]] + one["name"] + ("*" if one["explode"] else "")


@st.composite
def request(draw, method, template, parameters, schema, media_type):
    made = Request(path=template, path_values={}, query=[], headers={}, cookies={})
    for one in parameters:
        place, name = one["in"], one["name"]
        if place != "path" and draw(st.integers(0, 3 if not one["required"] else 25)) == 0:
            continue
        words = ASCII_WORDS if place in ("header", "cookie") else WORDS.filter(lambda word: word is not None)
        drawn = flat(draw(value(one["schema"], words)))
        if place == "path":
            raw = path_text(name, one["style"], one["explode"], drawn)
            if raw in ("", "."):
                raw = raw + "x"
            made.path = made.path.replace("{" + name + "}", raw)
            made.path_values[path_key(one)] = unquote(raw)
        elif place == "query":
            made.query += query_pairs(name, one["style"], one["explode"], drawn)
        elif place == "header":
            made.headers[f"X-{name}"] = simple(drawn, one["explode"])
        else:
            made.cookies[name] = simple(drawn, False)
    if schema is not None and draw(st.integers(0, 15)):
        made.content_type = media_type
        drawn = draw(value(schema, mischief=8))
        made.body = json.dumps(drawn, ensure_ascii=draw(st.booleans())).encode()
    return made


@st.composite
def drawn(draw):
    """An operation, and requests to it."""
    places = draw(st.lists(st.sampled_from(["path", "query", "query", "header", "cookie"]), min_size=0, max_size=4))
    parameters = [draw(parameter(number, place)) for number, place in enumerate(places)]
    segments = "".join("/{" + one["name"] + "}" for one in parameters if one["in"] == "path")
    method = draw(st.sampled_from(["get", "post", "put"])) if parameters else "post"
    schema = draw(body_schema()) if method != "get" else None
    template = "/{prefix}" + segments
    operation = {"parameters": [as_documented(one) for one in parameters], "responses": {"200": {"description": "OK"}}}
    if schema is not None:
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": draw(st.booleans()), "content": content}
    requests = [draw(request(method, template, parameters, schema, "application/json")) for _ in range(REQUESTS)]
    return Drawn(method, template, operation, requests)


def as_documented(one):
    return {**one, "name": f"X-{one['name']}"} if one["in"] == "header" else one
