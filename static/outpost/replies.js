// Suggests replies while somebody types: at most one question for each pause of 150 ms, and an answer that comes late is let
// go. Arrow keys choose, Enter copies; a copy is counted, for the contact if its number stands in the field.
(function () {
  "use strict";

  const PAUSE = 150;
  const form = document.querySelector("[data-suggest]");
  if (!form) return;
  const typed = form.elements.q;
  const list = document.getElementById("found");
  const said = document.querySelector("[data-said]");
  document.documentElement.classList.add("js");
  let timer = 0;
  let asked = null;
  let chosen = -1;

  function wish() {
    const given = new URLSearchParams();
    for (const name of ["q", "language", "channel"]) given.set(name, form.elements[name].value);
    return given;
  }

  async function ask() {
    if (asked) asked.abort();
    asked = new AbortController();
    const mine = asked;
    try {
      const address = form.dataset.suggest + "?" + wish();
      const answer = await fetch(address, { credentials: "same-origin", redirect: "error", signal: mine.signal });
      if (!answer.ok || mine.signal.aborted) return;
      const text = await answer.text();
      if (mine !== asked) return;
      list.innerHTML = text;
      choose(-1);
    } catch (error) {
      if (error.name !== "AbortError") form.classList.add("offline");
    }
  }

  function later() {
    window.clearTimeout(timer);
    timer = window.setTimeout(ask, PAUSE);
  }

  function rows() {
    return Array.from(list.querySelectorAll("[data-reply]"));
  }

  function choose(place) {
    const all = rows();
    chosen = all.length ? Math.max(-1, Math.min(place, all.length - 1)) : -1;
    all.forEach((row, number) => {
      if (number === chosen) {
        row.setAttribute("aria-current", "true");
        row.scrollIntoView({ block: "nearest" });
      } else {
        row.removeAttribute("aria-current");
      }
    });
  }

  async function toClipboard(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch (error) {
      const box = document.createElement("textarea");
      box.value = text;
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
    }
  }

  async function copy(row) {
    const sender = row.querySelector("form");
    await toClipboard(row.querySelector("[data-text]").textContent);
    const body = new FormData(sender);
    body.set("contact", form.elements.contact.value);
    try {
      const answer = await fetch(sender.action, {
        method: "POST", body, credentials: "same-origin", headers: { Accept: "application/json" },
      });
      said.textContent = answer.ok ? (await answer.json()).words : "";
    } catch (error) {
      said.textContent = "";
    }
    typed.focus();
  }

  for (const name of ["q", "language", "channel"]) form.elements[name].addEventListener("input", later);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const all = rows();
    if (all.length) copy(all[Math.max(chosen, 0)]);
  });
  typed.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Escape") {
      choose(-1);
    }
  });
  list.addEventListener("submit", (event) => {
    const row = event.target.closest("[data-reply]");
    if (!row) return;
    event.preventDefault();
    choose(rows().indexOf(row));
    copy(row);
  });
})();
