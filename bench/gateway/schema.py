"""An OpenAPI document that the load generator's requests fit, with every path variable and each member of a body restricted."""

import re

ITEM = {
    "type": "object", "required": ["id", "sku", "price", "quantity"], "properties": {
        "id": {"type": "integer", "minimum": 1},
        "sku": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
        "name": {"type": "string", "minLength": 1, "maxLength": 100},
        "price": {"type": "number", "minimum": 0},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 100},
        "gift": {"type": "boolean"},
        "tags": {"type": "array", "maxItems": 10, "items": {"type": "string", "enum": ["new", "sale", "used"]}},
    },
}
ORDER = {
    "type": "object", "required": ["items"], "properties": {
        "customer": {"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"}, "email": {"type": "string", "format": "email"}}},
        "items": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"$ref": "#/components/schemas/Item"}},
        "note": {"type": "string", "maxLength": 2000},
    },
}


def document(host, endpoints):
    paths = {}
    for method, endpoint in endpoints:
        variables = [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9]{1,16}$"}}
                     for name in re.findall(r"\{([^}]*)\}", endpoint)]
        session = {"name": "X-Session", "in": "header", "required": True, "schema": {"type": "string", "maxLength": 64}}
        operation = {"parameters": [*variables, session], "responses": {"200": {"description": "OK"}}}
        if method == "POST":
            content = {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
            operation["requestBody"] = {"required": True, "content": content}
        paths.setdefault(endpoint, {})[method.lower()] = operation
    return {"openapi": "3.0.4", "info": {"title": "bench", "version": "1"}, "servers": [{"url": f"https://{host}"}],
            "paths": paths, "components": {"schemas": {"Order": ORDER, "Item": ITEM}}}
