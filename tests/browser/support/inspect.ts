// What every page has to be: accessible, valid, and no wider than the screen.
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";
import { HtmlValidate } from "html-validate";

const validator = new HtmlValidate({
  extends: ["html-validate:recommended"],
  rules: {
    // Two style matters on which HTML takes no side.
    "void-style": "off",
    "attribute-boolean-style": "off",
    // Check boxes of one question share a name.
    "form-dup-name": ["error", { shared: ["radio", "checkbox"] }],
    // Templates leave blanks at line ends; nobody sees them.
    "no-trailing-whitespace": "off",
    // The ids of posts (post-1) repeat nowhere, but are not known to the rule's pattern.
    "valid-id": ["error", { relaxed: true }],
  },
});

export async function inspect(page: Page, where: string) {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const found = await new AxeBuilder({ page })
        .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
        .analyze();
      expect(found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`), `${where} ${colorScheme} ${width}`).toEqual([]);
      const excess = await page.evaluate(() => {
        const root = document.scrollingElement as Element;
        return root.scrollWidth - root.clientWidth;
      });
      expect(excess, `${where} is wider than ${width}`).toBe(0);
    }
  }
}

export async function validate(html: string, where: string) {
  const report = await validator.validateString(html);
  const messages = report.results.flatMap((r) => r.messages.map((m) => `${m.line}: ${m.ruleId}: ${m.message}`));
  expect(messages, where).toEqual([]);
}
