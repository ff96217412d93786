// Keeps "4 min ago" and "Next in 2:51" current in the browser. One timer a page, however often this runs.
(() => {
  const words = (seconds) => {
    const s = Math.max(0, Math.floor(seconds)), m = Math.floor(s / 60), h = Math.floor(s / 3600), d = Math.floor(s / 86400);
    if (m < 1) return `${s} s`;
    if (h < 1) return `${m} min`;
    if (d < 1) return m % 60 ? `${h} h ${m % 60} min` : `${h} h`;
    return h % 24 ? `${d} d ${h % 24} h` : `${d} d`;
  };
  const countdown = (seconds) => {
    const s = Math.max(0, Math.round(seconds)), two = (n) => String(n).padStart(2, "0");
    if (s === 0) return "now";
    return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : words(s);
  };
  const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const tick = () => {
    const now = Date.now() / 1000 + (window.couplingHealthClockSkew || 0);
    document.querySelectorAll("time[data-ago]").forEach((e) => {
      const age = now - Number(e.dataset.ago);
      put(e, age < 5 ? "just now" : `${words(age)} ago`);
    });
    document.querySelectorAll("time[data-for]").forEach((e) => put(e, words(now - Number(e.dataset.for))));
    document.querySelectorAll("time[data-until]").forEach((e) => put(e, countdown(Number(e.dataset.until) - now)));
  };
  clearInterval(window.couplingHealthClock);
  window.couplingHealthClock = setInterval(tick, 1000);
  tick();
})();
