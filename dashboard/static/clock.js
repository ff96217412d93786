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
  // A page whose server died would show its last green for ever: it says so, and turns grey.
  let missed = 0, lostAt = null;
  const note = () => document.getElementById("coupling-health-contact");
  const contact = async () => {
    const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(8000) }).catch(() => null);
    missed = answer && answer.ok ? 0 : missed + 1;
    document.documentElement.classList.toggle("no-contact", missed > 1);
    if (missed > 1) {
      lostAt = lostAt || new Date();
      const line = note() || document.body.appendChild(Object.assign(document.createElement("div"), { id: "coupling-health-contact", role: "alert" }));
      line.textContent = `Status unknown: no contact with the server since ${lostAt.toTimeString().slice(0, 5)}. What stands below is the last known state.`;
    } else if (missed === 0) {
      lostAt = null;
      note()?.remove();
    }
  };
  clearInterval(window.couplingHealthContact);
  window.couplingHealthContact = setInterval(contact, 5000);
  clearInterval(window.couplingHealthClock);
  window.couplingHealthClock = setInterval(tick, 1000);
  tick();
})();
