// Keeps the moving parts of a page up to date: asks every four seconds while the page is seen, says so when no answer comes, and
// leaves a part alone while somebody writes in it. Clocks run by themselves. Without scripts the page reloads itself.
(function () {
  "use strict";

  const EVERY = 4000;
  const MOST = 30000;
  const PATIENCE = 2; // answers missed before it is said
  const TOKEN = /name="csrfmiddlewaretoken" value="[^"]*"/g;

  function two(number) {
    return String(number).padStart(2, "0");
  }

  function tick() {
    document.querySelectorAll("[data-since]").forEach(function (each) {
      const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(each.dataset.since)) / 1000));
      const text = Math.floor(seconds / 3600) + ":" + two(Math.floor(seconds / 60) % 60) + ":" + two(seconds % 60);
      if (each.textContent !== text) each.textContent = text;
    });
  }

  function isBusy(part) {
    const focus = document.activeElement;
    const writes = focus && part.contains(focus) && focus.matches("input, textarea, select");
    return Boolean(writes || part.querySelector("details[open]"));
  }

  function show(part, text) {
    const plain = text.replace(TOKEN, "");
    if (plain === part.liveText || isBusy(part)) return;
    const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.innerHTML = text;
    part.liveText = plain;
    tick();
    if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
  }

  function follow(box) {
    const lost = box.querySelector("[data-live-lost]");
    let missed = 0;
    let timer = null;
    let asking = false;

    function take(text) {
      const told = new DOMParser().parseFromString(text, "text/html");
      told.querySelectorAll("[data-live-part]").forEach(function (each) {
        const part = box.querySelector('[data-live-part="' + each.dataset.livePart + '"]');
        if (part) show(part, each.innerHTML);
      });
    }

    function answered(isThere) {
      missed = isThere ? 0 : missed + 1;
      lost.hidden = missed < PATIENCE;
    }

    async function ask() {
      window.clearTimeout(timer);
      if (document.hidden || asking) return;
      asking = true;
      try {
        const answer = await fetch(box.dataset.live, { credentials: "same-origin", redirect: "error" });
        if (answer.ok) take(await answer.text());
        answered(answer.ok);
      } catch (error) {
        answered(false);
      }
      asking = false;
      timer = window.setTimeout(ask, Math.min(EVERY * Math.max(1, missed), MOST));
    }

    document.addEventListener("visibilitychange", ask);
    window.addEventListener("online", ask);
    timer = window.setTimeout(ask, EVERY);
  }

  function start() {
    document.querySelectorAll("[data-live]").forEach(follow);
    tick();
    window.setInterval(tick, 1000);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
