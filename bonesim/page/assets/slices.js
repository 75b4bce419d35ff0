/* Three slices through the lattice, linked; and the picture on the cutting plane of the 3-D view. */

const PLANES = [
  { axis: 2, name: "z", across: 0, up: 1, label: "from the top" },
  { axis: 1, name: "y", across: 0, up: 2, label: "from the front" },
  { axis: 0, name: "x", across: 1, up: 2, label: "from the right" },
];
const SLICE_PIXELS = 420, FOOT_PIXELS = 34;

/** A slice as a small canvas, a pixel a voxel; marrow is transparent. `cap`: bone voxels only, in the cut's tone. */
function slicePicture(paint, plane, index, cap) {
  const [nz, ny, nx] = paint.snapshot.shape, sizes = [nx, ny, nz], strides = [1, nx, nx * ny];
  const [width, height] = [sizes[plane.across], sizes[plane.up]], level = HEADER.bone_level;
  const canvas = element("canvas", { width, height }), drawn = canvas.getContext("2d");
  const image = drawn.createImageData(width, height);
  const tone = rgbOf(HEADER.palette[cap && paint.toned ? "cut" : "bone"]);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const k = index * strides[plane.axis] + column * strides[plane.across] + (height - 1 - row) * strides[plane.up];
      const bone = paint.levels[k] >= level, active = paint.activity && paint.activity[k];
      if (!bone && (cap || (!active && paint.levels[k] === 0))) continue;
      const colour = paint.toned && !active ? tone : paint.voxel(k);
      const at = 4 * (row * width + column);
      image.data[at] = colour[0]; image.data[at + 1] = colour[1]; image.data[at + 2] = colour[2];
      image.data[at + 3] = bone || active ? 255 : 12 * paint.levels[k];
    }
  }
  drawn.putImageData(image, 0, 0);
  return canvas;
}

/** One of the three: canvas, slider and text. */
class Plane {
  constructor(plane, series, moved) {
    Object.assign(this, { plane, series, moved });
    const sizes = series.size;
    this.count = Math.round(sizes[plane.axis] / series.edge);
    this.scale = SLICE_PIXELS / Math.max(...sizes);
    this.canvas = element("canvas", {
      width: Math.round(sizes[plane.across] * this.scale), height: Math.round(sizes[plane.up] * this.scale) + FOOT_PIXELS,
      role: "img",
    });
    this.text = element("output", {});
    this.input = element("input", { type: "range", min: 0, max: this.count - 1, step: 1, "aria-label": `slice across ${plane.name}` });
    this.input.addEventListener("input", () => moved({ [plane.axis]: (Number(this.input.value) + 0.5) * series.edge }));
    this.canvas.addEventListener("click", (event) => {
      const box = this.canvas.getBoundingClientRect(), shrunk = this.canvas.width / box.width;
      const x = (event.clientX - box.left) * shrunk / this.scale;
      const y = sizes[plane.up] - (event.clientY - box.top) * shrunk / this.scale;
      if (y < 0) return;
      moved({ [plane.across]: Math.min(x, sizes[plane.across] - 1e-6), [plane.up]: Math.min(y, sizes[plane.up] - 1e-6) });
    });
    this.box = element("div", { class: "plane" }, [this.text, this.canvas, this.input]);
  }

  /** Draw the slice at a place (um), with the cells of the given layers. */
  draw(paint, place, cells) {
    const { plane, scale, canvas, series } = this, [width, height] = [canvas.width, canvas.height - FOOT_PIXELS];
    const index = Math.min(Math.floor(place[plane.axis] / series.edge), this.count - 1);
    const drawn = canvas.getContext("2d");
    drawn.fillStyle = HEADER.palette.background;
    drawn.fillRect(0, 0, canvas.width, canvas.height);
    drawn.imageSmoothingEnabled = false;
    drawn.drawImage(slicePicture(paint, plane, index, false), 0, 0, width, height);
    const middle = (index + 0.5) * series.edge;
    let shownCells = 0;
    for (const { places, colours, shapes, small } of cells) {
      const reach = small ? 0.5 * series.edge : series.edge;
      for (let k = 0; 3 * k < places.length; k++) {
        if (Math.abs(places[3 * k + plane.axis] - middle) > reach) continue;
        shownCells++;
        cellMark(drawn, places[3 * k + plane.across] * scale, height - places[3 * k + plane.up] * scale, colours[k], shapes[k], small);
      }
    }
    drawn.strokeStyle = "#00000066";
    drawn.lineWidth = 1;
    drawn.setLineDash([4, 4]);
    drawn.beginPath();
    const [x, y] = [Math.round(place[plane.across] * scale) + 0.5, Math.round(height - place[plane.up] * scale) + 0.5];
    drawn.moveTo(x, 0); drawn.lineTo(x, height); drawn.moveTo(0, y); drawn.lineTo(width, y);
    drawn.stroke();
    drawn.setLineDash([]);
    this.drawFoot(drawn, width, height);
    this.input.value = index;
    this.text.textContent = `${plane.name} = ${shown(middle / 1000)} mm (${plane.label})`;
    this.input.setAttribute("aria-valuetext", this.text.textContent);
    canvas.setAttribute("aria-label", `slice ${this.text.textContent}, ${paint.snapshot.series.name}, day ${paint.snapshot.day}; ${shownCells} cells marked`);
  }

  /** Scale bar and the names of the axes, under the slice. */
  drawFoot(drawn, width, height) {
    const [, text, pixels] = barFor(this.scale, 0.3 * width);
    drawn.strokeStyle = "#c8c8c8";
    drawn.strokeRect(0.5, 0.5, width - 1, height - 1);
    drawn.fillStyle = HEADER.palette.ink;
    drawn.fillRect(width - 8 - Math.round(pixels), height + 24, Math.round(pixels), 4);
    drawn.font = "13px system-ui, sans-serif";
    drawn.textAlign = "center";
    drawn.fillText(text, width - 8 - pixels / 2, height + 18);
    drawn.textAlign = "left";
    drawn.fillText(`${"xyz"[this.plane.across]} \u2192   ${"xyz"[this.plane.up]} \u2191`, 6, height + 22);
  }
}

function cellMark(drawn, x, y, colour, shape, small) {
  drawn.fillStyle = colour;
  if (small) { drawn.fillRect(x - 1.5, y - 1.5, 3, 3); return; }
  drawn.strokeStyle = "#000000";
  drawn.lineWidth = 0.7;
  drawn.beginPath();
  if (shape === SQUARE) drawn.rect(x - 2.5, y - 2.5, 5, 5);
  else if (shape === DIAMOND) { drawn.moveTo(x - 7, y); drawn.lineTo(x, y - 7); drawn.lineTo(x + 7, y); drawn.lineTo(x, y + 7); drawn.closePath(); }
  else if (shape === TRIANGLE) { drawn.moveTo(x - 4, y + 3); drawn.lineTo(x + 4, y + 3); drawn.lineTo(x, y - 4); drawn.closePath(); }
  else drawn.arc(x, y, shape === SPHERE ? 3 : 6, 0, 7);
  if (shape === RING || shape === DIAMOND) { drawn.strokeStyle = colour; drawn.lineWidth = 2.5; drawn.stroke(); return; }
  drawn.fill();
  drawn.stroke();
}
