"use strict";
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (prefersDark.matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  theme.hidden = false;
  nameTheme();
  prefersDark.addEventListener("change", nameTheme);
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });

  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open]):not(.bulk)")];
    folded.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => {
    folded.forEach((part) => { part.open = false; });
    folded = [];
  });

  const views = [...document.querySelectorAll(".view")];
  const dialog = document.getElementById("zoom");
  const frame = document.getElementById("zoom-frame");
  const heading = document.getElementById("zoom-title");
  let current = 0;
  const show = (index) => {
    current = (index + views.length) % views.length;
    const view = views[current];
    const row = view.closest(".views");
    heading.textContent = row.dataset.name + ": " + view.dataset.view;
    frame.className = row.classList.contains("small") ? "small" : "";
    frame.style.cssText = row.style.cssText;
    frame.replaceChildren(view.querySelector(".frame").cloneNode(true));
  };
  views.forEach((view, index) => view.addEventListener("click", () => {
    show(index);
    dialog.showModal();
  }));
  document.getElementById("zoom-back").addEventListener("click", () => show(current - 1));
  document.getElementById("zoom-on").addEventListener("click", () => show(current + 1));
  document.getElementById("zoom-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => views[current].focus());
  dialog.addEventListener("keydown", (event) => {
    const row = views[current].closest(".views");
    const columns = Number(row.style.getPropertyValue("--columns")) || 4;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    if (event.key in steps) {
      event.preventDefault();
      show(current + steps[event.key]);
    }
  });

  document.querySelectorAll(".slices").forEach((part) => {
    const stage = part.querySelector(".slice-stage");
    const slider = part.querySelector("input[type=range]");
    const told = part.querySelector("output");
    const texts = JSON.parse(part.dataset.texts);
    const columns = Number(part.dataset.columns);
    const turn = () => {
      const index = Number(slider.value);
      stage.style.setProperty("--column", index % columns);
      stage.style.setProperty("--row", Math.floor(index / columns));
      told.textContent = texts[index];
      slider.setAttribute("aria-valuetext", texts[index]);
    };
    part.querySelector(".slice-controls").hidden = false;
    slider.addEventListener("input", turn);
    part.querySelectorAll("input[type=radio]").forEach((choice) => {
      choice.addEventListener("change", () => { part.dataset.shown = choice.value; });
    });
    turn();
  });
})();
