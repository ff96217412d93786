// Shows what the server says, turns the slides, and shows Unknown as soon as nothing is heard of it. It decides nothing else.
"use strict";
(() => {
  const FACTS = `${location.pathname.replace(/\/$/, "")}/facts`, LOGO = FACTS.replace(/facts$/, "logo");
  const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const PATIENCE_MS = 4000, HINT_MS = 7000, REST_MS = 3000, SWIPE_PX = 45;
  const ICONS = { // of a status, and of a promise
    healthy: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm-1.7 14.6-4.5-4.5 1.7-1.7 2.8 2.8 6.2-6.2 1.7 1.7-7.9 7.9Z",
    degraded: "M12 2.5 1 21.5h22L12 2.5Zm1.2 15.6h-2.4v-2.4h2.4v2.4Zm0-4.2h-2.4V9h2.4v4.9Z",
    critical: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm1.2 15h-2.4v-2.4h2.4V17Zm0-4.4h-2.4V6.8h2.4v5.8Z",
    unknown: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm1.2 16h-2.4v-2.4h2.4V18Zm2.3-7.1-1 1c-.9.9-1.3 1.6-1.3 3h-2.4v-.6c0-1.2.5-2.3 1.3-3.1l1.4-1.4c.4-.4.6-.9.6-1.5a2.1 2.1 0 0 0-4.2 0H6.5a5.5 5.5 0 0 1 11 0c0 1-.8 2-2 2.6Z",
    kept: "M9 16.6 4.8 12.4 3 14.2l6 6L21 8.2l-1.8-1.8L9 16.6Z",
    broken: "M19 6.8 17.2 5 12 10.2 6.8 5 5 6.8l5.2 5.2L5 17.2 6.8 19l5.2-5.2 5.2 5.2 1.8-1.8-5.2-5.2L19 6.8Z",
  };
  const SVG = "http://www.w3.org/2000/svg", body = document.body, root = document.documentElement;
  const [slides, demo, stopped, chip, owner, dots, hint] = ["slides", "demo", "stopped", "chip", "owner", "dots", "hint"].map((id) => document.getElementById(id));

  let facts = null, etag = null, ended = false;
  let heard = -Infinity, refused = false, serverNow = 0; // when the last good answer was asked for, and the server's time in it
  let shown = 0, shownAt = 0, paused = false, drawnVerdict = null, lives = [];

  // --- building blocks ---------------------------------------------------------------------------------------------
  const make = (tag, className, ...content) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...content);
    return element;
  };
  const draw = (tag, attributes, ...content) => {
    const element = document.createElementNS(SVG, tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    element.append(...content);
    return element;
  };
  const icon = (name) => draw("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, draw("path", { d: ICONS[name] }));
  const place = (element, styles) => { Object.assign(element.style, styles); return element; };
  const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const line = (tag, className, { text, live, at }) => {
    if (!live) return make(tag, className, text);
    const [before, after] = text.split("{}"), moment = make("span", "live");
    Object.assign(moment.dataset, { live, at });
    return make(tag, className, before, moment, after || "");
  };
  const lengthOf = (seconds) => {
    const s = Math.max(0, Math.floor(seconds)), m = Math.floor(s / 60), h = Math.floor(s / 3600), d = Math.floor(s / 86400);
    if (m < 1) return `${s} s`;
    if (h < 1) return `${m} min`;
    if (d < 1) return m % 60 ? `${h} h ${m % 60} min` : `${h} h`;
    return h % 24 ? `${d} d ${h % 24} h` : `${d} d`;
  };

  // --- the slides --------------------------------------------------------------------------------------------------
  const figure = ({ value, label, kept }) => make("div", "figure",
    make("div", "value", ...(kept === null ? [] : [icon(kept ? "kept" : "broken")]), value), line("div", "label", label));
  const stripe = (className, { start, length, name }, from, size) => {
    const element = place(make("div", className), { [from]: `${start}%`, [size]: `${length}%` });
    if (name) element.dataset.status = name;
    return element;
  };
  const picture = (given) => make("div", "picture",
    make("div", "drawing",
      ...given.bands.map((band) => stripe("band", band, "top", "height")),
      ...given.gaps.map((gap) => stripe("gap", gap, "left", "width")),
      draw("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", role: "img", "aria-label": "Lowest rate over time" },
        ...["failures", "line", "dots"].filter((name) => given[name]).map((name) => draw("path", { class: name, d: given[name] })))),
    make("div", "rates", ...given.rates.map(({ at, text }) => place(make("span", "", text), { top: `${at}%` }))),
    make("div", "dates", ...given.dates.map(({ at, text }) => place(make("span", "", text), { left: `${at}%` }))),
    make("div", "legend", ...given.legend.map(({ name, text }) => make("span", "", make("i", name), text))));
  const slide = (given) => {
    const parts = [make("h1", "", given.title)], lines = make("div", "lines", ...given.lines.map((one) => line("p", "", one)));
    const figures = make("div", "figures", ...given.figures.map(figure));
    if (given.name === "method") parts.push(lines, figures);
    else parts.push(figures, lines);
    if (given.picture) parts.push(picture(given.picture));
    const section = make("section", `slide ${given.name}${given.figures.length ? "" : " silent"}`, ...parts);
    parts.filter((part) => !part.childNodes.length).forEach((part) => part.remove());
    return section;
  };
  const verdictParts = ({ status, label, rate, lines }) => [
    make("div", "word", icon(status), make("strong", "", label)),
    ...(rate ? [make("div", "rate", rate)] : []),
    make("div", "lines", ...lines.map((one) => line("p", "", one)))];

  const drawAll = () => {
    const verdict = make("section", "slide verdict");
    slides.replaceChildren(verdict, ...facts.slides.map(slide));
    owner.replaceChildren(make("span", "", facts.company));
    if (facts.logo) {
      const logo = make("img");
      logo.alt = "";
      logo.addEventListener("error", () => logo.remove());
      logo.src = LOGO;
      owner.prepend(logo);
    }
    demo.hidden = !facts.demo;
    dots.replaceChildren(...[...slides.children].map(() => make("i")));
    drawnVerdict = null;
  };
  const drawVerdict = () => {
    const now = performance.now(), lost = refused || now - heard > facts.lost_after_seconds * 1000;
    const old = facts.holds_until !== null && timeThere() > facts.holds_until;
    const verdict = lost ? facts.lost : old ? facts.stale : facts.verdict;
    if (verdict !== drawnVerdict) {
      drawnVerdict = verdict;
      const section = slides.firstElementChild;
      section.replaceChildren(...verdictParts(verdict));
      section.classList.toggle("rated", Boolean(verdict.rate));
      section.dataset.status = chip.dataset.status = verdict.status;
      chip.replaceChildren(icon(verdict.status), verdict.label);
      root.classList.toggle("doubt", verdict !== facts.verdict);
      document.title = `${verdict.label} · Coupling Health`;
      lives = [...document.querySelectorAll(".live")];
    }
  };
  const timeThere = () => serverNow + (performance.now() - heard) / 1000;
  const drawTimes = () => lives.forEach((element) => {
    const age = timeThere() - Number(element.dataset.at), length = lengthOf(age);
    put(element, element.dataset.live === "for" ? length : age < 5 ? "just now" : `${length} ago`);
  });

  // --- turning -----------------------------------------------------------------------------------------------------
  const show = (number) => {
    const count = slides.children.length;
    if (!count) return;
    shown = (number + count) % count;
    shownAt = performance.now();
    [...slides.children].forEach((section, index) => {
      section.classList.toggle("shown", index === shown);
      section.setAttribute("aria-hidden", String(index !== shown));
      const dot = dots.children[index];
      dot.classList.toggle("shown", index === shown);
      dot.replaceChildren(...(index === shown ? [place(make("b"), { animationDuration: `${facts.slide_seconds}s` })] : []));
    });
    chip.hidden = shown === 0; // there the verdict itself stands
  };
  const tick = () => {
    if (ended || !facts) return;
    drawVerdict();
    drawTimes();
    if (!paused && !document.hidden && performance.now() - shownAt >= facts.slide_seconds * 1000) show(shown + 1);
  };
  const pause = () => {
    paused = !paused;
    body.classList.toggle("paused", paused);
    stopped.hidden = !paused;
    show(shown);
  };
  const fullScreen = () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()).catch(() => {});
  const setTheme = (theme) => { root.dataset.theme = theme; };
  const otherTheme = () => {
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    setTheme(now === "dark" ? "light" : "dark");
  };
  const KEYS = {
    ArrowRight: () => show(shown + 1), ArrowDown: () => show(shown + 1), PageDown: () => show(shown + 1), " ": () => show(shown + 1),
    ArrowLeft: () => show(shown - 1), ArrowUp: () => show(shown - 1), PageUp: () => show(shown - 1),
    Home: () => show(0), End: () => show(-1), p: pause, f: fullScreen, d: otherTheme,
  };
  addEventListener("keydown", (event) => {
    const act = KEYS[event.key.length > 1 ? event.key : event.key.toLowerCase()];
    if (!act || !facts || ended || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  let touched = null;
  addEventListener("touchstart", (event) => { touched = event.touches.length === 1 ? event.touches[0] : null; }, { passive: true });
  addEventListener("touchend", (event) => {
    if (!touched || !facts || ended) return;
    const across = event.changedTouches[0].clientX - touched.clientX, along = event.changedTouches[0].clientY - touched.clientY;
    if (Math.abs(across) > SWIPE_PX && Math.abs(across) > 2 * Math.abs(along)) show(shown + (across < 0 ? 1 : -1));
  }, { passive: true });

  // --- listening ---------------------------------------------------------------------------------------------------
  const end = (sentence) => { // nothing of what was shown stays; should the server relent, all begins anew
    ended = true;
    facts = etag = null;
    lives = [];
    document.title = "Coupling Health";
    body.replaceChildren(make("p", "message", sentence));
  };
  const begin = (given) => {
    const first = !facts;
    facts = given;
    drawAll();
    drawVerdict();
    const elapsed = performance.now() - shownAt;
    show(first ? 0 : shown);
    if (!first) keepPace(elapsed);
  };
  const keepPace = (elapsed) => { // new facts do not hold up the turning
    shownAt -= elapsed;
    dots.querySelector("b")?.style.setProperty("animation-delay", `${-elapsed}ms`);
  };
  const ask = async () => {
    const asked = performance.now();
    const answer = await fetch(`${FACTS}?zone=${encodeURIComponent(ZONE)}`, {
      cache: "no-store", headers: etag ? { "If-None-Match": etag } : {}, signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch(() => null);
    if (!answer) return;
    if ((answer.status === 200 || answer.status === 304) && answer.headers.has("X-Now")) {
      const given = answer.status === 200 ? await answer.json() : null;
      [heard, serverNow, refused] = [asked, Number(answer.headers.get("X-Now")), false];
      if (ended) location.reload();
      else if (given) {
        etag = answer.headers.get("ETag");
        begin(given);
      }
      return;
    }
    refused = true;
    const said = await answer.json().catch(() => ({}));
    if (said.detail && (!facts || answer.status === 401 || answer.status === 404)) end(said.detail);
  };
  const listen = async () => {
    await ask().catch(() => {}); // an answer that breaks off is none
    tick();
    setTimeout(listen, (facts ? facts.poll_seconds : 5) * 1000);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { ask().catch(() => {}).then(tick); stayAwake(); } });
  const stayAwake = () => navigator.wakeLock?.request("screen").catch(() => {}); // a wall must not go dark
  let moved = 0;
  addEventListener("mousemove", () => { moved = performance.now(); body.classList.remove("resting"); });

  const theme = new URLSearchParams(location.search).get("theme");
  if (theme === "dark" || theme === "light") setTheme(theme);
  put(hint, matchMedia("(pointer: coarse)").matches ? "Swipe to turn" : "← →  turn    p  pause    f  full screen    d  dark or light");
  setTimeout(() => hint.classList.add("gone"), HINT_MS);
  setInterval(() => { tick(); body.classList.toggle("resting", performance.now() - moved > REST_MS); }, 250);
  stayAwake();
  listen();
})();
