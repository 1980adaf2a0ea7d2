"""schemathesis, as nobody, as a user and as an admin; each meets a site of its own."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks import check, run
from postly import ADMIN, PASSWORD, Site

SETTINGS = Path(__file__).resolve().parent / "fuzzing"
ROLES = ("nobody", "user", "admin")


def fuzz(document, folder, seed, limits, engine="SQLite", database=lambda: None):
    """Two roles at a time; `limits` are schemathesis' options. Returns at once; the pool waits for all."""
    pool = ThreadPoolExecutor(2)
    for role in ROLES:
        what = f"schemathesis as {role} on {engine}"
        pool.submit(check, what, ask, document, folder / f"{engine}-{role}", role, seed, limits, database)
    return pool


def ask(document, folder, role, seed, limits, database):
    with Site(folder, database()) as site:
        told = run(
            Path(sys.executable).parent / "schemathesis", "--config-file", SETTINGS / "schemathesis.toml", "run", document,
            "--url", site.api, "--seed", seed, *limits,
            cwd=folder, SCHEMATHESIS_HOOKS=SETTINGS / "hooks.py", FUZZ_API=site.api, FUZZ_ROLE=role, FUZZ_PASSWORD=PASSWORD, FUZZ_ADMIN=ADMIN,
        )  # fmt: skip
        assert not site.complaints(), "\n".join(site.complaints()[:20])
    cases = re.search(r"(\d+) generated", told)
    dropped = re.search(r"(\d+) \(dropped by `filter_failure`\)", told)
    return f"{cases[1]} cases, {dropped[1] if dropped else 0} of them false alarms, seed {seed}"
