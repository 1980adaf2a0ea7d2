// Hostile text and hostile sites, in a real browser.
import { createServer } from "node:http";
import type { Page } from "@playwright/test";
import { Console, expect, open, PASSWORD, submit, test, unique } from "./support/site.ts";

const hostileTexts = [
  "<script>window.pwned = 1</script>",
  "\"><script>window.pwned = 1</script>",
  "</title></textarea></style></script><script>window.pwned = 1</script>",
  "<img src=x onerror='window.pwned = 1'>",
  "<svg onload='window.pwned = 1'><a xlink:href='javascript:window.pwned=1'><text>a</text></a></svg>",
  "\" autofocus onfocus=\"window.pwned = 1",
  "' autofocus onfocus='window.pwned = 1",
  "<iframe srcdoc='<script>parent.pwned = 1</script>'></iframe>",
  "<base href=//evil.example><meta http-equiv=refresh content='0;url=//evil.example'>",
  "<style>@import '//evil.example';</style><i style='color: red' class=mine>red</i>",
  "{{7*7}} {% raw %} &lt;u&gt; <!-- javascript:window.pwned=1",
];

const hostileMarkdown = [
  "[a](javascript:window.pwned=1) [b](JaVaScRiPt:window.pwned=1) [c](&#106;avascript:window.pwned=1)",
  "[a](<java\tscript:window.pwned=1>) [b](vbscript:x) [c](\u0001javascript:window.pwned=1)",
  "[a](data:text/html,<script>opener.pwned=1</script>) [b](data:text/html;base64,PHNjcmlwdD4=)",
  "<javascript:window.pwned=1> <data:text/html,x>",
  "[a][b]\n\n[b]: javascript:window.pwned=1 \"c\"",
  "![a](javascript:window.pwned=1) ![b](data:image/svg+xml,<svg/onload=parent.pwned=1>) ![c](//evil.example/d.png)",
  "[a](https://a.example 'b\" onmouseover=\"window.pwned=1')",
  "[a](https://a.example/\"onmouseover=\"window.pwned=1)",
  "<div onclick='window.pwned=1'>\n\n<script>window.pwned=1</script>\n\n</div>",
  "Some <a href='javascript:window.pwned=1'>raw</a> <b style='position:fixed'>HTML</b>",
  "<svg><script href='data:text/javascript,window.pwned=1' /></svg>",
  "<svg><animate onbegin='window.pwned=1' attributeName=x /></svg><math><mtext><style><img src=x onerror='window.pwned=1'>",
  "<form action=//evil.example><input name=password><button formaction='javascript:window.pwned=1'>Log in</button></form>",
  "<details open ontoggle='window.pwned=1'><summary>a</summary></details>",
  "```\"><script>window.pwned=1</script>\n</code></pre><script>window.pwned=1</script>\n```",
  "| a |\n|---|\n| <img src=x onerror='window.pwned=1'> |",
  // Quotes that are not made typographic, for the attribute that holds the excerpt.
  "`\"><script>window.pwned=1</script>` \\\"><script>window.pwned=1</script>",
];

/** All markup in the document that comes neither from a template nor from Markdown. */
function unexpectedMarkup(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const elements = new Set(
      ("html head meta title link script body header nav main footer section article div span p a ul ol li dl dt dd " +
        "h1 h2 h3 h4 h5 h6 strong em del code pre blockquote hr br table thead tbody tr th td time " +
        "form label input datalist option textarea button details summary fieldset legend bdi mark search sup").split(" "),
    );
    const attributes = new Set(
      ("lang charset name content property rel href type src class id role tabindex title start datetime scope " +
        "method action formaction novalidate for value rows required maxlength list autocomplete autocapitalize " +
        "spellcheck data-label data-editor data-autosave data-preview data-draft data-returned data-notice media as crossorigin dir form readonly min open checked disabled").split(" "),
    );
    // The mark of the site, the arrow of a vote, and the magnifying glass: shapes, and nothing else.
    const drawing =
      /^<svg( class="(mark|arrow)")? viewBox="[\d ]+" aria-hidden="true">(<(rect|path|circle)( (width|height|rx|class|d|cx|cy|r)="[\w .-]*")+><\/(rect|path|circle)>)+<\/svg>$/;
    const found = "pwned" in window ? ["a script that ran"] : [];
    for (const element of document.querySelectorAll("*")) {
      const report = (what: string) => found.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
      const name = element.localName;
      if (drawing.test(element.closest("svg")?.outerHTML ?? "")) continue;
      if (!elements.has(name) || element.namespaceURI !== "http://www.w3.org/1999/xhtml") report("element");
      for (const { name: attribute, value } of element.attributes) {
        if (!attributes.has(attribute) && !attribute.startsWith("aria-")) report(attribute);
        if (["href", "src", "action", "formaction"].includes(attribute)) {
          const url = URL.parse(value, document.baseURI);
          const ours = url?.origin === location.origin;
          const link = name === "a" && ["http:", "https:", "mailto:"].includes(url?.protocol ?? "");
          if (!ours && !link) report(attribute);
        }
      }
      // Data, which no browser runs.
      if (element.matches('head > script[type="application/ld+json"]:not([src])')) continue;
      if (name === "script" && !element.getAttribute("src")?.startsWith("/static/js/")) report("script");
    }
    return found;
  });
}

test("hostile text is shown as text", async ({ page, site }) => {
  const mallory = unique("mallory");
  site.run(["user", "add", mallory, "--admin"], PASSWORD);
  await site.logIn(page, mallory);
  const console = new Console(page);
  for (const text of hostileTexts) {
    await site.post(page, text, text);
    const post = await site.post(page, text, text);
    const q = encodeURIComponent(text);
    for (const path of [post, `${post}/votes`, "/?limit=1", "/dashboard", `/admin/posts?q=${q}&limit=1`]) {
      await open(page, console, path, 200);
      expect(await unexpectedMarkup(page), `${text} at ${path}`).toEqual([]);
    }
    await expect(page.getByLabel("Title or author")).toHaveValue(text);
    // The search term is kept on the next page.
    await page.getByRole("link", { name: "Older" }).click();
    await expect(page.getByRole("link", { name: "Newer" })).toBeVisible();
    await expect(page.getByLabel("Title or author")).toHaveValue(text);
    await expect(page.getByRole("link", { name: text, exact: true })).toBeVisible();
    await open(page, console, post, 200);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(text);
    await open(page, console, `${post}/edit`, 200);
    expect(await unexpectedMarkup(page), `${text} at ${post}/edit`).toEqual([]);
    await expect(page.getByLabel("Title")).toHaveValue(text);
    await expect(page.getByLabel("Text")).toHaveValue(text);
    // Both fields come back when the form has errors.
    for (const [field, other] of [["Title", "Text"], ["Text", "Title"]]) {
      await open(page, console, "/posts/new", 200);
      await page.getByLabel(field).fill(text);
      // The browser has kept what was typed before.
      await page.getByLabel(other).fill("");
      await submit(page, console, "Publish", 422);
      expect(await unexpectedMarkup(page), `${text} in a form with errors`).toEqual([]);
      await expect(page.getByLabel(field)).toHaveValue(text);
      await expect(page.getByLabel(other)).toHaveValue("");
    }
  }
  expect(console.problems()).toEqual([]);
});

test("hostile names of tokens and devices are shown as text", async ({ page, site, browser }) => {
  const mallory = unique("mallory");
  site.run(["user", "add", mallory, "--admin"], PASSWORD);
  await site.logIn(page, mallory);
  const console = new Console(page);
  for (const text of hostileTexts) {
    const form = { name: text.slice(0, 80), scopes: "account", days: "7" };
    const created = await page.request.post(`${site.url}/me/tokens`, { form, headers: { Origin: site.url }, maxRedirects: 0 });
    expect(created.status()).toBe(303);
    const device = await browser.newContext({ baseURL: site.url, userAgent: text });
    await site.logIn(await device.newPage(), mallory);
    await device.close();
  }
  for (const path of ["/me/tokens", "/me/sessions", "/me/events", "/admin/audit", `/admin/users/${mallory}/sessions`]) {
    await open(page, console, path, 200);
    const allowed = /^(element: <(fieldset|legend|dd|select|option)|element: <input type="checkbox"|type)/;
    expect((await unexpectedMarkup(page)).filter((one) => !allowed.test(one)), path).toEqual([]);
  }
  await open(page, console, "/me/tokens", 200);
  await expect(page.getByText("<img src=x").first()).toBeVisible();
  expect(console.problems()).toEqual([]);
});

test("hostile Markdown produces only harmless markup", async ({ page, site }) => {
  await site.register(page, unique("mallory"));
  const console = new Console(page);
  for (const content of hostileMarkdown) {
    const post = await site.post(page, "Markdown", content);
    for (const path of ["/dashboard", post]) {
      await open(page, console, path, 200);
      expect(await unexpectedMarkup(page), `${content} at ${path}`).toEqual([]);
    }
    await expect(page.locator(".post .prose")).not.toBeEmpty();
    await open(page, console, `${post}/edit`, 200);
    await submit(page, console, "Preview", 200);
    await expect(page.locator("#preview .prose")).not.toBeEmpty();
    expect(await unexpectedMarkup(page), `${content} in the preview`).toEqual([]);
  }
  expect(console.problems()).toEqual([]);
});

test("hostile URLs change nothing in the page", async ({ page, site }) => {
  const mallory = unique("mallory");
  site.run(["user", "add", mallory, "--admin"], PASSWORD);
  await site.logIn(page, mallory);
  const console = new Console(page);
  for (const text of hostileTexts) {
    const encoded = encodeURIComponent(text);
    const addresses: [string, number][] = [
      [`/?author=${encoded}`, 404], [`/?author=${encoded}&sort=top`, 404], [`/?sort=${encoded}`, 422], [`/?before=${encoded}`, 422],
      [`/?limit=${encoded}`, 422], [`/?${encoded}=${encoded}`, 200], [`/admin/users?q=${encoded}`, 200], [`/login?next=${encoded}`, 200],
      [`/register?next=${encoded}`, 200], [`/${encoded}`, 404], [`/users/${encoded}`, 404], [`/posts/${encoded}`, 404],
      [`/static/${encoded}`, 404],
    ];
    for (const [path, status] of addresses) {
      await open(page, console, path, status);
      expect(await unexpectedMarkup(page), path).toEqual([]);
    }
    await open(page, console, `/admin/users?q=${encoded}`, 200);
    await expect(page.getByText(`No one matches “${text}”.`)).toBeVisible();
    // Who is logged in is led on from there.
    const cookies = await page.context().cookies();
    await page.context().clearCookies();
    for (const [path, button, label] of [["/login", "Log in", "Username or e-mail"], ["/register", "Register", "E-mail"]]) {
      await open(page, console, path, 200);
      await page.getByLabel(label).fill(text);
      await submit(page, console, button, 422);
      expect(await unexpectedMarkup(page), `${text} in a form with errors at ${path}`).toEqual([]);
      await expect(page.getByLabel(label)).toHaveValue(text);
    }
    await page.context().addCookies(cookies);
  }
  expect(console.problems()).toEqual([]);
});

test("a log-in redirects only to this site", async ({ page, site }) => {
  const ann = unique("ann");
  site.run(["user", "add", ann], PASSWORD);
  const console = new Console(page);
  for (const next of [
    "javascript:window.pwned=1", "data:text/html,<script>opener.pwned=1</script>", "https://evil.example/",
    "//evil.example/", "/\\evil.example/", "/\t/evil.example/", `${site.url}@evil.example/`, "\"><script>window.pwned=1</script>",
  ]) {
    await page.context().clearCookies();
    await open(page, console, `/login?next=${encodeURIComponent(next)}`, 200);
    expect(await unexpectedMarkup(page), next).toEqual([]);
    await expect(page.locator("#main [name=next]"), next).toHaveValue("/");
    await page.getByLabel("Username or e-mail").fill(ann);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await submit(page, console, "Log in", 303);
    await expect(page.getByRole("status").first()).toHaveText(/logged in/);
    expect(page.url(), next).toBe(`${site.url}/`);
    expect(await unexpectedMarkup(page), next).toEqual([]);
  }
  expect(console.problems()).toEqual([]);
});

test("scripts cannot read the session cookie", async ({ page, site, context }) => {
  await site.register(page, unique("cookie"));
  const cookie = (await context.cookies()).find((one) => one.name === "postly");
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
  await page.goto("/");
  expect(await page.evaluate(() => document.cookie)).not.toContain("postly=");
});

const origins = [
  // SameSite already withholds the cookie.
  { from: "another site", host: "localhost", cookie: false, origin: /^http:\/\/localhost:/ },
  // The same site for SameSite, since ports do not count: the cookie is sent.
  { from: "another port", host: "127.0.0.1", cookie: true, origin: /^http:\/\/127\.0\.0\.1:/ },
  // It hides its origin.
  { from: "another port with a hidden origin", host: "127.0.0.1", cookie: true, origin: /^null$/ },
];

for (const { from, host, cookie, origin } of origins) {
  test(`a form on ${from} changes nothing`, async ({ page, site, context }) => {
    await site.register(page, unique("victim"));
    const post = await site.post(page, "Mine", "My words.");
    const forms = [
      ["publish", "/posts", ""],
      ["edit", post, "<input name=_method value=put>"],
      ["delete", post, "<input name=_method value=delete>"],
      ["log out", "/logout", ""],
    ];
    const evil = createServer((_, answer) => {
      if (origin.test("null")) answer.setHeader("Referrer-Policy", "no-referrer");
      answer.setHeader("Content-Type", "text/html").end(
        forms.map(([name, path, more]) => `<form method=post action="${site.url}${path}">${more}
          <input name=title value=Stolen><input name=content value=Stolen><button>${name}</button></form>`).join(""),
      );
    });
    await new Promise<void>((done) => evil.listen(0, "127.0.0.1", done));
    const { port } = evil.address() as { port: number };
    for (const [name, path] of forms) {
      await page.goto(`http://${host}:${port}/`);
      const answer = page.waitForResponse(`${site.url}${path}`);
      await page.getByRole("button", { name, exact: true }).click();
      const refused = await answer;
      const sent = await refused.request().allHeaders();
      expect(sent.origin, name).toMatch(origin);
      expect(/(^|; )postly=/.test(sent.cookie ?? ""), `${name} with the cookie`).toBe(cookie);
      expect(refused.status(), name).toBe(403);
    }
    evil.close();
    expect((await context.cookies()).some((one) => one.name === "postly")).toBe(true);
    await page.goto("/dashboard");
    await expect(page.getByText("1 post,")).toBeVisible();
    await page.goto(post);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Mine");
    await expect(page.locator(".prose")).toHaveText("My words.");
  });
}
