// The help with Markdown. It runs with JavaScript and without.
import { inspect, validate } from "./support/inspect.ts";
import { expect, test, unique } from "./support/site.ts";

test("whoever writes finds what Markdown there is", async ({ page, site, javaScriptEnabled }) => {
  await site.register(page, unique("writer"));
  const post = await site.post(page, "Tides", "Low.");
  const comment = await site.comment(page, post, "Lower.");
  for (const path of ["/posts/new", `${post}/edit`, `${post}/comments/new`, `${comment}/edit`]) {
    const response = await page.goto(path);
    await validate((await response?.text()) ?? "", path);
    const example = page.locator(".help dd em");
    await expect(example, path).toBeHidden();
    await page.getByText("Help with Markdown").click();
    await expect(example, path).toBeVisible();
    await expect(page.getByText("*emphasis*", { exact: true }), path).toBeVisible();
    // What inspects a page is a script.
    if (javaScriptEnabled !== false) await inspect(page, `${path} with its help`);
  }
  // It is no part of what is sent.
  await page.goto(`${post}/edit`);
  await page.getByText("Help with Markdown").click();
  await page.getByLabel("Text").fill("High.");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.locator(".post .prose")).toHaveText("High.");
});
