// Series: made in the editor, read from part to part, renamed and deleted. It runs with JavaScript and without.
import { expect, test, unique } from "./support/site.ts";

test("a series is begun in the editor and read from part to part", async ({ page, site }) => {
  await site.register(page, unique("ann"));
  const series = `Forty mornings ${unique("at")}`;
  for (const title of ["The first morning", "The second morning"]) {
    await page.goto("/posts/new");
    await page.getByLabel("Title").fill(title);
    await page.getByLabel("Text").fill("The *sun* rose.");
    // The second time, it is suggested.
    const suggested = page.locator(`#own-series option[value="${series}"]`);
    await expect(suggested).toHaveCount(title.includes("second") ? 1 : 0);
    await page.getByLabel("Series").fill(series);
    await page.getByRole("button", { name: "Publish" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
  }
  const box = page.getByRole("navigation", { name: "Series" });
  await expect(box).toContainText(`Part 2 of 2 in ${series}`);
  await box.getByRole("link", { name: "The first morning" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The first morning");
  await expect(box).toContainText("Part 1 of 2");
  await expect(box).toContainText("Next: The second morning");
  await expect(box).not.toContainText("Previous");

  await box.getByRole("link", { name: series }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(series);
  await expect(page.getByRole("main").getByRole("listitem")).toHaveCount(2);
  await page.getByRole("link", { name: "Rename or delete" }).click();
  await page.getByLabel("Title").fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toContainText("Add a title");
  await page.getByLabel("Title").fill(`${series}, renamed`);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`${series}, renamed`);

  await page.getByRole("link", { name: "The second morning" }).click();
  await page.getByRole("link", { name: "Edit" }).click();
  await expect(page.getByLabel("Series")).toHaveValue(`${series}, renamed`);
  await page.getByLabel("Series").fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Changes saved.")).toBeVisible();
  await expect(box).toHaveCount(0);

  await page.getByRole("main").getByRole("link", { name: /^ann/ }).first().click();
  await page.getByRole("link", { name: "Series", exact: true }).click();
  await page.getByRole("main").getByRole("link", { name: `${series}, renamed` }).click();
  await expect(page.getByRole("main").getByRole("listitem")).toHaveCount(1);
  await page.getByRole("link", { name: "Rename or delete" }).click();
  await page.getByText("Delete…").click();
  await page.getByRole("button", { name: "Delete this series" }).click();
  await expect(page.getByText("Series deleted.")).toBeVisible();
  await expect(page.getByText("has no series yet")).toBeVisible();
});

test("what is kept while it is written begins no series", async ({ page, site, javaScriptEnabled }) => {
  test.skip(javaScriptEnabled === false, "without scripts, nothing is kept before it is sent");
  const name = unique("ann");
  await site.register(page, name);
  await page.goto("/posts/new");
  await page.getByLabel("Title").fill("Half a thought");
  await page.getByLabel("Text").fill("To be continued.");
  await page.getByLabel("Series").fill("Half a titl");
  await expect(page.getByText(/^Saved as a draft at \d\d:\d\d$/)).toBeVisible();
  await expect(page).toHaveURL(/\/posts\/\d+\/edit$/);
  const address = page.url();
  await page.goto(`/users/${name}/series`);
  await expect(page.getByText("has no series yet")).toBeVisible();
  await page.goto(address);
  await expect(page.getByLabel("Series")).toHaveValue("Half a titl");
  await page.getByLabel("Series").fill("Half a title");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("navigation", { name: "Series" })).toContainText("Part 1 of 1 in Half a title");
});
