// Browsing and moderating.
import { expect, fresh, PASSWORD, test } from "./support/site.ts";

test("an admin searches, promotes, demotes and deletes; others find nothing", async ({ page, site, browser }) => {
  const [root, ann] = [fresh("root"), fresh("ann")];
  const other = await browser.newContext({ baseURL: site.url });
  const anns = await other.newPage();
  await site.enter(anns, ann);
  const title = `Spam of ${ann}`;
  await site.post(anns, title, "Buy now.");
  await site.post(anns, `Second of ${ann}`, "Buy more.");
  expect((await anns.goto("/admin/posts"))?.status()).toBe(404);
  await expect(anns.getByRole("link", { name: "Admin" })).toHaveCount(0);

  site.run(["user", "add", root, "--admin"], PASSWORD);
  await site.logIn(page, root);
  await page.goto("/");
  await page.getByRole("link", { name: "Admin" }).click();
  await page.getByLabel("Title or author").fill(title);
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByText("Delete…").click();
  await page.getByRole("button", { name: "Delete this post" }).click();
  await expect(page.getByText(`No post matches “${title}”.`)).toBeVisible();

  await page.getByRole("link", { name: "People" }).click();
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("button", { name: `Make admin: ${ann}` }).click();
  await expect(page.getByRole("status")).toHaveText("The role is changed.");
  expect((await anns.goto("/admin/users"))?.status()).toBe(200);
  await page.getByRole("button", { name: `Remove admin: ${ann}` }).click();
  await expect(page.getByRole("button", { name: `Make admin: ${ann}` })).toBeVisible();
  expect((await anns.goto("/admin/users"))?.status()).toBe(404);
  await page.getByText("Delete…").click();
  await page.getByRole("button", { name: "Delete this account" }).click();
  await expect(page.getByText(`Nobody matches “${ann}”.`)).toBeVisible();
  expect((await anns.goto(`/users/${ann}`))?.status()).toBe(404);
  await other.close();
});
