"""The document, before the eyes of three validators."""

import json
import sys
from pathlib import Path

from checks import Refused, check, output, run

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
NPM = HERE / "node_modules/.bin"


def validate(document):
    check("openapi-spec-validator accepts the document", spec_validator, document)
    check("redocly lint finds nothing", redocly, document)
    check("spectral finds nothing", spectral, document)


def spec_validator(document):
    run(BIN / "openapi-spec-validator", document)


def redocly(document):
    # It succeeds in spite of warnings, and exits with 1 for an error.
    found = json.loads(
        output(
            NPM / "redocly", "lint", "--config", HERE / "redocly.yaml", "--format", "json", document,
            REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true",
        )
    )
    refuse([(it["severity"], it["ruleId"], it["location"][0]["pointer"], it["message"]) for it in found["problems"]])


def spectral(document):
    found = json.loads(
        output(NPM / "spectral", "lint", "--ruleset", HERE / "spectral.yaml", "--format", "json", "--quiet", document)
    )
    refuse([(it["code"], "/".join(it["path"]), it["message"]) for it in found])


def refuse(problems):
    """Errors and warnings alike."""
    if problems:
        lines = [" | ".join(map(str, problem)) for problem in problems]
        raise Refused(f"{len(lines)} problems\n" + "\n".join(lines))
