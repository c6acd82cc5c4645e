// The command palette: Ctrl+K or Cmd+K, or the button. Results come from the server; what one can do on the page at hand
// is read from its buttons; the pages visited last are kept in this tab alone, apart for each person.
(function () {
  "use strict";

  const KEPT = 6;
  const VERBS = ".op-tools a, [data-verb], #header-inner ul > li > a[href]";
  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

  document.addEventListener("DOMContentLoaded", () => {
    const palette = document.getElementById("palette");
    if (!palette) {
      sessionStorage.removeItem("outpost.recent"); // nobody is logged in here
      return;
    }
    const words = palette.dataset;
    const input = palette.querySelector("input");
    const found = palette.querySelector("[role=listbox]");
    const said = palette.querySelector("[role=status]");
    let chosen = -1;
    let asking = null;
    let waiting = 0;
    let answered = null; // the wish that the results on show belong to
    let isHasty = false; // Enter was pressed before its results were there

    const options = () => [...found.querySelectorAll("[role=option]")];

    function recent() {
      try {
        const kept = JSON.parse(sessionStorage.getItem("outpost.recent")) || {};
        return kept.person === words.person ? kept.pages : [];
      } catch {
        return [];
      }
    }

    function remember() {
      const here = { title: document.title.split(/ [|·] /)[0].trim(), link: location.pathname + location.search, hint: "" };
      const pages = [here, ...recent().filter((page) => page.link !== here.link)].slice(0, KEPT + 1);
      sessionStorage.setItem("outpost.recent", JSON.stringify({ person: words.person, pages }));
    }

    function holds(item, wish) {
      const text = item.title.toLowerCase();
      return wish.toLowerCase().split(/\s+/).every((word) => text.includes(word));
    }

    function wordsOf(node) {
      const copy = node.cloneNode(true);
      copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
      return copy.textContent.trim().replace(/\s+/g, " ");
    }

    function known(wish) {
      const verbs = [...document.querySelectorAll(VERBS)].map((node) => ({
        title: (node.dataset.verb ? `${node.dataset.verb}: ` : "") + wordsOf(node),
        hint: "",
        node,
      }));
      const visited = recent().filter((page) => page.link !== location.pathname + location.search).slice(0, KEPT);
      return [
        { title: words.verbs, items: verbs.filter((item) => item.title && holds(item, wish)) },
        { title: words.recent, items: visited.filter((item) => holds(item, wish)) },
      ].filter((group) => group.items.length);
    }

    function element(tag, properties, ...children) {
      const made = Object.assign(document.createElement(tag), properties);
      made.append(...children);
      return made;
    }

    function show(groups) {
      found.replaceChildren();
      groups.forEach((group, number) => {
        const heading = element("div", { id: `palette-group-${number}`, className: "op-palette-group", textContent: group.title });
        heading.setAttribute("role", "presentation");
        const box = element("div", {}, heading);
        box.setAttribute("role", "group");
        box.setAttribute("aria-labelledby", heading.id);
        group.items.forEach((item, place) => {
          const option = element("div", { id: `palette-${number}-${place}`, className: "op-palette-option" });
          option.append(element("span", { textContent: item.title }), element("small", { textContent: item.hint || "" }));
          option.setAttribute("role", "option");
          option.setAttribute("aria-selected", "false");
          option.openIt = (apart) => {
            if (item.node && !item.node.href) {
              palette.close();
              item.node.click();
            } else if (apart) {
              window.open(item.link || item.node.href, "_blank", "noopener");
            } else {
              location.assign(item.link || item.node.href);
            }
          };
          box.append(option);
        });
        found.append(box);
      });
      choose(options().length ? 0 : -1);
      const count = options().length;
      said.textContent = count === 0 ? words.none : count === 1 ? words.one : words.many.replace("{count}", count);
      found.hidden = count === 0;
    }

    function choose(number) {
      const all = options();
      chosen = number;
      all.forEach((option, place) => option.setAttribute("aria-selected", String(place === number)));
      if (number < 0) {
        input.removeAttribute("aria-activedescendant");
      } else {
        input.setAttribute("aria-activedescendant", all[number].id);
        all[number].scrollIntoView({ block: "nearest" });
      }
    }

    async function ask() {
      const wish = input.value.trim();
      if (asking) asking.abort();
      asking = new AbortController();
      try {
        const answer = await fetch(`${words.address}?q=${encodeURIComponent(wish)}`, {
          headers: { Accept: "application/json" },
          signal: asking.signal,
        });
        if (!answer.ok || answer.redirected) throw new Error("no answer");
        const groups = (await answer.json()).groups;
        show([...known(wish), ...groups]);
        answered = wish;
        if (isHasty && chosen >= 0) options()[chosen].openIt(false);
      } catch (error) {
        if (error.name === "AbortError") return;
        show(known(wish));
        said.textContent = words.gone;
        answered = wish;
      }
      isHasty = false;
    }

    function open() {
      if (palette.open) return;
      document.querySelectorAll("details.op-pop[open], details.op-more[open], details.dropdown[open]").forEach((each) => each.removeAttribute("open"));
      input.value = "";
      answered = null;
      isHasty = false;
      show(known(""));
      palette.showModal();
      input.focus();
      ask();
    }

    remember();
    document.querySelectorAll("[data-palette-keys]").forEach((keys) => (keys.textContent = isMac ? "⌘K" : "Ctrl K"));
    document.querySelectorAll("[data-opens-palette]").forEach((button) => button.addEventListener("click", open));
    palette.querySelector("[data-closes-palette]").addEventListener("click", () => palette.close());
    palette.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) option.openIt(event.ctrlKey || event.metaKey);
      else if (event.target === palette) palette.close();
    });
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open();
      }
    });
    input.addEventListener("input", () => {
      isHasty = false;
      clearTimeout(waiting);
      waiting = setTimeout(ask, 150);
    });
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return; // Enter takes over a Chinese word, it opens nothing yet
      const all = options();
      const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + 5, PageUp: chosen - 5 }[event.key];
      if (to !== undefined && all.length) {
        event.preventDefault();
        choose(event.key.startsWith("Arrow") ? (to + all.length) % all.length : Math.min(Math.max(to, 0), all.length - 1));
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (answered !== input.value.trim()) {
          isHasty = true;
          clearTimeout(waiting);
          ask();
        } else if (all[chosen]) {
          all[chosen].openIt(event.ctrlKey || event.metaKey);
        }
      }
    });
  });
})();
