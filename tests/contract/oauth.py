"""Two OAuth libraries: tokens by password, and by a code and PKCE, to their revocation."""

import sys
from pathlib import Path

from checks import check, run
from postly import AUTHOR, PASSWORD

CLIENTS = Path(__file__).resolve().parent / "clients"


def use_oauth(site):
    check("authlib discovers, gets tokens, refreshes and revokes", run, sys.executable, CLIENTS / "oauth.py", site.url, AUTHOR, PASSWORD)
    check("oauth4webapi discovers, gets tokens, refreshes and revokes", run, "node", CLIENTS / "oauth.mjs", site.url, AUTHOR, PASSWORD)
