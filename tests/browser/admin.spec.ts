// Administration: browsing and moderating.
import type { Browser, Locator, Page } from "@playwright/test";
import { expect, PASSWORD, type Site, test, unique } from "./support/site.ts";

test("an admin searches, promotes, demotes and deletes; others get 404", async ({ page, site, browser }) => {
  const [root, ann] = [unique("root"), unique("ann")];
  const annContext = await browser.newContext({ baseURL: site.url });
  const annPage = await annContext.newPage();
  await site.register(annPage, ann);
  const title = `Spam of ${ann}`;
  await site.post(annPage, title, "Buy now.");
  await site.post(annPage, `Second of ${ann}`, "Buy more.");
  expect((await annPage.goto("/admin/posts"))?.status()).toBe(404);
  await expect(annPage.getByRole("link", { name: "Admin" })).toHaveCount(0);

  site.run(["user", "add", root, "--admin"], PASSWORD);
  await site.logIn(page, root);
  await page.goto("/");
  await page.getByRole("link", { name: "Admin" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: "Posts" }).click();
  await page.getByLabel("Title or author").fill(title);
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.locator("summary").getByText("Delete…").click();
  await page.getByRole("button", { name: "Delete this post" }).click();
  await expect(page.getByText(`No posts match “${title}”.`)).toBeVisible();

  await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: "People" }).click();
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByText("Actions", { exact: true }).last().click();
  await page.getByRole("link", { name: "Make admin…" }).click();
  await page.getByRole("button", { name: `Make ${ann} an admin` }).click();
  await expect(page.getByRole("status").first()).toHaveText(/role.*changed/i);
  expect((await annPage.goto("/admin/users"))?.status()).toBe(200);
  await page.getByText("Actions", { exact: true }).last().click();
  await page.getByRole("link", { name: "Remove admin rights…" }).click();
  await page.getByRole("button", { name: `Remove the admin rights of ${ann}` }).click();
  await expect(page.getByRole("status").first()).toHaveText(/role.*changed/i);
  expect((await annPage.goto("/admin/users"))?.status()).toBe(404);
  await page.getByText("Actions", { exact: true }).last().click();
  await page.getByRole("link", { name: "Delete…" }).click();
  await page.getByRole("button", { name: `Delete ${ann} and 1 post` }).click();
  await expect(page.getByText(`No one matches “${ann}”.`)).toBeVisible();
  expect((await annPage.goto(`/users/${ann}`))?.status()).toBe(404);
  await annContext.close();
});

/** A site with an admin who is logged in, and somebody with nine posts. */
async function spammed(page: Page, site: Site, browser: Browser): Promise<{ root: string; spammer: string }> {
  const [root, spammer] = [unique("root"), unique("spammer")];
  const context = await browser.newContext({ baseURL: site.url });
  const theirs = await context.newPage();
  await site.register(theirs, spammer);
  for (let n = 1; n <= 9; n++) await site.post(theirs, `Offer ${n} of ${spammer}`, "Buy now.");
  await context.close();
  site.run(["user", "add", root, "--admin"], PASSWORD);
  await site.logIn(page, root);
  await page.goto("/");
  return { root, spammer };
}

test("a spammer is disabled and nine posts are removed with six clicks", async ({ page, site, browser }) => {
  const { spammer } = await spammed(page, site, browser);
  const steps = { clicks: 0, loads: 0 };
  page.on("load", () => (steps.loads += 1));
  const click = async (target: Locator) => {
    steps.clicks += 1;
    await target.click();
  };
  await click(page.getByRole("link", { name: "Admin", exact: true }));
  await click(page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: "People" }));
  await click(page.getByLabel("Username or e-mail"));
  await page.keyboard.type(spammer);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("row")).toHaveCount(2);
  await click(page.getByLabel(`Select ${spammer}`));
  await click(page.getByRole("button", { name: "Disable and delete posts…" }));
  await expect(page.getByRole("heading", { name: "Disable 1 account and delete 9 posts?" })).toBeVisible();
  await click(page.getByRole("button", { name: "Disable 1 account and delete 9 posts" }));
  await expect(page.getByText("1 account is disabled and logged out everywhere, and 9 posts were deleted.")).toBeVisible();
  await expect(page.getByRole("link", { name: `Posts by ${spammer}: 0` })).toBeVisible();
  await page.waitForLoadState("load");
  expect(steps).toEqual({ clicks: 6, loads: 5 });
});

test("the posts of a spammer are selected all at once, and deleted", async ({ page, site, browser }) => {
  const { spammer } = await spammed(page, site, browser);
  const steps = { clicks: 0, loads: 0 };
  page.on("load", () => (steps.loads += 1));
  const click = async (target: Locator) => {
    steps.clicks += 1;
    await target.click();
  };
  await page.goto(`/admin/users?username=${spammer}`);
  steps.loads = 0;
  await click(page.getByRole("link", { name: `Posts by ${spammer}: 9` }));
  await click(page.getByLabel("All on this page"));
  await expect(page.getByText("9 selected")).toBeVisible();
  // One is kept: not all are selected any more.
  await page.getByLabel(`Select “Offer 1 of ${spammer}”`).uncheck();
  await expect(page.getByText("8 selected")).toBeVisible();
  await expect(page.getByLabel("All on this page")).not.toBeChecked();
  await click(page.getByLabel("All on this page"));
  await expect(page.getByText("9 selected")).toBeVisible();
  await click(page.getByRole("button", { name: "Delete…" }));
  await click(page.getByRole("button", { name: "Delete 9 posts" }));
  await expect(page.getByText("9 posts deleted.")).toBeVisible();
  await expect(page.getByText(`${spammer} has no posts.`)).toBeVisible();
  await page.waitForLoadState("load");
  expect(steps).toEqual({ clicks: 5, loads: 3 });
});

test("without a script, rows are selected one by one", async ({ site, browser }) => {
  const context = await browser.newContext({ baseURL: site.url, javaScriptEnabled: false });
  const page = await context.newPage();
  const { spammer } = await spammed(page, site, browser);
  await page.goto(`/admin/posts?author=${spammer}`);
  await page.getByLabel(`Select “Offer 2 of ${spammer}”`).check();
  await page.getByLabel(`Select “Offer 7 of ${spammer}”`).check();
  await page.getByRole("button", { name: "Delete…" }).click();
  await expect(page.getByRole("row")).toHaveCount(3);
  await page.getByRole("button", { name: "Delete 2 posts" }).click();
  await expect(page.getByText("2 posts deleted.")).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(8);
  await context.close();
});
