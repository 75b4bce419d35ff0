/* What stands on the stage: bone, cells, remodelling units, events, the cut; one pane for each run shown. */

const LAYERS = {
  bone: "bone",
  osteoclasts: "osteoclasts",
  osteoblasts: "osteoblasts",
  bmus: "BMU fronts, direction",
  osteocytes: "osteocyte, empty lacuna in the cut",
  events: "breaks: hole in a plate, cut of a rod",
  others: "other events so far",
};
const EVENT_UM = 120, EVENT_PIXELS = 15, OTHER_PIXELS = 8, PICK_PIXELS = 16;

/** A row of the events is a break of the network: it has a state, and is there until its last day. */
function isBreak(events, row) { return ["there", "closed", "merged"].includes(events.text("status", row)); }

/** Which rows of the events a layer draws on a day. */
function eventRows(series, layer, day) {
  const { events } = series, marked = HEADER.palette.events, rows = [];
  for (let row = 0; row < events.rows; row++) {
    if (events.data("day")[row] > day) continue;
    if (!isBreak(events, row)) {
      if (layer === "others") rows.push(row);
    } else if (layer === "events" && events.text("kind", row) in marked && !(events.data("end_day")[row] <= day)) rows.push(row);
  }
  return rows;
}

function eventPlace(series, row) { return ["x_um", "y_um", "z_um"].map((axis) => series.events.data(axis)[row]); }

/** The points of a layer: places in um, a colour and a look each, and the rows they stand for. */
async function pointsOf(snapshot, layer, cut) {
  const { palette } = HEADER, { series } = snapshot;
  if (layer === "events" || layer === "others") {
    const rows = eventRows(series, layer, snapshot.day);
    const places = new Float32Array(rows.flatMap((row) => eventPlace(series, row)));
    const marks = rows.map((row) => palette.events[series.events.text("kind", row)]);
    return {
      places, rows, sizes: rows.map(() => EVENT_UM),
      colours: marks.map((mark) => (layer === "events" ? mark.colour : "#595959")),
      shapes: marks.map((mark) => (layer === "events" ? (mark.shape === "D" ? DIAMOND : RING) : TRIANGLE)),
    };
  }
  const { places, viable } = await snapshot.population(layer);
  const all = Array.from({ length: places.length / 3 }, (_, row) => row);
  if (layer === "osteocytes") {
    const rows = cut.at > 0 ? all.filter((row) => Math.abs(places[3 * row + cut.index] - cut.place) <= series.edge) : [];
    return {
      rows, places: new Float32Array(rows.flatMap((row) => [...places.subarray(3 * row, 3 * row + 3)])),
      sizes: rows.map(() => 18), shapes: rows.map((row) => (viable[row] ? SPHERE : SQUARE)),
      colours: rows.map((row) => palette.cells[viable[row] ? "osteocyte" : "empty"][1]),
    };
  }
  const [size, shape, name] = layer === "osteoclasts" ? [44, SPHERE, "osteoclast"] : [16, SQUARE, "osteoblast"];
  return { places, rows: all, sizes: all.map(() => size), shapes: all.map(() => shape), colours: all.map(() => palette.cells[name][1]) };
}

/** An arrow: its sides, and from tail to tip how far along and how wide each of its rings is, um. */
const SIDES = 8, RINGS = [[0, 10], [85, 10], [85, 28], [150, 0.1]];
const CORNERS_AN_ARROW = 6 * SIDES * (RINGS.length - 1);

/** An arrow for each remodelling unit, as a mesh: above the surface, from its front along its travel. */
function arrowsOf(table, places) {
  const points = [], normals = [], triangles = [];
  for (let row = 0; table && row < table.rows; row++) {
    const n = ["nx", "ny", "nz"].map((name) => -table.data(name)[row]);
    const t = ["tx", "ty", "tz"].map((name) => table.data(name)[row]);
    const b = [n[1] * t[2] - n[2] * t[1], n[2] * t[0] - n[0] * t[2], n[0] * t[1] - n[1] * t[0]];
    const first = points.length / 3;
    for (const [along, radius] of RINGS) {
      for (let side = 0; side < SIDES; side++) {
        const c = Math.cos(2 * Math.PI * side / SIDES), s = Math.sin(2 * Math.PI * side / SIDES);
        const out = [0, 1, 2].map((k) => c * n[k] + s * b[k]);
        for (let k = 0; k < 3; k++) points.push(places[3 * row + k] + 30 * n[k] + along * t[k] + radius * out[k]);
        normals.push(...out);
      }
    }
    for (let ring = 0; ring + 1 < RINGS.length; ring++) {
      for (let side = 0; side < SIDES; side++) {
        const a = first + ring * SIDES + side, c = first + ring * SIDES + (side + 1) % SIDES;
        triangles.push(a, a + SIDES, c, c, a + SIDES, c + SIDES);
      }
    }
  }
  const colour = rgbOf(HEADER.palette.cells.bmu[1]);
  const colours = new Uint8Array(points.length).map((_, k) => colour[k % 3]);
  return { places: new Float32Array(points), normals: new Float32Array(normals), triangles: new Uint32Array(triangles), colours };
}

class Scene {
  constructor(canvas, over) {
    Object.assign(this, { canvas, over, panes: [], selected: null, cut: NO_CUT });
    const asked = { preserveDrawingBuffer: true };
    // Without a graphics card smooth edges would cost most of the time.
    const gl = canvas.getContext("webgl2", { ...asked, antialias: true, failIfMajorPerformanceCaveat: true })
      || canvas.getContext("webgl2", { ...asked, antialias: false });
    this.gl = gl;
    if (!gl) return;
    this.mesh = new Program(gl, MESH_VERTEX, MESH_PIXEL);
    this.points = new Program(gl, POINT_VERTEX, POINT_PIXEL);
    this.slice = new Program(gl, CUT_VERTEX, CUT_PIXEL);
    gl.enable(gl.DEPTH_TEST);
  }

  meshShape({ places, normals, triangles }, colours) {
    return new Shape(this.gl, this.mesh, { place: [places, 3], normal: [normals, 3], colour: [colours, 3, true] }, triangles);
  }

  pointShape({ places, colours, sizes, shapes }) {
    const tints = new Uint8Array(colours.flatMap(rgbOf));
    const looks = new Float32Array(sizes.flatMap((size, k) => [size, shapes[k]]));
    return new Shape(this.gl, this.points, { place: [places, 3], colour: [tints, 3, true], look: [looks, 2] });
  }

  /** The picture on the cutting plane: pixels of a slice, across an axis at a place. */
  cutShape(size, index, place, pixels) {
    const { gl } = this, [a, b] = [0, 1, 2].filter((axis) => axis !== index);
    const corners = [], spots = [];
    for (const [u, v] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      const point = [0, 0, 0];
      point[index] = place; point[a] = u * size[a]; point[b] = v * size[b];
      corners.push(...point);
      spots.push(u, 1 - v);
    }
    const shape = new Shape(gl, this.slice, { place: [new Float32Array(corners), 3], spot: [new Float32Array(spots), 2] });
    shape.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, shape.texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    return shape;
  }

  /** Places in um of what the graphics card draws of a layer. */
  placesDrawn(layer, number) {
    const pane = this.panes[number], { points, shape } = pane.glyphs.get(layer);
    const count = layer === "bmus" ? pane.arrows.triangles / CORNERS_AN_ARROW : shape.count;
    return points.places.subarray(0, 3 * count);
  }

  setPanes(panes) {
    for (const pane of this.panes) {
      for (const shape of pane.shapes) {
        if (shape.texture) this.gl.deleteTexture(shape.texture);
        shape.free();
      }
    }
    this.panes = panes;
  }

  /** Draw all panes; for paper the picture is also put under its labels, as printers leave WebGL out. */
  draw(paper = false) {
    const { gl, canvas, camera } = this;
    const ratio = window.devicePixelRatio || 1, [width, height] = [canvas.clientWidth, canvas.clientHeight];
    for (const one of [canvas, this.over]) {
      if (one.width !== Math.round(width * ratio)) one.width = Math.round(width * ratio);
      if (one.height !== Math.round(height * ratio)) one.height = Math.round(height * ratio);
    }
    const paneWidth = width / Math.max(this.panes.length, 1);
    if (gl) {
      gl.enable(gl.SCISSOR_TEST);
      this.panes.forEach((pane, k) => {
        const box = [k * paneWidth * ratio, 0, paneWidth * ratio, height * ratio].map(Math.round);
        gl.viewport(...box);
        gl.scissor(...box);
        gl.clearColor(1, 1, 1, 1);
        gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
        this.drawPane(pane, camera.uniforms(paneWidth, height), camera.pixelsPerUm(paneWidth, height) * ratio, ratio);
      });
    }
    this.drawOver(ratio, paneWidth, height, paper);
  }

  drawPane(pane, uniforms, pixels, ratio) {
    const { gl, cut } = this, common = { ...uniforms, ...cut };
    const faces = { box: pane.size, edge: pane.edge, toned: pane.toned ? 1 : 0, cutColour: unit(HEADER.palette.cut) };
    if (pane.bone) {
      this.mesh.use({ ...common, ...faces, faces: 1 });
      // The inner side of bone is seen through a cut only.
      if (cut === NO_CUT) gl.enable(gl.CULL_FACE);
      pane.bone.draw();
      gl.disable(gl.CULL_FACE);
      if (pane.cutFace) {
        this.slice.use(common);
        gl.bindTexture(gl.TEXTURE_2D, pane.cutFace.texture);
        pane.cutFace.draw(gl.TRIANGLE_STRIP);
      }
    }
    if (pane.arrows) {
      this.mesh.use({ ...common, ...faces, faces: 0 });
      pane.arrows.draw();
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    for (const [layer, { shape }] of pane.glyphs) {
      const event = layer === "events" || layer === "others";
      // Points on the cut itself belong to it.
      const room = layer === "osteocytes" ? { cutAt: cut.cutAt + 2 * pane.edge } : {};
      const look = {
        ...common, ...room, pixels: event ? 0 : pixels,
        least: ratio * (layer === "events" ? EVENT_PIXELS : event ? OTHER_PIXELS : 3),
      };
      if (event) {
        gl.disable(gl.DEPTH_TEST);
        this.points.use({ ...look, alpha: 0.3 });
        shape.draw(gl.POINTS);
        gl.enable(gl.DEPTH_TEST);
      }
      this.points.use({ ...look, alpha: 1 });
      shape.draw(gl.POINTS);
    }
    gl.disable(gl.BLEND);
  }

  /** Titles, axes and the mark of what is chosen, above the picture. */
  drawOver(ratio, paneWidth, height, paper) {
    const drawn = this.over.getContext("2d"), { camera } = this;
    drawn.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawn.clearRect(0, 0, this.over.width, this.over.height);
    if (paper && this.gl) drawn.drawImage(this.canvas, 0, 0, this.canvas.clientWidth, height);
    drawn.fillStyle = HEADER.palette.ink;
    drawn.font = "600 13px system-ui, sans-serif";
    this.panes.forEach((pane, k) => {
      drawn.fillText(pane.title, k * paneWidth + 10, 20, paneWidth - 16);
      if (!this.selected || this.selected.series !== pane.series) return;
      const [x, y] = camera.project(this.selected.place, paneWidth, height);
      drawn.strokeStyle = "#000000";
      drawn.lineWidth = 2;
      drawn.beginPath();
      drawn.arc(k * paneWidth + x, y, 15, 0, 7);
      drawn.moveTo(k * paneWidth + x + 15, y);
      drawn.lineTo(k * paneWidth + x + 28, y);
      drawn.stroke();
    });
    this.drawBar(drawn, paneWidth, height);
    const { right, up } = camera.axes(), [x0, y0] = [34, height - 52];
    ["x", "y", "z"].forEach((name, k) => {
      const [x, y] = [x0 + 24 * right[k], y0 - 24 * up[k]];
      drawn.lineWidth = 1.5;
      drawn.strokeStyle = HEADER.palette.ink;
      drawn.beginPath();
      drawn.moveTo(x0, y0);
      drawn.lineTo(x, y);
      drawn.stroke();
      if (Math.hypot(x - x0, y - y0) > 5) drawn.fillText(name, x0 + 31 * right[k] - 3, y0 - 31 * up[k] + 4);
    });
  }

  /** The scale bar, in the lower right corner; one for all panes. */
  drawBar(drawn, paneWidth, height) {
    const [, text, pixels] = barFor(this.camera.pixelsPerUm(paneWidth, height), 0.28 * paneWidth);
    const left = Math.max(this.panes.length, 1) * paneWidth - 16 - Math.round(pixels);
    this.over.dataset.bar = text;
    drawn.fillStyle = "#ffffffd0";
    drawn.fillRect(left - 4, height - 38, Math.round(pixels) + 8, 30);
    drawn.fillStyle = HEADER.palette.ink;
    drawn.fillRect(left, height - 18, Math.round(pixels), 4);
    drawn.textAlign = "center";
    drawn.fillText(text, left + pixels / 2, height - 24);
    drawn.textAlign = "left";
  }

  /** What is at a place of the stage: the nearest event or cell, events first. */
  pick(x, y) {
    const { canvas, camera, cut } = this, paneWidth = canvas.clientWidth / this.panes.length;
    const pane = this.panes[Math.min(Math.floor(x / paneWidth), this.panes.length - 1)];
    if (!pane) return null;
    const left = x - this.panes.indexOf(pane) * paneWidth;
    let best = null;
    for (const [layer, { points }] of pane.glyphs.entries()) {
      if (layer === "osteocytes") continue;
      for (let k = 0; k < points.rows.length; k++) {
        const place = [...points.places.subarray(3 * k, 3 * k + 3)];
        if (cut.cutNormal[0] * place[0] + cut.cutNormal[1] * place[1] + cut.cutNormal[2] * place[2] > cut.cutAt) continue;
        const [px, py, depth] = camera.project(place, paneWidth, canvas.clientHeight);
        const distance = Math.hypot(px - left, py - y);
        if (distance > PICK_PIXELS) continue;
        const cost = distance + (layer === "events" ? -100 : 0) + depth * 1e-3;
        if (!best || cost < best.cost) best = { cost, layer, row: points.rows[k], place, series: pane.series, snapshot: pane.snapshot };
      }
    }
    return best;
  }
}
