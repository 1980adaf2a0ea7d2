"""Two OAuth libraries: tokens by password, and by a code and PKCE, to their revocation."""

import sys
from pathlib import Path

from checks import check, run
from postly import AUTHOR, PASSWORD

CLIENTS = Path(__file__).resolve().parent / "clients"


def use_oauth(site):
    for library, command in (("authlib", [sys.executable, CLIENTS / "oauth.py"]), ("oauth4webapi", ["node", CLIENTS / "oauth.mjs"])):
        check(f"{library} discovers, gets tokens, refreshes and revokes", use, *command, site.url, AUTHOR, PASSWORD)


def use(*command):
    # What it prints is warnings of the library about its own future.
    run(*command)
