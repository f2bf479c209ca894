"use strict";
// Shows what /events sends: each part of the page by its name, whenever it has
// changed. Whatever comes from data becomes text.
const find = (id) => document.getElementById(id);

const make = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

const makeTable = (titles, kinds, rows) => {
  const table = make("table"), head = table.createTHead().insertRow(), body = table.createTBody();
  const className = kinds.map((kind) => kind === "quantitative" ? "number" : "");
  titles.forEach((title, i) => { head.append(make("th", title, className[i])); });
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((value, i) => line.append(make("td", value ?? "", className[i])));
  }
  return table;
};

const showTip = (handler, event, item, value) => {
  const tip = find("tip");
  tip.hidden = value === undefined || value === null || value === "";
  if (tip.hidden) return;
  tip.replaceChildren(...(typeof value === "object" ? Object.entries(value) : [["", value]]).map(([name, text]) => {
    const line = make("div");
    line.append(make("b", name ? name + ": " : ""), String(text));
    return line;
  }));
  tip.style.left = Math.max(0, Math.min(event.clientX + 12, window.innerWidth - tip.offsetWidth - 4)) + "px";
  tip.style.top = Math.max(0, Math.min(event.clientY + 12, window.innerHeight - tip.offsetHeight - 4)) + "px";
};

// A chart, and its numbers once they are asked for.
class Chart {
  constructor(name) {
    this.section = find("charts").appendChild(make("section"));
    this.section.id = name;
    this.title = this.section.appendChild(make("h2"));
    this.note = this.section.appendChild(make("p", "", "note"));
    this.place = this.section.appendChild(make("div", "", "chart"));
    this.details = this.section.appendChild(make("details"));
    this.details.append(make("summary", "Numbers"));
    this.numbers = this.details.appendChild(make("div", "", "table"));
    this.details.open = typeof vega === "undefined";
    this.details.addEventListener("toggle", () => this.tabulate());
  }

  show({ spec, fields }) {
    this.title.textContent = spec.title.text;
    this.note.textContent = spec.title.subtitle[1] ?? "";
    this.fields = fields;
    this.values = spec.data.values;
    this.tabulate();
    if (typeof vega !== "undefined") this.draw(spec);
  }

  tabulate() {
    if (!this.details.open) return;
    this.numbers.replaceChildren(makeTable(this.fields.map((field) => field[1]), this.fields.map((field) => field[2]),
      this.values.slice(0, 500).map((value) => this.fields.map((field) => value[field[0]]))));
  }

  // The picture before stays until the next one is ready.
  async draw(spec) {
    this.drawn = spec;
    delete spec.title;
    spec.background = "transparent";
    const picture = make("div", undefined, spec.data.values.length ? "" : "empty");
    const view = new vega.View(vega.parse(vegaLite.compile(spec).spec, null, { ast: true }),
      { renderer: "svg", container: picture, hover: true, expr: vega.expressionInterpreter, tooltip: showTip });
    await view.runAsync();
    if (this.drawn !== spec) {
      view.finalize();
      return;
    }
    if (this.place.matches(":hover")) find("tip").hidden = true;
    this.place.replaceChildren(picture);
    this.view?.finalize();
    this.view = view;
  }
}

const charts = new Map();

const parts = {
  state({ pool, window, error, at }) {
    document.title = `${pool} - hwsched`;
    find("pool").textContent = pool;
    find("state").className = error ? "away" : "";
    find("state").textContent = error ? `no news at ${at} UTC: ${error}` : `as of ${at} UTC, charts go back ${window}`;
  },
  figures(rows) {
    find("figures").replaceChildren(...rows.map(([title, value, note]) => {
      const figure = make("div");
      figure.append(make("dt", title), make("dd", value), make("dd", note, "note"));
      return figure;
    }));
  },
  reasons(rows) {
    find("reasons").replaceChildren(rows.length ? makeTable(["reason", "workloads"], ["nominal", "quantitative"], rows) : make("p", "Nothing waits.", "note"));
  },
  chart(value, name) {
    if (!charts.has(name)) charts.set(name, new Chart(name));
    charts.get(name).show(value);
  },
};

const events = new EventSource("/events");
events.onmessage = ({ data }) => {
  const { part, value } = JSON.parse(data), [kind, name] = part.split(" ");
  parts[kind](value, name);
};
events.onerror = () => {
  find("state").className = "away";
  find("state").textContent = "this page's server is away; the page goes on when it is back";
};
