// Draws each canvas[data-chart] from the JSON that the page carries; the table beside it holds the same figures.
(function () {
  "use strict";

  const dark = () =>
    document.documentElement.classList.contains("dark") ||
    (!document.documentElement.classList.contains("light") &&
      !document.querySelector("#nav-sidebar-inner") &&
      matchMedia("(prefers-color-scheme: dark)").matches);
  const inks = () => (dark() ? ["#30ceac", "#f2b84b", "#7fa8ff", "#f28b82"] : ["#067363", "#b25e00", "#2f5fd0", "#b3261e"]);

  function draw(canvas) {
    const source = document.getElementById(canvas.dataset.chart);
    if (!source || !window.Chart) return;
    const all = JSON.parse(source.textContent);
    const series = all[canvas.dataset.series];
    const labels = all[canvas.dataset.labels || "labels"];
    const colours = inks();
    const line = dark() ? "#ffffff22" : "#00000018";
    const ink = dark() ? "#c8cfd8" : "#4a5563";
    const old = Chart.getChart(canvas);
    if (old) old.destroy();
    new Chart(canvas, {
      type: "bar",
      data: {
        labels,
        datasets: series.map((one, n) => ({
          ...one,
          borderColor: colours[n % colours.length],
          backgroundColor: one.type === "line" ? colours[n % colours.length] : colours[n % colours.length] + "b0",
          borderWidth: one.type === "line" ? 2 : 0,
          borderRadius: 3,
          borderDash: one.dashed ? [5, 4] : undefined,
          pointRadius: one.dashed ? 0 : 2,
          pointStyle: one.type === "line" ? "line" : "rectRounded",
          tension: 0.25,
          spanGaps: true,
        })),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { grid: { display: false }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 12 } },
          y: { beginAtZero: true, grid: { color: line }, ticks: { color: ink, precision: 0 } },
        },
        plugins: { legend: { display: series.length > 1, labels: { color: ink, usePointStyle: true } } },
      },
    });
  }

  const drawAll = () => document.querySelectorAll("canvas[data-chart]").forEach(draw);
  document.addEventListener("DOMContentLoaded", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
})();
