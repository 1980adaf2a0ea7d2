"use strict";
// Renders the OpenAPI document with ReDoc, in the colors of the site. Search is off: it needs a worker from a blob:
// URL, which the CSP forbids.
const probe = document.body.appendChild(document.createElement("span"));

/** A color of the site, in the present scheme, as ReDoc can compute with it. */
function color(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

const [paper, sheet, ink, soft, rule, accent, wash, alarm, good] =
  ["paper", "sheet", "ink", "soft", "rule", "accent", "wash", "alarm", "good"].map(color);
const sans = 'system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
const state = (main) => ({ color: main, backgroundColor: wash, tabTextColor: main });

Redoc.init(
  "/api/v1/openapi.json",
  {
    disableSearch: true,
    hideDownloadButton: true,
    nativeScrollbars: true,
    theme: {
      colors: {
        primary: { main: accent, light: accent, dark: accent, contrastText: paper },
        success: { main: good }, warning: { main: accent }, error: { main: alarm },
        text: { primary: ink, secondary: soft },
        border: { dark: rule, light: rule },
        gray: { 50: sheet, 100: wash },
        responses: { success: state(good), error: state(alarm), redirect: state(accent), info: state(accent) },
        http: { get: soft, post: soft, put: soft, patch: soft, delete: alarm, options: soft, head: soft, basic: soft, link: soft },
      },
      schema: { nestedBackground: wash, linesColor: rule, labelsTextSize: "0.85em", typeNameColor: soft, typeTitleColor: soft, requireLabelColor: alarm },
      typography: {
        fontSize: "15px", fontFamily: sans, headings: { fontFamily: "Georgia, serif", fontWeight: "600" },
        code: { color: ink, backgroundColor: wash, fontSize: "13px" },
        links: { color: accent, visited: accent, hover: ink, textDecoration: "underline" },
      },
      sidebar: { backgroundColor: wash, textColor: ink, activeTextColor: accent },
      rightPanel: { backgroundColor: sheet, textColor: ink },
      // ReDoc's own colors of code are those of a dark ground.
      codeBlock: { backgroundColor: "#211d18" },
      fab: { backgroundColor: wash, color: ink },
    },
  },
  document.getElementById("docs"),
);
probe.remove();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
