// What others' tools say about the pages: the Nu HTML checker, Lighthouse on a simulated phone, and the journey in Firefox.
// ./test quality calls this; it prints its results as cargo does.
import { readFileSync } from "node:fs";
import { checkHtml } from "./nu.mjs";
import { journey } from "./firefox.mjs";
import { audit } from "./lighthouse.mjs";
import { Site } from "./site.mjs";

const wanted = process.argv.slice(2);
let passed = 0;
const failed = [];

/** Runs one check; it returns what is worth telling, or throws. */
async function check(name, run) {
  if (wanted.length && !wanted.some((word) => name.includes(word))) return;
  try {
    const told = await run();
    passed += 1;
    console.log(`  ${name}${told ? `: ${told}` : ""}\ntest ${name} ... ok`);
  } catch (error) {
    failed.push(name);
    console.log(`${error.stack}\ntest ${name} ... FAILED`);
  }
}

const site = await Site.start();
try {
  await check("Nu HTML checker", () => checkHtml(site));
  for (const [name, path, cookie] of [
    ["feed", "/", ""],
    ["post", site.post, ""],
    ["log-in", "/login", ""],
    ["editor", "/posts/new", site.cookie],
  ]) {
    await check(`Lighthouse, ${name}`, () => audit(site.url + path, cookie));
  }
  await check("the journey in Firefox", () => journey(site.url));
  await check("the server logged no error", () => {
    const errors = readFileSync(site.log, "utf8").split("\n").filter((line) => /"ERROR"|panicked/.test(line));
    if (errors.length) throw new Error(errors.slice(0, 10).join("\n"));
  });
} finally {
  site.stop();
}
console.log(`\ntest result: ${failed.length ? "FAILED" : "ok"}. ${passed} passed; ${failed.length} failed;`);
process.exit(failed.length ? 1 : 0);
