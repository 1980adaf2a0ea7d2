"use strict";
// Renders the OpenAPI document with Swagger UI; nothing is fetched from other hosts.
const dark = matchMedia("(prefers-color-scheme: dark)");
const chosen = document.documentElement.dataset.theme;
const follow = () => document.documentElement.classList.toggle("dark-mode", chosen ? chosen === "dark" : dark.matches);
dark.addEventListener("change", follow);
follow();

/** What assistive technology needs, and Swagger UI leaves out: levels of headings, landmarks, a name. */
function nameParts() {
  for (const heading of document.querySelectorAll("h3.opblock-tag")) heading.setAttribute("aria-level", "2");
  document.querySelector(".models h4")?.setAttribute("aria-level", "2");
  for (const [part, name] of [[".information-container", "About"], [".scheme-container", "Server and log-in"]]) {
    const landmark = document.querySelector(part);
    landmark?.setAttribute("role", "region");
    landmark?.setAttribute("aria-label", name);
  }
  document.getElementById("servers")?.setAttribute("aria-label", "Server");
}

SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#docs",
  // With links to each operation, the buttons that open them would have links inside.
  deepLinking: false,
  onComplete: nameParts,
  validatorUrl: null,
  persistAuthorization: false,
  defaultModelsExpandDepth: 0,
});
