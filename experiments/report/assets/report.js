/* Filters of the claims, and folds that open in print. Without it the page shows all. */
"use strict";
(() => {
  const form = document.getElementById("filters");
  const claims = [...document.querySelectorAll(".claims > li")];
  const selects = [...form.querySelectorAll("select")];
  const shown = document.getElementById("shown");

  function apply() {
    let count = 0;
    for (const claim of claims) {
      const fits = selects.every((s) => !s.value || claim.dataset[s.dataset.filter] === s.value);
      claim.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${claims.length} shown`;
  }

  /* A link to a claim that the filters hide shows all again. */
  function reveal() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.hidden) {
      selects.forEach((s) => { s.value = ""; });
      apply();
      target.scrollIntoView();
    }
  }

  form.hidden = false;
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", reveal);
  apply();

  const folds = [...document.querySelectorAll("details")];
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = folds.filter((fold) => !fold.open);
    closed.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((fold) => { fold.open = false; }));
})();
