/* What the bone is coloured by: a colour for each voxel, from it colours of a surface, of slices, and the legend. */

const rgbOf = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

/** Colour of a share 0..1 of a number's range. */
function rampOf(share) {
  const stops = HEADER.palette.numbers;
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.floor(at), t = at - low;
  const a = rgbOf(stops[low]), b = rgbOf(stops[Math.min(low + 1, stops.length - 1)]);
  return a.map((value, k) => Math.round(value + t * (b[k] - value)));
}

/** Name of each way to colour -> its label. */
function colourModes() {
  const modes = { state: "surface state", bone: "plain bone" };
  for (const [name, one] of Object.entries(SERIES[0].snapshots[0].spec.numbers)) modes[name] = one.label;
  modes.change = "formed and resorbed since";
  if (SERIES.length > 1) modes.sides = `${SERIES[0].name} against ${SERIES[1].name}`;
  return modes;
}

/** Ends of a number's colours, the same for all snapshots and runs. */
function endsOf(name) {
  const all = SERIES.flatMap((series) => series.snapshots.map((one) => one.spec.numbers[name].ends));
  return [Math.min(...all.map((ends) => ends[0])), Math.max(...all.map((ends) => ends[1]))];
}

/** How one snapshot is painted: `levels` of its surface, and a colour for each voxel of bone. */
async function paintOf(snapshot, mode, since) {
  const own = await snapshot.levels(), level = HEADER.bone_level;
  const bone = rgbOf(HEADER.palette.bone);
  const paint = {
    mode, snapshot, levels: own, key: `${snapshot.series.name} ${snapshot.day}`,
    toned: mode === "state" || mode === "bone", voxel: () => bone, steps: null,
  };
  if (mode === "state") {
    const activity = await snapshot.activity();
    const states = HEADER.palette.states.map(([, hex]) => rgbOf(hex));
    paint.activity = activity;
    paint.voxel = (k) => (activity[k] ? states[activity[k]] : bone);
  } else if (mode === "change" || mode === "sides") {
    const other = mode === "change" ? snapshot.series.at(since) : otherSide(snapshot);
    if (!other) return paint;
    const before = await other.levels();
    const [both, now, past] = HEADER.palette[mode === "change" ? "changes" : "sides"].map(([, hex]) => rgbOf(hex));
    paint.levels = unionOf(own, before);
    paint.key += ` ${other.series.name} ${other.day}`;
    paint.other = other;
    paint.counts = changeOf(before, own);
    paint.voxel = (k) => (own[k] < level ? past : before[k] < level ? now : both);
  } else if (mode !== "bone") {
    const spec = snapshot.spec.numbers[mode], [low, high] = endsOf(mode);
    const colours = Array.from({ length: spec.steps }, (_, step) => {
      const value = spec.low + (step / (spec.steps - 1)) * (spec.high - spec.low);
      return rampOf((value - low) / (high - low || 1));
    });
    paint.steps = await snapshot.number(mode);
    paint.colours = colours;
    paint.voxel = (k) => (paint.steps[k] === NO_BONE ? bone : colours[paint.steps[k]]);
  }
  return paint;
}

/** The same day of the other run; "sides" always compares the run with its twin. */
function otherSide(snapshot) {
  const other = SERIES.find((series) => series !== snapshot.series);
  return other && other.at(snapshot.day);
}

/** Colours of the points of a surface: of the bone just under each, and of cells just above. */
function surfaceColours(mesh, paint) {
  const { places, normals } = mesh;
  const [nz, ny, nx] = paint.snapshot.shape, edge = paint.snapshot.series.edge;
  const colours = new Uint8Array(places.length);
  const level = HEADER.bone_level;
  const indexAt = (p, depth) => {
    const at = (axis, n) => Math.min(Math.max(Math.floor(places[p + axis] / edge - depth * normals[p + axis]), 0), n - 1);
    return (at(2, nz) * ny + at(1, ny)) * nx + at(0, nx);
  };
  for (let p = 0; p < places.length; p += 3) {
    let colour;
    if (paint.steps) colour = meanColour(paint, places, normals, p);
    else if (paint.activity) {
      const above = indexAt(p, -0.5);
      colour = paint.voxel(paint.activity[above] ? above : indexAt(p, 0.5));
    } else {
      let k = indexAt(p, 0.5);
      for (let depth = 1; paint.levels[k] < level && depth <= 2; depth += 0.5) k = indexAt(p, depth);
      colour = paint.voxel(k);
    }
    colours[p] = colour[0]; colours[p + 1] = colour[1]; colours[p + 2] = colour[2];
  }
  return colours;
}

/** Colour of the mean of a number over the bone around half a voxel under a point. */
function meanColour(paint, places, normals, p) {
  const [nz, ny, nx] = paint.snapshot.shape, edge = paint.snapshot.series.edge;
  const at = [0, 1, 2].map((axis) => places[p + axis] / edge - 0.5 * normals[p + axis] - 0.5);
  const first = at.map(Math.floor), sizes = [nx, ny, nz];
  let total = 0, weight = 0;
  for (let corner = 0; corner < 8; corner++) {
    let w = 1;
    const index = [0, 1, 2].map((axis) => {
      const up = (corner >> axis) & 1, t = at[axis] - first[axis];
      w *= up ? t : 1 - t;
      return Math.min(Math.max(first[axis] + up, 0), sizes[axis] - 1);
    });
    const step = paint.steps[(index[2] * ny + index[1]) * nx + index[0]];
    if (step === NO_BONE || w === 0) continue;
    total += w * step;
    weight += w;
  }
  return weight ? paint.colours[Math.round(total / weight)] : rgbOf(HEADER.palette.bone);
}

/** The legend of a way to colour, with what it counts. */
function legendOf(mode, paint) {
  const key = (hex, text) => element("div", { class: "key" }, [swatch(hex), text]);
  const { palette } = HEADER;
  if (mode === "bone") return [key(palette.bone, "bone"), key(palette.cut, "cut face, no biological surface")];
  if (mode === "state") {
    return [
      ...palette.states.slice(2).map(([name, hex]) => key(hex, name)),
      key(palette.cut, "cut face, no biological surface"),
    ];
  }
  if (mode === "change" || mode === "sides") {
    const sides = (name, number) => (number ? `bone only in ${nameOf(number - 1)}` : name);
    const keys = mode === "change" ? palette.changes.map(([name, hex]) => key(hex, name)) : palette.sides.map(([name, hex], number) => key(hex, sides(name, number)));
    return [...keys, countsOf(mode, paint)];
  }
  const spec = paint.snapshot.spec.numbers[mode], [low, high] = endsOf(mode);
  const ramp = element("canvas", { class: "ramp", width: 128, height: 1, role: "img", "aria-label": `colours from ${shown(low)} to ${shown(high)} ${spec.unit}` });
  const drawn = ramp.getContext("2d");
  for (let k = 0; k < 128; k++) {
    drawn.fillStyle = `rgb(${rampOf(k / 127)})`;
    drawn.fillRect(k, 0, 1, 1);
  }
  return [
    element("div", {}, [`${spec.label} (${spec.unit})`]), ramp,
    element("div", { class: "ends" }, [
      element("span", {}, [`\u2264 ${shown(low)}`]), element("span", {}, [shown((low + high) / 2)]),
      element("span", {}, [`\u2265 ${shown(high)}`]),
    ]),
  ];
}

function countsOf(mode, paint) {
  if (!paint.other) return element("p", {}, ["There is no snapshot to compare with on this day."]);
  const { formed, resorbed, bone } = paint.counts, mm3 = (paint.snapshot.series.edge / 1000) ** 3;
  const amount = (n) => `${n.toLocaleString("en-US")} voxels (${shown(n * mm3)} mm\u00b3, ${shown(100 * n / bone)} %)`;
  const words = mode === "change"
    ? [`Since day ${paint.other.day}: formed ${amount(formed)}, resorbed ${amount(resorbed)} of the bone of then.`,
       " Voxels that changed twice count as they are now."]
    : [`Day ${paint.snapshot.day}: only in ${nameOf(0)} ${amount(formed)}, only in ${nameOf(1)} ${amount(resorbed)} of the bone of ${nameOf(1)}.`];
  return element("p", { id: "counts", class: "small", "data-formed": formed, "data-resorbed": resorbed }, words);
}
