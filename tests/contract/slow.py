"""What takes too long for every day: a client in Rust, and ten minutes of schemathesis on each engine."""

import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from checks import closing_line
from fuzz import fuzz
from postly import Site
from rust_client import use_rust_client

# For each role; three roles, two at a time, are ten minutes of the clock.
SECONDS = int(os.environ.get("POSTLY_TEST_FUZZ_SECONDS", 300))


def everything(folder):
    document = folder / "openapi.json"
    with Site(folder / "site") as site:
        document.write_bytes(httpx.get(f"{site.api}/openapi.json").raise_for_status().content)
        use_rust_client(site, document)
    for engine, database in (("SQLite", lambda: None), ("PostgreSQL", postgres)):
        with fuzz(document, folder, random.randrange(2**32), ("--max-time", SECONDS), engine, database):
            pass


def postgres():
    """A database of its own on the server that ./test started."""
    server, name = os.environ["POSTLY_TEST_DATABASE_URL"], f"c{os.urandom(6).hex()}"
    subprocess.run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"], check=True)
    return f"{server.rsplit('/', 1)[0]}/{name}"


# So that what was started ends, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with tempfile.TemporaryDirectory() as temporary:
    everything(Path(temporary))
sys.exit(closing_line())
