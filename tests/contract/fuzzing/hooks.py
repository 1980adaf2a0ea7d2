"""Who schemathesis is, and what it must not take for a failure."""

import itertools
import os
import time
from urllib.parse import parse_qsl, urlsplit

import httpx
import schemathesis

API, ROLE, PASSWORD, ROOT = (os.environ[f"FUZZ_{name}"] for name in ("API", "ROLE", "PASSWORD", "ADMIN"))

# After these, the caller may be logged out, locked out, demoted or gone: the next call is somebody else's.
FATAL = {
    "deleteUser",
    "disableTwoFactor",
    "enableTwoFactor",
    "endOtherSessions",
    "endSession",
    "endUserSession",
    "endUserSessions",
    "logOut",
    "resetPassword",
    "revokeToken",
    "updateEmail",
    "updatePassword",
    "updateUser",
}
# An access token lasts ten minutes, and the password is asked for again after fifteen.
LIFETIME = 300
numbers = itertools.count(1)


class Person:
    """An account of its own, with two posts; an admin, if that is the role."""

    def __init__(self):
        self.name = f"fuzz-{next(numbers)}"
        account = {"username": self.name, "password": PASSWORD}
        httpx.post(f"{API}/auth/register", json=account).raise_for_status()
        if ROLE == "admin":
            root = {"Authorization": f"Bearer {log_in(ROOT)}"}
            httpx.patch(f"{API}/admin/users/{self.name}", json={"role": "admin"}, headers=root).raise_for_status()
        self.token, self.since = log_in(self.name), time.monotonic()
        for title in ("Ebb", "Flood"):
            post = {"title": title, "content": "The sea comes *twice* a day."}
            httpx.post(f"{API}/posts", json=post, headers={"Authorization": f"Bearer {self.token}"})


def log_in(name):
    answer = httpx.post(f"{API}/auth/login", json={"username": name, "password": PASSWORD})
    return answer.raise_for_status().json()["access_token"]


person = None
# Who created what, by its path.
creators = {}
# What a repeated Idempotency-Key said again was created: it may have been deleted since.
told_again = set()


def current():
    global person
    if person is None or time.monotonic() - person.since > LIFETIME:
        person = Person()
    return person


if ROLE != "nobody":

    @schemathesis.auth(refresh_interval=None)
    class Token:
        def get(self, case, context):
            return current().token

        def set(self, case, token, context):
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.hook
def after_call(context, case, response):
    global person
    operation = case.operation.definition.raw.get("operationId")
    if operation in FATAL and response.status_code < 300:
        person = None
    if response.status_code == 201 and isinstance(number := response.json().get("id"), int):
        path = f"{urlsplit(response.request.url).path}/{number}"
        creators[path] = response.request.headers.get("Authorization")
        if "idempotency-replayed" in response.headers:
            told_again.add(path)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    # The first admin makes the others.
    if path_parameters and str(path_parameters.get("username")).lower() == ROOT:
        path_parameters["username"] = "mirela"
    return path_parameters


# Rules that no schema expresses: what the rest of the site has, who asks, and, in no text whatever, a NUL.
# A request that violates another rule than these has been described wrongly.
BEYOND_A_SCHEMA = {
    "admin_only",
    "breached",
    "changed",
    "confusable",
    "contains_username",
    "exclusive",
    "fixed",
    "guessable",
    "invisible",
    "mixed_scripts",
    "nul_character",
    "reserved",
    "taken",
    "wrong",
}
# And of these fields.
FIELDS_BEYOND_A_SCHEMA = {
    # Only the server can make a cursor, a code, or the token of a link.
    "after.malformed",
    "before.malformed",
    "code.malformed",
    "token.malformed",
    # What is a picture.
    "file.malformed",
    # Letters of every alphabet, and addresses that can be reached: no pattern says it in every language.
    "email.malformed",
    "language.malformed",
    "redirect_uris.malformed",
    "username.malformed",
    "into.malformed",
    "tag.malformed",
    # Some letters become several of the alphabet that addresses have, and some signs none.
    "slug.malformed",
    "slug.too_long",
    # From 1970 to two years ahead.
    "published_at.out_of_range",
    "tags.malformed",
    # An author has so many series, and a series so many posts.
    "series.too_many",
    # Several names stand in one text, with commas between them.
    "tag.too_many",
    "tags.too_many",
    # Days that the calendar has.
    "since.malformed",
    "until.malformed",
    "updated_since.malformed",
}
# One of two fields is needed, which most generators of clients do not understand; a test mail needs none, if the
# account has an address.
EITHER_FIELD = {
    ("logIn", "username.required"),
    ("updateUser", "role.required"),
    ("sendTestMail", "email.required"),
    ("saveDraft", "content.required"),
}


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is one; the codes are schemathesis' own."""
    match failure.code:
        case "ST202":
            return not is_refused_by_circumstances(case, response)
        case "ST201":
            # A form sends an empty field for what nobody filled in: it means the same as none at all.
            if response.status_code == 412:
                # A version beyond every number is not the present one.
                return False
            if is_unreadable_key(response.request.headers.get("Idempotency-Key", "")):
                return False
            return not any(value == "" for _, value in parse_qsl(urlsplit(response.request.url).query, keep_blank_values=True))
        case "ST302":
            return not may_be_missing(response.request)
        case "ST301":
            # A vote is withdrawn, and the list of the votes stays.
            return not case.operation.definition.raw.get("operationId") in {"listVotes", "castVote", "withdrawVote"}
    return True


def may_be_missing(request):
    """Whether this was created by another caller, whose applications the present one does not see, or perhaps deleted."""
    path = urlsplit(request.url).path
    thing = next((thing for thing in creators if f"{path}/".startswith(f"{thing}/")), None)
    return thing in told_again or (thing is not None and creators[thing] != request.headers.get("Authorization"))


def is_unreadable_key(key):
    """Whether a key does not arrive as it was sent: HTTP strips white space at its ends, and the server
    drops a header that is not UTF-8."""
    text = key.decode("latin-1") if isinstance(key, bytes) else key
    return text != text.strip() or not text.isascii()


def is_refused_by_circumstances(case, response):
    """Whether this refusal of a well-formed request is about something that a schema cannot say."""
    if response.status_code == 412:
        # The version in If-Match is not the present one.
        return True
    if response.status_code == 400:
        # OAuth's own error, without a list of fields, for a NUL.
        return has_nul(response.request.body) and response.json().get("error") == "invalid_request"
    if response.status_code != 422:
        return False
    if response.json()["code"] == "idempotency_key.reused":
        # The same key came with another body before.
        return True
    operation = case.operation.definition.raw.get("operationId")
    codes = [error["code"] for error in response.json().get("errors") or []]
    return bool(codes) and all(
        code.rsplit(".", 1)[-1] in BEYOND_A_SCHEMA
        or code in FIELDS_BEYOND_A_SCHEMA
        or (operation, code) in EITHER_FIELD
        or is_blank(case.body, code)
        or is_removed(case, code)
        for code in codes
    )


def has_nul(form):
    return "%00" in (form.decode("latin-1") if isinstance(form, bytes) else form or "")


def is_removed(case, code):
    """Whether a merge patch would remove a field with null, known or not: nothing can be removed."""
    if case.method.upper() != "PATCH" or not isinstance(case.body, dict):
        return False
    field, _, rule = code.rpartition(".")
    return rule == "required" and case.body.get("" if field == "input" else field, 0) is None


def is_blank(body, code):
    """Whether a field is said to be missing that holds spaces alone, or nothing, as those of a draft may."""
    field, rule = code.rsplit(".", 1)
    value = body.get(field) if isinstance(body, dict) else None
    texts = value if isinstance(value, list) else [value]
    return rule == "required" and bool(texts) and all(isinstance(text, str) and not text.strip() for text in texts)
