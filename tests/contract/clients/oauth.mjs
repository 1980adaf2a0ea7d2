// oauth4webapi gets tokens, refreshes and revokes them: with a password, and with a code and PKCE.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const [site, person, password] = process.argv.slice(2);
const api = `${site}/api/v1`;
const redirectUri = "https://tides.example/callback";
// Servers of tests have no certificate.
const insecure = { [oauth.allowInsecureRequests]: true };

const issuer = new URL(site);
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure }),
);
const resource = new URL(api);
const described = await oauth.processResourceDiscoveryResponse(
  resource,
  await oauth.resourceDiscoveryRequest(resource, insecure),
);
// As URLs, the two may differ in the slash at the end.
assert.deepEqual(described.authorization_servers?.map((url) => new URL(url).href), [issuer.href]);

/** The status of a request with an access token. */
async function status(token, method = "GET", path = "/me", body = undefined) {
  const headers = new Headers(body ? { "Content-Type": "application/json" } : {});
  const url = new URL(`${api}${path}`);
  try {
    const answer = await oauth.protectedResourceRequest(token, method, url, headers, body, insecure);
    return answer.status;
  } catch (error) {
    if (error instanceof oauth.WWWAuthenticateChallengeError) return error.status;
    throw error;
  }
}

async function isRefused(code, promise) {
  await assert.rejects(promise, (error) => error instanceof oauth.ResponseBodyError && error.error === code);
}

async function refresh(client, proof, tokens) {
  const ask = () => oauth.refreshTokenGrantRequest(server, client, proof, tokens.refresh_token, insecure);
  const renewed = await oauth.processRefreshTokenResponse(server, client, await ask());
  assert.notEqual(renewed.refresh_token, tokens.refresh_token);
  assert.equal(await status(renewed.access_token), 200);
  return renewed;
}

async function revoke(client, proof, tokens) {
  const answer = await oauth.revocationRequest(server, client, proof, tokens.refresh_token, insecure);
  await oauth.processRevocationResponse(answer);
  assert.equal(await status(tokens.access_token), 401);
}

async function withPassword() {
  const client = { client_id: "scripts" };
  const proof = oauth.None();
  const ask = async (parameters) =>
    oauth.processGenericTokenEndpointResponse(
      server,
      client,
      await oauth.genericTokenEndpointRequest(
        server,
        client,
        proof,
        "password",
        { username: person, password, ...parameters },
        insecure,
      ),
    );
  await isRefused("invalid_grant", ask({ password: "wrong horse" }));
  const tokens = await ask({});
  assert.equal(await status(tokens.access_token), 200);
  await revoke(client, proof, await refresh(client, proof, tokens));
  const narrow = await ask({ scope: "posts:read account" });
  assert.deepEqual(narrow.scope?.split(" ").sort(), ["account", "posts:read"]);
  assert.equal(await status(narrow.access_token), 200);
  const post = JSON.stringify({ title: "Tides", content: "Twice a day." });
  assert.equal(await status(narrow.access_token, "POST", "/posts", post), 403);
  await revoke(client, proof, narrow);
}

/** A person's browser: it is logged in, and presses “Allow” or “Deny”. */
async function browser() {
  const form = (fields) => ({
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams(fields),
    headers: { Origin: site, ...(browser.cookie ? { Cookie: browser.cookie } : {}) },
  });
  const loggedIn = await fetch(`${site}/login`, form({ username: person, password }));
  assert.equal(loggedIn.status, 303);
  browser.cookie = loggedIn.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
  return async (address, decision) => {
    const page = await fetch(address, { headers: { Cookie: browser.cookie }, redirect: "manual" });
    assert.equal(page.status, 200);
    const [, inner] = /<form method="post" action="\/oauth\/authorize">([^]*?)<\/form>/.exec(await page.text());
    const hidden = [...inner.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)];
    const unescape = (text) => text.replace(/&#x([0-9A-Fa-f]+);/g, (_, code) => String.fromCodePoint(parseInt(code, 16)));
    const fields = Object.fromEntries(hidden.map(([, name, value]) => [name, unescape(value)]));
    const answer = await fetch(`${site}/oauth/authorize`, form({ ...fields, decision }));
    assert.equal(answer.status, 303);
    return new URL(answer.headers.get("Location"));
  };
}

async function withCode(press, application, proof) {
  const client = { client_id: application.client_id };
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const address = new URL(server.authorization_endpoint);
  address.search = new URLSearchParams({
    response_type: "code",
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: "posts:read posts:write account",
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  }).toString();
  const denied = await press(address, "deny");
  assert.throws(
    () => oauth.validateAuthResponse(server, client, denied, state),
    (error) => error instanceof oauth.AuthorizationResponseError && error.error === "access_denied",
  );
  const exchange = async (parameters, verifier) =>
    oauth.processAuthorizationCodeResponse(
      server,
      client,
      await oauth.authorizationCodeGrantRequest(server, client, proof, parameters, redirectUri, verifier, insecure),
    );
  // This checks state and iss.
  const allowed = async () => oauth.validateAuthResponse(server, client, await press(address, "allow"), state);
  await isRefused("invalid_grant", exchange(await allowed(), oauth.generateRandomCodeVerifier()));
  const tokens = await exchange(await allowed(), verifier);
  assert.equal(await status(tokens.access_token), 200);
  await revoke(client, proof, await refresh(client, proof, tokens));
}

await withPassword();
const press = await browser();
const answer = await fetch(`${api}/auth/login`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ username: person, password }),
});
const { access_token: owner } = await answer.json();
for (const [method, confidential] of [["None", false], ["ClientSecretBasic", true], ["ClientSecretPost", true]]) {
  const registered = await fetch(`${api}/me/applications`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${owner}` },
    body: JSON.stringify({ name: `Tide tables, ${method}`, redirect_uris: [redirectUri], confidential }),
  });
  assert.equal(registered.status, 201);
  const application = await registered.json();
  await withCode(press, application, oauth[method](...(confidential ? [application.client_secret] : [])));
}
