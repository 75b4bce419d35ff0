/* The page of a run: its state, and what follows from a change of it. */

const HEADER = JSON.parse(byId("header").textContent);
const SERIES = HEADER.runs.map((spec) => new Series(spec));
const MOST_MESHES = 6, PLAY_MS = 900;
const CUT_AXES = { x: 0, y: 1, z: 2 };

const days = [...new Set(SERIES.flatMap((series) => series.snapshots.map((one) => one.day)))].sort((a, b) => a - b);
const state = {
  step: 0, view: SERIES[0].name, colour: "state", since: days[0], cut: 0, cutAxis: "y", scale: "value", day: null,
  layers: { bone: true, osteoclasts: true, osteoblasts: false, bmus: true, osteocytes: true, events: true, others: false },
  place: SERIES[0].size.map((one) => one / 2), events: { run: 0, kind: "breaks", status: "all" }, choice: null,
};
const meshes = new Map(), surfaces = new Surfaces();
const scene = new Scene(byId("gl"), byId("over"));
const camera = scene.camera = new Camera(SERIES[0].size);
let current = 0, playing = false, planes = [], charts = [];

/** The surface of a paint's levels; the last few are kept. */
function meshOf(paint) {
  if (!meshes.has(paint.key)) {
    meshes.set(paint.key, surfaces.make(paint.levels, paint.snapshot.shape, paint.snapshot.series.edge));
    if (meshes.size > MOST_MESHES) meshes.delete(meshes.keys().next().value);
  }
  return meshes.get(paint.key);
}

/** Where the cut is: axis, place in um, and the half space that is away. */
function cutOf() {
  const index = CUT_AXES[state.cutAxis], size = SERIES[0].size[index], front = state.cutAxis === "y";
  const place = front ? state.cut * size : (1 - state.cut) * size, normal = [0, 0, 0];
  normal[index] = front ? -1 : 1;
  return { index, place, at: state.cut, uniforms: state.cut > 0 ? { cutNormal: normal, cutAt: front ? -place : place } : NO_CUT };
}

/** Everything of one run on the stage. */
async function paneOf(series, cut) {
  const snapshot = series.at(days[state.step]);
  const name = SERIES.length > 1 ? `${series.name}, ` : "";
  if (!snapshot) return { title: `${series.name}: no snapshot of ${dayText(days[state.step])}`, series, shapes: [], glyphs: new Map() };
  const paint = await paintOf(snapshot, state.colour, state.since);
  const pane = { title: `${name}${dayText(snapshot.day)}`, series, snapshot, paint, size: series.size, edge: series.edge, toned: paint.toned, shapes: [], glyphs: new Map() };
  if (scene.gl && state.layers.bone) {
    pane.key = `${paint.key} ${state.colour} ${state.since}`;
    const kept = scene.panes.find((one) => one.key === pane.key);
    if (kept) pane.bone = kept.bone;
    else {
      const mesh = await meshOf(paint);
      pane.make = () => { pane.bone = scene.meshShape(mesh, surfaceColours(mesh, paint)); };
    }
  }
  for (const layer of ["osteoclasts", "osteoblasts", "osteocytes", "others", "events"]) {
    if (state.layers[layer]) pane.glyphs.set(layer, { points: await pointsOf(snapshot, layer, cut) });
  }
  if (state.layers.bmus) {
    const { table, places } = await snapshot.population("bmus");
    pane.units = { table, places };
    pane.glyphs.set("bmus", { points: { places, rows: Array.from({ length: places.length / 3 }, (_, row) => row), sizes: [], colours: [], shapes: [] } });
  }
  return pane;
}

/** Put the panes on the graphics card; shapes that stay are used again. */
function present(panes, cut) {
  for (const pane of panes) {
    if (pane.make) pane.make();
    if (pane.units) pane.arrows = arrowShape(pane.units);
    if (pane.bone && state.cut > 0) {
      const plane = PLANES.find((one) => one.axis === cut.index), count = Math.round(pane.size[cut.index] / pane.edge);
      const index = Math.min(Math.max(Math.floor(cut.place / pane.edge), 0), count - 1);
      pane.cutFace = scene.cutShape(pane.size, cut.index, cut.place, slicePicture(pane.paint, plane, index, true));
    }
    for (const [layer, glyph] of pane.glyphs) {
      glyph.shape = scene.pointShape(layer === "bmus" ? { ...glyph.points, places: new Float32Array(0) } : glyph.points);
    }
    pane.shapes = [pane.bone, pane.arrows, pane.cutFace, ...[...pane.glyphs.values()].map((one) => one.shape)].filter(Boolean);
  }
  const kept = new Set(panes.map((pane) => pane.bone));
  for (const pane of scene.panes) pane.shapes = pane.shapes.filter((shape) => !kept.has(shape));
  scene.cut = cut.uniforms;
  scene.setPanes(panes);
  scene.draw();
}

function arrowShape({ table, places }) {
  const arrows = arrowsOf(table, places);
  return scene.meshShape(arrows, arrows.colours);
}

/** Bring the page to the state. */
async function update() {
  const mine = ++current;
  delete document.body.dataset.ready;
  byId("wait").hidden = false;
  try {
    const cut = cutOf();
    const shownSeries = state.view === "both" ? SERIES : [SERIES.find((one) => one.name === state.view)];
    const panes = await Promise.all(shownSeries.map((series) => paneOf(series, cut)));
    if (mine !== current) return;
    if (scene.gl) present(panes, cut);
    const first = panes.find((pane) => pane.paint);
    describe(panes, cut);
    byId("legend").replaceChildren(...(first ? legendOf(state.colour, first.paint) : []));
    if (first) for (const plane of planes) plane.draw(first.paint, state.place, [...first.glyphs].filter(([layer]) => layer !== "osteocytes").map(([, one]) => one.points).filter((points) => points.colours.length).concat(await osteocytesOf(first)));
    for (const chart of charts) chart.mark(days[state.step], state.day);
    if (mine !== current) return;
    byId("wait").hidden = true;
    document.body.dataset.ready = "true";
  } catch (error) {
    fail(error);
    throw error;
  }
}

/** Osteocytes for the slices, whatever the cut. */
async function osteocytesOf(pane) {
  if (!state.layers.osteocytes) return [];
  const { places, viable } = await pane.snapshot.population("osteocytes");
  const { cells } = HEADER.palette;
  return [{ small: true, places, colours: Array.from(viable, (alive) => cells[alive ? "osteocyte" : "empty"][1]), shapes: Array.from(viable, (alive) => (alive ? SPHERE : SQUARE)) }];
}

/** Texts on what is on the stage. */
function describe(panes, cut) {
  const day = days[state.step];
  byId("day").textContent = dayText(day);
  byId("step").value = state.step;
  byId("step").setAttribute("aria-valuetext", dayText(day));
  byId("chosen").textContent = state.day === null ? "" : `chosen on a curve: ${dayText(state.day)}`;
  byId("since-label").hidden = state.colour !== "change";
  byId("cut-text").textContent = state.cut > 0 ? `${state.cutAxis} = ${shown(cut.place / 1000)} mm` : "nothing";
  const counts = panes.map((pane) => [...pane.glyphs].map(([layer, { points }]) => `${points.rows.length} ${layer === "bmus" ? "BMUs" : layer === "events" ? "holes and cuts" : layer === "others" ? "other events" : layer}`).join(", "));
  byId("gl").setAttribute("aria-label", panes.map((pane, k) => `${pane.title}: bone coloured by ${colourModes()[state.colour]}; ${counts[k]}`).join(". "));
  for (const layer of Object.keys(LAYERS)) {
    const number = panes.map((pane) => pane.glyphs.get(layer)?.points.rows.length).filter((one) => one !== undefined);
    byId(`count-${layer}`).textContent = number.length ? `(${number.join(" | ")})` : "";
  }
}

function refreshEvents() {
  const series = SERIES[state.events.run], day = state.day === null ? days[state.step] : state.day;
  const selected = state.choice && state.choice.series === series && state.choice.layer !== "bmus" ? state.choice.row : null;
  const { found, listed } = listEvents(series, day, state.events, selected, (row) => chooseEvent(series, row));
  byId("event-note").textContent = `${found.toLocaleString("en-US")} events; the ${listed} nearest to ${dayText(day)} are listed. A curve's click chooses the day. Status is as known at the end of the run.`;
}

async function choose(choice) {
  delete document.body.dataset.ready;
  state.choice = choice;
  scene.selected = choice;
  byId("choice").replaceChildren(...(choice ? await cardOf(choice) : []));
  if (choice) state.place = choice.place.map((value, k) => Math.min(Math.max(value, 0), SERIES[0].size[k] - 1e-6));
  refreshEvents();
  await update();
}

/** Show an event: its place in 3-D and in the slices, in the first snapshot after it. */
async function chooseEvent(series, row) {
  const day = series.events.data("day")[row], later = days.findIndex((one) => one >= day);
  state.step = later < 0 ? days.length - 1 : later;
  if (state.view !== "both") { state.view = series.name; byId("view").value = state.view; }
  await choose({ layer: "events", series, row, place: eventPlace(series, row) });
  byId("stage").scrollIntoView({ block: "start" });
}

function chooseDay(day) {
  state.day = day;
  refreshEvents();
  update();
}

function go(step) {
  state.step = Math.min(Math.max(step, 0), days.length - 1);
  if (state.day === null) refreshEvents();
  return update();
}

async function play() {
  playing = !playing;
  byId("play").setAttribute("aria-pressed", playing);
  byId("play").textContent = playing ? "Stop" : "Play";
  if (playing && state.step === days.length - 1) await go(0);
  while (playing) {
    await new Promise((done) => setTimeout(done, PLAY_MS));
    if (!playing) return;
    if (state.step < days.length - 1) await go(state.step + 1);
    if (state.step === days.length - 1) return play();
  }
}

function setUp() {
  const set = (name) => (value) => { state[name] = value; update(); };
  const views = Object.fromEntries(SERIES.map((series) => [series.name, series.name]));
  choices("view", SERIES.length > 1 ? { ...views, both: `${nameOf(0)} and ${nameOf(1)}, side by side` } : views, state.view, set("view"));
  byId("view").parentElement.hidden = SERIES.length < 2;
  choices("colour", colourModes(), state.colour, set("colour"));
  choices("since", Object.fromEntries(days.map((day) => [day, dayText(day)])), state.since, (value) => set("since")(Number(value)));
  for (const [layer, label] of Object.entries(LAYERS)) {
    const box = element("input", { type: "checkbox", "data-layer": layer });
    box.checked = state.layers[layer];
    box.addEventListener("change", () => { state.layers[layer] = box.checked; update(); });
    const { cells } = HEADER.palette, key = { osteoclasts: "osteoclast", osteoblasts: "osteoblast", bmus: "bmu", osteocytes: "osteocyte" }[layer];
    const marks = layer === "events" ? Object.values(HEADER.palette.events).map(({ colour, shape }) => sign(shape === "D" ? "\u25c7" : "\u25cb", colour))
      : layer === "others" ? [sign("\u25b2", "#595959")] : layer === "osteocytes" ? [swatch(cells.empty[1])] : [];
    byId("layers").append(element("label", {}, [box, ...(key ? [swatch(cells[key][1])] : []), ...marks, label, element("span", { id: `count-${layer}`, class: "small" })]));
  }
  byId("cut").addEventListener("input", () => { state.cut = Number(byId("cut").value); update(); });
  byId("cut-axis").addEventListener("change", () => { state.cutAxis = byId("cut-axis").value; update(); });
  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => {
      const { view } = button.dataset;
      if (view === "start") camera.reset();
      else if (view === "closer" || view === "farther") camera.enlarge(view === "closer" ? 1.3 : 1 / 1.3);
      else camera.face(view);
      scene.draw();
    });
  }
  byId("step").max = days.length - 1;
  byId("step").addEventListener("input", () => go(Number(byId("step").value)));
  byId("back").addEventListener("click", () => go(state.step - 1));
  byId("forth").addEventListener("click", () => go(state.step + 1));
  byId("play").addEventListener("click", play);
  let asked = false;
  const redraw = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; scene.draw(); });
  };
  steer(byId("gl"), camera, () => Math.max(scene.panes.length, 1), redraw, (x, y) => choose(scene.pick(x, y)));
  new ResizeObserver(redraw).observe(byId("stage"));
  window.addEventListener("beforeprint", () => scene.draw(true));
  window.addEventListener("afterprint", () => scene.draw());
  setUpBelow();
}

/** Slices, curves and tables. */
function setUpBelow() {
  planes = PLANES.map((plane) => new Plane(plane, SERIES[0], (moved) => {
    state.place = state.place.map((value, axis) => moved[axis] ?? value);
    update();
  }));
  byId("planes").append(...planes.map((plane) => plane.box));
  const { twin, ...alone } = scales();
  const rescale = (value) => {
    state.scale = value;
    charts.forEach((chart) => chart.draw(value));
    byId("curve-note").textContent = curveNote(value);
  };
  choices("scale", SERIES.length > 1 ? scales() : alone, state.scale, rescale);
  const keys = HEADER.curves.map((name) => ["daily", "measures"].find((table) => SERIES[0][table].has(name)) + `:${name}`).filter((key) => !key.startsWith("undefined"));
  charts = keys.map((key) => new Chart(key, chooseDay));
  byId("curves").append(...charts.map((chart) => chart.box));
  rescale(state.scale);
  const kinds = SERIES[0].events.byName.get("kind")?.names || [], statuses = SERIES[0].events.byName.get("status")?.names || [];
  const changed = (name) => (value) => { state.events[name] = name === "run" ? Number(value) : value; refreshEvents(); };
  choices("event-kind", { breaks: "breaks of the network", all: "all", ...Object.fromEntries(kinds.map((one) => [one, words(one)])) }, "breaks", changed("kind"));
  choices("event-status", { all: "all", ...Object.fromEntries(statuses.map((one) => [one, statusText(one)])) }, "all", changed("status"));
  choices("event-run", Object.fromEntries(SERIES.map((series, k) => [k, series.name])), 0, changed("run"));
  byId("event-run-label").hidden = SERIES.length < 2;
  listMeasures();
  listClinic();
  listConfiguration(false);
  byId("all-parameters").addEventListener("change", (event) => listConfiguration(event.target.checked));
  listProvenance();
  listFiles();
  refreshEvents();
}

/** What the lines of the curves are. */
function curveNote(scale) {
  const lines = scale === "twin" ? `Black: ${nameOf(0)}, in per cent of ${nameOf(1)} on the same day.` : `Black: ${nameOf(0)}.${SERIES.length > 1 ? ` Green, dashed: ${nameOf(1)}.` : ""}`;
  const grey = SERIES[0].spec.suppressed.length ? " Grey: estradiol below 80 % of its first day." : "";
  return `${lines}${grey} Triangles: snapshots. Upright line: snapshot shown; blue, dashed: chosen day. A click chooses a day.`;
}

/** One line on the bone. */
function factsText() {
  const [{ spec }] = SERIES, size = [...spec.shape].reverse().map((count) => (count * spec.voxel_um / 1000).toFixed(2));
  const edge = spec.coarsened > 1 ? `${spec.voxel_um * spec.coarsened} \u00b5m (of the run: ${spec.voxel_um} \u00b5m; coarsened for this page)` : `${spec.voxel_um} \u00b5m`;
  return `Bone: ${spec.bone}; ${size.join(" \u00d7 ")} mm, voxels of ${edge}; ${spec.days}, ${spec.status}; snapshots of days ${days.join(", ")}.`;
}

/** One line on the second run: what it is, and in what both differ. */
function comparedText() {
  const { twin, text, differ } = HEADER.other, [own, other] = SERIES.map((series) => series.spec);
  const titles = twin ? "" : own.title === other.title ? ` Title of both: ${own.title}.` : ` Titles: ${own.title} / ${other.title}.`;
  return `${nameOf(0)} (${own.file}) is compared with ${text} (${other.file}); differ in: ${differ}.${titles}`;
}

async function start() {
  await Promise.all(SERIES.map((series) => series.load()));
  byId("facts").textContent = factsText();
  byId("compared").hidden = !HEADER.other;
  if (HEADER.other) byId("compared").textContent = comparedText();
  setUp();
  if (!scene.gl) notice("This browser has no WebGL 2: there is no 3-D. Slices, curves and tables work.");
  await update();
}

/** For the console, and for tests: what is drawn. */
window.bonesim = { state, glyphs: (layer, pane = 0) => Array.from(scene.placesDrawn(layer, pane)), update, scene };

start().catch(fail);
