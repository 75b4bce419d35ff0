/* What the page knows of one remodelling unit or cell: rows of the snapshots' tables and of the event log. */

const words = (text) => text.replaceAll("_", " ");

/** What happened to a BMU: [day, text], in order of days. */
async function storyOf(series, bmu) {
  const lines = [];
  let born = null, last = null;
  for (const snapshot of series.snapshots) {
    const { table } = await snapshot.population("bmus");
    const row = table ? table.data("id").findIndex((id) => BigInt(id) === bmu) : -1;
    if (row < 0) {
      if (last !== null && last.day === snapshot.series.snapshots.at(snapshot.series.snapshots.indexOf(snapshot) - 1)?.day) {
        lines.push([snapshot.day, "it has ended by this snapshot"]);
      }
      continue;
    }
    born = snapshot.day - table.data("age_day")[row];
    last = snapshot;
    const known = (name, text) => (table.has(name) ? [text(table.text(name, row), table.data(name)[row])] : []);
    lines.push([snapshot.day, [
      ...known("phase", (text) => `snapshot: ${text}`),
      ...known("area_um2", (_, area) => `${shown(area / 1e6)} mm\u00b2 of surface activated`
        + (table.has("quota_um2") ? ` of ${shown(table.data("quota_um2")[row] / 1e6)} planned` : "")),
      ...known("open_sites", (text) => `${text} sites open`),
    ].join(", ")]);
  }
  if (born !== null) lines.push([born, "born"]);
  const { events } = series;
  for (let row = 0; row < events.rows; row++) {
    if (BigInt(events.data("bmu")[row]) === bmu) lines.push([events.data("day")[row], eventText(events, row)]);
  }
  return lines.sort((a, b) => a[0] - b[0]);
}

/** An event in words: kind, what became of it, its size. */
function eventText(events, row) {
  const parts = [`${words(events.text("kind", row))} (${statusText(events.text("status", row))})`];
  const number = (name, text) => {
    if (events.has(name) && Number.isFinite(events.data(name)[row])) parts.push(text(events.data(name)[row]));
  };
  number("thickness_um", (value) => `bone ${shown(value)} \u00b5m thick here`);
  number("depth_um", (value) => `eroded ${shown(value)} \u00b5m so far`);
  number("width_um", (value) => `${shown(value)} \u00b5m wide at most`);
  number("delta_euler", (value) => `Euler number ${signed(value)}`);
  return parts.join(", ");
}

function statusText(status) {
  return {
    open: "not judged yet", transient: "transient: healed, or cancelled within its cavity", final: "final: open a year after its BMU closed",
    not_counted: "not counted", there: "a break of the network: there at the last look",
    closed: "a break of the network: closed again", merged: "a break of the network: now part of another",
  }[status] || words(status);
}

/** A card on what was chosen. */
async function cardOf(choice) {
  const { series, layer, row } = choice;
  const name = SERIES.length > 1 ? ` (${series.name})` : "";
  if (layer === "events" || layer === "others") {
    const { events } = series, bmu = BigInt(events.data("bmu")[row]);
    const head = `Day ${shown(events.data("day")[row])}${name}: ${eventText(events, row)}`;
    const place = `at x, y, z = ${eventPlace(series, row).map((one) => shown(one / 1000)).join(", ")} mm`;
    if (bmu === 0n) return [element("p", {}, [element("strong", {}, [head])]), element("p", {}, [place, ". It belongs to no BMU."])];
    const lines = await storyOf(series, bmu);
    return [
      element("p", {}, [element("strong", {}, [head])]), element("p", {}, [place]),
      element("p", {}, [`What is on file of its BMU ${bmu}:`]), listOf(lines),
      element("p", { class: "small" }, ["Snapshots and topological events only: most BMUs are born and end between two snapshots."]),
    ];
  }
  const { table } = await choice.snapshot.population(layer);
  const facts = table.columns.map((column) => `${words(column.name)} ${table.text(column.name, row)}${column.unit ? ` ${column.unit}` : ""}`);
  const head = element("p", {}, [element("strong", {}, [`${layer === "bmus" ? "BMU" : layer.slice(0, -1)} on day ${choice.snapshot.day}${name}`])]);
  const story = layer === "bmus" ? [listOf(await storyOf(series, BigInt(table.data("id")[row])))] : [];
  return [head, element("p", {}, [facts.join("; ")]), ...story];
}

function listOf(lines) {
  return element("ul", {}, lines.map(([day, text]) => element("li", {}, [`day ${shown(day)}: ${text}`])));
}
