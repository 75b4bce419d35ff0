/* The bone surface as triangles, in a worker: a Gaussian of 0.7 voxel, then surface nets (Gibson 1998) at half a voxel.
   Cut faces are closed where the lattice ends. `surfaceOf` must not use anything outside itself. */

/** Surface of levels 0..15 (z, y, x; x fastest); places in um from the corner of the lattice, normals outward. */
function surfaceOf(levels, shape, voxel) {
  const HALF = 7.5, SIGMA = 0.7;
  const [nz, ny, nx] = shape;

  function smoothed() {
    const near = Math.exp(-0.5 / SIGMA ** 2), far = Math.exp(-2 / SIGMA ** 2);
    const sum = 1 + 2 * near + 2 * far;
    const w0 = 1 / sum, w1 = near / sum, w2 = far / sum;
    let from = new Float32Array(levels.length);
    for (let k = 0; k < from.length; k++) from[k] = levels[k] - HALF;
    let to = new Float32Array(levels.length);
    for (const [length, stride] of [[nx, 1], [ny, nx], [nz, nx * ny]]) {
      const block = length * stride;
      for (let begin = 0; begin < from.length; begin += block) {
        for (let i = 0; i < length; i++) {
          const here = begin + i * stride;
          const back1 = begin + Math.max(i - 1, 0) * stride, back2 = begin + Math.max(i - 2, 0) * stride;
          const next1 = begin + Math.min(i + 1, length - 1) * stride;
          const next2 = begin + Math.min(i + 2, length - 1) * stride;
          for (let k = 0; k < stride; k++) {
            to[here + k] = w0 * from[here + k] + w1 * (from[back1 + k] + from[next1 + k])
              + w2 * (from[back2 + k] + from[next2 + k]);
          }
        }
      }
      [from, to] = [to, from];
    }
    return from;
  }

  // One voxel of marrow all round: bone ends half a voxel beyond the last centre, at the lattice's face.
  const X = nx + 2, Y = ny + 2, Z = nz + 2, XY = X * Y;
  function padded(inner) {
    const field = new Float32Array(X * Y * Z);
    const inside = (i, n) => Math.min(Math.max(i - 1, 0), n - 1);
    for (let z = 0; z < Z; z++) {
      for (let y = 0; y < Y; y++) {
        const rim = z === 0 || z === Z - 1 || y === 0 || y === Y - 1;
        const row = (inside(z, nz) * ny + inside(y, ny)) * nx, to = z * XY + y * X;
        if (!rim) field.set(inner.subarray(row, row + nx), to + 1);
        else for (let x = 0; x < nx; x++) field[to + 1 + x] = -Math.abs(inner[row + x]);
        field[to] = -Math.abs(inner[row]);
        field[to + X - 1] = -Math.abs(inner[row + nx - 1]);
      }
    }
    return field;
  }

  const field = padded(smoothed());
  let places = new Float32Array(3 * 65536), triangles = new Uint32Array(6 * 65536);
  let points = 0, corners = 0;
  const layers = [new Int32Array(XY), new Int32Array(XY)];
  const step = [0, 1, X, X + 1, XY, XY + 1, XY + X, XY + X + 1];
  const edges = [0, 1, 2, 3, 4, 5, 6, 7, 0, 2, 1, 3, 4, 6, 5, 7, 0, 4, 1, 5, 2, 6, 3, 7];

  function quad(a, b, c, d, turned) {
    if (corners + 6 > triangles.length) {
      const more = new Uint32Array(2 * triangles.length);
      more.set(triangles);
      triangles = more;
    }
    triangles.set(turned ? [a, c, b, a, d, c] : [a, b, c, a, c, d], corners);
    corners += 6;
  }

  for (let z = 0; z < Z - 1; z++) {
    const now = layers[z & 1], below = layers[(z & 1) ^ 1];
    for (let y = 0; y < Y - 1; y++) {
      for (let x = 0; x < X - 1; x++) {
        const cell = z * XY + y * X + x;
        let mask = 0;
        for (let k = 0; k < 8; k++) if (field[cell + step[k]] > 0) mask |= 1 << k;
        if (mask === 0 || mask === 255) continue;
        let px = 0, py = 0, pz = 0, n = 0;
        for (let e = 0; e < 24; e += 2) {
          const a = edges[e], b = edges[e + 1];
          if (((mask >> a) & 1) === ((mask >> b) & 1)) continue;
          const fa = field[cell + step[a]], t = fa / (fa - field[cell + step[b]]);
          px += (a & 1) + t * ((b & 1) - (a & 1));
          py += ((a >> 1) & 1) + t * (((b >> 1) & 1) - ((a >> 1) & 1));
          pz += (a >> 2) + t * ((b >> 2) - (a >> 2));
          n++;
        }
        if (3 * points + 3 > places.length) {
          const more = new Float32Array(2 * places.length);
          more.set(places);
          places = more;
        }
        places[3 * points] = (x + px / n - 0.5) * voxel;
        places[3 * points + 1] = (y + py / n - 0.5) * voxel;
        places[3 * points + 2] = (z + pz / n - 0.5) * voxel;
        const at = y * X + x;
        now[at] = points++;
        const solid = mask & 1;
        if (solid !== ((mask >> 1) & 1)) quad(below[at - X], below[at], now[at], now[at - X], !solid);
        if (solid !== ((mask >> 2) & 1)) quad(below[at - 1], now[at - 1], now[at], below[at], !solid);
        if (solid !== ((mask >> 4) & 1)) quad(now[at - X - 1], now[at - X], now[at], now[at - 1], !solid);
      }
    }
  }
  places = places.slice(0, 3 * points);
  triangles = triangles.slice(0, corners);

  const normals = new Float32Array(places.length);
  for (let k = 0; k < corners; k += 3) {
    const a = 3 * triangles[k], b = 3 * triangles[k + 1], c = 3 * triangles[k + 2];
    const ux = places[b] - places[a], uy = places[b + 1] - places[a + 1], uz = places[b + 2] - places[a + 2];
    const vx = places[c] - places[a], vy = places[c + 1] - places[a + 1], vz = places[c + 2] - places[a + 2];
    const wx = uy * vz - uz * vy, wy = uz * vx - ux * vz, wz = ux * vy - uy * vx;
    for (const p of [a, b, c]) { normals[p] += wx; normals[p + 1] += wy; normals[p + 2] += wz; }
  }
  for (let p = 0; p < normals.length; p += 3) {
    const length = Math.hypot(normals[p], normals[p + 1], normals[p + 2]) || 1;
    normals[p] /= length; normals[p + 1] /= length; normals[p + 2] /= length;
  }
  return { places, normals, triangles };
}

/** Makes surfaces one after the other, in a worker if the browser allows it. */
class Surfaces {
  constructor() {
    this.waiting = new Map();
    this.number = 0;
    try {
      const program = `${surfaceOf};onmessage = ({ data }) => {
        const mesh = surfaceOf(data.levels, data.shape, data.voxel);
        postMessage({ number: data.number, mesh }, [mesh.places.buffer, mesh.normals.buffer, mesh.triangles.buffer]);
      };`;
      const place = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
      this.worker = new Worker(place);
      this.worker.onmessage = ({ data }) => {
        this.waiting.get(data.number).done(data.mesh);
        this.waiting.delete(data.number);
      };
      this.worker.onerror = () => this.withoutWorker();
    } catch {
      this.worker = null;
    }
  }

  /** The mesh of some levels. */
  make(levels, shape, voxel) {
    if (!this.worker) return Promise.resolve(surfaceOf(levels, shape, voxel));
    const number = this.number++;
    return new Promise((done) => {
      this.waiting.set(number, { done, levels, shape, voxel });
      this.worker.postMessage({ number, levels, shape, voxel });
    });
  }

  withoutWorker() {
    this.worker = null;
    for (const one of this.waiting.values()) one.done(surfaceOf(one.levels, one.shape, one.voxel));
    this.waiting.clear();
  }
}
