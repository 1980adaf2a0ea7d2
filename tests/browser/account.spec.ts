// One's account in a browser: tokens, sessions, two factors, the password.
import { createHmac } from "node:crypto";
import { expect, fresh, PASSWORD, test } from "./support/site.ts";
import { inspect, validate } from "./support/inspect.ts";

/** The code of an authenticator (RFC 6238) so many steps of 30 seconds from now. */
function totp(secret: string, ahead = 0): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("two factors are set up with the picture's secret and asked for at log-in", async ({ page, site }) => {
  const ann = fresh("ann");
  await site.enter(page, ann);
  await page.goto("/me/two-factor");
  await page.getByRole("button", { name: "Set it up" }).click();
  await expect(page.getByRole("img", { name: "QR code" })).toBeVisible();
  await validate(await page.content(), "setup");
  await inspect(page, "setup");
  const secret = await page.locator(".secret-text").innerText();
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Turn it on" }).click();
  await expect(page.getByRole("alert")).toContainText("This code is wrong");
  await expect(page.locator(".secret-text")).toHaveText(secret);
  await page.getByLabel("Code", { exact: true }).fill(totp(secret, -1));
  await page.getByRole("button", { name: "Turn it on" }).click();
  await expect(page.locator(".codes li")).toHaveCount(10);
  await inspect(page, "recovery codes");
  const recovery = await page.locator(".codes li").first().innerText();
  await page.getByRole("link", { name: "I have kept them" }).click();
  await expect(page.getByText("10 recovery codes are left")).toBeVisible();
  await inspect(page, "two factors on");

  await page.getByRole("button", { name: "Log out" }).click();
  const logIn = async (code: string) => {
    await page.goto("/login?next=%2Fdashboard");
    await page.getByLabel("Username or e-mail").fill(ann);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await expect(page.getByRole("heading", { name: "Your code" })).toBeVisible();
    await page.getByLabel("Code", { exact: true }).fill(code);
    await page.getByRole("button", { name: "Log in" }).click();
  };
  await logIn("000000");
  await expect(page.getByRole("alert")).toContainText("This code is wrong");
  await logIn(totp(secret));
  await expect(page).toHaveURL(/\/dashboard$/);
  await page.getByRole("button", { name: "Log out" }).click();
  await logIn(recovery);
  await expect(page).toHaveURL(/\/dashboard$/);
  await page.goto("/me/two-factor");
  await page.getByLabel("Code", { exact: true }).last().fill(totp(secret, 1));
  await page.getByRole("button", { name: "Turn it off" }).click();
  await expect(page.getByText("Two-factor log-in is off.")).toBeVisible();
});

test("a token is made, used by a program, and revoked", async ({ page, site, playwright }) => {
  await site.enter(page, fresh("ann"));
  await page.goto("/me/tokens");
  await page.getByRole("button", { name: "Make the token" }).click();
  await expect(page.getByRole("alert")).toContainText("Say what the token is for.");
  await inspect(page, "tokens refused");
  await page.getByLabel("What it is for").fill("backup script");
  await page.getByLabel("See your account").check();
  await page.getByRole("button", { name: "Make the token" }).click();
  const token = await page.getByLabel("Token “backup script”").inputValue();
  await validate(await page.content(), "token made");
  await inspect(page, "token made");
  const program = await playwright.request.newContext({ extraHTTPHeaders: { Authorization: `Bearer ${token}` } });
  expect((await program.get(`${site.url}/api/v1/me`)).status()).toBe(200);
  expect((await program.get(`${site.url}/api/v1/posts`)).status()).toBe(403);
  await page.getByRole("link", { name: "All tokens" }).click();
  await page.getByRole("button", { name: "Revoke backup script" }).click();
  await expect(page.getByText("The token is revoked.")).toBeVisible();
  expect((await program.get(`${site.url}/api/v1/me`)).status()).toBe(401);
});

test("a session elsewhere is seen and ended", async ({ page, site, browser }) => {
  const ann = fresh("ann");
  await site.enter(page, ann);
  const phone = await browser.newContext({ baseURL: site.url, userAgent: "Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1" });
  const other = await phone.newPage();
  await site.logIn(other, ann);
  await page.goto("/me/sessions");
  await page.getByRole("button", { name: "End the session: Safari on iPhone" }).click();
  await expect(page.getByText("The session is ended.")).toBeVisible();
  await other.goto("/dashboard");
  await expect(other).toHaveURL(/\/login/);
  await phone.close();
});

test("the password is changed, and the way back in is the new one", async ({ page, site }) => {
  const ann = fresh("ann");
  await site.enter(page, ann);
  await page.goto("/me/password");
  await page.getByLabel("Current password").fill("not this");
  await page.getByLabel("New password").fill("seven marble lanterns drift");
  await page.getByRole("button", { name: "Change it" }).click();
  await expect(page.getByRole("alert")).toContainText("This is not your password.");
  await inspect(page, "password refused");
  await page.getByLabel("Current password").fill(PASSWORD);
  await page.getByLabel("New password").fill("seven marble lanterns drift");
  await page.getByRole("button", { name: "Change it" }).click();
  await expect(page.getByText("Your password is changed.")).toBeVisible();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.goto("/login");
  await page.getByLabel("Username or e-mail").fill(ann);
  await page.getByLabel("Password", { exact: true }).fill("seven marble lanterns drift");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByText("You are logged in.")).toBeVisible();
});
