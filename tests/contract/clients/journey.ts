// The main journey, with the types that openapi-typescript makes of the document, and openapi-fetch.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const [baseUrl = "", password = ""] = process.argv.slice(2);
const name = "bea";

type Problem = components["schemas"]["Problem"];
type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The body of an answer with this status. */
function expectStatus<T>(status: number, { data, error, response }: Answer<T>): T {
  assert.equal(response.status, status, JSON.stringify(error));
  assert.ok(data !== undefined);
  return data;
}

function refused(status: number, code: Problem["code"], answer: { error?: Problem; response: Response }): void {
  assert.equal(answer.response.status, status);
  assert.equal(answer.error?.code, code);
}

function clientOf(token: string) {
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
}

// Register and log in.
const nobody = createClient<paths>({ baseUrl });
const registration = { username: name, password, email: `${name}@mail.example` };
const account = expectStatus(201, await nobody.POST("/auth/register", { body: registration }));
assert.equal(account.username, name);
refused(409, "already_taken", await nobody.POST("/auth/register", { body: registration }));
const tokens = expectStatus(200, await nobody.POST("/auth/login", { body: { username: name, password } }));
const bea = clientOf(tokens.access_token);
assert.equal(expectStatus(200, await bea.GET("/me")).id, account.id);

// Write.
let post: components["schemas"]["Post"] | undefined;
for (let number = 1; number <= 5; number += 1) {
  const body = { title: `Harbour ${number}`, content: `Ships come *${number}* times.` };
  post = expectStatus(201, await bea.POST("/posts", { body }));
  assert.ok(post.content_html.includes(`<em>${number}</em>`));
}
assert.ok(post);
const dashboard = expectStatus(200, await bea.GET("/dashboard"));
assert.equal(dashboard.message, `Welcome ${name}, this is your dashboard`);
assert.equal(dashboard.items.length, 5);

// Read a list, page by page.
const titles: string[] = [];
let before: string | null | undefined;
do {
  const query = { author: name, limit: 2, ...(before ? { before } : {}) };
  const feed = expectStatus(200, await bea.GET("/posts", { params: { query } }));
  titles.push(...feed.items.map((item) => item.title));
  before = feed.next;
} while (before);
assert.deepEqual(titles, [5, 4, 3, 2, 1].map((number) => `Harbour ${number}`));

// Edit, safely.
const path = { id: post.id };
const found = await bea.GET("/posts/{id}", { params: { path } });
assert.equal(expectStatus(200, found).version, 1);
const etag = found.response.headers.get("ETag");
assert.ok(etag);
const params = { path, header: { "If-Match": etag } };
const body = { title: "Harbour at night" };
const edited = expectStatus(200, await bea.PUT("/posts/{id}", { params, body }));
assert.equal(edited.title, "Harbour at night");
assert.equal(edited.content, post.content);
assert.equal(edited.version, 2);
refused(412, "version_conflict", await bea.PUT("/posts/{id}", { params, body }));

// Vote.
const other = { path: { id: 1 } };
const voted = expectStatus(200, await bea.PUT("/posts/{id}/vote", { params: other }));
assert.equal(voted.voted, true);
const votes = expectStatus(200, await bea.GET("/posts/{id}/votes", { params: other }));
assert.ok(votes.items.some((vote) => vote.user.username === name));
const withdrawn = expectStatus(200, await bea.DELETE("/posts/{id}/vote", { params: other }));
assert.equal(withdrawn.votes, voted.votes - 1);
refused(403, "posts.own_vote", await bea.PUT("/posts/{id}/vote", { params: { path } }));

// A personal token that may only read.
const wish = { name: "backup", scopes: ["posts:read" as const], days: 7 };
const token = expectStatus(201, await bea.POST("/me/tokens", { body: wish }));
const listed = expectStatus(200, await bea.GET("/me/tokens"));
assert.ok(listed.items.some((item) => item.id === token.id));
const reader = clientOf(token.token);
assert.equal(expectStatus(200, await reader.GET("/posts/{id}", { params: { path } })).version, 2);
refused(403, "insufficient_scope", await reader.DELETE("/posts/{id}", { params: { path } }));
const revoked = await bea.DELETE("/me/tokens/{id}", { params: { path: { id: token.id } } });
assert.equal(revoked.response.status, 204);
assert.equal((await reader.GET("/me")).response.status, 401);

// Delete, and leave.
assert.equal(expectStatus(200, await bea.GET("/me/sessions")).items.length, 1);
assert.equal((await bea.DELETE("/posts/{id}", { params: { path } })).response.status, 204);
refused(404, "not_found", await bea.GET("/posts/{id}", { params: { path } }));
assert.equal((await bea.POST("/auth/logout")).response.status, 204);
assert.equal((await bea.GET("/me")).response.status, 401);
