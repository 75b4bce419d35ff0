/* Parallel projection: x to the right, y away from the viewer, z up. Pointer and keys turn, move and zoom. */

const START = [-0.6, 0.42];

/** Right, up and forward of a viewer that is turned about z and then tilted. */
function axesOf(turn, tilt) {
  const [s, c] = [Math.sin(turn), Math.cos(turn)], [a, b] = [Math.sin(tilt), Math.cos(tilt)];
  return { right: [c, -s, 0], up: [s * a, c * a, b], forward: [s * b, c * b, -a] };
}

class Camera {
  constructor(size) {
    this.size = size;
    this.reset();
  }

  reset() {
    [this.turn, this.tilt] = START;
    this.centre = this.size.map((one) => one / 2);
    this.zoom = 1;
  }

  face(name) {
    [this.turn, this.tilt] = { front: [0, 0], right: [-Math.PI / 2, 0], top: [0, Math.PI / 2] }[name];
  }

  axes() { return axesOf(this.turn, this.tilt); }

  reach() { return 0.5 * Math.hypot(...this.size); }

  /** Pixels (of the page) in a micrometre, in a pane of this size: at first the whole block fits, seen as at first. */
  pixelsPerUm(width, height) {
    const { right, up } = axesOf(...START);
    const extent = (axis) => axis.reduce((sum, part, k) => sum + Math.abs(part) * this.size[k], 0);
    return this.zoom * Math.min((width - 20) / extent(right), (height - 30) / extent(up));
  }

  /** Uniforms for a pane. */
  uniforms(width, height) {
    const scale = 2 * this.pixelsPerUm(width, height);
    return { ...this.axes(), centre: this.centre, scale: [scale / width, scale / height], shift: [0, 0], depth: 0.45 / this.reach() };
  }

  /** Place in a pane (pixels from its upper left corner) and depth of a point. */
  project(point, width, height) {
    const { right, up, forward } = this.axes(), scale = this.pixelsPerUm(width, height);
    const q = point.map((value, k) => value - this.centre[k]);
    const dot = (axis) => axis[0] * q[0] + axis[1] * q[1] + axis[2] * q[2];
    return [width / 2 + dot(right) * scale, height / 2 - dot(up) * scale, dot(forward)];
  }

  move(dx, dy, width, height) {
    const { right, up } = this.axes(), scale = this.pixelsPerUm(width, height);
    this.centre = this.centre.map((value, k) => value - (right[k] * dx - up[k] * dy) / scale);
  }

  rotate(dx, dy) {
    this.turn += dx;
    this.tilt = Math.min(Math.max(this.tilt + dy, -Math.PI / 2), Math.PI / 2);
  }

  enlarge(factor) { this.zoom = Math.min(Math.max(this.zoom * factor, 0.3), 40); }
}

/** Let pointer and keys over a canvas move a camera; `clicked(x, y)` when it was not dragged. */
function steer(canvas, camera, panes, redraw, clicked) {
  let from = null, moved = 0;
  const paneSize = () => [canvas.clientWidth / panes(), canvas.clientHeight];
  canvas.addEventListener("pointerdown", (event) => {
    from = [event.clientX, event.clientY];
    moved = 0;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const [dx, dy] = [event.clientX - from[0], event.clientY - from[1]];
    from = [event.clientX, event.clientY];
    moved += Math.abs(dx) + Math.abs(dy);
    if (event.shiftKey || event.buttons === 2) camera.move(dx, dy, ...paneSize());
    else camera.rotate(dx * 0.008, dy * 0.008);
    redraw();
  });
  canvas.addEventListener("pointerup", (event) => {
    if (from && moved < 4) {
      const box = canvas.getBoundingClientRect();
      clicked(event.clientX - box.left, event.clientY - box.top);
    }
    from = null;
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    camera.enlarge(Math.exp(-event.deltaY * 0.0015));
    redraw();
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrows && event.shiftKey) camera.move(arrows[0] * 20, arrows[1] * 20, ...paneSize());
    else if (arrows) camera.rotate(arrows[0] * 0.1, arrows[1] * 0.1);
    else if (event.key === "+" || event.key === "=") camera.enlarge(1.2);
    else if (event.key === "-") camera.enlarge(1 / 1.2);
    else if (event.key === "Home") camera.reset();
    else return;
    event.preventDefault();
    redraw();
  });
}

/** A round length whose bar is at most `room` pixels: [length in um, its text, pixels]. */
function barFor(pixelsPerUm, room) {
  const largest = room / pixelsPerUm, power = 10 ** Math.floor(Math.log10(largest));
  const length = [5, 2, 1].map((one) => one * power).find((one) => one <= largest);
  return [length, length >= 1000 ? `${length / 1000} mm` : `${length} \u00b5m`, length * pixelsPerUm];
}
