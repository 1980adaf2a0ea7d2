// Administration: browsing and moderating.
import { expect, PASSWORD, test, unique } from "./support/site.ts";

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
  await page.getByText("Delete…").click();
  await page.getByRole("button", { name: "Delete this post" }).click();
  await expect(page.getByText(`No posts match “${title}”.`)).toBeVisible();

  await page.getByRole("link", { name: "People" }).click();
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("button", { name: `Make admin: ${ann}` }).click();
  await expect(page.getByRole("status")).toHaveText(/role.*changed/i);
  expect((await annPage.goto("/admin/users"))?.status()).toBe(200);
  await page.getByRole("button", { name: `Remove admin rights: ${ann}` }).click();
  await expect(page.getByRole("button", { name: `Make admin: ${ann}` })).toBeVisible();
  expect((await annPage.goto("/admin/users"))?.status()).toBe(404);
  await page.getByText("Delete…").click();
  await page.getByRole("button", { name: "Delete this account" }).click();
  await expect(page.getByText(`No one matches “${ann}”.`)).toBeVisible();
  expect((await annPage.goto(`/users/${ann}`))?.status()).toBe(404);
  await annContext.close();
});
