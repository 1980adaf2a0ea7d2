// A user's whole journey. It runs with JavaScript, without JavaScript, and on PostgreSQL.
import { expect, PASSWORD, test, unique } from "./support/site.ts";

test("register, write, edit, receive a vote, delete, log out, log in", async ({ page, site, browser }, info) => {
  const ann = unique("ann");
  await page.goto("/");
  await page.getByRole("link", { name: "Register", exact: true }).first().click();
  await page.getByLabel("Username").fill(ann);
  await page.getByLabel("E-mail").fill(`${ann}@mail.example`);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/Your account is ready/);

  await page.getByRole("link", { name: "Write", exact: true }).click();
  await page.getByLabel("Title").fill("On tides");
  await page.getByLabel("Text").fill("The sea comes *twice* a day.");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview em")).toHaveText("twice");
  await expect(page.getByLabel("Title")).toHaveValue("On tides");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("On tides");
  await expect(page.getByRole("status").first()).toHaveText(/published/);
  await expect(page.locator(".post .prose em")).toHaveText("twice");
  const address = page.url();
  const post = address.replace("/on-tides", "");

  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Title").fill("On tides, again");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview em")).toHaveText("twice");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(`${address}-again`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("On tides, again");
  await expect(page.getByText(/^edited/)).toBeVisible();

  const javaScriptEnabled = info.project.use.javaScriptEnabled;
  const bobContext = await browser.newContext({ baseURL: site.url, javaScriptEnabled });
  const bobPage = await bobContext.newPage();
  const bob = unique("bob");
  await site.register(bobPage, bob);
  await bobPage.goto(post);
  await expect(bobPage.getByRole("link", { name: "Edit" })).toHaveCount(0);
  await bobPage.getByRole("button", { name: /^Vote for/ }).click();
  await expect(bobPage.getByRole("link", { name: "1 vote" })).toBeVisible();
  await bobPage.getByRole("link", { name: "1 vote" }).click();
  await expect(bobPage.getByRole("listitem").filter({ hasText: bob }).last()).toBeVisible();
  await bobPage.goto("/?sort=top");
  await bobPage.getByRole("button", { name: /Withdraw your vote for “On tides, again”/ }).first().click();
  // With scripts, one stays where one is; without, the page opens at the post.
  await expect(bobPage).toHaveURL(javaScriptEnabled === false ? /sort=top#post-/ : /sort=top$/);
  await expect(bobPage.getByRole("button", { name: /^Vote for “On tides, again”/ }).first()).toBeVisible();
  expect((await bobPage.goto(`${post}/edit`))?.status()).toBe(403);
  await expect(bobPage.locator(".error-page h1")).toBeVisible();
  await bobContext.close();

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
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your posts");
  await expect(page.getByText(`Welcome ${ann}, this is your dashboard`)).toBeVisible();
});

test("a list of posts has pages", async ({ page, site }) => {
  const ann = unique("pager");
  await site.register(page, ann);
  for (let i = 1; i <= 22; i += 1) await site.post(page, `Entry ${i}`, "Words.");
  await page.goto(`/users/${ann}`);
  await expect(page.getByRole("article")).toHaveCount(20);
  await page.getByRole("link", { name: "Older" }).click();
  await expect(page.getByRole("article")).toHaveCount(2);
  await expect(page.getByRole("heading", { name: "Entry 1", exact: true })).toBeVisible();
  await page.getByRole("link", { name: "Newer" }).click();
  await expect(page.getByRole("heading", { name: "Entry 22" })).toBeVisible();
});

test("a form comes back with what was typed and an error beside each field", async ({ page, site }) => {
  const ann = unique("form");
  await page.goto("/register");
  await page.getByLabel("Username").fill("a b");
  await page.getByLabel("E-mail").fill("nowhere");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("alert")).toContainText("Please check these fields");
  await expect(page.getByLabel("Username")).toHaveValue("a b");
  await expect(page.getByLabel("Username")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Username")).toHaveAccessibleDescription(/2 to 40 letters.*Use 2/);
  await expect(page.getByLabel("E-mail")).toHaveAccessibleDescription(/e-mail address/);
  await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
  await page.getByRole("alert").getByRole("link", { name: /e-mail address/ }).click();
  await expect(page.getByLabel("E-mail")).toBeFocused();

  await site.register(page, ann);
  await page.context().clearCookies();
  await page.goto("/login");
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByLabel("Password", { exact: true }).fill("not the right words");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText(/wrong/i);
  await expect(page.getByLabel("Username or e-mail")).toHaveValue(ann);
});

test("an edit in a second tab is told that the post has changed, and keeps its text", async ({ page, site, context }) => {
  await site.register(page, unique("tabs"));
  const post = await site.post(page, "Shared", "First words.");
  const second = await context.newPage();
  await page.goto(`${post}/edit`);
  await second.goto(`${post}/edit`);
  await page.getByLabel("Text").fill("From the first tab.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".post .prose")).toHaveText(/first tab/);
  await second.getByLabel("Text").fill("From the second tab.");
  await second.getByRole("button", { name: "Save" }).click();
  await expect(second.getByRole("heading", { level: 1 })).toHaveText("There is a newer version");
  const text = second.getByLabel("Text", { exact: true });
  await expect(text).toHaveValue(/From the second tab\.[^]*From the first tab\./);
  await text.fill("From the second tab.");
  await second.getByRole("button", { name: "Save" }).click();
  await expect(second.locator(".post .prose")).toHaveText(/second tab/);
});
