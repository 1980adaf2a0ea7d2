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

/** Shows how many characters are left, once at most a tenth remain. */
function addCounter(field) {
  const counter = document.createElement("p");
  counter.className = "hint counter";
  counter.setAttribute("role", "status");
  const tell = () => {
    const left = field.maxLength - field.value.length;
    counter.textContent = left <= field.maxLength / 10 ? `${left} characters left` : "";
  };
  field.addEventListener("input", tell);
  tell();
  field.after(counter);
}

/** Fetches the preview from the server and returns its nodes. */
async function preview(form, button) {
  const answer = await fetch(button.formAction, {
    method: "POST",
    body: new URLSearchParams(new FormData(form)),
  });
  if (answer.redirected) throw new Error("You are logged out. Log in in another tab, then continue here.");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("preview");
  const complaint = page.querySelector(".summary li")?.textContent.trim();
  if (!answer.ok || !fresh) throw new Error(complaint ?? "The preview isn’t available right now.");
  return [...fresh.childNodes];
}

function improveEditor(form) {
  const typed = () => new URLSearchParams(new FormData(form)).toString();
  // A form that came back with errors has not been saved either.
  const initial = document.querySelector(".summary") ? "" : typed();
  let leaving = false;
  form.addEventListener("submit", (event) => {
    // The second half of a double click. The server would notice it, too.
    if (leaving) return event.preventDefault();
    leaving = true;
    // Whoever stops the loading can send it again.
    setTimeout(() => {
      leaving = false;
    }, 2000);
  });
  addEventListener("pageshow", () => {
    leaving = false;
  });
  addEventListener("beforeunload", (event) => {
    if (!leaving && typed() !== initial) event.preventDefault();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.target.name === "title") {
      // A title is one line: the text comes next.
      event.preventDefault();
      form.elements.content.focus();
    }
  });
  const button = form.querySelector("[data-preview]");
  button.addEventListener("click", async (event) => {
    // Stay on this page and keep what was typed.
    event.preventDefault();
    const place = document.getElementById("preview");
    try {
      place.replaceChildren(...(await preview(form, button)));
      place.scrollIntoView();
    } catch (error) {
      const note = document.createElement("p");
      note.className = "complaint";
      note.textContent = error.message;
      place.replaceChildren(note);
    }
  });
  // Once it is there, the preview follows the text, as often as the site allows for all day.
  let waiting;
  form.elements.content.addEventListener("input", () => {
    if (!document.querySelector(".preview-head")) return;
    waiting ??= setTimeout(async () => {
      waiting = undefined;
      // What was shown stays until there is something newer.
      const fresh = await preview(form, button).catch(() => undefined);
      if (fresh) document.getElementById("preview").replaceChildren(...fresh);
    }, 6_000);
  });
  for (const field of form.querySelectorAll("[maxlength]")) addCounter(field);
}

for (const input of document.querySelectorAll('input[type="password"]')) addReveal(input);
for (const form of document.querySelectorAll("[data-editor]")) improveEditor(form);
document.querySelector(".summary")?.focus();
