"""The API document and the API, met by programs of others: `./test contract` calls this."""

import os
import signal
import sys
import tempfile
from pathlib import Path

import httpx

from checks import check, closing_line
from feeds import read_feeds
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
        # Before anybody else writes.
        read_feeds(site)
        # Each run asks the same, as long as the document does not change: a limit of time would end each elsewhere.
        with fuzz(document, folder, seed=20261128, limits=("--max-examples", 5)):
            validate(document)
            use_clients(site, document, folder)
            use_oauth(site)
        check("the server logged no error", quiet, site)


# So that what was started ends, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with tempfile.TemporaryDirectory() as temporary:
    everything(Path(temporary))
sys.exit(closing_line())
