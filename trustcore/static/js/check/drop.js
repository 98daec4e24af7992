// A file dropped anywhere on the form is as good as a chosen one; sending says what happens meanwhile.
for (const form of document.querySelectorAll("form[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length > 0) input.files = event.dataTransfer.files;
  });
  form.addEventListener("submit", () => {
    form.querySelector("[data-busy]").hidden = false;
    form.querySelector("button").disabled = true;
  });
}
