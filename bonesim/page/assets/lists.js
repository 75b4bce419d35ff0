/* Tables of the page: events near a day, measures, clinic, configuration, provenance, and all of them as CSV. */

const MOST_EVENTS = 200;

function filled(table, head, rows) {
  const cell = (tag) => ([text, kind]) => element(tag, { class: kind || "text" }, [text]);
  table.replaceChildren(
    element("thead", {}, [element("tr", {}, head.map((one) => {
      const made = cell("th")(one);
      made.setAttribute("scope", "col");
      return made;
    }))]),
    element("tbody", {}, rows.map(({ cells, mark }) => element("tr", mark ? { class: mark } : {}, cells.map(cell("td"))))),
  );
}

const plainCells = (rows) => rows.map((cells) => ({ cells: cells.map((text) => [text]) }));

/** Events of a run nearest to a day; a button in each row chooses it. */
function listEvents(series, day, { kind, status }, selected, choose) {
  const { events } = series, rows = [];
  for (let row = 0; row < events.rows; row++) {
    const name = events.text("kind", row);
    if (kind === "breaks" ? !isBreak(events, row) : kind !== "all" && name !== kind) continue;
    if (status !== "all" && events.text("status", row) !== status) continue;
    rows.push(row);
  }
  const away = (row) => Math.abs(events.data("day")[row] - day);
  rows.sort((a, b) => away(a) - away(b) || a - b);
  const near = rows.slice(0, MOST_EVENTS);
  filled(byId("events"),
    [["day", "number"], ["days from it", "number"], ["event"], ["status"], ["bone here (\u00b5m)", "number"], ["eroded (\u00b5m)", "number"], ["Euler", "number"]],
    near.map((row) => {
      const at = events.data("day")[row];
      const button = element("button", { type: "button", "aria-label": `show the event of day ${at}` }, [String(at)]);
      button.addEventListener("click", () => choose(row));
      const number = (name) => [events.has(name) ? shown(events.data(name)[row]) : "", "number"];
      return {
        mark: selected === row ? "chosen" : "",
        cells: [[button, "number"], [signed(at - day), "number"], [words(events.text("kind", row))], [statusText(events.text("status", row))],
          number("thickness_um"), number("depth_um"), number("delta_euler")],
      };
    }));
  return { found: rows.length, listed: near.length };
}

/** A row for each measure: every snapshot, its change since the first, and the twin's. */
function listMeasures() {
  const [own, twin] = SERIES, { measures } = own;
  const days = Array.from(measures.data("day"), Number);
  const twinRow = (day) => (twin ? Array.from(twin.measures.data("day"), Number).indexOf(day) : -1);
  const head = [["measure"], ["unit"], ...days.flatMap((day, k) => [
    [`day ${day}`, "number"], ...(k ? [["change", "number"]] : []), ...(twin ? [[twin.name, "number"]] : []),
  ]), ["what it is"]];
  const rows = measures.columns.filter((column) => column.name !== "day").map((column) => ({
    cells: [[column.symbol || words(column.name)], [column.unit], ...days.flatMap((day, k) => {
      const value = Number(column.data[k]), other = twinRow(day);
      // Texts and names of codes have no change.
      if (column.values || column.names) {
        const texts = [cellText(column, k), ...(k ? [""] : []), ...(twin ? [other < 0 ? "" : twin.measures.text(column.name, other)] : [])];
        return texts.map((text) => [text]);
      }
      return [[shown(value), "number"],
        ...(k ? [[percent(100 * (value / column.data[0] - 1)), "number"]] : []),
        ...(twin ? [[other < 0 || !twin.measures.has(column.name) ? "\u2013" : shown(Number(twin.measures.data(column.name)[other])), "number"]] : [])];
    }), [column.meaning]],
  }));
  filled(byId("measures"), head, rows);
}

function listClinic() {
  const [{ clinic, spec }] = SERIES;
  byId("clinic-note").textContent = spec.clinic_note;
  if (!clinic) return;
  const number = (name, row) => [shown(clinic.data(name)[row]), "number"];
  filled(byId("clinic"),
    [["day", "number"], ["quantity"], ["unit"], ["true", "number"], ["change", "number"], ["read", "number"], ["change", "number"], ["LSC (%)", "number"], ["beyond LSC"]],
    Array.from({ length: clinic.rows }, (_, row) => ({
      mark: clinic.data("beyond_lsc")[row] ? "differs" : "",
      cells: [number("day", row), [clinic.text("what", row)], [clinic.text("unit", row)], number("value", row),
        [percent(clinic.data("change_percent")[row]), "number"], number("read", row),
        [percent(clinic.data("read_change_percent")[row]), "number"], number("lsc_percent", row), [clinic.data("beyond_lsc")[row] ? "yes" : "no"]],
    })));
}

/** What differs from the defaults, or everything; beside the twin's where that differs. */
function listConfiguration(everything) {
  const [own, twin] = SERIES.map((series) => series.spec.configuration);
  const other = new Map((twin || []).map((row) => [row.path, row.value]));
  const same = (row) => !twin || other.get(row.path) === row.value;
  const gone = (twin || []).filter((row) => !own.some((one) => one.path === row.path)).map((row) => ({ ...row, value: "\u2013", differs: true }));
  const rows = [...own, ...gone].filter((row) => everything || row.differs || !same(row));
  filled(byId("configuration"),
    [["parameter"], [twin ? SERIES[0].name : "value"], ...(twin ? [[SERIES[1].name]] : []), ["default"], ["unit"], ["meaning"]],
    rows.map((row) => ({
      mark: same(row) ? "" : "differs",
      cells: [[row.path], [row.value], ...(twin ? [[other.get(row.path) ?? "\u2013"]] : []), [row.default || "\u2013"], [row.unit], [row.meaning]],
    })));
}

function listProvenance() {
  const several = SERIES.length > 1;
  filled(byId("provenance"), [...(several ? [["run"]] : []), ["what"], ["value"]],
    plainCells(SERIES.flatMap((series) => series.spec.provenance.map((row) => (several ? [series.name, ...row] : row)))));
}

/** A button that gives a table as a CSV file. */
function addFile(name, csv) {
  const button = element("button", { type: "button", "data-table": name }, [`${name}.csv`]);
  button.addEventListener("click", async () => {
    const link = element("a", { href: URL.createObjectURL(new Blob([await csv()], { type: "text/csv" })), download: `${name}.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
  byId("files").append(button);
}

function listFiles() {
  for (const series of SERIES) {
    const of = (table) => `${series.name}_${table}`;
    for (const table of ["daily", "measures", "events", "clinic"]) if (series[table]) addFile(of(table), async () => (await series[table].load()).csv());
    addFile(of("configuration"), async () => csvOf(["path", "value", "default", "unit"], series.spec.configuration.map((row) => [row.path, row.value, row.default, row.unit])));
    for (const snapshot of series.snapshots) {
      for (const [name, table] of snapshot.cells) addFile(of(`${name}_day_${snapshot.day}`), async () => (await table.load()).csv());
      addFile(of(`osteocytes_day_${snapshot.day}`), async () => {
        const { places, viable } = await snapshot.population("osteocytes");
        return csvOf(["x_um", "y_um", "z_um", "viable"], Array.from(viable, (alive, k) => [places[3 * k], places[3 * k + 1], places[3 * k + 2], alive ? "True" : "False"]));
      });
    }
  }
}
