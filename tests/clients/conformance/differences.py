"""Why openapi-core comes to another verdict: each kind of disagreement, with who is right and where it says so."""

import json

PAIRS = "a text that is no list of names and values is no object: openapi-core drops what it cannot pair and takes the rest"
BOOLEANS = "only true and false are booleans, as in JSON: openapi-core also takes 0, 1, t, f, y, n, yes, no, on and off"
WHOLE = "2.0 is an integer in every draft of JSON Schema after 4: openapi-core keeps to draft 4 for OpenAPI 3.0"
UNNAMED = "a text without the parameter's name is no list in style matrix: openapi-core finds no items and takes an empty list"
EMPTY = "an empty text is a text, which the table of styles writes as `color=`: openapi-core wants allowEmptyValue for it"


def reason(one, request, our, violations, said):
    """The kind of a disagreement; none if it is of no known kind."""
    keywords = {(violation["keyword"], violation["place"].split("/")[1]) for violation in violations}
    if not our and {keyword for keyword, _ in keywords} == {"style"} and has_parameter(one, "object"):
        return PAIRS
    if not our and keywords == {("style", "path")} and any(is_unnamed(name, text) for name, text in request.path_values.items()):
        return UNNAMED
    if our and "EmptyQueryParameterValue" in said and any(text == "" for _, text in request.query):
        return EMPTY
    if not our and keywords and all(keyword == "type" and place != "body" for keyword, place in keywords):
        if has_parameter(one, "boolean"):
            return BOOLEANS
    if has_whole_number(request):
        return WHOLE
    return None


def is_unnamed(name, text):
    return name.startswith(";") and name.endswith("*") and f";{name[1:-1]}=" not in text


def has_parameter(one, kind):
    """Whether some parameter is of this kind, or a list or object of such."""
    schemas = [parameter["schema"] for parameter in one.operation["parameters"]]
    inner = [schema["items"] for schema in schemas if "items" in schema]
    inner += [value for schema in schemas for value in schema.get("properties", {}).values()]
    return any(schema.get("type") == kind for schema in schemas + inner)


def has_whole_number(request):
    """Whether a number with a fraction of nought is sent."""
    texts = [*request.path_values.values(), *(text for _, text in request.query), *request.headers.values(), *request.cookies.values()]
    return any(".0" in text for text in texts) or (request.body is not None and in_json(json.loads(request.body)))


def in_json(value):
    if isinstance(value, dict):
        return any(map(in_json, value.values()))
    if isinstance(value, list):
        return any(map(in_json, value))
    return isinstance(value, float) and value == int(value)
