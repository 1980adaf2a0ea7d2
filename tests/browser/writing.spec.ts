// Drafts, with scripts and without: what is written is kept, and published only when the author says so.
import type { Page } from "@playwright/test";
import { expect, test, unique } from "./support/site.ts";

const saved = (page: Page) => page.getByText(/^Saved as a draft at \d\d:\d\d$/);

test("an edit is kept beside the post until it is saved", async ({ page, site, javaScriptEnabled, browser }) => {
  await site.register(page, unique("edits"));
  const post = await site.post(page, "Tides", "Twice a day.");
  await page.goto(`${post}/edit`);
  await page.getByLabel("Text").fill("Three times?");
  if (javaScriptEnabled === false) {
    await page.getByRole("button", { name: "Keep as a draft" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Draft of the next version");
  } else {
    await expect(saved(page)).toBeVisible();
  }
  const visitor = await (await browser.newContext({ baseURL: site.url })).newPage();
  await visitor.goto(post);
  await expect(visitor.locator(".prose")).toHaveText("Twice a day.");
  await page.goto(`${post}/edit`);
  await expect(page.getByText("This is what you were writing")).toBeVisible();
  await expect(page.getByLabel("Text")).toHaveValue("Three times?");
  await page.getByRole("button", { name: "Discard these changes" }).click();
  await expect(page.getByLabel("Text")).toHaveValue("Twice a day.");
  await page.getByLabel("Text").fill("Once.");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.locator(".post .prose")).toHaveText("Once.");
  await visitor.close();
});

test("when the session has ended, the text stays, and is sent after the log-in", async ({ page, site, javaScriptEnabled }) => {
  const name = unique("ended");
  await site.register(page, name);
  const post = await site.post(page, "Tides", "Twice a day.");
  await page.goto(`${post}/edit`);
  await page.context().clearCookies({ name: "postly" });
  await page.getByLabel("Text").fill("Three times?");
  if (javaScriptEnabled !== false) await expect(page.getByText("You are no longer logged in.")).toBeVisible();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("What you typed is kept")).toBeVisible();
  await page.getByLabel(/^Username/).fill(name);
  await page.getByLabel("Password").fill("violet otter paddles upstream");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByLabel("Text")).toHaveValue("Three times?");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.locator(".post .prose")).toHaveText("Three times?");
});

test("a draft is saved, scheduled, and taken back", async ({ page, site }) => {
  await site.register(page, unique("plans"));
  await page.goto("/posts/new");
  await page.getByLabel("Text").fill("No title yet");
  await page.getByRole("button", { name: "Save draft" }).click();
  await expect(page.getByText("Draft saved. Only you can read it.")).toBeVisible();
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Title").fill("Slack water");
  await page.getByText("Summary, address, readers and date").click();
  const year = new Date().getUTCFullYear() + 1;
  await page.getByLabel(/^Date and time/).fill(`${year}-06-01T12:00`);
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText(`1 June ${year}, 12:00 UTC`)).toBeVisible();
  await page.getByRole("button", { name: "Cancel the schedule" }).click();
  await expect(page.getByText("Draft.")).toBeVisible();
});
