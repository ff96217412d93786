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
  // A page whose server died, or whose connection hangs, would show its last green for ever: it says so, and turns grey.
  const LONGEST_UNDRAWN_MS = 180000; // the server draws a page that is looked at afresh every minute
  let missed = 0, hanging = false, drawn, drawnAt = performance.now(), lostAt = null;
  const warn = () => {
    const lost = missed > 1 || hanging, id = "coupling-health-contact";
    document.documentElement.classList.toggle("no-contact", lost);
    if (!lost) {
      lostAt = null;
      document.getElementById(id)?.remove();
      return;
    }
    lostAt = lostAt || new Date();
    const line = document.getElementById(id) || document.body.appendChild(Object.assign(document.createElement("div"), { id, role: "alert" }));
    const what = missed > 1 ? `no contact with the server since ${lostAt.toTimeString().slice(0, 5)}` : "this page hears nothing new from the server; reload it";
    put(line, `Status unknown: ${what}. What stands below is the last known state.`);
  };
  const contact = async () => {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(8000) }).catch(() => null);
    missed = answer && answer.ok ? 0 : missed + 1;
    warn();
  };
  const follow = () => {
    const newest = document.querySelector("[data-drawn]")?.dataset.drawn;
    if (newest !== drawn || document.hidden) { // a hidden page's timers rest, and so do its redraws
      drawn = newest;
      drawnAt = performance.now();
    }
    const hangs = drawn !== undefined && performance.now() - drawnAt > LONGEST_UNDRAWN_MS;
    if (hangs !== hanging) {
      hanging = hangs;
      warn();
    }
  };
  clearInterval(window.couplingHealthContact);
  window.couplingHealthContact = setInterval(contact, 5000);
  clearInterval(window.couplingHealthClock);
  window.couplingHealthClock = setInterval(() => { tick(); follow(); }, 1000);
  tick();
  follow();
})();
