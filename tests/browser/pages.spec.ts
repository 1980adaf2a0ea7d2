// Every page: accessible, valid, quiet in the console, and no wider than the screen.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { Console, expect, fresh, open, PASSWORD, send, test } from "./support/site.ts";
import { inspect, validate } from "./support/inspect.ts";

/** The pages that each kind of person can open, and the status they come with. */
function paths(post: string, name: string): Record<string, [string, number][]> {
  return {
    nobody: [
      ["/", 200], ["/?sort=top", 200], ["/?author=nobody-at-all", 200], [post, 200],
      [`${post}/votes`, 200], [`/users/${name}`, 200], ["/login", 200], ["/register", 200],
      ["/password-reset", 200], ["/password-reset/new", 200], ["/verify-email", 200], ["/login/code", 200],
      ["/nowhere", 404], ["/?limit=x", 422],
    ],
    person: [
      ["/", 200], [post, 200], ["/posts/new", 200], ["/me", 200], ["/dashboard", 200],
      ["/me/sessions", 200], ["/me/tokens", 200], ["/me/events", 200], ["/me/password", 200], ["/me/email", 200],
      ["/me/two-factor", 200], ["/sudo", 200], [`${post}/edit`, 403],
    ],
    author: [[post, 200], [`${post}/edit`, 200], ["/dashboard", 200]],
    admin: [["/admin/posts", 200], ["/admin/posts?q=zzz", 200], ["/admin/users", 200], ["/admin/audit", 200],
      ["/admin/audit?q=zzz", 200], [`/admin/users/${name}/sessions`, 200]],
  };
}

for (const who of ["nobody", "person", "author", "admin"]) {
  test(`every page of ${who}`, async ({ page, site, browser }) => {
    const name = fresh("author");
    const author = await (await browser.newContext({ baseURL: site.url })).newPage();
    await site.enter(author, name);
    const long = `Unbrokenlylong${"wordiness".repeat(24)}`;
    const content = `# Heading\n\n${long}\n\n> quote\n\n| a | b |\n|---|---|\n| ${"1 ".repeat(60)} | 2 |\n\n\`\`\`\n${"code ".repeat(60)}\n\`\`\`\n\n[link](https://example.com) and \`code\``;
    const post = await site.post(author, long, content);
    if (who === "admin") {
      const root = fresh("root");
      site.run(["user", "add", root, "--admin"], PASSWORD);
      await site.logIn(page, root);
    } else if (who === "person") {
      await site.enter(page, fresh("reader"));
    } else if (who === "author") {
      await site.logIn(page, name);
    }
    const console = new Console(page);
    for (const [path, status] of paths(post, name)[who]) {
      const response = await open(page, console, path, status);
      await validate(await response.text(), `${path} for ${who}`);
      await inspect(page, `${path} for ${who}`);
    }
    expect(console.heard()).toEqual([]);
  });
}

test("forms that came back", async ({ page, site }) => {
  const console = new Console(page);
  for (const [path, button] of [["/register", "Register"], ["/login", "Log in"], ["/password-reset", "Send the link"]]) {
    await open(page, console, path, 200);
    const answer = await send(page, console, button, 422);
    await validate(await answer.text(), `${path} refused`);
    await expect(page.getByRole("alert")).toBeVisible();
    await inspect(page, `${path} refused`);
  }
  await site.enter(page, fresh("writer"));
  await page.goto("/posts/new");
  await page.getByLabel("Content").fill("**Some** words");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview strong")).toBeVisible();
  const answer = await send(page, console, "Publish", 422);
  await validate(await answer.text(), "/posts refused");
  await expect(page.getByRole("alert")).toContainText("Give the post a title.");
  await inspect(page, "/posts refused");
  expect(console.heard()).toEqual([]);
});

test("lists in their middle, with pages on both sides", async ({ page, site, browser }) => {
  const name = fresh("author");
  site.run(["user", "add", name, "--admin"], PASSWORD);
  await site.logIn(page, name);
  const posts: string[] = [];
  for (const title of ["First", "Second", "Third"]) posts.push(await site.post(page, `${title} of ${name}`, "Words."));
  for (let i = 0; i < 3; i += 1) {
    const voter = await (await browser.newContext({ baseURL: site.url })).newPage();
    await site.enter(voter, fresh("voter"));
    for (const post of posts) await site.vote(voter, post);
    await voter.context().close();
  }
  const console = new Console(page);
  for (const list of [
    "/?", "/?sort=top&", `/?author=${name}&`, `/users/${name}?`, "/dashboard?", `${posts[0]}/votes?`,
    "/admin/posts?", `/admin/posts?q=${name}&`, "/admin/users?", "/admin/users?q=voter&",
  ]) {
    await open(page, console, `${list}limit=1`, 200);
    const older = await page.getByRole("link", { name: "Older" }).getAttribute("href");
    const where = `${list.split("?")[0]}${older}&limit=1`;
    const response = await open(page, console, where, 200);
    await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link")).toHaveText(["← Newer", "Older →"]);
    await validate(await response.text(), where);
    await inspect(page, where);
  }
  expect(console.heard()).toEqual([]);
});

test("a page of votes", async ({ page, site, browser }) => {
  const author = await (await browser.newContext({ baseURL: site.url })).newPage();
  await site.enter(author, fresh("author"));
  const post = await site.post(author, `Unbrokenlylong${"wordiness".repeat(24)}`, "Words.");
  const names = [fresh("v".repeat(36)), fresh("voter")];
  for (const name of names) {
    await site.enter(page, name);
    await site.vote(page, post);
  }
  const console = new Console(page);
  const response = await open(page, console, `${post}/votes`, 200);
  await expect(page.getByRole("main").getByRole("listitem").getByRole("link")).toHaveText(names.toReversed());
  await validate(await response.text(), "votes");
  await inspect(page, "votes");
  // The button of somebody who has voted, in a list and at the post.
  for (const path of ["/", post]) {
    const voted = await open(page, console, path, 200);
    await expect(page.getByRole("button", { name: /^Voted\. Withdraw your vote for/ })).toBeVisible();
    await validate(await voted.text(), `${path} voted`);
    await inspect(page, `${path} voted`);
  }
  expect(console.heard()).toEqual([]);
});

test("confirmations that are open", async ({ page, site }) => {
  const name = fresh("w".repeat(36));
  site.run(["user", "add", name, "--admin"], PASSWORD);
  await site.logIn(page, name);
  const post = await site.post(page, `Unbrokenlylong${"wordiness".repeat(24)}`, "Words.");
  const console = new Console(page);
  for (const [path, button] of [
    [post, "Delete this post"], [`/admin/posts?q=${name}`, "Delete this post"], [`/admin/users?q=${name}`, "Delete this account"],
  ]) {
    await open(page, console, path, 200);
    await page.getByText("Delete…").click();
    await expect(page.getByRole("button", { name: button })).toBeVisible();
    await inspect(page, `${path} with its confirmation`);
    await expect(page.getByRole("button", { name: button })).toBeVisible();
  }
  expect(console.heard()).toEqual([]);
});

test("edits that came back", async ({ page, site }) => {
  await site.enter(page, fresh("editor"));
  const post = await site.post(page, "Shared", "First words.");
  const console = new Console(page);
  await open(page, console, `${post}/edit`, 200);
  await page.getByLabel("Title").fill("");
  await page.getByLabel("Content").fill("");
  const refused = await send(page, console, "Save", 422);
  await expect(page.getByRole("alert").getByRole("listitem")).toHaveCount(2);
  await expect(page.getByLabel("Content")).toHaveAccessibleDescription(/Markdown.*\S/);
  await validate(await refused.text(), "an edit refused");
  await inspect(page, "an edit refused");

  await open(page, console, `${post}/edit`, 200);
  const changed = await page.request.post(`${site.url}${post}`, {
    form: { _method: "put", title: "Shared", content: "Words of another tab." },
    headers: { Origin: site.url },
    maxRedirects: 0,
  });
  expect(changed.status()).toBe(303);
  await page.getByLabel("Content").fill("Words of this tab.");
  const stale = await send(page, console, "Save", 409);
  await expect(page.getByRole("alert")).toContainText("changed since you opened it");
  await validate(await stale.text(), "a stale edit");
  await inspect(page, "a stale edit");
  expect(console.heard()).toEqual([]);
});

test("a preview after the session has ended loses nothing", async ({ page, site, context }) => {
  await site.enter(page, fresh("late"));
  await page.goto("/posts/new");
  await page.getByLabel("Content").fill("Hours of work");
  await context.clearCookies();
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview")).toContainText("You are logged out.");
  await expect(page.getByLabel("Content")).toHaveValue("Hours of work");
});

test("a password can be looked at", async ({ page }) => {
  await page.goto("/login");
  const password = page.getByLabel("Password", { exact: true });
  await password.fill("visible words");
  await page.getByRole("button", { name: "Show password" }).click();
  await expect(password).toHaveAttribute("type", "text");
  await page.getByRole("button", { name: "Hide password" }).click();
  await expect(password).toHaveAttribute("type", "password");
});

test("the API documents are drawn", async ({ page }) => {
  const console = new Console(page);
  for (const [path, operation] of [["/docs", "/auth/login"], ["/redoc", "Publish a post"]]) {
    const response = await page.goto(path);
    await validate((await response?.text()) ?? "", path);
    await expect(page.getByText(operation).filter({ visible: true }).first()).toBeVisible();
    // The markup inside is Swagger UI's and ReDoc's own; only the frame around it is ours.
    const found = await new AxeBuilder({ page }).exclude("#docs").analyze();
    expect(found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`), path).toEqual([]);
  }
  expect(console.heard()).toEqual([]);
});

test("Swagger UI calls the API with the token that Authorize fetched", async ({ page, site, context }) => {
  const name = fresh("program");
  await site.enter(page, name);
  // The token alone is to let the call through.
  await context.clearCookies();
  const console = new Console(page);
  await open(page, console, "/docs", 200);
  await page.getByRole("button", { name: "Authorize" }).click();
  const dialog = page.locator(".modal-ux");
  await dialog.getByLabel("username:").fill(name);
  await dialog.getByLabel("password:").fill(PASSWORD);
  const granted = page.waitForResponse(`${site.url}/api/v1/auth/token`);
  await dialog.getByRole("button", { name: "Apply given OAuth2 credentials" }).click();
  const { access_token } = await (await granted).json();
  expect(access_token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  await expect(dialog.getByRole("button", { name: "Remove authorization" })).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();

  const operation = page.locator(".opblock").filter({ has: page.locator("[data-path='/me']") });
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  const answer = page.waitForResponse(`${site.url}/api/v1/me`);
  await operation.getByRole("button", { name: "Execute" }).click();
  const me = await answer;
  const sent = await me.request().allHeaders();
  expect(sent.authorization).toBe(`Bearer ${access_token}`);
  expect(sent.cookie).toBeUndefined();
  expect(me.status()).toBe(200);
  expect((await me.json()).username).toBe(name);
  await expect(operation.locator(".live-responses-table .response-col_status").last()).toHaveText("200");
  expect(console.heard()).toEqual([]);
});
