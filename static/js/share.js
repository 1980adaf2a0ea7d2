// The link to a post: selected when it is reached, and copied with a button.

const field = document.getElementById("link");
const button = document.createElement("button");
button.type = "button";
button.className = "button quiet";
button.textContent = "Copy";
const note = document.createElement("p");
note.className = "hint";
note.setAttribute("role", "status");

field.addEventListener("focus", () => field.select());
button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(field.value);
    note.textContent = "Copied.";
  } catch {
    // Without https, or without permission.
    field.select();
    note.textContent = document.execCommand("copy") ? "Copied." : "Copy the selected link.";
  }
});
field.after(button);
field.parentElement.after(note);
