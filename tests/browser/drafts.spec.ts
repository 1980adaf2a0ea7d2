// Unsent text is kept in the browser until the server has it.
import type { Page } from "@playwright/test";
import { Console, expect, submit, test, unique } from "./support/site.ts";

const note = (page: Page) => page.getByText("Restored from this browser");
const drafts = (page: Page) =>
  page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("postly-draft:")));

/** The server is out of reach for what is saved while somebody writes: the browser alone keeps it. */
async function type(page: Page, address: string, title: string, text: string): Promise<void> {
  await page.route(/\/posts(\/\d+\/draft)?$/, (route) =>
    route.request().resourceType() === "fetch" ? route.abort() : route.fallback());
  await page.goto(address);
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Text").fill(text);
}

test("text that was left comes back, in another tab too, until it is discarded", async ({ page, site, context }) => {
  await site.register(page, unique("left"));
  new Console(page); // Answers the question whether to leave.
  await type(page, "/posts/new", "Half", "A thought");
  await page.goto("/");
  await page.goto("/posts/new");
  await expect(note(page)).toBeVisible();
  await expect(page.getByLabel("Text")).toHaveValue("A thought");
  await page.getByLabel("Text").fill("A longer thought");
  await page.close();

  const other = await context.newPage();
  await other.goto("/posts/new");
  await expect(other.getByLabel("Title")).toHaveValue("Half");
  await expect(other.getByLabel("Text")).toHaveValue("A longer thought");
  await other.getByRole("button", { name: "Discard" }).click();
  await expect(other.getByLabel("Text")).toHaveValue("");
  await expect(note(other)).toHaveCount(0);
  await other.reload();
  await expect(other.getByLabel("Title")).toHaveValue("");
  await expect.poll(() => drafts(other)).toEqual([]);
});

test("going back finds the text", async ({ page, site }) => {
  await site.register(page, unique("back"));
  new Console(page);
  await type(page, "/posts/new", "Half", "A thought");
  await page.goto("/");
  await page.goBack();
  await expect(page.getByLabel("Title")).toHaveValue("Half");
  await expect(page.getByLabel("Text")).toHaveValue("A thought");
});

test("a draft is gone once the server has it, and stays when it was refused", async ({ page, site }) => {
  await site.register(page, unique("sent"));
  const console = new Console(page);
  await type(page, "/posts/new", "", "Words without a title");
  await submit(page, console, "Publish", 422);
  await page.goto("/posts/new");
  await expect(page.getByLabel("Text")).toHaveValue("Words without a title");
  await page.getByLabel("Title").fill("A title");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("A title");
  await expect.poll(() => drafts(page)).toEqual([]);
  await page.goto("/posts/new");
  await expect(page.getByLabel("Text")).toHaveValue("");
  await expect(note(page)).toHaveCount(0);
});

test("an edit has a draft of its own, which never overwrites what others saved meanwhile", async ({ page, site, context }) => {
  await site.register(page, unique("edit"));
  const console = new Console(page);
  const post = await site.post(page, "Tides", "Low.");
  await type(page, `${post}/edit`, "Tides", "Lower.");
  await page.goto("/posts/new");
  await expect(page.getByLabel("Text")).toHaveValue("");
  const second = await context.newPage();
  await second.request.post(`${site.url}${post}`, {
    form: { _method: "put", title: "Tides", content: "High." },
    headers: { Origin: site.url },
  });
  await page.goto(`${post}/edit`);
  await expect(page.getByLabel("Text")).toHaveValue("Lower.");
  await submit(page, console, "Save", 409);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("There is a newer version");
  const text = page.getByLabel("Text", { exact: true });
  await expect(text).toHaveValue(/Lower\.[^]*High\./);
  await text.fill("Lower.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".post .prose")).toHaveText("Lower.");
  await expect.poll(() => drafts(page)).toEqual([]);
});

test("each tab keeps its own text, and finds it again", async ({ page, site, context }) => {
  await site.register(page, unique("tabs"));
  const other = await context.newPage();
  for (const [tab, text] of [[page, "In the first tab"], [other, "In the second tab"]] as const) {
    new Console(tab);
    await type(tab, "/posts/new", "", text);
  }
  await expect.poll(() => drafts(page)).toHaveLength(2);
  for (const [tab, text] of [[page, "In the first tab"], [other, "In the second tab"]] as const) {
    await tab.reload();
    await expect(note(tab)).toBeVisible();
    await expect(tab.getByLabel("Text")).toHaveValue(text);
  }
  // A third one is a third text.
  const third = await context.newPage();
  new Console(third);
  await third.goto("/posts/new");
  await type(third, "/posts/new", "", "In the third tab");
  await third.reload();
  await expect(third.getByLabel("Text")).toHaveValue("In the third tab");
  // What a closed tab has left behind is offered once.
  await other.close();
  await page.getByRole("button", { name: "Discard" }).click();
  await page.reload();
  await expect(page.getByLabel("Text")).toHaveValue("In the second tab");
  await expect.poll(() => drafts(page)).toHaveLength(2);
  await third.reload();
  await expect(third.getByLabel("Text")).toHaveValue("In the third tab");
});

test("a duplicated tab has a copy of its own", async ({ page, site }) => {
  await site.register(page, unique("twin"));
  new Console(page);
  await type(page, "/posts/new", "", "The original");
  // A window that is opened by a page gets a copy of its storage, as a duplicated tab does.
  const [twin] = await Promise.all([page.waitForEvent("popup"), page.evaluate(() => void open("/posts/new"))]);
  new Console(twin);
  await expect(twin.getByText("0 words")).toBeVisible();
  await type(twin, "/posts/new", "", "The twin");
  for (const [tab, text] of [[page, "The original"], [twin, "The twin"]] as const) {
    await tab.reload();
    await expect(tab.getByLabel("Text")).toHaveValue(text);
  }
});

test("what the server has saved is not kept in the browser, too, and leaving asks nothing", async ({ page, site }) => {
  await site.register(page, unique("saved"));
  let questions = 0;
  page.on("dialog", (dialog) => {
    questions += 1;
    return dialog.accept();
  });
  await page.goto("/posts/new");
  // Browsers ask only those who have pressed something.
  await page.getByLabel("Title").click();
  await page.getByLabel("Title").fill("Half");
  await page.getByLabel("Text").fill("A thought");
  await expect.poll(() => drafts(page)).toHaveLength(1);
  await expect(page.getByText(/^Saved as a draft at/)).toBeVisible();
  await expect.poll(() => drafts(page)).toEqual([]);
  await page.goto("/");
  expect(questions).toBe(0);
  await page.goBack();
  await page.getByText("Summary, address, readers and date").click();
  await page.getByLabel("Only you").check();
  await page.goto("/");
  expect(questions).toBe(1);
});

test("nobody else on this browser finds a draft, and logging out removes it", async ({ page, site }) => {
  const ann = unique("first");
  await site.register(page, ann);
  new Console(page);
  await type(page, "/posts/new", "Private", "Mine alone");
  await page.goto("/");
  await expect.poll(() => drafts(page)).toHaveLength(1);
  await page.context().clearCookies();
  await site.register(page, unique("second"));
  await page.goto("/posts/new");
  await expect(page.getByLabel("Title")).toHaveValue("");
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/logged out/);
  await expect.poll(() => drafts(page)).toEqual([]);

  await site.logIn(page, ann);
  await type(page, "/posts/new", "Private", "Mine alone");
  // Nor does another tab write down again what it holds.
  const other = await page.context().newPage();
  new Console(other);
  await type(other, "/posts/new", "Private", "In another tab");
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/logged out/);
  await expect.poll(() => drafts(page)).toEqual([]);
  await other.goto("/");
  await expect.poll(() => drafts(other)).toEqual([]);
});

test("drafts are few and not old", async ({ page, site }) => {
  await site.register(page, unique("many"));
  await page.goto("/");
  await page.evaluate(() => {
    for (let i = 0; i < 30; i += 1) {
      const draft = { title: `${i}`, content: "x", at: Date.now() - i * 1000 };
      localStorage.setItem(`postly-draft:1:/posts/${i}`, JSON.stringify(draft));
    }
    localStorage.setItem("postly-draft:1:old", JSON.stringify({ at: Date.now() - 15 * 24 * 3600 * 1000 }));
    localStorage.setItem("postly-draft:1:damaged", "{");
    localStorage.setItem("other", "stays");
  });
  await page.reload();
  const left = await drafts(page);
  expect(left).toHaveLength(20);
  expect(left).toContain("postly-draft:1:/posts/0");
  expect(left).not.toContain("postly-draft:1:/posts/29");
  expect(await page.evaluate(() => localStorage.getItem("other"))).toBe("stays");
});
