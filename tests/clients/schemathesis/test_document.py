"""What the served API description promises, tried with generated requests: no 5xx, no answer outside the document."""

import schemathesis
from demilune_server import TOKEN, ZONE
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

schema = schemathesis.pytest.from_fixture("api_description")


@schema.parametrize()
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case):
    # Most generated zones do not exist; the calls behind a real one are what there is to try.
    if case.path_parameters and "zone_id" in case.path_parameters and len(repr(case.path_parameters)) % 8:
        case.path_parameters["zone_id"] = ZONE
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {TOKEN}"})
