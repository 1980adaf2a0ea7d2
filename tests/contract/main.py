"""The API document and the API, met by programs of others: `./test contract` calls this."""

import os
import signal
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import httpx

from checks import check, closing_line, wanted
from fuzz import fuzz
from generated import use_clients
from oauth import use_oauth
from postly import Site
from validators import validate


def quiet(site):
    assert not site.complaints(), "\n".join(site.complaints()[:20])


def everything(folder):
    with Site(folder / "site") as site:
        document = folder / "openapi.json"
        document.write_bytes(httpx.get(f"{site.api}/openapi.json").raise_for_status().content)
        # While the document is being worked on, it can be another one.
        document = Path(os.environ.get("POSTLY_TEST_DOCUMENT", document))
        # Three minutes in all, and only when asked for: each run asks something else, and what it then takes
        # for a failure has to be judged.
        asked = "schemathesis" in wanted
        with fuzz(document, folder, seconds=60, seed=20261128) if asked else nullcontext():
            validate(document)
            use_clients(site, document, folder)
            use_oauth(site)
        check("the server logged no error", quiet, site)


# So that what was started ends, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with tempfile.TemporaryDirectory() as temporary:
    everything(Path(temporary))
sys.exit(closing_line())
