"""authlib gets tokens, refreshes and revokes them: with a password, and with a code and PKCE."""

import sys
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

site, person, password = sys.argv[1:]
api = f"{site}/api/v1"
REDIRECT = "https://tides.example/callback"


class Fields(HTMLParser):
    """The hidden fields of the form of the consent page."""

    def __init__(self, page):
        super().__init__()
        self.inside, self.values = False, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.inside = attributes.get("action") == "/oauth/authorize"
        elif tag == "input" and self.inside:
            self.values[attributes["name"]] = attributes["value"]


def works(client):
    client.get(f"{api}/me").raise_for_status()


def is_refused(error, function, *arguments, **named):
    try:
        function(*arguments, **named)
    except OAuthError as refused:
        assert refused.error == error, refused
    else:
        raise AssertionError(f"{error} was expected")


def refresh_and_revoke(client, metadata):
    before = dict(client.token)
    after = client.refresh_token(metadata["token_endpoint"])
    assert after["refresh_token"] != before["refresh_token"], after
    client.refresh_token(metadata["token_endpoint"])
    # A refresh token is refused once its successor was used.
    with OAuth2Client(client.client_id, client.client_secret, token_endpoint_auth_method=client.token_endpoint_auth_method) as copy:
        is_refused("invalid_grant", copy.refresh_token, metadata["token_endpoint"], refresh_token=before["refresh_token"])


def revoke(client, metadata):
    access = client.token["access_token"]
    answer = client.revoke_token(metadata["revocation_endpoint"], token=client.token["refresh_token"])
    assert answer.status_code == 200, answer.text
    assert httpx.get(f"{api}/me", headers={"Authorization": f"Bearer {access}"}).status_code == 401


def discover():
    metadata = AuthorizationServerMetadata(httpx.get(get_well_known_url(site, external=True)).raise_for_status().json())
    # authlib allows https alone, and servers of tests have no certificate.
    secure = AuthorizationServerMetadata(
        {name: value.replace("http://", "https://") if isinstance(value, str) else value for name, value in metadata.items()}
    )
    secure.validate()
    assert metadata["issuer"] == site, metadata
    return metadata


def with_password(metadata):
    endpoint = metadata["token_endpoint"]
    with OAuth2Client("scripts", token_endpoint_auth_method="none") as client:
        is_refused("invalid_grant", client.fetch_token, endpoint, grant_type="password", username=person, password="wrong horse")
        client.fetch_token(endpoint, grant_type="password", username=person, password=password)
        works(client)
        refresh_and_revoke(client, metadata)
    with OAuth2Client("scripts", token_endpoint_auth_method="none", scope="posts:read account") as client:
        token = client.fetch_token(endpoint, grant_type="password", username=person, password=password)
        assert set(token["scope"].split()) == {"posts:read", "account"}, token
        works(client)
        refused = client.post(f"{api}/posts", json={"title": "Tides", "content": "Twice a day."})
        assert refused.status_code == 403 and refused.json()["code"] == "insufficient_scope", refused.text
        revoke(client, metadata)


def with_code(metadata, browser, application, method):
    client = OAuth2Client(
        application["client_id"],
        application["client_secret"],
        token_endpoint_auth_method=method,
        scope="posts:read posts:write account",
        redirect_uri=REDIRECT,
        code_challenge_method="S256",
    )
    verifier = generate_token(64)
    address, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    location = consent(browser, address, "deny")
    assert parse_qs(urlsplit(location).query)["error"] == ["access_denied"], location
    location = consent(browser, address, "allow")
    assert parse_qs(urlsplit(location).query)["iss"] == [site], location

    def exchange(verifier):
        return client.fetch_token(
            metadata["token_endpoint"], authorization_response=location, state=state, code_verifier=verifier
        )

    token = exchange(verifier)
    works(client)
    assert token["token_type"].lower() == "bearer", token
    refresh_and_revoke(client, metadata)
    # A code works once; whoever uses it again ends what it gave.
    is_refused("invalid_grant", exchange, verifier)
    location = consent(browser, client.create_authorization_url(metadata["authorization_endpoint"], state=state, code_verifier=verifier)[0], "allow")
    is_refused("invalid_grant", exchange, generate_token(64))
    location = consent(browser, client.create_authorization_url(metadata["authorization_endpoint"], state=state, code_verifier=verifier)[0], "allow")
    exchange(verifier)
    works(client)
    revoke(client, metadata)


def consent(browser, address, decision):
    """Opens the consent page, presses a button, and returns where that leads."""
    page = browser.get(address)
    assert page.status_code == 200, (page.status_code, page.text)
    form = {**Fields(page.text).values, "decision": decision}
    answer = browser.post("/oauth/authorize", data=form, headers={"Origin": site})
    assert answer.status_code == 303, (answer.status_code, answer.text)
    location = answer.headers["Location"]
    assert location.startswith(REDIRECT), location
    return location


def main():
    metadata = discover()
    with_password(metadata)
    with httpx.Client(base_url=site) as browser:
        logged_in = browser.post("/login", data={"username": person, "password": password}, headers={"Origin": site})
        assert logged_in.status_code == 303, logged_in.text
        tokens = httpx.post(f"{api}/auth/login", json={"username": person, "password": password}).raise_for_status().json()
        owner = {"Authorization": f"Bearer {tokens['access_token']}"}
        for confidential, method in ((False, "none"), (True, "client_secret_basic"), (True, "client_secret_post")):
            wish = {"name": f"Tide tables, {method}", "redirect_uris": [REDIRECT], "confidential": confidential}
            application = httpx.post(f"{api}/me/applications", json=wish, headers=owner).raise_for_status().json()
            assert bool(application["client_secret"]) == confidential, application
            with_code(metadata, browser, application, method)


main()
