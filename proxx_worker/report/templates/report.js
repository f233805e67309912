"use strict";
// Sorting and filtering of the table of jobs. The page is whole without it.
const table = document.querySelector("table.sortable");
if (table) {
  const body = table.tBodies[0];
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const text = (row, column) => row.cells[column].textContent.trim();
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].sort((a, b) => compare(text(a, column), text(b, column)) * (up ? 1 : -1));
      body.append(...rows);
    });
  });
  const filters = document.querySelector(".filters");
  const shown = filters.querySelector(".shown");
  const apply = () => {
    const wanted = [...filters.querySelectorAll("select")].filter((select) => select.value);
    let count = 0;
    for (const row of body.rows) {
      row.hidden = wanted.some((select) => row.dataset[select.dataset.filter] !== select.value);
      count += row.hidden ? 0 : 1;
      document.getElementById(row.querySelector("a").hash.slice(1)).hidden = row.hidden;
    }
    shown.textContent = `${count} of ${body.rows.length} jobs`;
  };
  filters.addEventListener("change", apply);
  filters.hidden = false;
  apply();
}
