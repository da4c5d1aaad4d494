"""The two other tools, each in its own way."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from truth import normal

# Numbers, UUIDs and long hexadecimal values; the tool's own setting is numbers alone.
PARAMETER = "([0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,})"
PATIENCE_SECONDS = 1_200


def har(requests, host, file):
    """All on one host: the tools know nothing of hosts with variables."""
    entries = []
    for request in requests:
        made = {"method": request.method, "url": f"https://{host}{request.path}", "httpVersion": "HTTP/1.1", "headers": [], "queryString": [], "cookies": [],
                "headersSize": -1, "bodySize": -1}
        answer = {"status": request.status, "statusText": "OK", "httpVersion": "HTTP/1.1", "headers": [{"name": "content-type", "value": request.media}],
                  "cookies": [], "content": {"size": 2, "mimeType": request.media, "text": "{}"}, "redirectURL": "", "headersSize": -1, "bodySize": -1}
        entries.append({"startedDateTime": "2026-06-01T00:00:00.000Z", "time": 5, "request": made, "cache": {}, "timings": {"send": 0, "wait": 5, "receive": 0},
                        "response": answer})
    file.write_text(json.dumps({"log": {"version": "1.2", "creator": {"name": "bench", "version": "1"}, "pages": [], "entries": entries}}))


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stderr[-600:] or done.stdout[-600:]}")


def templates(spec, host):
    """METHOD HOST PATH of every operation."""
    methods = {"get", "put", "post", "delete", "patch", "head", "options"}
    # Both count a HEAD for itself; ours counts it as a GET.
    found = [(method, path) for path, item in (spec.get("paths") or {}).items() for method in item if method in methods]
    return {f"{'GET' if method == 'head' else method.upper()} {host} {normal(path)}" for method, path in found}


def har_to_openapi(data, file, host, folder):
    (folder / "run.mjs").write_text(f"""
import {{ generateSpec }} from {json.dumps(str(data / 'node_modules/har-to-openapi/dist/index.js'))};
import fs from "node:fs";
const har = JSON.parse(fs.readFileSync({json.dumps(str(file))}));
const {{ spec }} = await generateSpec(har, {{ forceAllRequestsInSameSpec: true, relaxedContentTypeJsonParse: true, relaxedMethods: true,
    attemptToParameterizeUrl: true, minLengthForNumericPath: 1 }});
fs.writeFileSync({json.dumps(str(folder / 'spec.json'))}, JSON.stringify(spec));
""")
    run(["node", "--max-old-space-size=8192", str(folder / "run.mjs")])
    return templates(json.loads((folder / "spec.json").read_text()), host)


def mitmproxy2swagger(data, file, host, folder):
    """Two passes: the first suggests templates, behind `ignore:`; the second makes operations of those accepted: all."""
    import yaml
    out = folder / "mitm.yaml"
    command = [str(data / "venv/bin/mitmproxy2swagger"), "-i", str(file), "-o", str(out), "-p", f"https://{host}", "-f", "har", "-s", "-r", PARAMETER]
    run(command)
    out.write_text(out.read_text().replace("ignore:", ""))
    run(command)
    return templates(yaml.load(out.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), host)


TOOLS = {"mitmproxy2swagger": mitmproxy2swagger, "har-to-openapi": har_to_openapi}


def found(tool, data, requests, host):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        har(requests, host, folder / "all.har")
        return TOOLS[tool](data, folder / "all.har", host, folder)


def frequent(templates, requests, least):
    """Those of the templates that stand for so many requests; each request counts for the one with most literal text."""
    by_shape = {}
    for template in templates:
        method, _, path = template.split(" ", 2)
        pattern = re.compile("^" + re.escape(path).replace(r"\{\}", "[^/]+") + "$")
        by_shape.setdefault((method, path.count("/")), []).append((-len(path.replace("{}", "")), template, pattern, path))
    for known in by_shape.values():
        known.sort(key=lambda one: one[:2])
    exact = {(t.split(" ", 2)[0], t.split(" ", 2)[2]): t for t in templates if "{}" not in t}
    counts = dict.fromkeys(templates, 0)
    for request in requests:
        method, path = "GET" if request.method == "HEAD" else request.method, normal(request.path)
        template = exact.get((method, path))
        if template is None:
            template = next((t for _, t, pattern, p in by_shape.get((method, path.count("/")), ()) if "{}" in p and pattern.match(path)), None)
        if template is not None:
            counts[template] += request.stands_for
    return {template for template, count in counts.items() if count >= least}
