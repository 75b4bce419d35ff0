/* WebGL 2, as little of it as the page needs: a shaded mesh, points with shapes, a picture on the cutting plane. */

const PLACE = `
uniform vec3 right, up, forward, centre; uniform vec2 scale, shift; uniform float depth;
vec4 placed(vec3 p) {
  vec3 q = p - centre;
  return vec4(dot(right, q) * scale.x + shift.x, dot(up, q) * scale.y + shift.y, dot(forward, q) * depth, 1.0);
}`;

const MESH_VERTEX = `#version 300 es
precision highp float; in vec3 place, normal, colour; out vec3 P, N, C; ${PLACE}
void main() { P = place; N = normal; C = colour; gl_Position = placed(place); }`;

const MESH_PIXEL = `#version 300 es
precision highp float; in vec3 P, N, C; out vec4 pixel;
uniform vec3 forward, up, right, box, cutNormal, cutColour; uniform float cutAt, edge, toned, faces; uniform vec3 centre; uniform float depth;
void main() {
  if (dot(cutNormal, P) > cutAt) discard;
  vec3 flatNormal = normalize(cross(dFdx(P), dFdy(P))), n = normalize(N), colour = C;
  if (dot(flatNormal, forward) > 0.0) flatNormal = -flatNormal;
  bvec3 atFace = bvec3(min(P.x, box.x - P.x) < 0.3 * edge, min(P.y, box.y - P.y) < 0.3 * edge, min(P.z, box.z - P.z) < 0.3 * edge);
  vec3 along = abs(flatNormal);
  if (faces > 0.5 && ((atFace.x && along.x > 0.8) || (atFace.y && along.y > 0.8) || (atFace.z && along.z > 0.8))) {
    n = flatNormal;
    if (toned > 0.5) colour = cutColour;
  }
  if (!gl_FrontFacing) { n = -n; colour = mix(cutColour, vec3(0.25), 0.35); }
  vec3 light = normalize(-forward + 0.55 * up - 0.45 * right);
  float shade = 0.42 + 0.58 * max(dot(n, light), 0.0);
  float far = clamp(0.5 + dot(forward, P - centre) * depth, 0.0, 1.0);
  pixel = vec4(mix(colour * shade, vec3(1.0), 0.35 * far * far), 1.0);
}`;

const POINT_VERTEX = `#version 300 es
precision highp float; in vec3 place, colour; in vec2 look; out vec3 P, C; flat out float shape; ${PLACE}
uniform float pixels, least;
void main() {
  P = place; C = colour; shape = look.y; gl_Position = placed(place);
  gl_Position.z -= 0.5 * look.x * depth;
  gl_PointSize = max(look.x * pixels, least);
}`;

const POINT_PIXEL = `#version 300 es
precision highp float; in vec3 P, C; flat in float shape; out vec4 pixel;
uniform vec3 cutNormal; uniform float cutAt, alpha;
void main() {
  if (dot(cutNormal, P) > cutAt) discard;
  vec2 q = 2.0 * gl_PointCoord - 1.0; float r = length(q), d = abs(q.x) + abs(q.y);
  vec3 c = C; float inside = 1.0;
  if (shape < 0.5) { inside = step(r, 1.0); c *= 0.55 + 0.45 * sqrt(max(1.0 - r * r, 0.0)); if (r > 0.86) c *= 0.5; }
  else if (shape < 1.5) { inside = step(r, 1.0) * step(0.5, r); if (r > 0.88 || r < 0.6) c = vec3(1.0); }
  else if (shape < 2.5) { inside = step(d, 1.0) * step(0.42, d); if (d > 0.86 || d < 0.54) c = vec3(1.0); }
  else if (shape < 3.5) { inside = step(max(abs(q.x), abs(q.y)), 0.8); if (max(abs(q.x), abs(q.y)) > 0.6) c *= 0.5; }
  else { inside = step(abs(q.x), 0.5 * (q.y + 1.0)) * step(q.y, 0.9); }
  if (inside < 0.5) discard;
  pixel = vec4(c, alpha);
}`;

const CUT_VERTEX = `#version 300 es
precision highp float; in vec3 place; in vec2 spot; out vec2 S; ${PLACE}
void main() { S = spot; gl_Position = placed(place); }`;

const CUT_PIXEL = `#version 300 es
precision highp float; in vec2 S; out vec4 pixel; uniform sampler2D picture;
void main() { vec4 c = texture(picture, S); if (c.a < 0.5) discard; pixel = vec4(c.rgb, 1.0); }`;

/** A compiled program with its uniforms by name. */
class Program {
  constructor(gl, vertex, pixel) {
    this.gl = gl;
    this.program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, pixel]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(this.program));
    this.places = new Map();
  }

  use(values) {
    const { gl } = this;
    gl.useProgram(this.program);
    for (const [name, value] of Object.entries(values)) {
      if (!this.places.has(name)) this.places.set(name, gl.getUniformLocation(this.program, name));
      const at = this.places.get(name);
      if (at === null) continue;
      if (!Array.isArray(value)) gl.uniform1f(at, value);
      else if (value.length === 2) gl.uniform2fv(at, value);
      else gl.uniform3fv(at, value);
    }
  }
}

/** Arrays on the graphics card: name -> [values, numbers a point, whether bytes mean 0..1]. */
class Shape {
  constructor(gl, program, arrays, triangles = null) {
    Object.assign(this, { gl, buffers: [], vao: gl.createVertexArray() });
    gl.bindVertexArray(this.vao);
    for (const [name, [values, size, bytes]] of Object.entries(arrays)) {
      const at = gl.getAttribLocation(program.program, name);
      const buffer = gl.createBuffer();
      this.buffers.push(buffer);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      if (at < 0) continue;
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, bytes ? gl.UNSIGNED_BYTE : gl.FLOAT, Boolean(bytes), 0, 0);
      this.count = values.length / size;
    }
    this.triangles = triangles && triangles.length;
    if (triangles) {
      const buffer = gl.createBuffer();
      this.buffers.push(buffer);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
    }
    gl.bindVertexArray(null);
  }

  draw(kind) {
    const { gl } = this;
    gl.bindVertexArray(this.vao);
    if (this.triangles) gl.drawElements(gl.TRIANGLES, this.triangles, gl.UNSIGNED_INT, 0);
    else if (this.count) gl.drawArrays(kind, 0, this.count);
    gl.bindVertexArray(null);
  }

  free() {
    for (const buffer of this.buffers) this.gl.deleteBuffer(buffer);
    this.gl.deleteVertexArray(this.vao);
  }
}

const SPHERE = 0, RING = 1, DIAMOND = 2, SQUARE = 3, TRIANGLE = 4;
const NO_CUT = { cutNormal: [0, 0, 0], cutAt: 1 };
const unit = (hex) => rgbOf(hex).map((value) => value / 255);
