"""A client that openapi-generator makes of the document, compiled and taken through the main journey."""

import shutil
from pathlib import Path

from checks import check, run
from postly import PASSWORD, ROOT

SOURCES = Path(__file__).resolve().parent / "clients/rust"
GENERATOR = ROOT / "target/tools/generator-venv/bin/openapi-generator-cli"
# What was compiled stays.
FOLDER = ROOT / "target/tools/rust-client"
JOURNEY, CLIENT = FOLDER / "journey", FOLDER / "postly-client"


def use_rust_client(site, document):
    if check("openapi-generator makes a Rust client", generate, document):
        if check("cargo builds the Rust client and its journey", build):
            check("the Rust client makes the journey", run, FOLDER / "target/debug/journey", site.api, PASSWORD)


def generate(document):
    for folder in (JOURNEY, CLIENT):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCES, JOURNEY)
    # The version stands in Cargo.lock, which outlasts releases of Postly. Nobody needs TLS on loopback.
    properties = "packageName=postly-client,packageVersion=0.0.0,reqwestDefaultFeatures="
    run(GENERATOR, "generate", "-g", "rust", "-i", document, "-o", CLIENT, f"--additional-properties={properties}")
    return f"{len(list(CLIENT.rglob('*.rs')))} files"


def build():
    run(
        "cargo", "build", "--locked", "--quiet", "--manifest-path", JOURNEY / "Cargo.toml", "--target-dir", FOLDER / "target",
        CARGO_PROFILE_DEV_DEBUG="0",
    )  # fmt: skip
    return "with the versions of Cargo.lock"
