// The picture in the README, of the demonstration: npm run picture
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const binary = here("../../target/debug/postly");
const folder = mkdtempSync(join(tmpdir(), "postly-picture-"));
const url = "http://127.0.0.1:8766";
const env = { PATH: process.env.PATH, ROCKET_PORT: "8766", POSTLY_BCRYPT_COST: "4" };
execFileSync(binary, ["demo"], { cwd: folder, env, stdio: "ignore" });
const server = spawn(binary, { cwd: folder, env, stdio: ["ignore", "pipe", "ignore"] });
process.on("exit", () => {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
});
await once(server.stdout, "data");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ baseURL: url, colorScheme: "light", viewport: { width: 1280, height: 800 } });
await page.goto("/", { waitUntil: "networkidle" });
await page.screenshot({ path: here("../../docs/screenshot.png") });
await browser.close();
process.exit(0);
