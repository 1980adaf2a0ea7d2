// Screenshots of every page, narrow and wide, light and dark: npm run screenshots -- FOLDER [WHO [THEME-WIDTH]]
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const out = resolve(process.argv[2] ?? "node_modules/.screenshots");
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const binary = here("../../target/debug/postly");
const folder = mkdtempSync(join(tmpdir(), "postly-screenshots-"));
const url = "http://127.0.0.1:8765";
const password = "violet otter paddles upstream";

// It takes each mail, with the link in it, and refuses it afterwards, which the account's page then shows.
const mails = [];
const smtp = spawn("node", [here("support/smtp.mjs"), "refuse-text", "0"], { stdio: ["pipe", "pipe", "inherit"] });
const lines = createInterface({ input: smtp.stdout });
const [{ port }] = (await once(lines, "line")).map((line) => JSON.parse(line));
lines.on("line", (line) => mails.push(JSON.parse(line)));

const env = {
  PATH: process.env.PATH,
  ROCKET_PORT: "8765",
  POSTLY_BCRYPT_COST: "4",
  POSTLY_MAIL_URL: `smtp://127.0.0.1:${port}`,
  POSTLY_MAIL_FROM: "Postly <post@posts.example>",
  POSTLY_LIMITS: "mails=1000/h, links=1000/m, sessions=1000/h, login-address=1000/m, register=1000/m",
};
const run = (args, input = "") => execFileSync(binary, args, { cwd: folder, env, input, stdio: ["pipe", "ignore", "ignore"] });
run(["demo"]);
run(["user", "add", "zoe", "--email", "zoe@mail.example"], password);
run(["user", "set-password", "mirela"], password);
const server = spawn(binary, { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
// Also when this fails.
process.on("exit", () => [server, smtp].forEach((child) => child.kill()));
server.on("exit", () => process.exit(1));
await once(server.stdout, "data");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
mkdirSync(out, { recursive: true });

/** A page in one theme and width, and a function that takes a picture of it. */
async function open(who, colorScheme, width) {
  const context = await browser.newContext({ baseURL: url, colorScheme, viewport: { width, height: 900 } });
  const page = await context.newPage();
  const shot = (name) => page.screenshot({ path: join(out, `${who}-${name}-${width}-${colorScheme}.png`), fullPage: true });
  return { page, shot };
}
const ways = ["light", "dark"]
  .flatMap((theme) => [360, 768, 1280].map((width) => [theme, width]))
  .filter((way) => [undefined, way.join("-")].includes(process.argv[4]));
for (const way of ways) {
  const { page, shot } = await open("setup", ...way);
  await page.goto(readFileSync(join(folder, "data", "setup-link"), "utf8").trim());
  await shot("form");
  await page.context().close();
}
run(["user", "add", "root", "--admin"], password);

const newest = (await (await fetch(`${url}/api/v1/posts`)).json()).items;
const ownPost = newest.find((post) => post.author.username === "mirela").id;
const commented = newest.find((post) => post.comments > 3).id;
// A history with a change of each kind, and a comment that was edited.
const entered = await fetch(`${url}/api/v1/auth/login`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ username: "mirela", password }),
});
const { access_token: token } = await entered.json();
const ask = async (method, path, body) => {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return (await fetch(`${url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) })).json();
};
const walk = [
  "We left the harbour at six, when the water was low and the light still grey.",
  "The path follows the old railway for two miles, then climbs to the chapel.",
  "- boots\n- a lamp\n- bread and cheese",
  "Nobody else was there. The gulls had the wall to themselves, and we ate our bread in the lee of it.",
  "By noon the tide had turned, and the causeway was gone.",
];
const changed = [...walk.slice(0, 1), walk[1].replace("two miles", "three miles").replace("chapel", "old chapel"), walk[2].replace("a lamp", "a lamp, with oil"), ...walk.slice(3), "We waited six hours for it to come back."];
const { id: walked } = await ask("POST", "/posts", { title: "The causeway", content: walk.join("\n\n"), tags: ["sea"] });
await ask("PUT", `/posts/${walked}`, { content: changed.join("\n\n"), title: "Across the causeway", tags: ["sea", "walking"] });
await ask("PUT", `/posts/${walked}`, { content: changed.slice(1).join("\n\n") });
const { id: said } = await ask("POST", `/posts/${walked}/comments`, { content: "Mind the tide table, which is wrong in March." });
await ask("PUT", `/comments/${said}`, { content: "Mind the tide table, which is an hour wrong in March." });
const { path: seriesPath } = (await ask("GET", "/users/mirela/series")).items[0];
const plan = {
  visitor: ["/", "/?sort=top", "/?sort=top&period=week&tag=sea", "/?sort=hot&tag=nothing", "/tags", "/tags?q=zzz", "/tags/sea", `/posts/${ownPost}`, `/posts/${ownPost}/votes`, `/posts/${commented}`, `/posts/${commented}/comments`, "/comments/2", "/comments/2/votes", "/users/mirela", "/users/mirela/comments", "/users/mirela/series", "/users/zoe/series", seriesPath, "/users/zoe", "/?author=zoe", "/users/nobodyhere", "/search", "/search?q=year+morning", "/search?q=year&type=comments", "/search?q=ri&type=people", "/search?q=%22zzz", "/search?q=before:now", "/login", "/register", "/password-reset", "/password-reset/new", "/verify-email", "/login/code", "/nowhere", "/docs", "/docs/errors", "/docs/guide", "/redoc"],
  mirela: ["/", seriesPath, `${seriesPath}/edit`, `/posts/${ownPost}`, `/posts/${commented}`, `/posts/${commented}/comments/new?parent_id=1`, `/posts/${commented}/comments`, "/comments/2", `/posts/${ownPost}/edit`, `/posts/${walked}`, `/posts/${walked}/revisions`, `/posts/${walked}/revisions/1`, `/posts/${walked}/revisions/2?compare=`, `/posts/${walked}/revisions/3?compare=1`, `/comments/${said}/revisions`, `/comments/${said}/revisions/1`, `/comments/${said}/revisions/2?compare=`, "/posts/new", "/dashboard", "/me", "/me/sessions", "/me/tokens", "/me/applications", "/me/events", "/me/password", "/me/email", "/me/two-factor", "/sudo", "/sudo?repeat=true"],
  root: ["/tags/sea", "/tags/sea/edit", "/admin", "/admin/settings", "/admin/checkup", "/admin/logo", "/admin/posts", "/admin/comments", "/admin/posts?q=zzz", "/admin/posts?author=mirela", "/admin/posts/bulk?id=5&id=6&id=999", "/admin/users", "/admin/users/bulk?action=purge&id=2&id=3&id=4", "/admin/users/bulk?action=disable&id=2&id=3", "/admin/users/bulk?action=enable&id=2&id=3", "/admin/users/bulk?action=delete&id=2&id=3", "/admin/users?q=zzz", ...["delete", "disable", "promote"].map((change) => `/admin/users/mirela/confirm?change=${change}`), "/admin/users/root/confirm?change=demote", "/admin/audit", "/admin/audit?kind=login&person=mirela", "/admin/users/mirela/sessions"],
};

/** The code that an authenticator shows (RFC 6238), `later` periods from now. */
function code(secret, later = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const digest = createHmac("sha1", key).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** The last link of a mail to an address, once it has arrived. */
async function link(address) {
  for (;;) {
    const mail = mails.findLast((mail) => mail.to?.includes(address) && /token=/.test(mail.raw));
    if (mail) return mail.raw.match(/http\S+token=[\w-]+/)[0];
    await once(lines, "line");
  }
}

async function logIn(page, username) {
  await page.goto("/login");
  await page.getByLabel(/^Username/).fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

const states = {
  async visitor(page, shot) {
    await page.goto("/register");
    await page.getByLabel("Username").fill("a b");
    await page.getByRole("button", { name: "Register" }).click();
    await page.getByRole("alert").waitFor();
    await shot("register-errors");
    await page.goto("/login");
    await page.getByLabel(/^Username/).fill("zoe");
    // The limit of an account lasts for a while: after the first pictures, the first try is refused.
    do {
      await page.getByLabel("Password").fill("not the right words");
      await page.getByRole("button", { name: "Log in" }).click();
      await page.getByRole("alert").waitFor();
    } while (!/too many/i.test(await page.getByRole("alert").innerText()));
    await shot("login-too-many");
    mails.length = 0;
    await page.goto("/password-reset");
    await page.getByLabel(/E-mail/).fill("zoe@mail.example");
    await page.getByRole("main").getByRole("button").click();
    await shot("reset-asked");
    await page.goto(await link("zoe@mail.example"));
    await shot("reset-link");
    const name = `person${Math.random().toString(36).slice(2, 8)}`;
    await page.goto("/register");
    await page.getByLabel("Username").fill(name);
    await page.getByLabel(/E-mail/).fill(`${name}@mail.example`);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Register" }).click();
    await page.goto(await link(`${name}@mail.example`));
    await shot("verify-link");
    await page.goto("/me");
    await shot("mail-refused");
  },
  async mirela(page, shot) {
    for (const [name, texts] of [["merge", changed.slice(1)], ["merge-conflict", changed.slice(1).map((text) => text.replace("three miles", "a league"))]]) {
      await page.goto(`/posts/${walked}/edit`);
      await page.getByLabel("Text").fill([...texts, "Next time we shall look at the table."].join("\n\n"));
      await page.locator("[name=version]").evaluate((field, number) => (field.value = number), name === "merge" ? "2" : "1");
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("heading", { name: "There is a newer version" }).waitFor();
      await shot(name);
      if (name === "merge-conflict") {
        await page.getByRole("button", { name: "Save" }).click();
        await page.getByRole("alert").waitFor();
        await shot("merge-undecided");
      }
      await page.evaluate(() => localStorage.clear());
    }
    await page.goto("/posts/new");
    await page.getByText("Help with Markdown").click();
    await shot("editor-help");
    await page.getByLabel("Title").fill("Slack water");
    await page.locator("#content").fill("Between the tides, *nothing* moves.");
    await page.getByText("Summary, address, readers and date").click();
    await page.getByLabel("Everyone who has the link").check();
    await page.getByLabel(/^Date and time/).fill("2028-06-01T12:00");
    await shot("editor-options");
    await page.getByRole("button", { name: "Save draft" }).click();
    await page.getByText("Draft saved").waitFor();
    await shot("draft");
    await page.getByRole("link", { name: "Edit" }).click();
    await shot("draft-edit");
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByText("Until then").first().waitFor();
    await page.getByRole("link", { name: "Edit" }).click();
    await page.getByLabel(/^Date and time/).fill("2026-06-01T12:00");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Everyone who has this link").waitFor();
    await shot("unlisted");
    await page.getByRole("link", { name: "Share links" }).click();
    await shot("no-share-links");
    await page.getByLabel(/^Days/).fill("7");
    await page.getByRole("button", { name: "Create a link" }).click();
    await page.getByText("Link created").waitFor();
    await shot("share-links");
    await page.goto(await page.locator("input[type=url]").inputValue());
    await shot("shared");
    await page.goto("/drafts");
    await shot("drafts");
    await page.getByText("Delete…").first().click();
    await page.getByRole("button", { name: "Delete this post" }).first().click();
    await page.goto("/drafts");
    await shot("no-drafts");
    await page.goto("/posts/new");
    await page.getByLabel("Title").fill("Low water");
    await page.locator("textarea").fill("The *tide* turns at four.\n\n1. Boots\n2. A lamp");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.locator("#preview em").waitFor();
    await shot("preview");
    await page.goto("/posts/new");
    await page.getByText("Restored from this browser").waitFor();
    await shot("draft-restored");
    await page.context().clearCookies({ name: "postly" });
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByText("What you typed is kept").waitFor();
    await shot("login-kept");
    await page.getByLabel(/^Username/).fill("mirela");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Nothing has been sent yet").first().waitFor();
    await shot("form-kept");
    await page.goto("/");
    await page.getByRole("button", { name: /^Vote for/ }).first().click();
    await page.getByText("Your vote was counted.").first().waitFor();
    await shot("flash");
    await page.getByRole("button", { name: /^Voted/ }).first().click();
    await page.goto("/posts/new");
    await page.getByLabel("Title").fill("A table with too many cells");
    await page.locator("textarea").fill(`|${"a|".repeat(200)}\n|${"-|".repeat(200)}\n${"a\n".repeat(1300)}`);
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByRole("alert").waitFor();
    await shot("too-complex");
    await page.goto("/me/tokens");
    await page.getByLabel("Name", { exact: true }).fill("backup script");
    await page.getByLabel("Read posts").check();
    await page.getByRole("button", { name: "Create token" }).click();
    await shot("token-created");
    await page.goto("/me/applications");
    await page.getByLabel("Name", { exact: true }).fill("Tide Tables");
    await page.getByLabel("Redirect URIs").fill("https://tides.example/callback\nhttp://127.0.0.1/callback");
    await page.getByLabel("It runs on a server").check();
    await page.getByRole("button", { name: "Register application" }).click();
    await shot("application-created");
    const id = await page.getByLabel("Client id").inputValue();
    await page.goto("/me/applications");
    await shot("applications");
    await page.getByRole("link", { name: "Tide Tables" }).first().click();
    await shot("application");
    const consent = (scope) =>
      `/oauth/authorize?response_type=code&client_id=${id}&redirect_uri=https://tides.example/callback&scope=${scope}` +
      `&code_challenge=${"x".repeat(43)}&code_challenge_method=S256`;
    await page.goto(consent("posts:read+posts:write+account"));
    await shot("consent");
    await page.goto("/oauth/authorize?client_id=unknown");
    await shot("unknown-application");
    await page.goto("/me/password");
    await shot("password-with-tokens");
    await page.goto("/me/two-factor");
    await page.getByRole("button", { name: "Set up" }).click();
    await shot("two-factor-setup");
    const secret = (await page.getByRole("main").innerText()).replace(/ /g, "").match(/[A-Z2-7]{32}/)[0];
    await page.getByRole("textbox", { name: "Code" }).fill(code(secret));
    await page.getByRole("main").getByRole("button").last().click();
    await shot("recovery-codes");
    await page.goto("/sudo");
    await shot("sudo-with-code");
    await page.context().clearCookies();
    await logIn(page, "mirela");
    await shot("login-code");
    await page.getByRole("textbox", { name: "Code" }).fill("000000");
    await page.getByRole("main").getByRole("button").click();
    await page.getByRole("alert").waitFor();
    await shot("login-code-wrong");
    run(["user", "reset-two-factor", "mirela"]);
  },
  async root(page, shot) {
    await page.goto("/admin/settings");
    await page.getByLabel("Name", { exact: true }).fill("Harbour Lights");
    await page.getByLabel("Accent colour").fill("#0b6e4f");
    await page.getByLabel("Announcement").fill("The harbour is closed on Monday.");
    await page.getByLabel("Rules").fill("## Be kind\n\nAnd *honest*.");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.goto("/admin/logo");
    await page.getByLabel("Image").setInputFiles("../fixtures/logo.png");
    await page.getByRole("button", { name: "Use this logo" }).click();
    await page.goto("/admin/checkup");
    await page.getByRole("button", { name: "Examine the site" }).click();
    while (!(await page.getByText("Last examined").count()) || (await page.getByText("is being examined").count())) {
      await page.goto("/admin/checkup");
    }
    for (const path of ["/", "/rules", "/rules/versions", "/admin", "/admin/checkup", "/admin/logo", "/admin/settings"]) {
      await page.goto(path);
      await shot(`themed${path.replace(/[^a-z0-9]+/gi, "-")}`);
    }
    await page.goto("/admin/logo");
    await page.getByRole("button", { name: "Remove the logo" }).click();
    await page.goto("/admin/settings");
    for (const label of ["Accent colour", "Announcement", "Rules"]) await page.getByLabel(label).fill("");
    await page.getByLabel("Name", { exact: true }).fill("Postly");
    await page.getByRole("button", { name: "Save settings" }).click();
  },
};

for (const [who, paths] of Object.entries(plan).filter(([who]) => [undefined, who].includes(process.argv[3]))) {
  for (const way of ways) {
    const { page, shot } = await open(who, ...way);
    if (who !== "visitor") await logIn(page, who);
    for (const path of paths) {
      await page.goto(path, { waitUntil: "networkidle" });
      await shot(path.replace(/[^a-z0-9]+/gi, "-"));
    }
    await states[who](page, shot);
    await page.context().close();
  }
}
await browser.close();
server.removeAllListeners("exit");
server.kill();
rmSync(folder, { recursive: true, force: true });
console.log(`The screenshots are in ${out}`);
process.exit(0);
