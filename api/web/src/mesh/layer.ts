/** Draws a mesh on the map: one colour a cell, its marks, thin lines between cells and thick ones between grids. */
import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from 'maplibre-gl';
import type { Mesh } from './mesh.ts';
import { program, texture, WIDTH } from './gl.ts';
import { Still } from './still.ts';

/** What a cell may be marked as, beside its colour. */
export const Mark = { none: 0, chosen: 1, moved: 2, conflict: 3, hatched: 4, hovered: 5 } as const;
export type Mark = (typeof Mark)[keyof typeof Mark];

export interface Colours {
  border: [number, number, number];
  cell: [number, number, number];
  accent: [number, number, number];
  alert: [number, number, number];
}

const FILL_VERTEX = `#version 300 es
uniform mat4 u_matrix;
uniform highp sampler2D u_colours;
uniform highp sampler2D u_marks;
in vec2 a_corner;
in uint a_row;
flat out vec4 v_colour;
flat out float v_mark;
void main() {
  ivec2 at = ivec2(int(a_row) % ${WIDTH}, int(a_row) / ${WIDTH});
  v_colour = texelFetch(u_colours, at, 0);
  v_mark = texelFetch(u_marks, at, 0).r * 255.0;
  gl_Position = u_matrix * vec4(a_corner, 0.0, 1.0);
}`;

const FILL_FRAGMENT = `#version 300 es
precision mediump float;
uniform vec3 u_accent;
uniform vec3 u_alert;
uniform float u_opacity;
flat in vec4 v_colour;
flat in float v_mark;
out vec4 colour;
void main() {
  vec3 c = v_colour.rgb;
  float stripe = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 8.0));
  float other = step(0.5, fract((gl_FragCoord.x - gl_FragCoord.y) / 8.0));
  if (v_mark > 4.5) c = mix(c, u_accent, 0.22);
  else if (v_mark > 3.5) c = mix(c, vec3(0.35), 0.35 * other);
  else if (v_mark > 2.5) c = mix(c, u_alert, 0.75);
  else if (v_mark > 1.5) c = mix(c, u_accent, 0.35 * stripe);
  else if (v_mark > 0.5) c = mix(c, u_accent, 0.5);
  colour = vec4(c, 1.0) * v_colour.a * (v_mark > 0.5 && v_mark < 3.5 ? mix(u_opacity, 1.0, 0.6) : u_opacity);
}`;

const LINE_VERTEX = `#version 300 es
uniform mat4 u_matrix;
uniform vec2 u_screen;
uniform float u_width;
in vec4 a_ends;
void main() {
  vec4 a = u_matrix * vec4(a_ends.xy, 0.0, 1.0);
  vec4 b = u_matrix * vec4(a_ends.zw, 0.0, 1.0);
  vec2 along = (b.xy / b.w - a.xy / a.w) * u_screen;
  vec2 unit = normalize(along + vec2(1e-9, 0.0));
  float side = float(gl_VertexID & 1) * 2.0 - 1.0;
  float end = float(gl_VertexID >> 1);
  vec4 here = mix(a, b, end);
  // Lines reach half a width over their ends, so that corners close.
  vec2 reach = (vec2(-unit.y, unit.x) * side + unit * (end * 2.0 - 1.0)) * u_width * 0.5;
  gl_Position = vec4(here.xy + reach / u_screen * here.w * 2.0, here.z, here.w);
}`;

const LINE_FRAGMENT = `#version 300 es
precision mediump float;
uniform vec4 u_colour;
out vec4 colour;
void main() { colour = u_colour; }`;

/** Below this many pixels lines between cells would only darken the map; above twice as many they are whole. */
const CELL_PIXELS = 7;

export class MeshLayer implements CustomLayerInterface {
  readonly id: string;
  readonly type = 'custom' as const;
  readonly renderingMode = '2d' as const;
  private readonly colours: Uint8Array;
  private readonly marks: Uint8Array;
  private borders = new Float32Array(0);
  private picked = new Float32Array(0);
  private map: MapLibre | null = null;
  private drawn: Drawn | null = null;
  private still: Still | null = null;
  /** How often anything of what is drawn has changed. */
  private version = 0;
  private stale = { colours: true, marks: true, borders: true, picked: true };
  private readonly cellWidth: number;
  /** Of the cells' colours, over what lies under them. */
  opacity = 1;
  /** Shares of the map's width between which it is drawn. */
  private span: readonly [number, number] = [0, 1];

  constructor(
    id: string,
    private readonly mesh: Mesh,
    private style: Colours,
  ) {
    this.id = id;
    const size = WIDTH * Math.max(1, Math.ceil(mesh.count / WIDTH));
    this.colours = new Uint8Array(size * 4);
    this.marks = new Uint8Array(size);
    this.cellWidth = medianWidth(mesh);
  }

  /** Draw only between two shares of the map's width. */
  show(span: readonly [number, number]): void {
    this.span = span;
    this.map?.triggerRepaint();
  }

  /** Give cells their colours: four bytes a row. */
  paint(colours: Uint8Array, style: Colours): void {
    this.colours.set(colours.subarray(0, this.mesh.count * 4));
    this.style = style;
    this.stale.colours = true;
    this.map?.triggerRepaint();
  }

  /** Mark cells: one byte a row, of `Mark`. */
  mark(marks: Uint8Array): void {
    this.marks.set(marks.subarray(0, this.mesh.count));
    this.stale.marks = true;
    this.map?.triggerRepaint();
  }

  /** Draw thick lines where the labels of two cells differ. */
  outline(labels: Int32Array): void {
    const { left, right, count } = this.mesh.edges;
    this.borders = this.chosen((i) => right[i]! < 0 || labels[left[i]!] !== labels[right[i]!], count);
    this.stale.borders = true;
    this.map?.triggerRepaint();
  }

  /** Draw a line around one grid (its label) and one cell (its row); -1 for none. */
  pick(labels: Int32Array, grid: number, row: number): void {
    const { left, right, count } = this.mesh.edges;
    const own = (side: number): boolean => side >= 0 && grid >= 0 && labels[side] === grid;
    this.picked = this.chosen((i) => {
      const [a, b] = [left[i]!, right[i]!];
      return own(a) !== own(b) || (row >= 0 && (a === row || b === row));
    }, count);
    this.stale.picked = true;
    this.map?.triggerRepaint();
  }

  private chosen(wanted: (edge: number) => boolean, count: number): Float32Array<ArrayBuffer> {
    const { ends } = this.mesh.edges;
    const found = new Float32Array(count * 4);
    let n = 0;
    for (let i = 0; i < count; i++) {
      if (!wanted(i)) continue;
      for (let part = 0; part < 4; part++) found[n * 4 + part] = ends[i * 4 + part]!;
      n++;
    }
    return found.subarray(0, n * 4);
  }

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.map = map;
    this.drawn = new Drawn(gl, this.mesh);
    this.still = new Still(gl);
    this.stale = { colours: true, marks: true, borders: true, picked: true };
  }

  onRemove(): void {
    this.drawn?.free();
    this.still?.free();
    this.drawn = this.still = null;
    this.map = null;
  }

  render(gl: WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    const { drawn, still, map } = this;
    if (!drawn || !still || !map) return;
    if (this.stale.colours) drawn.upload('colours', this.colours);
    if (this.stale.marks) drawn.upload('marks', this.marks);
    if (this.stale.borders) drawn.edges('grids', this.borders);
    if (this.stale.picked) drawn.edges('picked', this.picked);
    if (Object.values(this.stale).includes(true)) this.version++;
    this.stale = { colours: false, marks: false, borders: false, picked: false };
    const matrix = moved(input.defaultProjectionData.mainMatrix, this.mesh.origin);
    const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const key = [this.version, this.opacity, ...this.span, width, height, ...matrix].join(' ');
    still.render(key, () => this.draw(gl, drawn, matrix, map.getZoom()));
  }

  private draw(gl: WebGL2RenderingContext, drawn: Drawn, matrix: Float32Array, zoom: number): void {
    const [from = 0, to = 0] = this.span.map((share) => Math.round(share * gl.drawingBufferWidth));
    const whole = from <= 0 && to >= gl.drawingBufferWidth;
    if (!whole) {
      gl.enable(gl.SCISSOR_TEST);
      gl.scissor(from, 0, Math.max(0, to - from), gl.drawingBufferHeight);
    }
    drawn.fill(matrix, this.style, this.opacity);
    const pixels = this.cellWidth * 512 * 2 ** zoom;
    const seen = Math.min(1, Math.max(0, pixels / CELL_PIXELS - 1));
    const ratio = devicePixelRatio;
    if (seen > 0) drawn.lines(matrix, 'cells', 0.6 * ratio, [...this.style.cell, 0.3 * seen]);
    const thick = Math.min(3, Math.max(1.2, 1.2 + (zoom - 8) * 0.36));
    drawn.lines(matrix, 'grids', thick * ratio, [...this.style.border, 1]);
    drawn.lines(matrix, 'picked', 3 * ratio, [...this.style.accent, 1]);
    if (!whole) gl.disable(gl.SCISSOR_TEST);
  }
}

type Lines = 'cells' | 'grids' | 'picked';

/** What lies on the graphics card. */
class Drawn {
  private readonly fills: WebGLProgram;
  private readonly strokes: WebGLProgram;
  private readonly shape: WebGLVertexArrayObject;
  private readonly lineShapes: Record<Lines, WebGLVertexArrayObject>;
  private readonly lineBuffers: Record<Lines, WebGLBuffer>;
  private readonly lineCounts = { cells: 0, grids: 0, picked: 0 };
  private readonly textures: Record<'colours' | 'marks', WebGLTexture>;
  private readonly buffers: WebGLBuffer[] = [];
  private readonly size: number;

  constructor(
    private readonly gl: WebGL2RenderingContext,
    mesh: Mesh,
  ) {
    this.fills = program(gl, FILL_VERTEX, FILL_FRAGMENT);
    this.strokes = program(gl, LINE_VERTEX, LINE_FRAGMENT);
    this.size = mesh.triangles.length;
    this.shape = gl.createVertexArray();
    gl.bindVertexArray(this.shape);
    this.buffer(gl.ARRAY_BUFFER, mesh.corners);
    const corner = gl.getAttribLocation(this.fills, 'a_corner');
    gl.enableVertexAttribArray(corner);
    gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
    this.buffer(gl.ARRAY_BUFFER, mesh.rows);
    const row = gl.getAttribLocation(this.fills, 'a_row');
    gl.enableVertexAttribArray(row);
    gl.vertexAttribIPointer(row, 1, gl.UNSIGNED_INT, 0, 0);
    this.buffer(gl.ELEMENT_ARRAY_BUFFER, mesh.triangles);
    const [cells, cellBuffer] = this.line(mesh.edges.ends);
    const [grids, gridBuffer] = this.line(new Float32Array(0));
    const [picked, pickedBuffer] = this.line(new Float32Array(0));
    this.lineShapes = { cells, grids, picked };
    this.lineBuffers = { cells: cellBuffer, grids: gridBuffer, picked: pickedBuffer };
    this.lineCounts.cells = mesh.edges.count;
    this.textures = { colours: texture(gl), marks: texture(gl) };
    gl.bindVertexArray(null);
  }

  upload(name: 'colours' | 'marks', data: Uint8Array): void {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.textures[name]);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    const [inner, outer, bytes] = name === 'colours' ? [gl.RGBA8, gl.RGBA, 4] : [gl.R8, gl.RED, 1];
    const height = data.length / bytes / WIDTH;
    gl.texImage2D(gl.TEXTURE_2D, 0, inner, WIDTH, height, 0, outer, gl.UNSIGNED_BYTE, data);
  }

  edges(name: 'grids' | 'picked', ends: Float32Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.lineBuffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, ends, gl.DYNAMIC_DRAW);
    this.lineCounts[name] = ends.length / 4;
  }

  fill(matrix: Float32Array, style: Colours, opacity: number): void {
    const { gl, fills } = this;
    gl.useProgram(fills);
    gl.bindVertexArray(this.shape);
    (['colours', 'marks'] as const).forEach((name, unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(gl.TEXTURE_2D, this.textures[name]);
      gl.uniform1i(gl.getUniformLocation(fills, `u_${name}`), unit);
    });
    gl.uniformMatrix4fv(gl.getUniformLocation(fills, 'u_matrix'), false, matrix);
    gl.uniform3fv(gl.getUniformLocation(fills, 'u_accent'), style.accent);
    gl.uniform3fv(gl.getUniformLocation(fills, 'u_alert'), style.alert);
    gl.uniform1f(gl.getUniformLocation(fills, 'u_opacity'), opacity);
    gl.drawElements(gl.TRIANGLES, this.size, gl.UNSIGNED_INT, 0);
    gl.bindVertexArray(null);
  }

  lines(matrix: Float32Array, name: Lines, width: number, colour: number[]): void {
    const { gl, strokes } = this;
    if (this.lineCounts[name] === 0) return;
    gl.useProgram(strokes);
    gl.bindVertexArray(this.lineShapes[name]);
    const alpha = colour[3] ?? 1;
    gl.uniformMatrix4fv(gl.getUniformLocation(strokes, 'u_matrix'), false, matrix);
    gl.uniform2f(gl.getUniformLocation(strokes, 'u_screen'), gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.uniform1f(gl.getUniformLocation(strokes, 'u_width'), width);
    gl.uniform4fv(
      gl.getUniformLocation(strokes, 'u_colour'),
      colour.map((c, i) => (i < 3 ? c * alpha : c)),
    );
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.lineCounts[name]);
    gl.bindVertexArray(null);
  }

  free(): void {
    const { gl } = this;
    for (const buffer of this.buffers) gl.deleteBuffer(buffer);
    for (const shape of [this.shape, ...Object.values(this.lineShapes)]) gl.deleteVertexArray(shape);
    for (const name of ['colours', 'marks'] as const) gl.deleteTexture(this.textures[name]);
    gl.deleteProgram(this.fills);
    gl.deleteProgram(this.strokes);
  }

  private buffer(kind: number, data: Float32Array | Uint32Array): WebGLBuffer {
    const { gl } = this;
    const made = gl.createBuffer();
    this.buffers.push(made);
    gl.bindBuffer(kind, made);
    gl.bufferData(kind, data, gl.STATIC_DRAW);
    return made;
  }

  private line(ends: Float32Array): [WebGLVertexArrayObject, WebGLBuffer] {
    const { gl } = this;
    const shape = gl.createVertexArray();
    gl.bindVertexArray(shape);
    const made = this.buffer(gl.ARRAY_BUFFER, ends);
    const at = gl.getAttribLocation(this.strokes, 'a_ends');
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, 4, gl.FLOAT, false, 0, 0);
    gl.vertexAttribDivisor(at, 1);
    return [shape, made];
  }
}

/** The map's matrix for coordinates less `origin`, multiplied in 64 bits before it is cut to 32. */
function moved(matrix: ArrayLike<number>, [x, y]: [number, number]): Float32Array {
  const out = Float32Array.from(matrix);
  for (let i = 0; i < 4; i++) {
    out[12 + i] = matrix[i]! * x + matrix[4 + i]! * y + matrix[12 + i]!;
  }
  return out;
}

function medianWidth(mesh: Mesh): number {
  const widths: number[] = [];
  const step = Math.max(1, Math.floor(mesh.count / 500));
  for (let row = 0; row < mesh.count; row += step) {
    widths.push((mesh.boxes[row * 4 + 2]! - mesh.boxes[row * 4]!) / 360);
  }
  return widths.sort((a, b) => a - b)[widths.length >> 1] ?? 0;
}
