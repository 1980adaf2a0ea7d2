// A person's whole journey; it runs with scripts, without them, and on PostgreSQL.
import { expect, fresh, PASSWORD, test } from "./support/site.ts";

test("register, write, edit, be voted for, delete, log out and in", async ({ page, site, browser }, info) => {
  const ann = fresh("ann");
  await page.goto("/");
  await page.getByRole("link", { name: "Register", exact: true }).first().click();
  await page.getByLabel("Username").fill(ann);
  await page.getByLabel("E-mail").fill(`${ann}@mail.example`);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/Your account is ready/);

  await page.getByRole("link", { name: "Write", exact: true }).click();
  await page.getByLabel("Title").fill("On tides");
  await page.getByLabel("Content").fill("The sea comes *twice* a day.");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview em")).toHaveText("twice");
  await expect(page.getByLabel("Title")).toHaveValue("On tides");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("On tides");
  await expect(page.getByRole("status").first()).toHaveText(/published/);
  await expect(page.locator(".prose em")).toHaveText("twice");
  const post = page.url();

  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Title").fill("On tides, again");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview em")).toHaveText("twice");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(post);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("On tides, again");
  await expect(page.getByText(/^edited/)).toBeVisible();

  const scripts = info.project.use.javaScriptEnabled;
  const other = await browser.newContext({ baseURL: site.url, javaScriptEnabled: scripts });
  const bobs = await other.newPage();
  const bob = fresh("bob");
  await site.enter(bobs, bob);
  await bobs.goto(post);
  await expect(bobs.getByRole("link", { name: "Edit" })).toHaveCount(0);
  await bobs.getByRole("button", { name: /^Vote for/ }).click();
  await expect(bobs.getByRole("link", { name: "1 vote" })).toBeVisible();
  await bobs.getByRole("link", { name: "1 vote" }).click();
  await expect(bobs.getByRole("listitem").filter({ hasText: bob }).last()).toBeVisible();
  await bobs.goto("/?sort=top");
  await bobs.getByRole("button", { name: /Withdraw your vote for “On tides, again”/ }).first().click();
  await expect(bobs).toHaveURL(/sort=top#post-/);
  await expect(bobs.getByRole("button", { name: /^Vote for “On tides, again”/ }).first()).toBeVisible();
  expect((await bobs.goto(`${post}/edit`))?.status()).toBe(403);
  await expect(bobs.getByRole("heading", { level: 1 })).toHaveText("Forbidden");
  await other.close();

  await page.goto(post);
  await page.getByText("Delete…").click();
  await page.getByRole("button", { name: "Delete this post" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/deleted/);
  expect((await page.goto(post))?.status()).toBe(404);

  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/logged out/);
  await page.goto("/dashboard");
  await expect(page).toHaveURL(/\/login\?next=%2Fdashboard/);
  await page.getByLabel("Username or e-mail").fill(`${ann}@mail.example`);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Welcome ${ann}, this is your dashboard`);
});

test("the feed has pages", async ({ page, site }) => {
  const ann = fresh("pager");
  await site.enter(page, ann);
  for (let i = 1; i <= 22; i += 1) await site.post(page, `Entry ${i}`, "Words.");
  await page.goto(`/users/${ann}`);
  await expect(page.getByRole("article")).toHaveCount(20);
  await page.getByRole("link", { name: "Older" }).click();
  await expect(page.getByRole("article")).toHaveCount(2);
  await expect(page.getByRole("heading", { name: "Entry 1", exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Newer" }).click();
  await expect(page.getByRole("heading", { name: "Entry 22" })).toBeVisible();
});

test("what was typed comes back with complaints beside the fields", async ({ page, site }) => {
  const ann = fresh("form");
  await page.goto("/register");
  await page.getByLabel("Username").fill("a b");
  await page.getByLabel("E-mail").fill("nowhere");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("alert")).toContainText("That did not work yet");
  await expect(page.getByLabel("Username")).toHaveValue("a b");
  await expect(page.getByLabel("Username")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Username")).toHaveAccessibleDescription(/2 to 40 letters.*Use 2 to 40/);
  await expect(page.getByLabel("E-mail")).toHaveAccessibleDescription(/not an e-mail address/);
  await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
  await page.getByRole("alert").getByRole("link", { name: /not an e-mail/ }).click();
  await expect(page.getByLabel("E-mail")).toBeFocused();

  await site.enter(page, ann);
  await page.goto("/login");
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByLabel("Password", { exact: true }).fill("not the right words");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText("The name or the password is wrong");
  await expect(page.getByLabel("Username or e-mail")).toHaveValue(ann);
});

test("of two tabs the second learns that the post has changed, and keeps its text", async ({ page, site, context }) => {
  await site.enter(page, fresh("tabs"));
  const post = await site.post(page, "Shared", "First words.");
  const second = await context.newPage();
  await page.goto(`${post}/edit`);
  await second.goto(`${post}/edit`);
  await page.getByLabel("Content").fill("From the first tab.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".prose")).toHaveText(/first tab/);
  await second.getByLabel("Content").fill("From the second tab.");
  await second.getByRole("button", { name: "Save" }).click();
  await expect(second.getByRole("alert")).toContainText("changed since you opened it");
  await expect(second.getByLabel("Content")).toHaveValue("From the second tab.");
  await second.getByRole("button", { name: "Save" }).click();
  await expect(second.locator(".prose")).toHaveText(/second tab/);
});
