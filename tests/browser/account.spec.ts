// Account pages: API tokens, sessions, two-factor log-in, the password.
import { createHmac } from "node:crypto";
import { expect, PASSWORD, test, unique } from "./support/site.ts";
import { inspect, validate } from "./support/inspect.ts";

/** The code an authenticator app shows (RFC 6238), `steps` periods of 30 seconds from now. */
function totp(secret: string, steps = 0): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("two-factor log-in: set up with the key, log in with a code and with a recovery code, turn off", async ({ page, site }) => {
  const ann = unique("ann");
  await site.register(page, ann);
  await page.goto("/me/two-factor");
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(page.getByRole("img", { name: "QR code" })).toBeVisible();
  await validate(await page.content(), "setup");
  await inspect(page, "setup");
  const secret = await page.locator(".secret-text").innerText();
  // Read in groups of four, copied as one word.
  expect(secret).toMatch(/^[A-Z2-7]{32}$/);
  await expect(page.locator(".secret-text .group")).toHaveText(secret.match(/.{4}/g)!);
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByRole("alert")).toContainText(/code.*wrong|wrong.*code/i);
  await expect(page.locator(".secret-text")).toHaveText(secret);
  await page.getByLabel("Code", { exact: true }).fill(totp(secret, -1));
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.locator(".codes li")).toHaveCount(10);
  await inspect(page, "recovery codes");
  const recovery = await page.locator(".codes li").first().innerText();
  await page.getByRole("link", { name: "I’ve saved them" }).click();
  await expect(page.getByText("You have 10 recovery codes left.")).toBeVisible();
  await inspect(page, "two-factor on");

  await page.getByRole("button", { name: "Log out" }).click();
  const logIn = async (code: string) => {
    await page.goto("/login?next=%2Fdashboard");
    await page.getByLabel("Username or e-mail").fill(ann);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await expect(page.getByRole("heading", { name: "Two-factor code" })).toBeVisible();
    await page.getByLabel("Code", { exact: true }).fill(code);
    await page.getByRole("button", { name: "Log in" }).click();
  };
  await logIn("000000");
  await expect(page.getByRole("alert")).toContainText(/code.*wrong|wrong.*code/i);
  await logIn(totp(secret));
  await expect(page).toHaveURL(/\/dashboard$/);
  await page.getByRole("button", { name: "Log out" }).click();
  await logIn(recovery);
  await expect(page).toHaveURL(/\/dashboard$/);
  await page.goto("/me/two-factor");
  await page.getByLabel("Code", { exact: true }).last().fill(totp(secret, 1));
  await page.getByRole("button", { name: "Turn off" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/two-factor.* off/i);
  await expect(page.getByRole("button", { name: "Set up" })).toBeVisible();
});

test("an API token is created, used by a program and revoked", async ({ page, site, playwright }) => {
  await site.register(page, unique("ann"));
  await page.goto("/me/tokens");
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByRole("alert")).toContainText("Please check these fields");
  await expect(page.getByLabel("Name", { exact: true })).toHaveAttribute("aria-invalid", "true");
  await inspect(page, "tokens with errors");
  await page.getByLabel("Name", { exact: true }).fill("backup script");
  await page.getByLabel("See your account").check();
  await page.getByRole("button", { name: "Create token" }).click();
  const token = await page.getByLabel("Token “backup script”").inputValue();
  await validate(await page.content(), "token created");
  await inspect(page, "token created");
  const program = await playwright.request.newContext({ extraHTTPHeaders: { Authorization: `Bearer ${token}` } });
  expect((await program.get(`${site.url}/api/v1/me`)).status()).toBe(200);
  const post = { data: { title: "Tides", content: "They come." } };
  expect((await program.post(`${site.url}/api/v1/posts`, post)).status()).toBe(403);
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("button", { name: "Revoke backup script" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/token.*revoked/i);
  expect((await program.get(`${site.url}/api/v1/me`)).status()).toBe(401);
});

test("a session on another device is listed and ended", async ({ page, site, browser }) => {
  const ann = unique("ann");
  await site.register(page, ann);
  const phone = await browser.newContext({ baseURL: site.url, userAgent: "Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1" });
  const other = await phone.newPage();
  await site.logIn(other, ann);
  await page.goto("/me/sessions");
  await page.getByRole("button", { name: "Log out: Safari on iPhone" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/session.*ended/i);
  await other.goto("/dashboard");
  await expect(other).toHaveURL(/\/login/);
  await phone.close();
});

test("the password is changed, and the new one logs in", async ({ page, site }) => {
  const ann = unique("ann");
  await site.register(page, ann);
  await page.goto("/me/password");
  await page.getByLabel("Current password").fill("not this");
  await page.getByLabel("New password").fill("seven marble lanterns drift");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByLabel("Current password")).toHaveAttribute("aria-invalid", "true");
  await inspect(page, "password with errors");
  await page.getByLabel("Current password").fill(PASSWORD);
  await page.getByLabel("New password").fill("seven marble lanterns drift");
  await page.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/password.*changed/i);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.goto("/login");
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByLabel("Password", { exact: true }).fill("seven marble lanterns drift");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("status").first()).toHaveText(/logged in/);
});
