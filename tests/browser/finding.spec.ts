// How posts are found and handed on: search, feeds, links. It runs with JavaScript and without.
import { expect, test, unique } from "./support/site.ts";

test("a search for words and a tag leads to the post and to what was said about it", async ({ page, site }) => {
  const ann = unique("ann");
  await site.register(page, ann);
  const [sea, word] = [unique("sea"), unique("lantern").replace("-", "")];
  const post = await site.post(page, "By night", `A ${word} on the pier.`, sea);
  await site.post(page, "Elsewhere", `A ${word} in the hills.`);
  await site.comment(page, post, `Whose ${word}?`);
  await page.goto("/search");
  const field = page.getByRole("searchbox", { name: /^Search/ });
  await field.fill(`${word} tag:${sea}`);
  await page.getByRole("main").getByRole("button", { name: "Search" }).click();
  const results = page.locator(".results > li");
  await expect(results).toHaveCount(1);
  await expect(results.locator("mark")).toHaveText(word);
  await results.getByRole("link", { name: "By night" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("By night");

  await page.goBack();
  await page.getByRole("navigation", { name: "What to search" }).getByRole("link", { name: "Comments" }).click();
  await results.getByRole("link", { name: /^Comment on “By night”/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Comment by ${ann}`);
  await page.goto("/search");
  await field.fill(ann);
  await page.getByRole("main").getByRole("button", { name: "Search" }).click();
  await page.getByRole("navigation", { name: "What to search" }).getByRole("link", { name: "People" }).click();
  await results.getByRole("link", { name: ann }).click();
  await expect(page).toHaveURL(`${site.url}/users/${ann}`);
});

test("pages lead to their feeds", async ({ page, site }) => {
  const ann = unique("ann");
  await site.register(page, ann);
  const sea = unique("sea");
  const post = await site.post(page, "On feeds", "They come twice a day.", sea);
  await site.comment(page, post, "They do.");
  const pages: [string, string][] = [["/", "On feeds"], [`/users/${ann}`, "On feeds"], [`/tags/${sea}`, "On feeds"], [post, "They do."]];
  for (const [address, text] of pages) {
    await page.goto(address);
    const links = page.locator("head link[rel=alternate]");
    const found = await links.evaluateAll((all) => all.map((one) => [one.getAttribute("type"), (one as HTMLLinkElement).href]));
    const types = found.map(([type]) => type);
    for (const type of ["application/atom+xml", "application/rss+xml", "application/feed+json"]) expect(types, address).toContain(type);
    // The last are those of the page itself: a post also names the feed of the site.
    for (const [type, href] of found.slice(-3)) {
      const feed = await page.request.get(href ?? "");
      expect([feed.status(), feed.headers()["content-type"].split(";")[0]], href ?? address).toEqual([200, type]);
      expect(await feed.text(), href ?? address).toContain(text);
    }
  }
});

test("the link to share a post opens it", async ({ page, site, browser }, info) => {
  await site.register(page, unique("ann"));
  await page.goto(await site.post(page, "To be shared", "Words."));
  const link = page.getByLabel("Link to this post");
  await expect(link).toBeHidden();
  await page.locator("summary").getByText("Share").click();
  await expect(link).toBeVisible();
  const { javaScriptEnabled } = info.project.use;
  const visitor = await (await browser.newContext({ javaScriptEnabled })).newPage();
  await visitor.goto(await link.inputValue());
  await expect(visitor.getByRole("heading", { level: 1 })).toHaveText("To be shared");
  await visitor.context().close();
});
