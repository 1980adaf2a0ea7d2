"""The main journey, with the client that openapi-python-client makes of the document."""

import sys
from http import HTTPStatus
from typing import TypeVar

from postly_client import AuthenticatedClient, Client
from postly_client.api.accounts import get_account, get_dashboard, log_in, log_out, register
from postly_client.api.posts import create_post, delete_post, get_post, list_posts, update_post
from postly_client.api.sessions import list_sessions
from postly_client.api.tokens import create_personal_token, list_personal_tokens, revoke_personal_token
from postly_client.api.votes import cast_vote, list_votes, withdraw_vote
from postly_client.models import (
    Account,
    Dashboard,
    Feed,
    Login,
    NewPersonalToken,
    PersonalTokenInput,
    PersonalTokenList,
    Post,
    PostInput,
    PostUpdate,
    PostVotes,
    Problem,
    Registration,
    Scope,
    SessionList,
    TokenResponse,
)
from postly_client.types import UNSET, Response

api, password = sys.argv[1:]
name = "ann"
T = TypeVar("T")
S = TypeVar("S")


def expect(kind: type[T], status: HTTPStatus, response: Response[S]) -> T:
    """The parsed body of a response with this status."""
    assert response.status_code == status, (response.status_code, response.content)
    assert isinstance(response.parsed, kind), response.parsed
    return response.parsed


def ok(kind: type[T], response: Response[S]) -> T:
    return expect(kind, HTTPStatus.OK, response)


def refused(status: HTTPStatus, code: str, response: Response[S]) -> None:
    problem = expect(Problem, status, response)
    assert problem.code == code, problem.code


# Register and log in.
nobody = Client(base_url=api, raise_on_unexpected_status=True)
registration = Registration(username=name, password=password, email=f"{name}@mail.example")
account = expect(Account, HTTPStatus.CREATED, register.sync_detailed(client=nobody, body=registration))
assert account.username == name
refused(HTTPStatus.CONFLICT, "already_taken", register.sync_detailed(client=nobody, body=registration))
tokens = ok(TokenResponse, log_in.sync_detailed(client=nobody, body=Login(username=name, password=password)))
ann = AuthenticatedClient(base_url=api, token=tokens.access_token, raise_on_unexpected_status=True)
assert ok(Account, get_account.sync_detailed(client=ann)).id == account.id

# Write.
for number in range(1, 6):
    body = PostInput(title=f"Harbour {number}", content=f"Ships come *{number}* times.")
    post = expect(Post, HTTPStatus.CREATED, create_post.sync_detailed(client=ann, body=body))
    assert f"<em>{number}</em>" in post.content_html
dashboard = ok(Dashboard, get_dashboard.sync_detailed(client=ann))
assert dashboard.message == f"Welcome {name}, this is your dashboard" and len(dashboard.items) == 5

# Read a list, page by page.
titles: list[str] = []
before: str | None = None
while True:
    cursor = UNSET if before is None else before
    feed = ok(Feed, list_posts.sync_detailed(client=ann, author=name, limit=2, before=cursor))
    titles += [item.title for item in feed.items]
    if not isinstance(feed.next_, str):
        break
    before = feed.next_
assert titles == [f"Harbour {number}" for number in range(5, 0, -1)], titles

# Edit, safely.
found = get_post.sync_detailed(post.id, client=ann)
etag = found.headers["ETag"]
assert ok(Post, found).version == 1
edit = PostUpdate(title="Harbour at night")
edited = ok(Post, update_post.sync_detailed(post.id, client=ann, body=edit, if_match=etag))
assert (edited.title, edited.content, edited.version) == ("Harbour at night", post.content, 2)
refused(
    HTTPStatus.PRECONDITION_FAILED,
    "version_conflict",
    update_post.sync_detailed(post.id, client=ann, body=edit, if_match=etag),
)

# Vote.
voted = ok(Post, cast_vote.sync_detailed(1, client=ann))
assert voted.voted
assert name in [vote.user.username for vote in ok(PostVotes, list_votes.sync_detailed(1, client=ann)).items]
assert ok(Post, withdraw_vote.sync_detailed(1, client=ann)).votes == voted.votes - 1
refused(HTTPStatus.FORBIDDEN, "posts.own_vote", cast_vote.sync_detailed(post.id, client=ann))

# A personal token that may only read.
wish = PersonalTokenInput(name="backup", scopes=[Scope.POSTSREAD], days=7)
token = expect(NewPersonalToken, HTTPStatus.CREATED, create_personal_token.sync_detailed(client=ann, body=wish))
assert token.id in [item.id for item in ok(PersonalTokenList, list_personal_tokens.sync_detailed(client=ann)).items]
reader = AuthenticatedClient(base_url=api, token=token.token, raise_on_unexpected_status=True)
assert ok(Post, get_post.sync_detailed(post.id, client=reader)).version == 2
refused(HTTPStatus.FORBIDDEN, "insufficient_scope", delete_post.sync_detailed(post.id, client=reader))
gone = revoke_personal_token.sync_detailed(token.id, client=ann)
assert gone.status_code == HTTPStatus.NO_CONTENT
assert get_account.sync_detailed(client=reader).status_code == HTTPStatus.UNAUTHORIZED

# Delete, and leave.
assert len(ok(SessionList, list_sessions.sync_detailed(client=ann)).items) == 1
assert delete_post.sync_detailed(post.id, client=ann).status_code == HTTPStatus.NO_CONTENT
refused(HTTPStatus.NOT_FOUND, "not_found", get_post.sync_detailed(post.id, client=ann))
assert log_out.sync_detailed(client=ann).status_code == HTTPStatus.NO_CONTENT
assert get_account.sync_detailed(client=ann).status_code == HTTPStatus.UNAUTHORIZED
