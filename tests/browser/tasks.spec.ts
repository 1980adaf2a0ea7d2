// What the common tasks cost: clicks, pressed keys and page loads, from the front page on, which counts
// as the first load. The table in docs/design.md has the same figures.
import type { Locator, Page } from "@playwright/test";
import { expect, PASSWORD, test, unique } from "./support/site.ts";

/** Somebody at the front page, whose steps are counted. */
class Visitor {
  private clicks = 0;
  private keys = 0;
  private loads = 0;

  constructor(readonly page: Page) {
    page.on("load", () => (this.loads += 1));
  }

  async click(target: Locator): Promise<void> {
    this.clicks += 1;
    await target.click();
  }

  link(name: string | RegExp): Promise<void> {
    return this.click(this.page.getByRole("link", { name, exact: true }).first());
  }

  button(name: string | RegExp): Promise<void> {
    return this.click(this.page.getByRole("button", { name, exact: true }).first());
  }

  /** Clicks into a field and types. */
  async type(label: string | RegExp, text: string): Promise<void> {
    await this.click(this.page.getByLabel(label, { exact: true }));
    this.keys += text.length;
    await this.page.keyboard.type(text);
  }

  async press(key: string): Promise<void> {
    this.keys += 1;
    await this.page.keyboard.press(key);
  }

  async expectCost(clicks: number, keys: number, loads: number): Promise<void> {
    await this.page.waitForLoadState("load");
    const { clicks: c, keys: k, loads: l } = this;
    expect({ clicks: c, keys: k, loads: l }).toEqual({ clicks, keys, loads });
  }
}

test("register and publish a first post", async ({ page }) => {
  const ann = new Visitor(page);
  const name = unique("ann").padEnd(8, "x");
  await page.goto("/");
  await ann.link("Register");
  await ann.type("Username", name);
  await ann.type(/^E-mail/, "a@b.cd");
  await ann.type("Password", "violet otter");
  await ann.button("Register");
  await expect(page.getByRole("button", { name: "Log out" })).toBeVisible();
  await ann.link("Write");
  await ann.type("Title", "Tides");
  await ann.type("Text", "Two.");
  await ann.button("Publish");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Tides");
  await ann.expectCost(9, 35, 5);
});

test("edit, find and delete a post of one's own", async ({ page, site }) => {
  await site.register(page, unique("ann"));
  for (let n = 0; n < 25; n++) await site.post(page, n === 0 ? "Oldest of all" : `Entry ${n}`, "Words.");

  const editor = new Visitor(page);
  await page.goto("/");
  await editor.link("Dashboard");
  await editor.link("Edit “Entry 24”");
  await editor.type("Text", "!");
  await editor.button("Save");
  await expect(page.getByText("Changes saved.").first()).toBeVisible();
  await editor.expectCost(4, 1, 4);

  const finder = new Visitor(page);
  await page.goto("/");
  await finder.link("Dashboard");
  await finder.type("Title", "oldest");
  await finder.press("Enter");
  await expect(page.getByRole("row")).toHaveCount(2);
  await finder.link("Oldest of all");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Oldest of all");
  await finder.expectCost(3, 7, 4);

  const deleter = new Visitor(page);
  await page.goto("/");
  await deleter.link("Dashboard");
  await deleter.click(page.getByLabel("Delete “Entry 24”"));
  await deleter.click(page.getByRole("button", { name: "Delete this post" }).and(page.locator(":visible")));
  await expect(page.getByRole("link", { name: "Entry 24", exact: true })).toHaveCount(0);
  await expect(page).toHaveURL(/\/dashboard$/);
  await deleter.expectCost(3, 0, 3);
});

test("see who voted", async ({ page, site, browser }) => {
  const writer = await (await browser.newContext({ baseURL: site.url })).newPage();
  await site.register(writer, unique("writer"));
  const post = await site.post(writer, "Voted for", "Words.");
  await site.register(page, unique("reader"));
  await site.vote(page, post);
  await page.goto("/");
  const reader = new Visitor(page);
  await page.reload();
  await reader.click(page.getByRole("article").filter({ hasText: "Voted for" }).getByRole("link", { name: "1 vote" }));
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await reader.expectCost(1, 0, 2);
  await writer.context().close();
});

test("change the password, end another session, create a token", async ({ page, site, browser }) => {
  const name = unique("ann");
  await site.register(page, name);
  const other = await (await browser.newContext({ baseURL: site.url })).newPage();
  await site.logIn(other, name);

  const ender = new Visitor(page);
  await page.goto("/");
  await ender.link(name);
  await ender.link("Sessions");
  await ender.button(/^Log out: /);
  await expect(page.getByRole("row")).toHaveCount(2);
  await ender.expectCost(3, 0, 4);
  await other.context().close();

  const maker = new Visitor(page);
  await page.goto("/");
  await maker.link(name);
  await maker.link("Tokens");
  await maker.type("Name", "backup");
  await maker.click(page.getByLabel("Read posts"));
  await maker.button("Create token");
  await expect(page.getByLabel("Token “backup”")).toHaveValue(/^pst_/);
  await maker.expectCost(5, 6, 4);

  const changer = new Visitor(page);
  await page.goto("/");
  await changer.link(name);
  await changer.link("Change password");
  await changer.type("Current password", PASSWORD);
  await changer.type("New password", PASSWORD.toUpperCase());
  await changer.button("Change password");
  await expect(page.getByRole("status").first()).toContainText("Password changed.");
  await changer.expectCost(5, 2 * PASSWORD.length, 4);
});

test("delete an account with everything", async ({ page, site, browser }) => {
  const [root, spammer] = [unique("root"), "spam12"];
  const theirs = await (await browser.newContext({ baseURL: site.url })).newPage();
  await site.register(theirs, spammer);
  await theirs.context().close();
  site.run(["user", "add", root, "--admin"], PASSWORD);
  await site.logIn(page, root);
  const admin = new Visitor(page);
  await page.goto("/");
  await admin.link("Admin");
  await admin.click(page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: "People" }));
  await admin.type("Username or e-mail", spammer);
  await admin.press("Enter");
  await admin.click(page.getByLabel(`Actions for ${spammer}`));
  await admin.link("Delete…");
  await admin.button(`Delete ${spammer}`);
  await expect(page.getByText(`No one matches “${spammer}”.`)).toBeVisible();
  await admin.expectCost(6, 7, 6);
});
