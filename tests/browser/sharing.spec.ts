// What a post says to search engines is inert, and its address can be copied.
import { Console, expect, open, test, unique } from "./support/site.ts";
import { inspect } from "./support/inspect.ts";

test("data for search engines breaks no rule of the page and out of nothing", async ({ page, site }) => {
  await site.register(page, unique("ann"));
  const title = "</script><script>window.pwned = 1</script><!--<script>";
  const post = await site.post(page, title, title);
  const console = new Console(page);
  await page.addInitScript(() => {
    const found: string[] = [];
    addEventListener("securitypolicyviolation", (event) => found.push(event.violatedDirective));
    Object.assign(window, { violations: found });
  });
  await open(page, console, post, 200);
  const seen = await page.evaluate(() => {
    const data = document.querySelectorAll("script:not([src])");
    const violations = (window as unknown as { violations: string[] }).violations;
    return { count: data.length, headline: JSON.parse(data[0].textContent ?? "").headline, pwned: "pwned" in window, violations };
  });
  expect(seen).toEqual({ count: 1, headline: title, pwned: false, violations: [] });
  expect(console.problems()).toEqual([]);
});

test("the address of a post is copied with a button, or by hand without scripts", async ({ page, site, browser }) => {
  await site.register(page, unique("ann"));
  const post = await site.post(page, "Tides", "They come twice a day.");
  const address = `${site.url}${post}/tides`;
  const console = new Console(page);
  await open(page, console, post, 200);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.locator("summary").getByText("Share").click();
  const field = page.getByLabel("Link to this post");
  await expect(field).toHaveValue(address);
  await field.focus();
  const selected = field.evaluate((input: HTMLInputElement) => input.value.slice(input.selectionStart ?? 0, input.selectionEnd ?? 0));
  expect(await selected).toBe(address);
  await page.getByRole("button", { name: "Copy" }).click();
  await expect(page.getByRole("status").getByText("Copied.")).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(address);
  // Where a page may not write to the clipboard, as without https.
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await page.getByRole("button", { name: "Copy" }).click();
  await expect(page.getByRole("status").getByText("Copied.")).toBeVisible();
  await inspect(page, `${post} with its address`);
  expect(console.problems()).toEqual([]);

  const plain = await (await browser.newContext({ baseURL: site.url, javaScriptEnabled: false })).newPage();
  await plain.goto(post);
  await plain.locator("summary").getByText("Share").click();
  await expect(plain.getByLabel("Link to this post")).toHaveValue(address);
  await expect(plain.getByRole("button", { name: "Copy" })).toHaveCount(0);
});
