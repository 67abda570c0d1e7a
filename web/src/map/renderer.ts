/** What is drawn on the map by WebGL2: tiles, the shade over empty places, points. */

import type { Density } from "./density";
import { LAYER, POINTS, SHADE, TILE } from "./shaders";
import type { Tile } from "./tiles";
import type { Size, View } from "./view";

export type Rgb = readonly [number, number, number];

/** The browser does not draw with WebGL2. */
export class NoWebglError extends Error {}

type Gl = WebGL2RenderingContext;
export type Scene = {
  readonly tiles: readonly Tile<WebGLTexture>[];
  readonly ground: Rgb;
  /** 0..1, how much empty places fade. */
  readonly shade: number;
  readonly pointSize: number;
};

const FADE = 160; // ms
/** Points are drawn for so much more than the screen on each side, as a share of it: panning then only shifts them. */
const MARGIN = 0.25;

/** Points drawn once, for a part of the plane: `width` and `height` in pixels of the device. */
type Layer = { u: number; v: number; scale: number; width: number; height: number; size: number };

export class Renderer {
  readonly gl: Gl;
  readonly #tile: WebGLProgram;
  readonly #shade: WebGLProgram;
  readonly #points: WebGLProgram;
  readonly #places: WebGLBuffer;
  readonly #tints: WebGLBuffer;
  readonly #pointArray: WebGLVertexArrayObject;
  readonly #empty: WebGLVertexArrayObject;
  readonly #density: WebGLTexture;
  readonly #where = new Map<string, WebGLUniformLocation | null>();
  readonly #layer: WebGLProgram;
  readonly #picture: WebGLTexture;
  readonly #buffer: WebGLFramebuffer;
  /** What the layer of points shows; null where it has to be drawn again. */
  #drawn: Layer | null = null;
  #half = 1;
  #count = 0;
  readonly #shape: readonly [number, number, number];

  constructor(canvas: HTMLCanvasElement, shape: readonly [number, number, number]) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: false });
    if (!gl) throw new NoWebglError();
    this.gl = gl;
    this.#shape = shape;
    this.#tile = program(gl, TILE);
    this.#shade = program(gl, SHADE);
    this.#points = program(gl, POINTS);
    this.#places = gl.createBuffer();
    this.#tints = gl.createBuffer();
    this.#empty = gl.createVertexArray();
    this.#pointArray = gl.createVertexArray();
    gl.bindVertexArray(this.#pointArray);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#places);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#tints);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    this.#density = this.#texture();
    this.#layer = program(gl, LAYER);
    this.#picture = this.#texture();
    this.#buffer = gl.createFramebuffer();
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  #texture(): WebGLTexture {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    for (const way of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, way, gl.LINEAR);
    return texture;
  }

  #set(program: WebGLProgram, label: string, name: string): WebGLUniformLocation | null {
    const key = `${label}.${name}`;
    if (!this.#where.has(key)) this.#where.set(key, this.gl.getUniformLocation(program, name));
    return this.#where.get(key) ?? null;
  }

  /** A tile's pixels as a texture. */
  upload = (pixels: Uint8Array, cells: number): WebGLTexture => {
    const { gl } = this;
    const [height, width, channels] = this.#shape;
    const texture = this.#texture();
    const [inside, format] = channels === 1 ? [gl.R8, gl.RED] : [gl.RGB8, gl.RGB];
    gl.texImage2D(gl.TEXTURE_2D, 0, inside, cells * width, cells * height, 0, format, gl.UNSIGNED_BYTE, pixels);
    return texture;
  };

  free = (texture: WebGLTexture): void => this.gl.deleteTexture(texture);

  density({ side, half, values }: Density): void {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.#density);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, side, side, 0, gl.RED, gl.UNSIGNED_BYTE, values);
    this.#half = half;
  }

  /** Points at u, v in turn. */
  places(uv: Float32Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#places);
    gl.bufferData(gl.ARRAY_BUFFER, uv, gl.STATIC_DRAW);
    this.#count = uv.length / 2;
    this.#drawn = null;
  }

  /** Their colours, RGBA in turn; an alpha of 0 hides one. */
  tints(rgba: Uint8Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#tints);
    gl.bufferData(gl.ARRAY_BUFFER, rgba, gl.DYNAMIC_DRAW);
    this.#drawn = null;
  }

  /** Draw; returns whether a tile is still fading in. */
  draw(view: View, size: Size, ratio: number, scene: Scene): boolean {
    const { gl } = this;
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    const layer = this.#count && scene.pointSize > 0 ? this.#pointLayer(view, width, height, ratio, scene) : null;
    gl.viewport(0, 0, width, height);
    gl.clearColor(...scene.ground, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const across = (2 * view.scale) / size.width;
    const up = (2 * view.scale) / size.height;
    const fading = this.#drawTiles(view, scene, across, up);
    this.#drawShade(view, size, scene);
    if (layer) this.#drawLayer(view, width, height, ratio, layer);
    return fading;
  }

  #drawTiles(view: View, { tiles }: Scene, across: number, up: number): boolean {
    const { gl } = this;
    gl.useProgram(this.#tile);
    gl.bindVertexArray(this.#empty);
    gl.uniform1f(this.#set(this.#tile, "tile", "grey"), this.#shape[2] === 1 ? 1 : 0);
    const now = performance.now();
    let fading = false;
    for (const tile of tiles) {
      const alpha = Math.min(1, (now - tile.since) / FADE);
      fading ||= alpha < 1;
      if (alpha < 1) gl.enable(gl.BLEND);
      else gl.disable(gl.BLEND);
      gl.uniform1f(this.#set(this.#tile, "tile", "alpha"), alpha);
      const place = [(tile.u - view.u) * across, (tile.v - view.v) * up, tile.width * across, tile.height * up];
      gl.uniform4fv(this.#set(this.#tile, "tile", "place"), place);
      gl.bindTexture(gl.TEXTURE_2D, tile.texture);
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
    gl.enable(gl.BLEND);
    return fading;
  }

  #drawShade(view: View, size: Size, { shade, ground }: Scene): void {
    if (!shade || !this.#count) return;
    const { gl } = this;
    const [width, height] = [size.width / view.scale, size.height / view.scale];
    const whole = 2 * this.#half;
    gl.useProgram(this.#shade);
    gl.bindVertexArray(this.#empty);
    gl.uniform4f(
      this.#set(this.#shade, "shade", "region"),
      (view.u - width / 2 + this.#half) / whole,
      (view.v - height / 2 + this.#half) / whole,
      width / whole,
      height / whole,
    );
    gl.uniform3f(this.#set(this.#shade, "shade", "ground"), ...ground);
    gl.uniform1f(this.#set(this.#shade, "shade", "strength"), shade);
    gl.bindTexture(gl.TEXTURE_2D, this.#density);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  /** The points around a view, drawn again only where the last ones will not do: 70,000 take a CPU 50 ms. */
  #pointLayer(view: View, width: number, height: number, ratio: number, { pointSize }: Scene): Layer {
    const { gl } = this;
    const most = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
    const wide = Math.min(most, Math.ceil(width * (1 + 2 * MARGIN)));
    const tall = Math.min(most, Math.ceil(height * (1 + 2 * MARGIN)));
    const old = this.#drawn;
    if (old && old.scale === view.scale && old.size === pointSize && old.width === wide && old.height === tall) {
      const shift = view.scale * ratio;
      const inside = (away: number, whole: number, screen: number): boolean => Math.abs(away * shift) <= (whole - screen) / 2;
      if (inside(view.u - old.u, wide, width) && inside(view.v - old.v, tall, height)) return old;
    }
    gl.bindTexture(gl.TEXTURE_2D, this.#picture);
    if (old?.width !== wide || old.height !== tall) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, wide, tall, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#buffer);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.#picture, 0);
    gl.viewport(0, 0, wide, tall);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.#points);
    gl.bindVertexArray(this.#pointArray);
    const scale = 2 * view.scale * ratio;
    gl.uniform2f(this.#set(this.#points, "points", "middle"), view.u, view.v);
    gl.uniform2f(this.#set(this.#points, "points", "scale"), scale / wide, scale / tall);
    gl.uniform1f(this.#set(this.#points, "points", "size"), pointSize * ratio);
    // Colours come out weighted by their alpha, as the layer is laid over the map.
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.POINTS, 0, this.#count);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    this.#drawn = { u: view.u, v: view.v, scale: view.scale, width: wide, height: tall, size: pointSize };
    return this.#drawn;
  }

  #drawLayer(view: View, width: number, height: number, ratio: number, layer: Layer): void {
    const { gl } = this;
    gl.useProgram(this.#layer);
    gl.bindVertexArray(this.#empty);
    // By whole pixels, or points would blur as they move.
    const left = (layer.width - width) / 2 + Math.round((view.u - layer.u) * layer.scale * ratio);
    const bottom = (layer.height - height) / 2 + Math.round((view.v - layer.v) * layer.scale * ratio);
    gl.uniform4f(
      this.#set(this.#layer, "layer", "region"),
      Math.floor(left) / layer.width,
      Math.floor(bottom) / layer.height,
      width / layer.width,
      height / layer.height,
    );
    gl.bindTexture(gl.TEXTURE_2D, this.#picture);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }
}

function program(gl: Gl, source: { vertex: string; fragment: string }): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, text] of [
    [gl.VERTEX_SHADER, source.vertex],
    [gl.FRAGMENT_SHADER, source.fragment],
  ] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new NoWebglError();
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "program");
  return made;
}
