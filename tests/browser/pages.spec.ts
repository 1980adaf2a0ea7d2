// Every page: accessible, valid HTML, no console errors, no wider than the screen.
import type { Page } from "@playwright/test";
import { Console, expect, open, PASSWORD, submit, test, unique } from "./support/site.ts";
import { inspect, validate, violations } from "./support/inspect.ts";

/** The pages for each kind of user, with the expected status. */
function paths(post: string, comment: string, name: string, series: string): Record<string, [string, number][]> {
  return {
    "a visitor": [
      ["/", 200], ["/?sort=top", 200], ["/?sort=top&period=week", 200], ["/?sort=hot&tag=sea&min_votes=9", 200], ["/?author=nobody-at-all", 404], ["/?since=x", 422],
      ["/tags", 200], ["/tags?q=zzz", 200], ["/tags/sea", 200], ["/tags/none", 404], [post, 200],
      [`${post}/votes`, 200], [`${post}/comments`, 200], [`${post}/comments?sort=best`, 200], [comment, 200], [`${comment}/votes`, 200], [`/users/${name}`, 200], [`/users/${name}/comments`, 200], [`/users/${name}/series`, 200], [series, 200], ["/series/999999", 404], ["/login", 200], ["/register", 200],
      ["/password-reset", 200], ["/password-reset/new", 404], ["/verify-email", 404], ["/login/code", 404],
      ["/search", 200], [`/search?q=${name}`, 200], ["/search?q=shorter&type=comments", 200], [`/search?q=${name}&type=people`, 200], ["/search?q=%22zzz+tag:zzz+-", 200], ["/search?q=before:now", 422],
      ["/docs/errors", 200], ["/docs/guide", 200], ["/rules/versions", 200],
      ["/nowhere", 404], ["/?limit=x", 422],
    ],
    "a user": [
      ["/", 200], [post, 200], [`${series}/edit`, 403], ["/posts/new", 200], ["/me", 200], ["/dashboard", 200], ["/drafts", 200],
      ["/me/sessions", 200], ["/me/tokens", 200], ["/me/events", 200], ["/me/password", 200], ["/me/email", 200],
      ["/me/two-factor", 200], ["/sudo", 200], [`${post}/edit`, 403], [`${post}/comments`, 200], [comment, 200],
      [`${post}/comments/new`, 200], [`${post}/comments/new?parent_id=${comment.split("/").pop()}`, 200],
    ],
    "the author": [[post, 200], [`${post}/edit`, 200], [series, 200], [`${series}/edit`, 200], [`${post}/shares`, 200], [comment, 200], [`${comment}/edit`, 200], ["/dashboard", 200],
      ...[post, comment].flatMap((path): [string, number][] => [[`${path}/revisions`, 200], [`${path}/revisions/1`, 200], [`${path}/revisions/2`, 200], [`${path}/revisions/2?compare=`, 200], [`${path}/revisions/9`, 404]])],
    "an admin": [[series, 200], [`${series}/edit`, 200], ["/tags/sea", 200], ["/tags/sea/edit", 200], ["/admin", 200], ["/admin/settings", 200], ["/admin/checkup", 200], ["/admin/logo", 200], ["/setup", 404], ["/admin/posts", 200], ["/admin/comments", 200], ["/admin/posts?q=zzz", 200], ["/admin/users", 200], ["/admin/audit", 200],
      ["/admin/audit?q=zzz", 200], ["/admin/audit?kind=login&person=zzz", 200], [`/admin/users/${name}/sessions`, 200],
      [`/admin/posts?author=${name}`, 200], [`/admin/users?username=${name}`, 200],
      ...["promote", "demote", "disable", "delete"].map((change): [string, number] => [`/admin/users/${name}/confirm?change=${change}`, 200]),
      ...["disable", "enable", "purge", "delete"].map((action): [string, number] => [`/admin/users/bulk?action=${action}&id=1&id=2&id=999`, 200]),
      [`/admin/posts/bulk?id=${post.split("/").pop()}&id=999`, 200]],
  };
}

for (const who of ["a visitor", "a user", "the author", "an admin"]) {
  test(`every page, as ${who}`, async ({ page, site, browser }) => {
    const name = unique("author");
    const author = await (await browser.newContext({ baseURL: site.url })).newPage();
    await site.register(author, name);
    const long = `Unbrokenlylong${"wordiness".repeat(24)}`;
    const content = `# Heading\n\n${long}\n\n> quote\n\n| a | b |\n|---|---|\n| ${"1 ".repeat(60)} | 2 |\n\n\`\`\`\n${"code ".repeat(60)}\n\`\`\`\n\n[link](https://example.com) and \`code\``;
    const title = `Unbroken${"wordiness".repeat(10)}`;
    const post = await site.post(author, long, content, "sea, a-tag-of-forty-letters-which-is-the-most", title);
    await site.post(author, "Tides", "They come twice a day.", "sea, moon", title);
    await site.post(author, "Ebb and flood", "And so on.", "", title);
    const series = (await (await author.request.get(`${site.url}/api/v1/users/${name}/series`)).json()).items[0].path;
    const comment = await site.comment(author, post, content);
    const reply = await site.comment(author, post, "Shorter.", comment);
    await site.comment(author, post, "Shorter still.", reply);
    await site.edit(author, post, { title: `Short ${long}`, content: content.replace("quote", "longer quotation") });
    await site.edit(author, comment, { content: `${content}\n\nMore.` });
    if (who === "an admin") {
      const root = unique("root");
      site.run(["user", "add", root, "--admin"], PASSWORD);
      await site.logIn(page, root);
    } else if (who === "a user") {
      await site.register(page, unique("reader"));
    } else if (who === "the author") {
      await site.logIn(page, name);
    }
    const console = new Console(page);
    for (const [path, status] of paths(post, comment, name, series)[who]) {
      const response = await open(page, console, path, status);
      await validate(await response.text(), `${path} for ${who}`);
      await inspect(page, `${path} for ${who}`);
    }
    expect(console.problems()).toEqual([]);
  });
}

test("forms with errors", async ({ page, site }) => {
  const console = new Console(page);
  for (const [path, button] of [["/register", "Register"], ["/login", "Log in"], ["/password-reset", "Request a link"]]) {
    await open(page, console, path, 200);
    const response = await submit(page, console, button, 422);
    await validate(await response.text(), `${path} with errors`);
    await expect(page.getByRole("alert")).toBeVisible();
    await inspect(page, `${path} with errors`);
  }
  await site.register(page, unique("writer"));
  await page.goto("/posts/new");
  await page.getByLabel("Text").fill("**Some** words");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview strong")).toBeVisible();
  const response = await submit(page, console, "Publish", 422);
  await validate(await response.text(), "/posts with errors");
  await expect(page.getByRole("alert")).toContainText(/a title/);
  await inspect(page, "/posts with errors");
  expect(console.problems()).toEqual([]);
});

test("the middle page of each list links to both sides", async ({ page, site, browser }) => {
  const name = unique("author");
  site.run(["user", "add", name, "--admin"], PASSWORD);
  await site.logIn(page, name);
  const posts: string[] = [];
  for (const title of ["First", "Second", "Third"]) posts.push(await site.post(page, `${title} of ${name}`, "Words."));
  for (let i = 0; i < 3; i += 1) {
    const voter = await (await browser.newContext({ baseURL: site.url })).newPage();
    await site.register(voter, unique("voter"));
    for (const post of posts) await site.vote(voter, post);
    await voter.context().close();
  }
  const console = new Console(page);
  for (const list of [
    "/?", "/?sort=top&", `/?author=${name}&`, `/users/${name}?`, "/dashboard?", `${posts[0]}/votes?`,
    `/dashboard?q=${name}&`, "/admin/posts?", `/admin/posts?q=${name}&`, `/admin/posts?author=${name}&`, "/admin/users?", "/admin/users?q=voter&",
    `/search?q=${name}&`, `/search?type=people&q=voter&`,
  ]) {
    await open(page, console, `${list}limit=1`, 200);
    const isRanked = list.includes("sort=top") || list.startsWith("/search");
    const older = await page.getByRole("link", { name: isRanked ? "Next →" : "Older →" }).getAttribute("href");
    const where = `${list.split("?")[0]}${older}&limit=1`;
    const response = await open(page, console, where, 200);
    const names = isRanked ? ["← Previous", "Next →"] : ["← Newer", "Older →"];
    await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link")).toHaveText(names);
    await validate(await response.text(), where);
    await inspect(page, where);
  }
  expect(console.problems()).toEqual([]);
});

test("the votes of a post", async ({ page, site, browser }) => {
  const author = await (await browser.newContext({ baseURL: site.url })).newPage();
  await site.register(author, unique("author"));
  const post = await site.post(author, `Unbrokenlylong${"wordiness".repeat(24)}`, "Words.");
  const names = [unique("v".repeat(36)), unique("voter")];
  for (const name of names) {
    await site.register(page, name);
    await site.vote(page, post);
  }
  const console = new Console(page);
  const response = await open(page, console, `${post}/votes`, 200);
  await expect(page.getByRole("main").getByRole("listitem").getByRole("link")).toHaveText(names.toReversed());
  await validate(await response.text(), "votes");
  await inspect(page, "votes");
  // The button after voting, in a list and on the post.
  for (const path of ["/", post]) {
    const voted = await open(page, console, path, 200);
    await expect(page.getByRole("button", { name: /^Voted\. Withdraw your vote for/ })).toBeVisible();
    await validate(await voted.text(), `${path} voted`);
    await inspect(page, `${path} voted`);
  }
  expect(console.problems()).toEqual([]);
});

test("confirmations, opened", async ({ page, site }) => {
  const name = unique("w".repeat(36));
  site.run(["user", "add", name, "--admin"], PASSWORD);
  await site.logIn(page, name);
  const post = await site.post(page, `Unbrokenlylong${"wordiness".repeat(24)}`, "Words.");
  const console = new Console(page);
  for (const [path, button] of [
    [post, "Delete this post"], [`/admin/posts?q=${name}`, "Delete this post"],
    ["/dashboard", "Delete this post"],
  ]) {
    await open(page, console, path, 200);
    await page.locator("summary").getByText("Delete…").click();
    await expect(page.getByRole("button", { name: button })).toBeVisible();
    await inspect(page, `${path} with its confirmation`);
    await expect(page.getByRole("button", { name: button })).toBeVisible();
  }
  await open(page, console, `/admin/users?q=${name}`, 200);
  await page.locator("summary").getByText("Actions").click();
  await expect(page.getByRole("link", { name: "Disable…" })).toBeVisible();
  // The menu lies over these buttons, of which axe then sees too little.
  await inspect(page, "the actions of a row", ["#bulk"]);
  expect(console.problems()).toEqual([]);
});

test("edits with errors, and edits of an outdated version", async ({ page, site }) => {
  await site.register(page, unique("editor"));
  const post = await site.post(page, "Shared", "First words.");
  const console = new Console(page);
  await open(page, console, `${post}/edit`, 200);
  await page.getByLabel("Title").fill("");
  await page.getByLabel("Text").fill("");
  const refused = await submit(page, console, "Save", 422);
  await expect(page.getByRole("alert").getByRole("listitem")).toHaveCount(2);
  await expect(page.getByLabel("Text")).toHaveAccessibleDescription(/Markdown.*\S/);
  await validate(await refused.text(), "an edit with errors");
  await inspect(page, "an edit with errors");

  await open(page, console, `${post}/edit`, 200);
  const changed = await page.request.post(`${site.url}${post}`, {
    form: { _method: "put", title: "Shared", content: "Words of another tab." },
    headers: { Origin: site.url },
    maxRedirects: 0,
  });
  expect(changed.status()).toBe(303);
  await page.getByLabel("Text").fill("Words of this tab.");
  const stale = await submit(page, console, "Save", 409);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is a newer version");
  await validate(await stale.text(), "an edit of an outdated version");
  await inspect(page, "an edit of an outdated version");
  expect(console.problems()).toEqual([]);
});

test("a preview after the session has ended keeps the text", async ({ page, site, context }) => {
  await site.register(page, unique("late"));
  await page.goto("/posts/new");
  await page.getByLabel("Text").fill("Hours of work");
  await context.clearCookies();
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview")).toContainText("You are logged out.");
  await expect(page.getByLabel("Text")).toHaveValue("Hours of work");
});

test("a password can be shown and hidden", async ({ page }) => {
  await page.goto("/login");
  const password = page.getByLabel("Password", { exact: true });
  await password.fill("visible words");
  await page.getByRole("button", { name: "Show password" }).click();
  await expect(password).toHaveAttribute("type", "text");
  await page.getByRole("button", { name: "Hide password" }).click();
  await expect(password).toHaveAttribute("type", "password");
});

test("Swagger UI and ReDoc render the API document", async ({ page }) => {
  const console = new Console(page);
  for (const [path, operation] of [["/docs", "/auth/login"], ["/redoc", "Publish a post"]]) {
    const response = await page.goto(path);
    await validate((await response?.text()) ?? "", path);
    await expect(page.getByText(operation).filter({ visible: true }).first()).toBeVisible();
    if (path === "/docs") {
      await inspect(page, path);
      continue;
    }
    // The headings of ReDoc skip levels; only the header around it is ours.
    expect(await violations(page, undefined, ["#docs"]), path).toEqual([]);
  }
  expect(console.problems()).toEqual([]);
});

test("Swagger UI calls the API with the token from its Authorize dialog", async ({ page, site, context }) => {
  const name = unique("program");
  await site.register(page, name);
  // Only the token may authenticate the call.
  await context.clearCookies();
  const console = new Console(page);
  await open(page, console, "/docs", 200);
  await page.getByRole("button", { name: "Authorize" }).click();
  const dialog = page.locator(".modal-ux");
  await dialog.getByLabel("username:").fill(name);
  await dialog.getByLabel("password:").fill(PASSWORD);
  const tokenResponse = page.waitForResponse(`${site.url}/api/v1/auth/token`);
  // The other flow is that of applications.
  await dialog.getByRole("button", { name: "Apply given OAuth2 credentials" }).last().click();
  const { access_token } = await (await tokenResponse).json();
  expect(access_token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  await expect(dialog.getByRole("button", { name: "Remove authorization" }).last()).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();

  const operation = page.locator(".opblock").filter({ has: page.locator("[data-path='/me']") });
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  const response = page.waitForResponse(`${site.url}/api/v1/me`);
  await operation.getByRole("button", { name: "Execute" }).click();
  const me = await response;
  const sent = await me.request().allHeaders();
  expect(sent.authorization).toBe(`Bearer ${access_token}`);
  expect(sent.cookie).toBeUndefined();
  expect(me.status()).toBe(200);
  expect((await me.json()).username).toBe(name);
  await expect(operation.locator(".live-responses-table .response-col_status").last()).toHaveText("200");
  expect(console.problems()).toEqual([]);
});
