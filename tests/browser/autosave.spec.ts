// While somebody writes: the scripts save a draft on the server, and know a few keys.
import type { Page } from "@playwright/test";
import { expect, test, unique } from "./support/site.ts";

const saved = (page: Page) => page.getByText(/^Saved as a draft at \d\d:\d\d$/);

test("a new text is a draft on the server before it is sent", async ({ page, site, context }) => {
  await site.register(page, unique("typing"));
  const title = unique("Thought");
  await page.goto("/posts/new");
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Text").fill("Half a thought");
  await expect(saved(page)).toBeVisible();
  await expect(page).toHaveURL(/\/posts\/\d+\/edit$/);
  await page.getByLabel("Text").fill("Half a thought, and more");
  const answer = await page.waitForResponse((one) => /\/posts\/\d+\/draft$/.test(one.url()) && one.request().method() === "GET");
  expect(answer.status()).toBe(200);
  await page.close();

  const other = await context.newPage();
  await other.goto("/");
  await expect(other.getByText(title)).toHaveCount(0);
  await other.goto("/drafts");
  await other.getByRole("link", { name: `Edit “${title}”` }).click();
  await expect(other.getByLabel("Text")).toHaveValue("Half a thought, and more");
  await other.getByRole("button", { name: "Publish" }).click();
  await expect(other.locator(".post .prose")).toHaveText("Half a thought, and more");
  await other.goto("/");
  await expect(other.getByRole("link", { name: title, exact: true })).toBeVisible();
  await other.goto("/posts/new");
  await expect(other.getByLabel("Title")).toHaveValue("");
});

test("what is written and taken back is no change", async ({ page, site }) => {
  await site.register(page, unique("undoing"));
  const post = await site.post(page, "Tides", "Low\n\nand slow", "sea, moon");
  await page.goto(`${post}/edit`);
  const text = page.getByLabel("Text");
  await text.fill("High");
  await expect(saved(page)).toBeVisible();
  await text.fill("Low\n\nand slow");
  await expect(page.getByText("Nothing differs from the post")).toBeVisible();
  await page.goto("/dashboard");
  await expect(page.getByText("changes not published")).toHaveCount(0);
  await page.goto(`${post}/edit`);
  await expect(page.getByRole("button", { name: "Discard these changes" })).toHaveCount(0);
});

test("keys mark what is chosen, and save", async ({ page, site }) => {
  await site.register(page, unique("keys"));
  const post = await site.post(page, "Tides", "Low");
  await page.goto(`${post}/edit`);
  const text = page.getByLabel("Text");
  for (const [key, result] of [["b", "**Low**"], ["i", "*Low*"], ["k", "[Low]()"]]) {
    await text.fill("Low");
    await text.selectText();
    await page.keyboard.press(`Control+${key}`);
    await expect(text).toHaveValue(result);
  }
  await text.fill("High");
  await page.keyboard.press("Control+Enter");
  await expect(page.locator(".post .prose")).toHaveText("High");
});
