/* The snapshots of a run: voxels unpacked when they are needed, places of cells, what changed between two. */

const NO_BONE = 255;

/** One snapshot. `shape` is (z, y, x); arrays have x fastest. */
class Snapshot {
  constructor(series, spec, before) {
    Object.assign(this, { series, spec, before, day: spec.day, shape: spec.shape });
    this.kept = new Map();
    this.cells = new Map(Object.entries(spec.cells).map(([name, table]) => [name, new Table(table)]));
  }

  once(name, make) {
    if (!this.kept.has(name)) this.kept.set(name, make());
    return this.kept.get(name);
  }

  /** Bone in 16 levels. */
  levels() {
    return this.once("levels", async () => {
      const levels = await arrayOf(this.spec.levels);
      if (!this.spec.levels.after) return levels;
      const before = await this.before.levels();
      for (let k = 0; k < levels.length; k++) levels[k] = (levels[k] + before[k]) & 15;
      return levels;
    });
  }

  /** Surface state where cells are at work, else 0. */
  activity() { return this.once("activity", () => arrayOf(this.spec.activity)); }

  /** Steps of a number at each voxel; NO_BONE in marrow. */
  number(name) {
    return this.once(`number ${name}`, async () => {
      const [levels, values] = await Promise.all([this.levels(), arrayOf(this.spec.numbers[name])]);
      const whole = new Uint8Array(levels.length).fill(NO_BONE);
      for (let k = 0, next = 0; k < levels.length; k++) if (levels[k] >= HEADER.bone_level) whole[k] = values[next++];
      return whole;
    });
  }

  /** Cells of a population: the table and places in um, three numbers each. */
  population(name) {
    return this.once(`cells ${name}`, async () => {
      if (name === "osteocytes") return this.osteocytes();
      if (!this.cells.has(name)) return { table: null, places: new Float32Array(0) };
      const table = await this.cells.get(name).load();
      const places = new Float32Array(3 * table.rows);
      ["x_um", "y_um", "z_um"].forEach((axis, k) => {
        const values = table.data(axis);
        for (let row = 0; row < table.rows; row++) places[3 * row + k] = values[row];
      });
      return { table, places };
    });
  }

  async osteocytes() {
    const { count, voxel, viable } = this.spec.osteocytes;
    const places = new Float32Array(3 * count);
    if (!count) return { table: null, places, viable: new Uint8Array(0) };
    const [between, alive] = await Promise.all([arrayOf(voxel), arrayOf(viable)]);
    const [, ny, nx] = this.series.spec.shape;
    const edge = this.series.spec.voxel_um;
    for (let k = 0, index = 0; k < count; k++) {
      index += between[k];
      places[3 * k] = (index % nx + 0.5) * edge;
      places[3 * k + 1] = (Math.floor(index / nx) % ny + 0.5) * edge;
      places[3 * k + 2] = (Math.floor(index / (nx * ny)) + 0.5) * edge;
    }
    return { table: null, places, viable: alive };
  }
}

/** A run of the page. */
class Series {
  constructor(spec) {
    this.spec = spec;
    this.name = spec.name;
    this.edge = spec.voxel_um * spec.coarsened;
    this.snapshots = [];
    for (const one of spec.snapshots) this.snapshots.push(new Snapshot(this, one, this.snapshots.at(-1)));
    this.daily = new Table(spec.daily);
    this.measures = new Table(spec.measures);
    this.events = new Table(spec.events);
    this.clinic = spec.clinic ? new Table(spec.clinic) : null;
    const [nz, ny, nx] = this.snapshots[0].shape;
    this.size = [nx * this.edge, ny * this.edge, nz * this.edge];
  }

  load() {
    const tables = [this.daily, this.measures, this.events, this.clinic].filter(Boolean);
    return Promise.all(tables.map((table) => table.load()));
  }

  at(day) { return this.snapshots.find((one) => one.day === day); }
}

/** Voxels that became bone and that ceased to be, from one lattice to another; and bone before. */
function changeOf(before, now) {
  const level = HEADER.bone_level;
  let formed = 0, resorbed = 0, bone = 0;
  for (let k = 0; k < now.length; k++) {
    const was = before[k] >= level, is = now[k] >= level;
    if (was) bone++;
    if (was && !is) resorbed++;
    else if (is && !was) formed++;
  }
  return { formed, resorbed, bone };
}

/** Bone of either lattice. */
function unionOf(one, other) {
  const both = new Uint8Array(one.length);
  for (let k = 0; k < both.length; k++) both[k] = Math.max(one[k], other[k]);
  return both;
}
