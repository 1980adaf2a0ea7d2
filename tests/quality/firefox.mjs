// The main journey in Firefox, driven over WebDriver BiDi.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, inflateSync } from "node:zlib";
import puppeteer from "puppeteer-core";
import { PASSWORD } from "./site.mjs";

/** The number of pages of a PDF, whose objects may be compressed. */
function countPages(file) {
  let text = file.toString("latin1");
  for (const [, stream] of text.matchAll(/stream\r?\n([^]*?)endstream/g)) {
    try {
      text += inflateSync(Buffer.from(stream, "latin1"), { finishFlush: constants.Z_SYNC_FLUSH }).toString("latin1");
    } catch {
      // A font or an image in another form.
    }
  }
  return text.match(/\/Type\s*\/Page\b/g)?.length;
}

export async function journey(url) {
  const profile = mkdtempSync(join(tmpdir(), "postly-firefox-"));
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    userDataDir: profile,
    env: { ...process.env, HOME: profile, MOZ_DISABLE_CONTENT_SANDBOX: "1" },
  });
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    const fill = async (selector, text) => page.locator(selector).fill(text);
    const press = async (selector) => Promise.all([page.waitForNavigation(), page.locator(selector).click()]);
    const text = () => page.$eval("main", (main) => main.innerText);

    await page.goto(`${url}/register`);
    await fill("#username", "freya");
    await fill("#password", PASSWORD);
    await press("main form .button");
    await page.goto(`${url}/posts/new`);
    await fill("#title", "Seen from Firefox");
    await fill("#content", "The sea comes *twice* a day.");
    await page.locator("[data-preview]").click();
    await page.waitForSelector("#preview em");
    await press("main form .button:not(.quiet)");
    assert.match(page.url(), /\/posts\/\d+$/);
    const post = page.url();
    assert.match(await text(), /Seen from Firefox/);
    await page.goto(`${post}/edit`);
    await fill("#title", "Seen from Firefox, again");
    await press("main form .button:not(.quiet)");
    assert.match(await text(), /again/);
    await page.goto(url);
    assert.match(await text(), /Seen from Firefox, again/);
    // Without leaving the page.
    await page.locator(".vote-button").click();
    await page.waitForSelector(".vote-button.voted");
    await press('.theme [value="dark"]');
    assert.equal(await page.$eval("html", (root) => root.dataset.theme), "dark");
    await page.goto(post);
    assert.equal(countPages(Buffer.from(await page.pdf({ format: "A4" }))), 1, "one sheet of paper");
    await press('form[action="/logout"] button');
    await page.goto(`${url}/me`);
    assert.match(page.url(), /\/login/);
    assert.deepEqual(errors, []);
    return await browser.version();
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
