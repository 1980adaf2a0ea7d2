// Tags and the orders of the feed. It runs with JavaScript and without.
import { expect, test, unique } from "./support/site.ts";

test("a post gets typed and suggested tags, and is found by them", async ({ page, site }) => {
  await site.register(page, unique("ann"));
  const [sea, moon] = [unique("sea"), unique("moon")];
  await site.post(page, "An older one", "Words.", sea);
  await page.goto("/posts/new");
  await page.getByLabel("Title").fill("Spring tides");
  await page.getByLabel("Text").fill("The *sun* and the moon.");
  await page.getByLabel("Tags").fill(moon.toUpperCase());
  await page.getByRole("checkbox", { name: sea, exact: true }).check();
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Spring tides");
  await expect(page.getByRole("main").getByRole("link", { name: moon })).toBeVisible();
  await page.getByRole("main").getByRole("link", { name: sea }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(sea);
  await expect(page.getByRole("article")).toHaveCount(2);

  await page.getByRole("link", { name: "All tags" }).click();
  await page.getByLabel("Beginning of a tag").fill(moon.slice(0, -1));
  await page.getByRole("button", { name: "Find" }).click();
  await expect(page.getByRole("listitem").filter({ hasText: moon })).toContainText("1 post");

  await page.goto("/");
  await page.getByText("Filter", { exact: true }).first().click();
  await page.getByLabel("Tags").fill(`${sea}, ${moon}`);
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Posts about ${sea}, ${moon}`);
  await expect(page.getByRole("article")).toHaveCount(1);
  await expect(page.getByRole("article")).toContainText("Spring tides");
  await page.getByRole("link", { name: "Show all posts" }).click();
  await expect(page).toHaveURL(/\/\?sort=new$/);
});

test("the feed is read by new, hot and top", async ({ page, site, browser }) => {
  const writer = await (await browser.newContext({ baseURL: site.url })).newPage();
  await site.register(writer, unique("writer"));
  const tag = unique("orders");
  const liked = await site.post(writer, "Liked", "Words.", tag);
  await site.post(writer, "Later", "Words.", tag);
  await writer.context().close();
  // Nothing is hot by one vote.
  for (const voter of ["voter", "reader"]) {
    await site.register(page, unique(voter));
    await site.vote(page, liked);
  }
  const first = page.getByRole("article").first();
  await page.goto(`/?tag=${tag}`);
  await expect(first).toContainText("Later");
  const orders = page.getByRole("navigation", { name: "Order" });
  for (const order of ["Hot", "Top"]) {
    await orders.getByRole("link", { name: order }).click();
    await expect(orders.getByRole("link", { name: order })).toHaveAttribute("aria-current", "true");
    await expect(first).toContainText("Liked");
    await expect(page.getByRole("article")).toHaveCount(2);
  }
  await page.getByRole("navigation", { name: "Period" }).getByRole("link", { name: "This week" }).click();
  await expect(page).toHaveURL(/sort=top&period=week&tag=/);
  await expect(first).toContainText("Liked");
  await orders.getByRole("link", { name: "New" }).click();
  await expect(first).toContainText("Later");
});
