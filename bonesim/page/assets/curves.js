/* Time courses: daily columns as lines, measures of snapshots as points; a click chooses a day. */

const CHART = { width: 480, height: 250, left: 62, right: 12, top: 22, bottom: 40 };
/** Scale of the curves -> its label. */
function scales() {
  const other = SERIES.length > 1 ? { twin: `% difference from ${nameOf(1)}` } : {};
  return { value: "as measured", start: "% change from the first day", ...other };
}

/** What a chart can draw of a run: days and values of a column, by "daily:NAME" or "measures:NAME". */
function courseOf(series, key) {
  const [table, name] = key.split(":"), from = series[table];
  if (!from.has(name) || !from.has("day")) return { days: [], values: [] };
  const values = Array.from(from.data(name), Number);
  return { days: Array.from(from.data("day"), Number), values: isWeekly(key) ? weekly(values) : values };
}

/** Whether a course is drawn as mean of the past week: it swings between doses. */
function isWeekly(key) {
  const [table, name] = key.split(":");
  return table === "daily" && HEADER.weekly.columns.includes(name);
}

/** Means of the past week, of less at the beginning. */
function weekly(values) {
  return values.map((_, k) => {
    const week = values.slice(Math.max(0, k + 1 - HEADER.weekly.days), k + 1);
    return week.reduce((sum, one) => sum + one, 0) / week.length;
  });
}

/** The courses on a scale: of the run, and of the twin if there is one. */
function coursesOn(scale, key) {
  const [own, twin] = SERIES.map((series) => courseOf(series, key));
  if (scale === "value") return [own, twin].filter(Boolean);
  if (scale === "start") {
    return [own, twin].filter(Boolean).map(({ days, values }) => {
      const first = values.find(Number.isFinite);
      return { days, values: values.map((value) => (first ? 100 * (value / first - 1) : NaN)) };
    });
  }
  const other = new Map(twin.days.map((day, k) => [day, twin.values[k]]));
  return [{ days: own.days, values: own.values.map((value, k) => {
    const base = other.get(own.days[k]);
    return base ? 100 * (value / base - 1) : NaN;
  }) }];
}

/** Round numbers between two ends, about `count` of them and no fewer than three. */
function ticksOf(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return found.length < 3 && high > low ? ticksOf(low, high, 2 * count) : found;
}

class Chart {
  constructor(key, chosen) {
    Object.assign(this, { key, chosen, day: 0, cursor: null });
    this.select = element("select", {});
    for (const [table, title] of [["daily", "daily"], ["measures", "at snapshots"]]) {
      const group = element("optgroup", { label: title });
      for (const column of SERIES[0][table].columns) {
        if (column.name === "day" || column.values || column.names) continue;
        const value = `${table}:${column.name}`;
        group.append(element("option", { value }, [isWeekly(value) ? `${labelOf(column)}, mean of the past week` : labelOf(column)]));
      }
      this.select.append(group);
    }
    this.select.value = key;
    this.select.setAttribute("aria-label", "quantity of this chart");
    this.select.addEventListener("change", () => { this.key = this.select.value; this.draw(this.scale); });
    this.svg = drawing("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, tabindex: 0, role: "slider" });
    this.svg.addEventListener("click", (event) => {
      const box = this.svg.getBoundingClientRect();
      const x = (event.clientX - box.left) * CHART.width / box.width;
      const share = (x - CHART.left) / (CHART.width - CHART.left - CHART.right);
      this.choose(this.first + share * (this.last - this.first));
    });
    this.svg.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!way) return;
      event.preventDefault();
      const now = this.cursor === null ? this.day : this.cursor;
      this.choose(now + way * (event.shiftKey ? 1 : Math.max(1, (this.last - this.first) / 100)));
    });
    this.note = element("p", { class: "small" });
    this.box = element("div", { class: "chart" }, [this.select, this.svg, this.note]);
  }

  choose(day) { this.chosen(Math.round(Math.min(Math.max(day, this.first), this.last))); }

  x(day) { return CHART.left + (day - this.first) / (this.last - this.first || 1) * (CHART.width - CHART.left - CHART.right); }

  y(value) { return CHART.height - CHART.bottom - (value - this.low) / (this.high - this.low || 1) * (CHART.height - CHART.top - CHART.bottom); }

  /** Draw on a scale: "value", "start" or "twin". */
  draw(scale) {
    this.scale = scale;
    const courses = coursesOn(scale, this.key), [table, name] = this.key.split(":");
    const column = SERIES[0][table].byName.get(name);
    const days = SERIES[0].daily.data("day"), values = courses.flatMap((one) => one.values).filter(Number.isFinite);
    [this.first, this.last] = [Number(days[0]), Math.max(Number(days[days.length - 1]), Number(days[0]) + 1)];
    let [low, high] = values.length ? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] : [0, 1];
    if (scale !== "value") [low, high] = [Math.min(low, 0), Math.max(high, 0)];
    else if (low >= 0 && low < 0.35 * high) low = 0;
    const room = 0.08 * (high - low || Math.abs(high) || 1);
    [this.low, this.high] = [low === 0 ? 0 : low - room, high === 0 ? 0 : high + room];
    this.svg.replaceChildren();
    this.drawFrame(scale, column);
    courses.forEach((course, k) => this.drawCourse(course, k, table === "measures"));
    this.lines = [drawing("line", { stroke: HEADER.palette.ink, "stroke-width": 1.5 }), drawing("line", { stroke: "#005bbb", "stroke-width": 1.5, "stroke-dasharray": "5 3" })];
    this.svg.append(...this.lines);
    const unit = scale === "value" ? column.unit : "%", broken = scale === "value" && this.low > 0;
    this.svg.setAttribute("aria-label", `${labelOf(column)}, ${scales()[scale]}, from ${shown(low)} to ${shown(high)} ${unit}; arrow keys choose a day`);
    this.note.textContent = [column.meaning, isWeekly(this.key) ? `drawn: mean of the past ${HEADER.weekly.days} days` : "", broken ? "the axis does not begin at 0" : ""].filter(Boolean).join("; ");
    this.mark(this.day, this.cursor);
  }

  drawFrame(scale, column) {
    const { left, right, top, bottom, width, height } = CHART, { palette } = HEADER;
    for (const [from, to] of SERIES[0].spec.suppressed) {
      this.svg.append(drawing("rect", { x: this.x(from), y: top, width: Math.max(this.x(to) - this.x(from), 1), height: height - top - bottom, fill: palette.suppression }));
    }
    for (const value of ticksOf(this.low, this.high, 4)) {
      this.svg.append(drawing("line", { x1: left, x2: width - right, y1: this.y(value), y2: this.y(value), stroke: "#e0e0e0" }));
      this.svg.append(drawing("text", { x: left - 6, y: this.y(value) + 4, "text-anchor": "end" }, shown(Number(value.toPrecision(10)))));
    }
    const years = this.last - this.first > 2 * HEADER.days_per_year, span = years ? HEADER.days_per_year : 1;
    for (const tick of ticksOf(this.first / span, this.last / span, 6)) {
      const x = this.x(tick * span);
      this.svg.append(drawing("line", { x1: x, x2: x, y1: height - bottom, y2: height - bottom + 5, stroke: palette.ink }));
      this.svg.append(drawing("text", { x, y: height - bottom + 17, "text-anchor": "middle" }, shown(Number(tick.toPrecision(10)))));
    }
    this.svg.append(drawing("path", { d: `M${left} ${top}V${height - bottom}H${width - right}`, fill: "none", stroke: palette.ink }));
    this.svg.append(drawing("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, years ? "years" : "days"));
    this.svg.append(drawing("text", { x: left, y: 14 }, scale === "value" ? column.unit || "no unit" : scales()[scale]));
    for (const { day } of SERIES[0].snapshots) {
      const x = this.x(day);
      this.svg.append(drawing("path", { d: `M${x - 4} ${height - bottom}h8l-4 -6z`, fill: "#767676" }));
    }
  }

  drawCourse({ days, values }, k, sparse) {
    const twin = k === 1, stroke = twin ? HEADER.palette.twin : HEADER.palette.ink;
    let path = "", gap = true;
    values.forEach((value, row) => {
      if (!Number.isFinite(value)) { gap = true; return; }
      const [x, y] = [this.x(days[row]).toFixed(1), this.y(value).toFixed(1)];
      path += `${gap ? "M" : "L"}${x} ${y}`;
      gap = false;
      if (!sparse) return;
      this.svg.append(twin
        ? drawing("rect", { x: x - 3.5, y: y - 3.5, width: 7, height: 7, fill: "#ffffff", stroke, "stroke-width": 2 })
        : drawing("circle", { cx: x, cy: y, r: 4, fill: stroke }));
    });
    const dashes = twin || sparse ? { "stroke-dasharray": twin ? "7 3" : "2 3" } : {};
    this.svg.append(drawing("path", { d: path, fill: "none", stroke, "stroke-width": twin ? 2 : 1.6, ...dashes }));
  }

  /** Move the cursors: the day of the snapshot shown, and the chosen day. */
  mark(day, cursor) {
    Object.assign(this, { day, cursor });
    [day, cursor].forEach((one, k) => {
      const x = one === null ? -10 : this.x(one);
      for (const [name, value] of Object.entries({ x1: x, x2: x, y1: CHART.top, y2: CHART.height - CHART.bottom })) this.lines[k].setAttribute(name, value);
    });
    for (const [name, value] of Object.entries({ valuemin: this.first, valuemax: this.last, valuenow: cursor === null ? day : cursor })) {
      this.svg.setAttribute(`aria-${name}`, value);
    }
  }
}

function labelOf(column) {
  const name = column.symbol || column.name.replace(/_(um|percent|mg|mm|pg|ng|mpa|n)(_per_\w+)?$/, "").replaceAll("_", " ");
  return column.unit ? `${name} (${column.unit})` : name;
}
