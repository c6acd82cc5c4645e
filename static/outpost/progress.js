// Asks how far a long job is, every two seconds; once it is over the page is read anew. Without scripts the page reloads itself.
(function () {
  "use strict";

  const EVERY = 2000;
  const MOST = 30000;

  function follow(box) {
    const now = box.querySelector("[data-progress-now]");
    if (now.querySelector("[data-over]")) return;
    let wait = EVERY;

    async function look() {
      try {
        const answer = await fetch(box.dataset.progress, { credentials: "same-origin", redirect: "error" });
        if (answer.ok) {
          now.innerHTML = await answer.text();
          wait = EVERY;
          if (now.querySelector("[data-over]")) {
            window.location.reload();
            return;
          }
        } else if (answer.status === 404) {
          window.location.reload();
          return;
        } else {
          wait = Math.min(wait * 2, MOST);
        }
      } catch (error) {
        wait = Math.min(wait * 2, MOST);
      }
      window.setTimeout(look, wait);
    }
    window.setTimeout(look, wait);
  }

  function start() {
    document.querySelectorAll("[data-progress]").forEach(follow);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
