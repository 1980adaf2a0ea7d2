// Votes without leaving the page: the place and the focus stay.

/** The form for the post or comment with this address. Beside that of a post stands a number of votes. */
function partsOf(root, action) {
  const form = [...root.querySelectorAll("form.vote")].find((one) => one.getAttribute("action") === action);
  return { form, count: form?.closest(".card, .post-foot")?.querySelector(".count") };
}

async function vote(form) {
  const action = form.getAttribute("action");
  const answer = await fetch(action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [old, fresh] = [partsOf(document, action), partsOf(page, action)];
  if (!answer.ok || !fresh.form || !old.count !== !fresh.count) throw new Error("another page");
  const notice = page.querySelector(".flash")?.textContent ?? "";
  old.form.parentElement.querySelector(".vote-notice")?.remove();
  const note = document.createElement("span");
  note.className = "hint vote-notice";
  note.setAttribute("role", "status");
  old.count?.replaceWith(fresh.count);
  old.form.replaceWith(fresh.form);
  (fresh.count ?? fresh.form).after(note);
  fresh.form.querySelector("button").focus({ preventScroll: true });
  // A status that is there before its text is read aloud.
  requestAnimationFrame(() => {
    note.textContent = notice;
  });
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form.vote")) return;
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "true";
  try {
    await vote(form);
  } catch {
    // Without a session, or when anything else is in the way: the ordinary answer says what.
    form.submit();
  }
});
