// A new site: set up with the link that the server prints, then changed in the settings.
import { inspect, validate } from "./support/inspect.ts";
import { Console, expect, open, PASSWORD, Site, submit, test } from "./support/site.ts";

test("a new site is set up, checked and changed in the browser", async ({ browser }) => {
  const site = await Site.start("sqlite");
  const context = await browser.newContext({ baseURL: site.url });
  const page = await context.newPage();
  const console = new Console(page);
  const without = await open(page, console, "/setup", 404);
  await validate(await without.text(), "setup without a link");
  await inspect(page, "setup without a link");

  await page.goto(site.setupLink());
  await expect(page).toHaveURL(`${site.url}/setup`);
  const form = await open(page, console, "/setup", 200);
  await validate(await form.text(), "setup");
  await inspect(page, "setup");
  await expect(page.getByLabel("Anyone"), "open on this machine").toBeChecked();
  const refused = await submit(page, console, "Set up", 422);
  await validate(await refused.text(), "setup with errors");
  await inspect(page, "setup with errors");
  await page.getByLabel("Name", { exact: true }).fill("Harbour Lights");
  await page.getByLabel("Username").fill("root");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(page.getByRole("heading", { name: "Overview" })).toBeVisible();
  await expect(page).toHaveTitle("Overview · Harbour Lights");
  await inspect(page, "overview");

  await page.getByRole("link", { name: "Settings", exact: true }).first().click();
  const shown = await open(page, console, "/admin/settings", 200);
  await validate(await shown.text(), "settings");
  await page.getByLabel("Accent colour").fill("yellow");
  const wrong = await submit(page, console, "Save settings", 422);
  await validate(await wrong.text(), "settings with errors");
  await inspect(page, "settings with errors");
  await page.getByLabel("Accent colour").fill("#ffd400");
  await page.getByLabel("Announcement").fill("The harbour is closed on Monday.");
  await page.getByLabel("Rules").fill("# Be kind\n\nAnd *honest*.");
  await page.getByLabel("No one for now").check();
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByRole("status")).toHaveText("Settings saved.");
  await expect(page.getByLabel("Accent colour")).toHaveValue("#ffd400");
  await expect(page.getByLabel("No one for now")).toBeChecked();
  await inspect(page, "settings in yellow, which must stay readable");

  await context.clearCookies();
  for (const path of ["/", "/rules", "/rules/versions", "/register"]) {
    const response = await open(page, console, path, 200);
    await validate(await response.text(), path);
    await expect(page.getByText("The harbour is closed on Monday.")).toBeVisible();
    await inspect(page, path);
  }
  const accent = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue("--accent"));
  expect(accent, "the style sheet of the site is in force").not.toContain("#9c2b1b");
  expect(console.problems()).toEqual([]);
  await context.close();
  await site.stop();
});
