// Checks for every page: accessible, valid HTML, no wider than the screen.
import { expect, type Page } from "@playwright/test";
import axe from "axe-core";
import { HtmlValidate } from "html-validate";

const validator = new HtmlValidate({
  extends: ["html-validate:recommended"],
  rules: {
    // Two matters of style.
    "void-style": "off",
    "attribute-boolean-style": "off",
    // The checkboxes of one group share a name, and so do the buttons that send different values.
    "form-dup-name": ["error", { shared: ["radio", "checkbox", "submit"] }],
    // Templates leave trailing spaces, which do not show.
    "no-trailing-whitespace": "off",
    // The ids of posts (post-1) do not match the pattern of the rule.
    "valid-id": ["error", { relaxed: true }],
  },
});

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// The rules about colours. The two themes differ in nothing else.
const COLOURS = ["color-contrast", "link-in-text-block"];

/** `exclude` are selectors of what axe does not look at. */
export async function inspect(page: Page, where: string, exclude: string[] = []) {
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const rules = colorScheme === "light" ? RULES : COLOURS;
      // At the end of the page, the bar below a form is at its own place. Elsewhere it covers a part of something.
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      expect(await violations(page, rules, exclude), `${where} ${colorScheme} ${width}`).toEqual([]);
      const excess = await page.evaluate(() => {
        const root = document.scrollingElement as Element;
        return root.scrollWidth - root.clientWidth;
      });
      expect(excess, `${where} is wider than ${width}`).toBe(0);
    }
  }
}

/**
 * What axe finds by these rules, or rules with these tags, outside of `exclude`. It is loaded once for each page:
 * loading it takes as long as many of the analyses.
 */
export async function violations(page: Page, runOnly = RULES, exclude: string[] = []): Promise<string[]> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source);
  const analyse = async ([runOnly, exclude]: string[][]) => {
    // Swagger UI fades the colours of its links from one theme to the other.
    const fading = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
    await Promise.allSettled(fading.map((animation) => animation.finished));
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const found = await axe.run({ include: ["html"], exclude }, { runOnly, resultTypes: ["violations"] });
    return found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`);
  };
  return page.evaluate(analyse, [runOnly, exclude]);
}

export async function validate(html: string, where: string) {
  const report = await validator.validateString(html);
  // A selection is carried along in hidden fields of one name; tags are typed, or chosen from a list.
  const isSelection = (m: { ruleId: string; message: string }) => m.ruleId === "form-dup-name" && /"(id|tags)"/.test(m.message);
  const found = report.results.flatMap((r) => r.messages).filter((m) => !isSelection(m));
  const messages = found.map((m) => `${m.line}: ${m.ruleId}: ${m.message}`);
  expect(messages, where).toEqual([]);
}
