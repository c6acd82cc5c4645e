// Lists of the admin: the dialog of columns (order by dragging or by buttons), widths, and small panels that close by Esc.
(function () {
  "use strict";

  const MINIMUM = 40;

  function panels() {
    const open = () => document.querySelectorAll("details.op-pop[open]");
    document.addEventListener("click", (event) => {
      open().forEach((panel) => panel.contains(event.target) || panel.removeAttribute("open"));
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      open().forEach((panel) => {
        panel.removeAttribute("open");
        panel.querySelector("summary").focus();
      });
    });
  }

  function dialog(box) {
    const list = box.querySelector(".op-columns");
    const status = box.querySelector("[data-said]");
    document.querySelectorAll(`[data-opens="${box.id}"]`).forEach((button) => button.addEventListener("click", () => box.showModal()));
    box.querySelector("[data-closes]").addEventListener("click", () => box.close());
    box.addEventListener("click", (event) => event.target === box && box.close());

    function tell(line) {
      const number = [...list.children].indexOf(line) + 1;
      status.textContent = status.dataset.said.replace("{title}", line.querySelector("label").textContent.trim()).replace("{number}", number);
    }

    list.addEventListener("click", (event) => {
      const button = event.target.closest("[data-moves]");
      if (!button) return;
      const line = button.closest("li");
      const beside = button.dataset.moves === "1" ? line.nextElementSibling : line.previousElementSibling;
      if (!beside) return;
      if (button.dataset.moves === "1") beside.after(line);
      else beside.before(line);
      button.focus();
      if (document.activeElement !== button) line.querySelector(`[data-moves="${-button.dataset.moves}"]`).focus(); // at an end
      tell(line);
    });

    let moved = null;
    list.addEventListener("pointerdown", (event) => {
      const grip = event.target.closest(".op-grip");
      if (!grip) return;
      event.preventDefault();
      moved = grip.closest("li");
      moved.classList.add("op-moved");
      list.setPointerCapture(event.pointerId);
    });
    list.addEventListener("pointermove", (event) => {
      if (!moved) return;
      const below = document.elementFromPoint(event.clientX, event.clientY);
      const line = below && below.closest(".op-columns > li");
      if (!line || line === moved) return;
      const place = line.getBoundingClientRect();
      if (event.clientY < place.top + place.height / 2) line.before(moved);
      else line.after(moved);
    });
    const drop = () => {
      if (!moved) return;
      moved.classList.remove("op-moved");
      tell(moved);
      moved = null;
    };
    list.addEventListener("pointerup", drop);
    list.addEventListener("pointercancel", drop);
  }

  function widths(box) {
    const table = document.getElementById("result_list");
    const form = box.querySelector("form");
    if (!table || !matchMedia("(min-width: 1024px)").matches) return;

    function set(head, pixels) {
      const place = [...head.parentElement.children].indexOf(head);
      head.style.width = head.style.minWidth = head.style.maxWidth = `${pixels}px`;
      table.querySelectorAll("tr.data-row").forEach((row) => {
        const cell = row.children[place];
        if (!cell) return;
        Object.assign(cell.style, { maxWidth: `${pixels}px`, overflow: "hidden", textOverflow: "ellipsis" });
        cell.title = cell.textContent.trim();
      });
    }

    async function keep() {
      const body = new FormData(form);
      body.set("do", "use");
      await fetch(form.action, { method: "POST", body, redirect: "manual" });
    }

    table.querySelectorAll("thead th").forEach((head) => {
      const name = [...head.classList].find((each) => each.startsWith("column-"));
      const input = name && form.elements[`width-${name.slice(7)}`];
      if (!input) return;
      head.classList.add("op-head");
      if (input.value) set(head, input.value);
      const edge = document.createElement("span");
      edge.className = "op-edge";
      edge.setAttribute("aria-hidden", "true"); // by keyboard, widths are set in the dialog
      head.append(edge);
      edge.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        const from = event.clientX;
        const before = head.getBoundingClientRect().width;
        edge.setPointerCapture(event.pointerId);
        const move = (moved) => {
          input.value = Math.round(Math.min(Math.max(before + moved.clientX - from, MINIMUM), 1200));
          set(head, input.value);
        };
        edge.addEventListener("pointermove", move);
        edge.addEventListener(
          "lostpointercapture",
          () => {
            edge.removeEventListener("pointermove", move);
            keep();
          },
          { once: true },
        );
      });
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    panels();
    const box = document.getElementById("columns");
    if (!box) return;
    dialog(box);
    widths(box);
  });
})();
