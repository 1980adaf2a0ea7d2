// Lists whose rows can be selected: all at once, and how many there are. Selecting works without this script.

function improve(form) {
  // Not by the form's id: a field of that name hides it.
  const boxes = [...form.elements].filter((element) => element.type === "checkbox");
  const all = document.createElement("input");
  all.type = "checkbox";
  const label = document.createElement("label");
  label.className = "choice";
  label.append(all, " All on this page");
  const count = document.createElement("span");
  count.setAttribute("role", "status");
  const tell = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    count.textContent = chosen > 0 ? `${chosen} selected` : "";
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  form.prepend(label, count);
  // Browsers keep what was checked when one goes back.
  addEventListener("pageshow", tell);
  tell();
}

const form = document.getElementById("bulk");
if (form) improve(form);
