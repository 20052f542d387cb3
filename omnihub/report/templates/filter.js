"use strict";
// Shows the customers of one system, or those whose text has these words. Without it everything is shown.
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const words = document.getElementById("words"), system = document.getElementById("system");
  const odd = document.getElementById("odd"), found = document.getElementById("found");
  const customers = Array.from(document.querySelectorAll(".customer"), (card) => ({
    card,
    text: card.textContent.toLowerCase(),
    records: Array.from(card.querySelectorAll("tbody")),
  }));
  const show = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const { card, text, records } of customers) {
      let some = false;
      for (const record of records) {
        record.hidden = system.value !== "" && record.dataset.system !== system.value;
        some = some || !record.hidden;
      }
      card.hidden = !some || (odd.checked && !card.dataset.odd) || !wanted.every((word) => text.includes(word));
      if (!card.hidden) n += 1;
    }
    found.textContent = n === customers.length ? "" : `${n} of ${customers.length} shown`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
})();
