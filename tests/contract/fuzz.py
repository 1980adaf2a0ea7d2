"""schemathesis, as nobody, as a user and as an admin; each meets a site of its own."""

import re
import sys
from pathlib import Path

from checks import check, run
from postly import ADMIN, PASSWORD, Site

SETTINGS = Path(__file__).resolve().parent / "fuzzing"
ROLES = ("nobody", "user", "admin")


def fuzz(document, folder, seconds, seed, engine="SQLite", database=lambda role: None):
    for role in ROLES:
        check(f"schemathesis as {role} on {engine}", ask, document, folder / f"{engine}-{role}", role, seconds, seed, database(role))


def ask(document, folder, role, seconds, seed, database):
    with Site(folder, database) as site:
        told = run(
            Path(sys.executable).parent / "schemathesis", "--config-file", SETTINGS / "schemathesis.toml", "run", document,
            "--url", site.api, "--max-time", seconds, "--seed", seed,
            cwd=folder, SCHEMATHESIS_HOOKS=SETTINGS / "hooks.py", FUZZ_API=site.api, FUZZ_ROLE=role, FUZZ_PASSWORD=PASSWORD, FUZZ_ADMIN=ADMIN,
        )  # fmt: skip
        assert not site.complaints(), "\n".join(site.complaints()[:20])
    return f"seed {seed}, " + " ".join(re.findall(r"(\d+) generated", told))
