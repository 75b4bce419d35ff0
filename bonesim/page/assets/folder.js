/* The page of a sweep or trial: figures, points that can be filtered, failures, tables as CSV. */

const HEADER = JSON.parse(byId("header").textContent);
const tables = new Map(Object.entries(HEADER.tables).map(([name, spec]) => [name, new Table(spec)]));

function showFigures() {
  for (const { title, png } of HEADER.figures) {
    byId("figures").append(element("figure", {}, [
      element("img", { src: `data:image/png;base64,${png}`, alt: `${title}; its numbers are among the tables below` }),
      element("figcaption", { class: "small" }, [title]),
    ]));
  }
  if (!HEADER.figures.length) byId("figures").append(element("p", {}, ["There are too few results for a figure yet."]));
}

/** Rows of a table whose text has some words, and whose state is the chosen one. */
function showPoints(table) {
  const wanted = byId("filter").value.toLowerCase(), state = byId("state").value, rows = [];
  for (let row = 0; row < table.rows; row++) {
    const cells = table.columns.map((column) => [cellText(column, row), column.kind ? "number" : "text"]);
    if (state !== "all" && table.text("state", row) !== state) continue;
    if (wanted && !cells.some(([text]) => text.toLowerCase().includes(wanted))) continue;
    rows.push({ cells });
  }
  filled(byId("points"), table.columns.map((column) => [column.name, column.kind ? "number" : "text"]), rows);
  byId("found").textContent = `${rows.length} of ${table.rows} points`;
}

async function start() {
  const { counts } = HEADER, total = counts.done + counts.failed + counts.waiting;
  byId("facts").textContent = `A ${HEADER.kind}, folder ${HEADER.folder}: ${counts.done} of ${total} points done, ${counts.failed} failed, ${counts.waiting} waiting.`
    + (HEADER.few ? "" : ` More than ${HEADER.most} points: figures are here, their data are in the folder.`);
  byId("notes").append(...HEADER.notes.map((note) => element("li", {}, [note])));
  byId("study").textContent = HEADER.study;
  byId("arms-section").hidden = !HEADER.arms;
  if (HEADER.arms) filled(byId("arms"), HEADER.arms.head.map((text) => [text]), plainCells(HEADER.arms.rows));
  showFigures();
  const failed = await new Table(HEADER.failed).load();
  byId("failed-section").hidden = failed.rows === 0;
  filled(byId("failed"), failed.columns.map((column) => [column.name]),
    Array.from({ length: failed.rows }, (_, row) => ({ cells: failed.columns.map((column) => [cellText(column, row)]) })));
  const points = tables.get("points");
  byId("points-section").hidden = !points;
  if (points) {
    await points.load();
    choices("state", { all: "all", done: "done", failed: "failed", waiting: "waiting" }, "all", () => showPoints(points));
    byId("filter").addEventListener("input", () => showPoints(points));
    showPoints(points);
  }
  for (const [name, table] of tables) addFile(name, async () => (await table.load()).csv());
  for (const { csv } of HEADER.figures) for (const [name, text] of Object.entries(csv)) addFile(name, () => text);
  byId("runs").textContent = HEADER.runs.length ? `Run files that were kept: ${HEADER.runs.join(", ")}; bonesim report makes a page of each.` : "";
  document.body.dataset.ready = "true";
}

start().catch(fail);
