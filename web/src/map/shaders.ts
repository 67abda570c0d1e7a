/** The programs of the graphics card, as text; nothing is put together from what comes from outside. */

const CORNERS = `#version 300 es
  // The corners of a quad, without a buffer: 0 0, 1 0, 0 1, 1 1.
  vec2 corner() { return vec2(gl_VertexID & 1, gl_VertexID >> 1); }
`;

export const TILE = {
  vertex: `${CORNERS}
    uniform vec4 place; // left, bottom, width, height on the screen, -1..1
    out vec2 at;
    void main() {
      vec2 c = corner();
      at = vec2(c.x, 1.0 - c.y);
      gl_Position = vec4(place.xy + c * place.zw, 0, 1);
    }`,
  fragment: `#version 300 es
    precision mediump float;
    uniform sampler2D picture;
    uniform float grey, alpha;
    in vec2 at;
    out vec4 colour;
    void main() {
      vec3 c = texture(picture, at).rgb;
      colour = vec4(mix(c, c.rrr, grey), alpha);
    }`,
};

/** Fills the screen with a part of a picture. */
const SCREEN = `${CORNERS}
    uniform vec4 region; // left, bottom, width, height of the screen within the picture, 0..1
    out vec2 at;
    void main() {
      vec2 c = corner();
      at = region.xy + c * region.zw;
      gl_Position = vec4(2.0 * c - 1.0, 0, 1);
    }`;

export const SHADE = {
  vertex: SCREEN,
  fragment: `#version 300 es
    precision highp float;
    uniform sampler2D density;
    uniform vec3 ground;
    uniform float strength;
    in vec2 at;
    out vec4 colour;
    void main() {
      vec2 inside = step(vec2(0), at) * step(at, vec2(1));
      float there = texture(density, at).r * inside.x * inside.y;
      colour = vec4(ground, strength * (1.0 - smoothstep(0.0, 0.3, there)));
    }`,
};

export const POINTS = {
  vertex: `#version 300 es
    uniform vec2 middle, scale;
    uniform float size;
    layout(location = 0) in vec2 place;
    layout(location = 1) in vec4 tint;
    out vec4 paint;
    void main() {
      paint = tint;
      gl_PointSize = size;
      // What is hidden goes where nothing is drawn.
      gl_Position = tint.a == 0.0 ? vec4(2, 2, 2, 1) : vec4((place - middle) * scale, 0, 1);
    }`,
  fragment: `#version 300 es
    precision highp float;
    uniform float size; // as precise as in the vertex shader, or they do not link
    in vec4 paint;
    out vec4 colour;
    void main() {
      float r = length(gl_PointCoord - 0.5) * size;
      float inside = clamp(0.5 * size - r, 0.0, 1.0);
      // A dark rim, so that a point is seen on white strokes too.
      float rim = clamp(r - 0.5 * size + 1.6, 0.0, 1.0) * clamp(0.3 * size - 1.0, 0.0, 0.75);
      colour = vec4(mix(paint.rgb, vec3(0.02), rim), paint.a * inside);
    }`,
};

export const LAYER = {
  vertex: SCREEN,
  fragment: `#version 300 es
    precision mediump float;
    uniform sampler2D layer;
    in vec2 at;
    out vec4 colour;
    void main() { colour = texture(layer, at); }`,
};
