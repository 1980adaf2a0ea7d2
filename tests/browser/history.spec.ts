// The history of a post, and two tabs that edit it. It runs with JavaScript and without.
import type { Browser, Page, TestInfo } from "@playwright/test";
import { inspect, validate } from "./support/inspect.ts";
import { Console, expect, type Site, submit, test, unique } from "./support/site.ts";

const TEXT = "The sea comes twice a day.\n\nNobody knows why.\n\nThe end.";

/** Opens the form for an edit and changes the text. */
async function change(page: Page, post: string, from: string, to: string): Promise<void> {
  await page.goto(`${post}/edit`);
  const field = page.getByLabel("Text");
  await field.fill((await field.inputValue()).replace(from, to));
}

test("an author looks back, compares and restores", async ({ page, site }) => {
  const ann = unique("ann");
  await site.register(page, ann);
  const post = await site.post(page, "Tides", TEXT, "sea");
  for (const [from, to] of [["twice a day", "at noon"], ["Nobody knows", "Everybody knows"]]) {
    await change(page, post, from, to);
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Changes saved.").first()).toBeVisible();
  }
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("link", { name: /^Version \d/ })).toHaveText(["Version 3", "Version 2", "Version 1"]);
  await page.getByRole("link", { name: "Changes in version 2" }).click();
  await expect(page.locator("del")).toHaveText(["twice a day"]);
  await expect(page.locator("ins")).toHaveText(["at noon"]);
  await page.getByLabel("Compare with version").fill("3");
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.locator("del")).toHaveText(["Everybody"]);
  await page.getByRole("link", { name: "All versions" }).click();
  await page.getByRole("link", { name: "Version 1", exact: true }).click();
  await expect(page.getByRole("main")).toContainText("The sea comes twice a day.");
  await page.getByRole("button", { name: "Restore version 1" }).click();
  await expect(page.getByText("The earlier version is saved again.").first()).toBeVisible();
  await expect(page.getByRole("article").first()).toContainText("The sea comes twice a day.");
  await page.getByRole("link", { name: "History" }).click();
  await expect(page.getByRole("link", { name: /^Version \d/ })).toHaveCount(4);
});

/** The same person in another browser, which knows nothing of unsaved texts in this one. */
async function elsewhere(browser: Browser, site: Site, name: string, info: TestInfo): Promise<Page> {
  const { javaScriptEnabled } = info.project.use;
  const other = await (await browser.newContext({ baseURL: site.url, javaScriptEnabled })).newPage();
  await site.logIn(other, name);
  return other;
}

test("two windows edit a post, and both changes are saved", async ({ page, site, browser }, info) => {
  const ann = unique("ann");
  await site.register(page, ann);
  const post = await site.post(page, "Tides", TEXT);
  const other = await elsewhere(browser, site, ann, info);
  await change(page, post, "The end.", "The beginning.");
  await change(other, post, "twice a day", "at noon");
  await other.getByRole("button", { name: "Save" }).click();
  await expect(other.getByText("Changes saved.").first()).toBeVisible();
  const console = new Console(page);
  const response = await submit(page, console, "Save", 409);
  await validate(await response.text(), "the merge page");
  // What inspects a page is a script.
  if (info.project.use.javaScriptEnabled !== false) await inspect(page, "the merge page");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is a newer version");
  await expect(page.getByLabel("Text", { exact: true })).toHaveValue(TEXT.replace("twice a day", "at noon").replace("The end.", "The beginning."));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("article").first()).toContainText("The sea comes at noon.");
  await expect(page.getByRole("article").first()).toContainText("The beginning.");
  // Both change the same words: nothing is thrown away.
  await change(page, post, "at noon", "at night");
  await change(other, post, "at noon", "at dawn");
  await other.getByRole("button", { name: "Save" }).click();
  await expect(other.getByText("Changes saved.").first()).toBeVisible();
  await submit(page, console, "Save", 409);
  await expect(page.getByRole("main")).toContainText("1 place needs a decision");
  const text = page.getByLabel("Text", { exact: true });
  await expect(text).toHaveValue(/at night[^]*=======[^]*at dawn/);
  // Sent undecided, it comes back.
  const refused = await submit(page, console, "Save", 422);
  await validate(await refused.text(), "the merge page, sent with marks");
  if (info.project.use.javaScriptEnabled !== false) await inspect(page, "the merge page, sent with marks");
  await expect(page.getByRole("alert")).toContainText("One place still needs a decision");
  await expect(text).toHaveValue(/at night[^]*=======[^]*at dawn/);
  await expect(page.getByRole("checkbox", { name: /^Save the text with these lines/ })).not.toBeChecked();
  await text.fill("The sea comes at night.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".prose").first()).toHaveText("The sea comes at night.");
});

test("a comment has a history as well, and can be about marks", async ({ page, site, browser }, info) => {
  const ann = unique("ann");
  await site.register(page, ann);
  const post = await site.post(page, "Tides", TEXT);
  const comment = await site.comment(page, post, "Twice a day.");
  await site.edit(page, comment, { content: "Once a day." });
  await page.goto(comment);
  await page.getByRole("link", { name: "edited" }).click();
  await page.getByRole("link", { name: "Version 1", exact: true }).click();
  await page.getByRole("button", { name: "Restore version 1" }).click();
  await expect(page.getByText("The earlier version is saved again.").first()).toBeVisible();
  await expect(page.locator(".prose")).toHaveText("Twice a day.");

  const other = await elsewhere(browser, site, ann, info);
  await page.goto(`${comment}/edit`);
  await page.getByLabel("Text").fill("Thrice a day.");
  await site.edit(other, comment, { content: "Never a day." });
  const console = new Console(page);
  await submit(page, console, "Save", 409);
  const refused = await submit(page, console, "Save", 422);
  await validate(await refused.text(), "the merge page of a comment");
  if (info.project.use.javaScriptEnabled !== false) await inspect(page, "the merge page of a comment");
  await page.getByRole("checkbox", { name: /^Save the text with these lines/ }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".prose")).toContainText("Your text");
});

test("a form that is sent again from an older page asks nothing", async ({ page, site, browser }, info) => {
  const ann = unique("ann");
  await site.register(page, ann);
  const post = await site.post(page, "Tides", TEXT);
  const other = await elsewhere(browser, site, ann, info);
  for (const tab of [page, other]) await change(tab, post, "The end.", "The beginning.");
  for (const tab of [page, other]) {
    await tab.getByRole("button", { name: "Save" }).click();
    await expect(tab.getByText("Changes saved.").first()).toBeVisible();
  }
});
