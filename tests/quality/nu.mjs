// Every page, for a visitor and for an admin, through the Nu HTML checker (needs Java).
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import vnu from "vnu-jar";

export async function checkHtml(site) {
  const folder = join(site.folder, "pages");
  mkdirSync(folder);
  const open = ["/", "/?sort=top", site.post, `${site.post}/votes`, "/users/quinn", "/login", "/register", "/password-reset",
    "/verify-email", "/nowhere", "/docs", "/redoc", "/docs/guide", "/docs/errors"];
  const own = [...open, `${site.post}/edit`, "/posts/new", "/dashboard", "/me", "/me/sessions", "/me/tokens", "/me/applications",
    "/me/events", "/me/password", "/me/email", "/me/two-factor", "/sudo", "/admin", "/admin/posts", "/admin/users", "/admin/audit",
    "/admin/checkup", "/admin/settings", "/admin/logo", "/admin/users/quinn/sessions"];
  let pages = 0;
  for (const [paths, cookie] of [[open, ""], [own, site.cookie]]) {
    for (const path of paths) {
      const page = await fetch(site.url + path, { headers: { Cookie: cookie } });
      pages += 1;
      const name = `${cookie ? "admin" : "visitor"}${path.replace(/[^a-z0-9]+/gi, "-")}.html`;
      writeFileSync(join(folder, name), await page.text());
    }
  }
  const output = execFileSync("java", ["-jar", vnu, "--format", "json", "--exit-zero-always", "--stdout", folder], {
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  const messages = JSON.parse(output).messages.filter((message) => message.type === "error" || message.subType === "warning");
  const lines = messages.map((message) => `${message.url.split("/").pop()}:${message.lastLine}: ${message.message}`);
  if (lines.length) throw new Error(`${lines.length} messages:\n${lines.slice(0, 30).join("\n")}`);
  return `${pages} pages, 0 errors, 0 warnings`;
}
