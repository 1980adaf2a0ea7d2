// What docs/design.md promises: the grid, the first screen, the themes, stable layout, paper, other scripts.
import { devices, type Page } from "@playwright/test";
import { expect, test, unique, type Site } from "./support/site.ts";

const PARAGRAPH = "Every workshop has one. You cannot throw them away, because each of them once fitted something. ".repeat(3);

async function writer(site: Site, page: Page, posts: number): Promise<string> {
  await site.register(page, unique("writer"));
  let path = "";
  for (let i = 0; i < posts; i += 1) path = await site.post(page, `A title of ordinary length, number ${i}`, PARAGRAPH);
  return path;
}

test("the first screen shows five whole posts and whose site it is", async ({ page, site, browser }) => {
  await writer(site, page, 6);
  const reader = await (await browser.newContext({ baseURL: site.url, viewport: { width: 1280, height: 900 } })).newPage();
  await reader.goto("/");
  await expect(reader.getByRole("banner").getByRole("link", { name: "Postly" })).toBeInViewport({ ratio: 1 });
  const whole = await reader.locator(".card").evaluateAll(
    (cards) => cards.filter((card) => card.getBoundingClientRect().bottom <= innerHeight).length,
  );
  expect(whole).toBeGreaterThanOrEqual(5);
});

test("header, content and footer have one left edge on every page, and tabs stay in place", async ({ page, site }) => {
  const post = await writer(site, page, 1);
  await page.setViewportSize({ width: 1280, height: 900 });
  const tabs = new Set<number>();
  for (const path of ["/", post, "/posts/new", "/dashboard", "/me", "/me/sessions", "/me/tokens", "/me/events", "/sudo", "/nowhere"]) {
    await page.goto(path);
    const edges = await page.evaluate(() => {
      const left = (selector: string) => document.querySelector(selector)?.getBoundingClientRect().left;
      return [".wordmark", "main h1:not(.hidden), main .field", ".colophon p"].map(left);
    });
    expect(edges, path).toEqual([edges[0], edges[0], edges[0]]);
    const nav = page.getByRole("navigation", { name: "Account" });
    if (await nav.count()) tabs.add((await nav.boundingBox())!.y);
  }
  expect(tabs.size).toBe(1);
});

test("nothing moves while the fonts arrive", async ({ page, site, browser }) => {
  const post = await writer(site, page, 1);
  const context = await browser.newContext({ ...devices["Pixel 5"], baseURL: site.url });
  const reader = await context.newPage();
  let arrived = () => {};
  const held = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  // The page is painted before any font has come.
  await reader.route("**/*.woff2*", async (route) => {
    await held;
    await route.continue();
  });
  await reader.goto(post, { waitUntil: "domcontentloaded" });
  await reader.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  arrived();
  await reader.evaluate(() => document.fonts.ready);
  expect(await reader.evaluate(() => document.fonts.check('1rem "Atkinson Hyperlegible Next"'))).toBe(true);
  const shift = await reader.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
        }).observe({ type: "layout-shift", buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
      }),
  );
  expect(shift).toBeLessThanOrEqual(0.02);
  await context.close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`the theme is chosen in the footer ${javaScriptEnabled ? "with" : "without"} scripts`, async ({ site, browser }) => {
    const context = await browser.newContext({ baseURL: site.url, colorScheme: "light", javaScriptEnabled });
    const page = await context.newPage();
    await page.goto("/login?next=/me");
    const background = () => page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
    const light = await background();
    await page.getByRole("button", { name: "Dark" }).click();
    await expect(page.getByRole("button", { name: "Dark" })).toHaveAttribute("aria-pressed", "true");
    expect(page.url()).toContain("/login?next=/me");
    expect(await background()).not.toBe(light);
    await page.goto("/register");
    expect(await background(), "it lasts").not.toBe(light);
    await page.getByRole("button", { name: "System" }).click();
    expect(await background()).toBe(light);
    await context.close();
  });
}

test("a short post is one sheet of paper, without anything to press", async ({ page, site }) => {
  const post = await writer(site, page, 1);
  await page.goto(post);
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  for (const part of ["nav", "button", ".colophon", ".post-foot", ".pager"]) {
    for (const found of await page.locator(part).all()) await expect(found).toBeHidden();
  }
  const file = (await page.pdf({ format: "A4" })).toString("latin1");
  expect(file.match(/\/Type\s*\/Page\b/g)).toHaveLength(1);
});

test("Arabic runs from right to left, and Polish in one typeface", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  const arabic = await site.post(page, "المد والجزر", "يأتي البحر مرتين في اليوم.\n\n- القمر\n- الرف\n\n> قال أحدهم");
  await page.goto(arabic);
  for (const part of ["h1", ".prose ul", ".prose blockquote"]) {
    expect(await page.locator(part).evaluate((element) => getComputedStyle(element).direction), part).toBe("rtl");
  }
  await page.goto("/");
  expect(await page.locator(".card h2").first().evaluate((title) => getComputedStyle(title).direction)).toBe("rtl");
  const polish = await site.post(page, "Zażółć gęślą jaźń", "Łódź, Őrség, Škoda.");
  const font = page.waitForResponse(/next-latin-ext-wght-normal/);
  await page.goto(polish);
  expect((await font).status()).toBe(200);
});

test("the words of a table stay whole", async ({ page, site }) => {
  const name = unique("admin");
  site.run(["user", "add", name, "--admin"], "violet otter paddles upstream");
  await site.logIn(page, name);
  await site.post(page, `Unbrokenlylong${"wordiness".repeat(20)}`, PARAGRAPH);
  for (const width of [740, 1024, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/admin/posts");
    const lines = await page.locator("td[data-label=Published] time").evaluateAll(
      (times) => times.map((time) => time.getClientRects().length),
    );
    expect(lines.length).toBeGreaterThan(0);
    expect(new Set(lines), `${width}`).toEqual(new Set([1]));
  }
});

test("dates are relative, the exact one is at hand, and the server's is a date", async ({ page, site, browser }) => {
  const post = await writer(site, page, 1);
  await page.goto(post);
  const time = page.locator(".byline time").first();
  await expect(time).toHaveText(/just now|ago/);
  await expect(time).toHaveAttribute("title", new RegExp(String(new Date().getFullYear())));
  const context = await browser.newContext({ baseURL: site.url, javaScriptEnabled: false });
  const plain = await context.newPage();
  await plain.goto(post);
  await expect(plain.locator(".byline time").first()).toHaveText(/^\d+ [A-Z][a-z]+ \d{4}$/);
  await context.close();
});

test("the editor counts words and remembers letters of equal width", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  await page.goto("/posts/new");
  await expect(page.getByText("0 words")).toBeVisible();
  await page.getByLabel("Text").fill("The sea comes *twice* a day.");
  await expect(page.getByText("6 words")).toBeVisible();
  const family = () => page.getByLabel("Text").evaluate((field) => getComputedStyle(field).fontFamily);
  const before = await family();
  await page.getByRole("button", { name: "Fixed-width letters" }).click();
  expect(await family()).toContain("Mono");
  await page.getByLabel("Text").fill("");
  await page.goto("/");
  await page.goto("/posts/new");
  expect(await family()).toContain("Mono");
  await page.getByRole("button", { name: "Fixed-width letters" }).click();
  expect(await family()).toBe(before);
});

test("a preview that is there follows the text", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  await page.goto("/posts/new");
  await page.getByLabel("Text").fill("The sea comes *twice* a day.");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.locator("#preview em")).toHaveText("twice");
  await page.getByLabel("Text").fill("The sea comes *once* a day.");
  await expect(page.locator("#preview em")).toHaveText("once");
  await page.getByLabel("Text").fill("");
});

test("the preview stands beside the text on a wide screen and below it on a narrow one", async ({ page, site }) => {
  await site.register(page, unique("writer"));
  for (const [width, beside] of [[1280, true], [768, false]] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/posts/new");
    await page.getByLabel("Text").fill("The sea comes *twice* a day.");
    await page.getByRole("button", { name: "Preview" }).click();
    await expect(page.locator("#preview em")).toBeVisible();
    const text = (await page.getByLabel("Text").boundingBox())!;
    const preview = (await page.locator("#preview").boundingBox())!;
    expect(preview.x > text.x + text.width, `${width}`).toBe(beside);
    await page.getByLabel("Text").fill("");
  }
});
