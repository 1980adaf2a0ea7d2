// What a browser makes of hostile text and of other sites.
import { createServer } from "node:http";
import { expect, fresh, PASSWORD, test } from "./support/site.ts";

const attacks = [
  "<script>window.__pwned = 1</script>",
  "<img src=x onerror='window.__pwned = 1'>",
  "<svg onload='window.__pwned = 1'></svg>",
  "[a](javascript:window.__pwned=1) [b](data:text/html,<script>1</script>)",
  "\"><script>window.__pwned = 1</script>",
  "{{7*7}} {% raw %} </textarea><script>window.__pwned = 1</script>",
];

test("hostile text is shown and never run", async ({ page, site }) => {
  const ann = fresh("mallory");
  site.run(["user", "add", ann, "--admin"], PASSWORD);
  await site.logIn(page, ann);
  page.on("dialog", () => expect("a dialog").toBe("never seen"));
  for (const attack of attacks) {
    const post = await site.post(page, attack, attack);
    for (const path of [post, `${post}/edit`, "/", `/admin/posts?q=${encodeURIComponent(attack)}`]) {
      await page.goto(path);
      expect(await page.evaluate(() => "__pwned" in window), `${attack} at ${path}`).toBe(false);
      expect(await page.locator("main img, main svg, main script, a[href^='javascript:'], a[href^='data:']").count()).toBe(0);
    }
    await page.goto(post);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(attack.replace(/\s+/g, " "));
    await page.goto(`/?author=${encodeURIComponent(attack)}`);
    expect(await page.evaluate(() => "__pwned" in window)).toBe(false);
  }
});

test("the cookie is out of reach of scripts", async ({ page, site, context }) => {
  await site.enter(page, fresh("cookie"));
  const cookie = (await context.cookies()).find((one) => one.name === "postly");
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
  await page.goto("/");
  expect(await page.evaluate(() => document.cookie)).not.toContain("postly=");
});

test("a form on another site changes nothing here", async ({ page, site, context }) => {
  await site.enter(page, fresh("victim"));
  const forms = ["/posts", "/logout"].map(
    (path) => `<form method=post action="${site.url}${path}"><input name=title value=Stolen>
      <input name=content value=Stolen><button>${path}</button></form>`,
  );
  const evil = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html").end(forms.join(""));
  });
  await new Promise<void>((done) => evil.listen(0, "127.0.0.1", done));
  const { port } = evil.address() as { port: number };
  for (const path of ["/posts", "/logout"]) {
    await page.goto(`http://localhost:${port}/`);
    const refused = page.waitForResponse(`${site.url}${path}`);
    await page.getByRole("button", { name: path }).click();
    expect((await refused).status()).toBe(403);
  }
  evil.close();
  expect((await context.cookies()).some((one) => one.name === "postly")).toBe(true);
  await page.goto("/dashboard");
  await expect(page.getByText("You have not written any yet.")).toBeVisible();
});
