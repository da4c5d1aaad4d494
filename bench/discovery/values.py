"""Values for the variables in paths: each variable of a document has a kind of its own, and its things a ranking."""

import datetime
import itertools
import random
import re
import string
import uuid

from truth import hashed

FIRST = ("ada alan grace linus margaret dennis barbara ken frances john hedy tim radia vint katherine donald leslie niklaus "
         "edsger tony robin shafi silvio adele anita joan jean kathleen betty marlyn ruth evelyn sophie steve lynn carol").split()
LAST = ("lovelace turing hopper torvalds hamilton ritchie liskov thompson allen backus lamarr lee perlman cerf johnson knuth "
        "lamport wirth dijkstra hoare milner goldwasser micali goldberg borg clarke bartik mcnulty holberton meltzer wilson").split()
WORDS = ("alpha bravo copper delta ember forest granite harbor island jasmine kettle lantern meadow nectar orchid pepper quartz "
         "river saddle timber umber velvet willow yellow zephyr amber breeze cedar dune eagle falcon garden hazel iris juniper "
         "lotus maple north ocean pine quiet rose stone tulip ultra violet winter birch cloud dawn echo flame glacier horizon "
         "ivory jade karma lunar magma nova opal prism rapid solar terra unity vapor wave xenon zenith atlas beacon comet").split()
TOPICS = ("getting started guide release notes first post summer sale new office hours welcome hello world how to build fast api "
          "team update weekly report annual review project plan quick tips best practices open source design system").split()
LOGINS = ("octocat torvalds gaearon sindresorhus yyx990803 tj mojombo defunkt pjhyett wycats ezmobius ivey evanphx vanpelt").split()
COUNTRIES = ("US DE GB FR JP CN IN BR CA AU IT ES MX KR NL SE CH PL BE AT NO DK FI IE PT GR CZ RO HU TR IL ZA EG NG KE AR CL CO PE VE "
             "NZ SG MY TH VN ID PH HK TW AE SA QA UA RU BG HR SI SK LT LV EE IS LU MT CY").split()
LANGUAGES = "en de fr es it pt nl sv da nb fi pl cs sk hu ro bg el tr ru uk ja ko zh ar he hi th vi id".split()
LOCALES = "en-US en-GB de-DE fr-FR es-ES it-IT pt-BR nl-NL sv-SE da-DK nb-NO fi-FI pl-PL cs-CZ ja-JP ko-KR zh-CN zh-TW tr-TR ru-RU".split()
CURRENCIES = "USD EUR GBP JPY CNY INR BRL CAD AUD CHF SEK NOK DKK PLN CZK HUF MXN KRW TRY ZAR SGD HKD NZD THB".split()
STATES = "CA NY TX FL IL PA OH GA NC MI NJ VA WA AZ MA TN IN MO MD WI CO MN SC AL LA KY OR OK CT UT IA NV".split()
SYMBOLS = "AAPL MSFT GOOG AMZN META TSLA NVDA NFLX INTC AMD IBM ORCL CSCO ADBE CRM PYPL SHOP UBER LYFT SNAP BTC ETH XRP SOL DOGE ADA DOT".split()
BRANCHES = "main master develop release staging gh-pages".split()
REGIONS = "us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-central-1 eu-north-1 ap-south-1 ap-southeast-1 ap-northeast-1 sa-east-1".split()
FILES = "report invoice photo backup data index readme config archive draft notes export".split()
ENDINGS = "pdf txt docx csv zip tar log md".split()
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LOWER = string.ascii_lowercase + string.digits


def login(draw):
    return draw.choice([lambda: draw.choice(FIRST) + "." + draw.choice(LAST), lambda: draw.choice(FIRST) + draw.choice(LAST),
                        lambda: draw.choice(FIRST)[0] + draw.choice(LAST), lambda: draw.choice(FIRST) + str(draw.randrange(1, 99)),
                        lambda: draw.choice(WORDS) + draw.choice(FIRST), lambda: draw.choice(LOGINS) + draw.choice(["", "-dev", "x", "hq"]),
                        lambda: draw.choice(FIRST) + "-" + draw.choice(WORDS), lambda: draw.choice(FIRST) + "_" + str(draw.randrange(1950, 2012))])()


def slug(draw):
    return "-".join(draw.choice(TOPICS) for _ in range(draw.choice([1, 2, 2, 3, 3, 4, 5])))


def name(draw):
    return draw.choice([lambda: draw.choice(WORDS), lambda: draw.choice(WORDS) + "-" + draw.choice(WORDS),
                        lambda: draw.choice(WORDS) + draw.choice(WORDS), lambda: draw.choice(WORDS) + "_" + draw.choice(WORDS),
                        lambda: draw.choice(WORDS).capitalize() + draw.choice(WORDS).capitalize(),
                        lambda: draw.choice(WORDS) + "." + draw.choice(["js", "rs", "py", "io"]), lambda: draw.choice(WORDS) + str(draw.randrange(20))])()


def text(draw):
    return " ".join(draw.choice(TOPICS + WORDS) for _ in range(draw.choice([1, 1, 2, 3])))


def of(letters, low, high=None):
    return lambda draw: "".join(draw.choices(letters, k=draw.randint(low, high or low)))


def prefixed(prefix):
    return lambda draw: prefix + "_" + "".join(draw.choices(BASE62, k=16))


def ulid(draw):
    time = 1_700_000_000_000 + draw.randrange(60_000_000_000)
    return "".join(CROCKFORD[time >> shift & 31] for shift in range(45, -1, -5)) + "".join(draw.choices(CROCKFORD, k=16))


def date(draw):
    return (datetime.date(2022, 1, 1) + datetime.timedelta(days=draw.randrange(1500))).isoformat()


def moment(draw):
    return (datetime.datetime(2023, 1, 1) + datetime.timedelta(seconds=draw.randrange(90_000_000))).isoformat() + "Z"


def email(draw):
    return login(draw) + "@" + draw.choice(["example.com", "example.org", "mail.example"])


def domain(draw):
    return draw.choice(WORDS) + draw.choice(["", "-" + draw.choice(WORDS), draw.choice(WORDS)]) + draw.choice([".com", ".org", ".io", ".de", ".co.uk"])


def sparse(draw):
    return str(draw.randrange(10_000_000, 10_000_000_000))


def phone(draw):
    return "+" + str(draw.randrange(10_000_000_000, 99_999_999_999))


def address(draw):
    return ".".join(str(draw.randrange(1, 255)) for _ in range(4))


def version(draw):
    return f"{draw.randrange(4)}.{draw.randrange(20)}.{draw.randrange(10)}"


def file(draw):
    return draw.choice(FILES) + draw.choice(["", "-" + str(draw.randrange(2000, 2030)), "_" + draw.choice(WORDS)]) + "." + draw.choice(ENDINGS)


def branch(draw):
    return draw.choice(BRANCHES) if draw.random() < 0.3 else draw.choice(["feature/", "fix/", ""]) + draw.choice(WORDS) + "-" + draw.choice(WORDS)


def coordinate(draw):
    return f"{draw.uniform(-90, 90):.4f}"


HEX = {"sha1": of("0123456789abcdef", 40), "sha256": of("0123456789abcdef", 64), "short": of("0123456789abcdef", 7, 10), "md5": of("0123456789abcdef", 32),
       "mongo": of("0123456789abcdef", 24)}
UUID = lambda draw: str(uuid.UUID(int=draw.getrandbits(128), version=4))  # noqa: E731
NANO = of(BASE62 + "-_", 21)
# What a document that says no more than "string" uses for things that no person names.
OPAQUE = [
    ("integers", "sequence"), ("large integers", sparse), ("uuid", UUID), ("nanoid", NANO), ("ulid", ulid), ("object id", HEX["mongo"]),
    ("prefixed", None), ("base62", of(BASE62, 11)), ("letters and digits", of(LOWER, 10)), ("uuid", UUID), ("integers", "sequence"),
    ("capitals", of(string.ascii_uppercase + string.digits, 8, 12)),
]
# And for things that somebody names.
NAMED = [("slug", slug), ("name", name), ("login", login), ("name", name), ("text", text)]
HINTS = [
    (r"(^|_)e?mail", ("email", email)),
    (r"(sha|commit)s?(um)?$|^ref_?sha", ("sha1", HEX["sha1"])),
    (r"hash|digest|checksum|fingerprint", ("hash", HEX["sha256"])),
    (r"uuid|guid", ("uuid", UUID)),
    (r"^(date|day|from|to|start|end|since|until)(_?date)?$|date$", ("date", date)),
    (r"year", ("year", [str(y) for y in range(2026, 2008, -1)])),
    (r"month", ("month", [str(m) for m in range(1, 13)])),
    (r"week", ("week", [str(w) for w in range(1, 53)])),
    (r"country", ("country", COUNTRIES)),
    (r"locale|culture", ("locale", LOCALES)),
    (r"lang", ("language", LANGUAGES)),
    (r"currency|^(base|quote|from_?currency)$", ("currency", CURRENCIES)),
    (r"region|^zone$|datacenter", ("region", REGIONS)),
    (r"state$", ("state", STATES)),
    (r"symbol|ticker|coin", ("symbol", SYMBOLS)),
    (r"branch", ("branch", branch)),
    (r"phone|msisdn", ("phone", phone)),
    (r"(^|_)ip(_?addr|$)", ("address", address)),
    (r"domain|hostname", ("domain", domain)),
    (r"file_?name|file_?path|^path$|attachment_?name", ("file", file)),
    (r"^lat|^lon|^lng", ("coordinate", coordinate)),
    (r"version", ("version", version)),
    (r"(user|owner|login|actor|author|member|screen)_?(name)?$|assignee|handle", ("login", login)),
    (r"slug", ("slug", slug)),
    (r"^q$|query|term|keyword|title", ("text", text)),
    (r"(^|_)(org|organization|team|group|tenant|workspace|project|namespace|repo|repository)(_?name)?$|name$|label|tag|topic|key$|branch|environment", ("name", name)),
    (r"page|offset|number|index|position|attempt|count|level|season|episode|round", ("small", "small")),
]
SIZES = {"words": [40, 200, 1000, 4000], "ids": [300, 3000, 20000]}
POPULATION_MAX = 20_000


def of_pattern(pattern):
    """A generator of texts that a simple regular expression matches, or nothing."""
    import re._parser as parser
    try:
        tree = parser.parse(pattern)
    except Exception:
        return None

    def made(nodes, draw):
        out = []
        for kind, value in nodes:
            kind = str(kind)
            if kind == "LITERAL":
                out.append(chr(value))
            elif kind == "IN":
                letters = []
                for sort, item in value:
                    sort = str(sort)
                    if sort == "LITERAL":
                        letters.append(chr(item))
                    elif sort == "RANGE":
                        letters += [chr(c) for c in range(item[0], min(item[1], item[0] + 200) + 1)]
                    elif sort == "CATEGORY" and "DIGIT" in str(item):
                        letters += string.digits
                    elif sort == "CATEGORY" and "WORD" in str(item):
                        letters += BASE62
                    else:
                        letters += LOWER
                plain = [letter for letter in letters if letter in BASE62] or letters
                out.append(draw.choice(plain))
            elif kind in ("MAX_REPEAT", "MIN_REPEAT"):
                low, high, inner = value
                for _ in range(draw.randint(max(int(low), min(4, int(high))), min(int(high), max(int(low), 12)))):
                    out.append(made(inner, draw))
            elif kind == "SUBPATTERN":
                out.append(made(value[3], draw))
            elif kind == "BRANCH":
                out.append(made(draw.choice(value[1]), draw))
            elif kind in ("ANY", "NOT_LITERAL"):
                out.append(draw.choice(LOWER))
            elif kind != "AT":
                raise ValueError(kind)
        return "".join(out)

    def generate(draw):
        return made(tree, draw)

    try:
        samples = [generate(random.Random(seed)) for seed in range(20)]
    except (ValueError, IndexError):
        return None
    return generate if all(samples) and len(set(samples)) > 5 else None


def of_example(example):
    """What an example says about the kind."""
    if isinstance(example, bool) or not isinstance(example, (str, int)):
        return None
    example = str(example)
    if re.fullmatch(r"\d{1,6}", example):
        return "integers", "sequence"
    if re.fullmatch(r"\d{7,}", example):
        return "large integers", sparse
    if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", example):
        return "uuid", UUID
    if re.fullmatch(r"\d{4}-\d\d-\d\d", example):
        return "date", date
    if re.fullmatch(r"[0-9a-f]{7,64}", example) and re.search(r"\d", example):
        return "hexadecimal", of("0123456789abcdef", len(example))
    if match := re.fullmatch(r"([a-z]{2,6})_[0-9A-Za-z]{8,}", example):
        return "prefixed", prefixed(match[1])
    if re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", example):
        return "ulid", ulid
    if "@" in example[1:]:
        return "email", email
    if re.fullmatch(r"[0-9A-Za-z_-]{9,40}", example) and len(re.findall(r"\d", example)) >= 2:
        return "token", of(BASE62, len(example))
    return None


def kind(document, variable, parameter):
    """What a variable's values are like: a name and a function or a list. The document's own schema comes first."""
    schema = parameter.get("schema") or {key: parameter[key] for key in ("type", "format", "enum", "pattern") if key in parameter}
    schema = document.document.schema(schema)
    if schema.get("type") == "array":
        schema = document.document.schema(schema.get("items", {})) | {"type": "string"}
    if schema.get("enum"):
        return "enum", [str(value) for value in schema["enum"] if value not in (None, "")] or ["none"]
    form, sort, seed = schema.get("format"), schema.get("type"), hashed(f"{document.name} {variable}")
    formats = {"uuid": ("uuid", UUID), "guid": ("uuid", UUID), "date": ("date", date), "date-time": ("moment", moment), "email": ("email", email)}
    if form in formats:
        return formats[form]
    snake = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", variable).lower().replace("-", "_")
    if sort == "boolean":
        return "boolean", ["true", "false"]
    if sort in ("integer", "number"):
        for pattern, found in HINTS:
            if found[0] in ("year", "month", "week", "small") and re.search(pattern, snake):
                return found
        return [("integers", "sequence"), ("large integers", sparse)][seed % 2]
    if schema.get("pattern") and (made := of_pattern(schema["pattern"])):
        return "pattern", made
    examples = [parameter.get("example"), schema.get("example"), *[e.get("value") for e in (parameter.get("examples") or {}).values() if isinstance(e, dict)]]
    for example in examples:
        if found := of_example(example):
            return found
    for pattern, found in HINTS:
        if re.search(pattern, snake):
            return found
    if re.search(r"id$|ids$|uid|token|sid$|^id|number|code|ref", snake) or not parameter:
        found = OPAQUE[hashed(document.name + " ids") % len(OPAQUE)]
        prefix = "".join(re.findall(r"[a-z]", snake))[:3] or "id"
        return ("prefixed", prefixed(prefix)) if found[1] is None else found
    return NAMED[seed % len(NAMED)]


def population(seed, sort, made):
    """All values there are of a variable, the most popular first."""
    draw = random.Random(seed)
    if isinstance(made, list):
        return made
    if made == "small":
        return [str(number) for number in range(1, 60)]
    is_named = sort in ("slug", "name", "login", "text", "domain", "file", "branch", "version")
    size = draw.choice(SIZES["words" if is_named else "ids"])
    if made == "sequence":
        first = draw.choice([1, 1, 1000, 200_000])
        values = [str(number) for number in range(first, first + size)]
        draw.shuffle(values)
        return values
    values = dict.fromkeys(made(draw) for _ in range(size))
    return list(values)


def zipf(size, exponent):
    return list(itertools.accumulate((place + 1) ** -exponent for place in range(size)))
