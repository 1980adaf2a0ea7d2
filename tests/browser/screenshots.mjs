// Screenshots of every page, narrow and wide, light and dark: npm run screenshots -- FOLDER
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const out = resolve(process.argv[2] ?? "node_modules/.screenshots");
const binary = fileURLToPath(new URL("../../target/debug/postly", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "postly-screenshots-"));
const url = "http://127.0.0.1:8765";
const password = "violet otter paddles upstream";
const env = { PATH: process.env.PATH, ROCKET_PORT: "8765", POSTLY_BCRYPT_COST: "4" };
const run = (args, input = "") => execFileSync(binary, args, { cwd: folder, env, input });

run(["demo"]);
run(["user", "add", "root", "--admin"], password);
run(["user", "set-password", "mirela"], password);
const server = spawn(binary, { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
await new Promise((up) => server.stdout.once("data", up));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
mkdirSync(out, { recursive: true });

const newest = (await (await fetch(`${url}/api/v1/posts`)).json()).items;
const ownPost = newest.find((post) => post.author.username === "mirela").id;
const plan = {
  visitor: ["/", "/?sort=top", `/posts/${ownPost}`, `/posts/${ownPost}/votes`, "/users/mirela", "/login", "/register", "/password-reset", "/password-reset/new", "/verify-email", "/login/code", "/nowhere", "/docs", "/docs/errors", "/redoc"],
  mirela: ["/", `/posts/${ownPost}`, `/posts/${ownPost}/edit`, "/posts/new", "/dashboard", "/me", "/me/sessions", "/me/tokens", "/me/events", "/me/password", "/me/email", "/me/two-factor", "/sudo"],
  root: ["/admin/posts", "/admin/users", "/admin/audit", "/admin/users/mirela/sessions"],
};
for (const [who, paths] of Object.entries(plan)) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [360, 1280]) {
      const context = await browser.newContext({ baseURL: url, colorScheme, viewport: { width, height: 900 } });
      const page = await context.newPage();
      if (who !== "visitor") {
        await page.request.post("/login", { form: { username: who, password }, headers: { Origin: url }, maxRedirects: 0 });
      }
      for (const path of paths) {
        await page.goto(path, { waitUntil: "networkidle" });
        const name = `${who}${path.replace(/[^a-z0-9]+/gi, "-")}-${width}-${colorScheme}.png`;
        await page.screenshot({ path: join(out, name) });
      }
      if (who === "visitor") {
        await page.goto("/register");
        await page.getByLabel("Username").fill("a b");
        await page.getByRole("button", { name: "Register" }).click();
        await page.getByRole("alert").waitFor();
        await page.screenshot({ path: join(out, `visitor-register-errors-${width}-${colorScheme}.png`) });
      }
      if (who === "mirela") {
        const shot = (name) => page.screenshot({ path: join(out, `${who}-${name}-${width}-${colorScheme}.png`), fullPage: true });
        await page.goto("/me/tokens");
        await page.getByLabel("Name", { exact: true }).fill("backup script");
        await page.getByLabel("Read posts").check();
        await page.getByRole("button", { name: "Create token" }).click();
        await shot("token-created");
        await page.goto("/me/two-factor");
        await page.getByRole("button", { name: "Set up" }).click();
        await shot("two-factor-setup");
      }
      await context.close();
    }
  }
}
await browser.close();
server.kill();
rmSync(folder, { recursive: true, force: true });
console.log(`The screenshots are in ${out}`);
