// Draws the rows that the server sends. A row is known by its user and specialization, so new data never move a choice.
export default function (component) {
  const { data, parentElement, setTriggerValue, setStateValue } = component;
  const host = parentElement.querySelector(".violations");
  const element = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };
  const same = (a, b) => a && b && a[0] === b[0] && a[1] === b[1];
  // What is ticked is known here first: an answer of the server to an earlier tick must not undo a later one.
  if (!(host.ticks > (data.ticks || 0))) host.checked = data.checked || []; // rows of other pages too
  const isChecked = (id) => host.checked.some((one) => same(one, id));
  const check = (ids, on) => {
    host.checked = [...host.checked.filter((one) => !ids.some((id) => same(one, id))), ...(on ? ids : [])];
    host.ticks = Math.max(host.ticks || 0, data.ticks || 0) + 1;
    setStateValue("checked", { pairs: host.checked, ticks: host.ticks });
  };
  const box = (label, on, ids) => {
    const made = element("input", { type: "checkbox", "aria-label": label });
    made.checked = on;
    made.onclick = (event) => event.stopPropagation();
    made.onkeydown = (event) => event.stopPropagation();
    made.onchange = () => check(ids, made.checked);
    return made;
  };

  const head = element("tr", {}, ...data.columns.map((column) => {
    const sorted = data.sort && data.sort.key === column.key;
    const direction = sorted ? (data.sort.descending ? "descending" : "ascending") : null;
    const cell = element("th", { scope: "col", "aria-sort": direction, class: column.number ? "number" : null });
    if (!column.sortable) {
      cell.append(column.label);
    } else {
      const arrow = sorted ? (data.sort.descending ? " ▾" : " ▴") : "";
      const button = element("button", { type: "button", title: `Sort by ${column.label.toLowerCase()}` }, column.label + arrow);
      button.onclick = () => setTriggerValue("sorted", column.key);
      cell.append(button);
    }
    return cell;
  }));
  if (data.checked && data.rows.length) {
    const ids = data.rows.map((row) => row.id);
    head.firstElementChild.prepend(box("Select all rows of this page", ids.every(isChecked), ids));
  }

  const body = data.rows.map((row) => {
    const selected = same(row.id, data.selected);
    const line = element("tr", {
      tabindex: data.selectable ? "0" : null,
      "aria-selected": data.selectable ? String(selected) : null,
      class: selected ? "selected" : null,
      "data-user": row.id[0],
      "data-specialization": row.id[1],
    }, ...row.cells.map((text, index) => {
      const column = data.columns[index];
      const cell = element("td", { "data-label": column.label, class: column.number ? "number" : null }, text);
      if (index === 0 && data.checked) cell.prepend(box(`Select ${row.id[0]} ${row.id[1]}`, isChecked(row.id), [row.id]));
      if (index === 5) {
        cell.title = row.title;
        if (row.mark) cell.append(" ", element("span", { class: "new" }, row.mark));
      }
      return cell;
    }));
    if (data.selectable) {
      const choose = () => setTriggerValue("chosen", selected ? [] : row.id);
      line.onclick = choose;
      line.onkeydown = (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); }
        if (event.key === "ArrowDown") { event.preventDefault(); line.nextElementSibling?.focus(); }
        if (event.key === "ArrowUp") { event.preventDefault(); line.previousElementSibling?.focus(); }
      };
    }
    return line;
  });

  const active = parentElement.activeElement || document.activeElement;
  const focused = active && active.dataset && active.dataset.user ? [active.dataset.user, active.dataset.specialization] : null;
  host.replaceChildren(element("table", { class: data.selectable ? "selectable" : null },
    element("thead", {}, head), element("tbody", {}, ...body)));
  if (focused) {
    [...host.querySelectorAll("tbody tr")].find((line) => same([line.dataset.user, line.dataset.specialization], focused))?.focus();
  }
}
