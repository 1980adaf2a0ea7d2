// The preview beside the text, which follows what is written.
import type { Page, Request, Route } from "@playwright/test";
import { Console, expect, test, unique } from "./support/site.ts";
import { inspect } from "./support/inspect.ts";

const isPreview = (request: Request) => /\/preview$/.test(new URL(request.url()).pathname);
const status = (page: Page) => page.locator("#preview").getByRole("status");

/** The requests for previews from now on. Nothing is saved by itself meanwhile. */
async function watch(page: Page): Promise<Request[]> {
  const found: Request[] = [];
  page.on("request", (request) => isPreview(request) && found.push(request));
  await page.route(/\/posts(\/\d+\/draft)?$/, (route) =>
    route.request().resourceType() === "fetch" ? route.abort() : route.fallback());
  return found;
}

const textOf = (request: Request) => new URLSearchParams(request.postData() ?? "").get("content");

test("it follows the text without being asked, and saves nothing", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  const post = await site.post(page, "Tides", "It comes *always*.");
  const requests = await watch(page);
  const title = unique("Unsaved");
  await page.goto("/posts/new");
  await expect(page.locator("#preview")).toContainText("There is nothing to preview yet.");
  expect(requests).toEqual([]);
  await page.getByLabel("Title").fill(title);
  for (const word of ["twice", "once"]) {
    await page.getByLabel("Text").fill(`The sea comes *${word}* a day.`);
    await expect(page.locator("#preview em")).toHaveText(word);
  }
  // An empty text needs no server.
  const sent = requests.length;
  await page.getByLabel("Text").fill("");
  await expect(page.locator("#preview")).toContainText("There is nothing to preview yet.");
  expect(requests).toHaveLength(sent);
  expect(await (await page.request.get("/drafts")).text()).not.toContain(title);

  await page.goto(`${post}/edit`);
  await expect(page.locator("#preview em")).toHaveText("always");
  await page.getByLabel("Text").fill("It comes *never*.");
  await expect(page.locator("#preview em")).toHaveText("never");
  expect(await (await page.request.get(post)).text()).toContain("<em>always</em>");
  // Authors know their text: it is not read to them at each change.
  await expect(page.locator("#preview").locator("xpath=ancestor-or-self::*[@aria-live]")).toHaveCount(0);
  await expect(status(page)).toHaveText("");
  await inspect(page, "the editor with its preview");
});

test("one request at a time, and the latest text wins", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  const requests = await watch(page);
  const held: Route[] = [];
  await page.route(/\/preview$/, (route) => {
    if (requests.length > 1) return route.continue();
    held.push(route);
  });
  await page.clock.install();
  await page.goto("/posts/new");
  const text = page.getByLabel("Text");
  await text.fill("*one*");
  await page.clock.runFor(1_000);
  await expect.poll(() => held.length).toBe(1);
  for (const word of ["two", "three"]) {
    await text.fill(`*${word}*`);
    await page.clock.runFor(5_000);
  }
  expect(requests).toHaveLength(1);
  await held[0].continue();
  await expect(page.locator("#preview em")).toHaveText("one");
  await page.clock.runFor(60_000);
  await expect(page.locator("#preview em")).toHaveText("three");
  expect(requests.map(textOf)).toEqual(["*one*", "*three*"]);
});

test("it asks no more often than the site allows for all day", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  const requests = await watch(page);
  await page.clock.install();
  await page.goto("/posts/new");
  const text = page.getByLabel("Text");
  const now = () => page.evaluate(() => Date.now());
  const begun = await now();
  // Somebody types for half a minute, and each answer comes at once.
  for (let key = 0; key < 300; key += 1) {
    await text.fill(`Key ${key}`);
    const before = requests.length;
    await page.clock.runFor(100);
    if (requests.length > before) await (await requests.at(-1)?.response())?.finished();
  }
  expect(requests.length).toBeGreaterThan(10);
  // The limit is 2400 an hour.
  expect(requests.length).toBeLessThanOrEqual((((await now()) - begun) * 2400) / 3_600_000 + 1);
});

test("when the server fails or the session has ended, the last preview stays and a line says so", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  await watch(page);
  await page.clock.install();
  await page.goto("/posts/new");
  const text = page.getByLabel("Text");
  await text.fill("The sea comes *twice* a day.");
  await page.clock.runFor(1_000);
  await expect(page.locator("#preview em")).toHaveText("twice");
  await page.route(/\/preview$/, (route) => route.fulfill({ status: 503, body: "" }));
  await text.fill("The sea comes *once* a day.");
  await page.clock.runFor(5_000);
  await expect(status(page)).toHaveText("The preview isn’t available right now.");
  await expect(page.locator("#preview em")).toHaveText("twice");
  await page.unroute(/\/preview$/);
  await text.fill("The sea comes *now and then*.");
  await page.clock.runFor(20_000);
  await expect(page.locator("#preview em")).toHaveText("now and then");
  await expect(status(page)).toHaveText("");

  await page.context().clearCookies({ name: "postly" });
  await text.fill("The sea comes *seldom*.");
  await page.clock.runFor(5_000);
  await expect(status(page)).toHaveText(/^You are logged out\./);
  await expect(page.locator("#preview em")).toHaveText("now and then");
  await expect(text).toHaveValue("The sea comes *seldom*.");
  await expect(text).toBeFocused();
});

test("what has not changed stays where it is", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  await watch(page);
  new Console(page); // Answers the question whether to leave.
  await page.goto("/posts/new");
  const text = page.getByLabel("Text");
  const long = Array.from({ length: 80 }, (_, number) => `Paragraph ${number}.`).join("\n\n");
  await text.fill(long);
  const preview = page.locator("#preview");
  await expect(preview).toContainText("Paragraph 79.");
  await preview.evaluate((section) => {
    section.scrollTop = 700;
    Object.assign(window, { tenth: section.querySelectorAll(".prose > p")[10] });
  });
  await text.fill(`${long.replace("Paragraph 40.", "Paragraph forty.")}\n\nThe end.`);
  await expect(preview).toContainText("The end.");
  expect(await preview.evaluate((section) => section.scrollTop)).toBe(700);
  await expect(preview.locator(".prose > p")).toHaveCount(81);
  await expect(preview).toContainText("Paragraph forty.");
  // A selection in it, or the focus on a link, lasts.
  expect(await page.evaluate(() => (window as unknown as { tenth: Element }).tenth.isConnected)).toBe(true);
});

test("on a narrow screen it waits for its button, and comes by itself when there is room", async ({ page, site }) => {
  await page.setViewportSize({ width: 768, height: 900 });
  await site.register(page, unique("writer"));
  const requests = await watch(page);
  await page.clock.install();
  await page.goto("/posts/new");
  await page.getByLabel("Text").fill("The sea comes *twice* a day.");
  await page.clock.runFor(20_000);
  expect(requests).toEqual([]);
  await expect(page.locator("#preview")).toBeEmpty();
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.clock.runFor(1_000);
  await expect(page.locator("#preview em")).toHaveText("twice");
  // Asked for on a narrow screen, it is the next thing that the keyboard and screen readers come to.
  await page.setViewportSize({ width: 768, height: 900 });
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview")).toBeFocused();
  await expect(page.locator("#preview em")).toBeInViewport();
});

test("nothing moves when it appears beside the text", async ({ page, site, browser }) => {
  await site.register(page, unique("writer"));
  const post = await site.post(page, "Tides", "It comes *always*. ".repeat(60));
  // The notice that it was published is shown once.
  await page.goto(post);
  await page.goto(`${post}/edit`);
  const text = page.getByLabel("Text");
  await expect(page.locator("#preview em").first()).toBeVisible();
  const after = (await text.boundingBox())!;
  // As it is before any script has run.
  await page.route("**/*.js*", (route) => route.abort());
  await page.reload({ waitUntil: "domcontentloaded" });
  const before = (await text.boundingBox())!;
  expect([before.x, before.y, before.width]).toEqual([after.x, after.y, after.width]);

  // Without scripts, the text has the room until a preview is asked for.
  const context = await browser.newContext({ baseURL: site.url, javaScriptEnabled: false });
  await context.addCookies(await page.context().cookies());
  const plain = await context.newPage();
  await plain.goto(`${post}/edit`);
  expect((await plain.getByLabel("Text").boundingBox())!.width).toBeGreaterThan(after.width + 100);
  await plain.getByRole("button", { name: "Preview" }).click();
  await expect(plain.locator("#preview em").first()).toHaveText("always");
  const beside = (await plain.locator("#preview").boundingBox())!;
  const written = (await plain.getByLabel("Text").boundingBox())!;
  expect(beside.x).toBeGreaterThan(written.x + written.width);
  await context.close();
});
