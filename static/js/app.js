// Progressive enhancement: every page works without this script.

/** Adds a “Show password” button. It is added here because it needs JavaScript. */
function addReveal(input) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  // Two on one page need different names.
  const what = input.labels[0]?.firstChild.textContent.trim().toLowerCase() ?? "password";
  const tell = () => {
    button.textContent = `${input.type === "password" ? "Show" : "Hide"} ${what}`;
  };
  button.addEventListener("click", () => {
    input.type = input.type === "password" ? "text" : "password";
    tell();
  });
  // Keeps the browser from remembering the password as ordinary text.
  input.form?.addEventListener("submit", () => {
    input.type = "password";
  });
  tell();
  input.after(button);
}

for (const input of document.querySelectorAll('input[type="password"]')) addReveal(input);
document.querySelector(".summary")?.focus();
