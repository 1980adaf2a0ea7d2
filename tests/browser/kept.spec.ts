// Nothing that was typed is lost. It runs with JavaScript and without.
import type { Page } from "@playwright/test";
import { expect, PASSWORD, test, unique } from "./support/site.ts";

async function write(page: Page, title: string, text: string): Promise<void> {
  await page.goto("/posts/new");
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Text").fill(text);
}

/** Ends the session as if it had expired while the page was open. */
async function endSession(page: Page): Promise<void> {
  await page.context().clearCookies({ name: "postly" });
}

test("a post that is sent after the session has ended is in the form after logging in", async ({ page, site }) => {
  const ann = unique("late");
  await site.register(page, ann);
  await write(page, "Late tides", "Two lines\n\nof “text” <b>.");
  await endSession(page);
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText("What you typed is kept")).toBeVisible();
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByLabel("Password", { exact: true }).fill("not the right words");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("alert")).toContainText(/wrong/i);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("status").first()).toContainText("Nothing has been sent yet");
  await expect(page.getByLabel("Title")).toHaveValue("Late tides");
  await expect(page.getByLabel("Text")).toHaveValue("Two lines\n\nof “text” <b>.");
  await expect(page.getByText("Restored from this browser")).toHaveCount(0);
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Late tides");
});

test("settings that are sent after the session has ended are in the form after logging in", async ({ page, site }) => {
  const root = unique("root");
  site.run(["user", "add", root, "--admin"], PASSWORD);
  await site.logIn(page, root);
  await page.goto("/admin/settings");
  await page.getByLabel("Rules").fill("## Be kind\n\nAnd *honest*.");
  await page.getByRole("radio", { name: "No one for now" }).check();
  await endSession(page);
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("What you typed is kept")).toBeVisible();
  await page.getByLabel("Username or e-mail").fill(root);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("status").first()).toContainText("Nothing has been sent yet");
  await expect(page.getByLabel("Rules")).toHaveValue("## Be kind\n\nAnd *honest*.");
  await expect(page.getByRole("radio", { name: "No one for now" })).toBeChecked();
});

test("a registration that is refused keeps all but the password", async ({ page, site }) => {
  await page.goto(`${site.url}/register`);
  await page.getByLabel("Username").fill("a b");
  await page.getByLabel(/E-mail/).fill("ann@mail.example");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Register" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page.getByLabel("Username")).toHaveValue("a b");
  await expect(page.getByLabel(/E-mail/)).toHaveValue("ann@mail.example");
  await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");
});

test("Enter in the title publishes nothing and loses nothing", async ({ page, site }) => {
  const ann = unique("enter");
  await site.register(page, ann);
  await write(page, "Half a title", "Half a text.");
  await page.getByLabel("Title").press("Enter");
  await expect(page.getByLabel("Text")).toHaveValue("Half a text.");
  await expect(page.getByLabel("Title")).toHaveValue("Half a title");
  await page.goto(`/users/${ann}`);
  await expect(page.getByRole("article")).toHaveCount(0);

  const post = await site.post(page, "As it was", "Words.");
  await page.goto(`${post}/edit`);
  await page.getByLabel("Title").fill("Changed");
  await page.getByLabel("Title").press("Enter");
  await expect(page.getByLabel("Title")).toHaveValue("Changed");
  await page.goto(post);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("As it was");
});

test("the address of a refused form can be loaded again", async ({ page, site }) => {
  await site.register(page, unique("reload"));
  await page.goto("/posts/new");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page).toHaveTitle(/^Error: /);
  await expect(page).toHaveURL(/\/posts$/);
  await page.goto("/posts");
  await expect(page).toHaveURL(/\/$/);
  await page.goto("/posts/preview");
  await expect(page).toHaveURL(/\/posts\/new$/);
});

test("reloading the page of a new token creates no second one", async ({ page, site }) => {
  await site.register(page, unique("token"));
  await page.goto("/me/tokens");
  await page.getByLabel("Name", { exact: true }).fill("backup script");
  await page.getByLabel("See your account").check();
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByLabel("Token “backup script”")).toHaveValue(/^pst_/);
  await page.reload();
  await expect(page).toHaveURL(/\/me\/tokens$/);
  await expect(page.getByRole("cell", { name: "backup script", exact: true })).toHaveCount(1);
});

test("a double click publishes once", async ({ page, site }) => {
  const ann = unique("double");
  await site.register(page, ann);
  await write(page, "Only once", "Words.");
  await page.getByRole("button", { name: "Publish" }).dblclick();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Only once");
  await page.goto(`/users/${ann}`);
  await expect(page.getByRole("article")).toHaveCount(1);
});

test("a vote leaves its reader where they are, and says so", async ({ page, site, browser }, info) => {
  const writer = await (await browser.newContext({ baseURL: site.url })).newPage();
  const ann = unique("writer");
  await site.register(writer, ann);
  for (let i = 0; i < 8; i += 1) await site.post(writer, `Entry ${i}`, "Words.\n\n".repeat(30));
  await writer.context().close();
  await site.register(page, unique("voter"));
  await page.goto(`/users/${ann}`);
  const button = page.getByRole("button", { name: /“Entry 2”/ });
  await button.scrollIntoViewIfNeeded();
  const before = (await button.boundingBox())?.y;
  await button.click();
  await expect(page.getByRole("button", { name: "Voted. Withdraw your vote for “Entry 2”" })).toBeVisible();
  await expect(page.getByText("Your vote was counted.").first()).toBeInViewport();
  await expect(page.getByRole("article").filter({ hasText: "Entry 2" }).getByText("1 vote", { exact: true })).toBeInViewport();
  if (info.project.use.javaScriptEnabled !== false) {
    await expect(button).toBeFocused();
    expect(Math.abs(((await button.boundingBox())?.y ?? 0) - (before ?? 0))).toBeLessThan(2);
  }
});

test("a preview is in sight", async ({ page, site }) => {
  await page.setViewportSize({ width: 768, height: 900 });
  await site.register(page, unique("preview"));
  await write(page, "Sea", "The sea comes *twice*.");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview em")).toBeInViewport();
  await expect(page.getByLabel("Text")).toHaveValue("The sea comes *twice*.");
});

test("whoever is logged in is not asked to log in or to register", async ({ page, site }) => {
  await site.register(page, unique("in"));
  await page.goto("/login?next=/dashboard");
  await expect(page).toHaveURL(/\/dashboard$/);
  await page.goto("/register");
  await expect(page).toHaveURL(/\/$/);
});
