"""schemathesis for ten minutes on each engine: `./test slow` calls this."""

import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from checks import closing_line
from fuzz import fuzz
from postly import Site


def postgres():
    """A database of its own on the server that ./test started."""
    server, name = os.environ["POSTLY_TEST_DATABASE_URL"], f"c{os.urandom(6).hex()}"
    subprocess.run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"], check=True)
    return f"{server.rsplit('/', 1)[0]}/{name}"


with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    document = folder / "openapi.json"
    with Site(folder / "site") as site:
        document.write_bytes(httpx.get(f"{site.api}/openapi.json").raise_for_status().content)
    for engine, database in (("SQLite", lambda: None), ("PostgreSQL", postgres)):
        # Three roles, two at a time, are ten minutes of the clock.
        with fuzz(document, folder, 300, random.randrange(2**32), engine, database):
            pass
sys.exit(closing_line())
