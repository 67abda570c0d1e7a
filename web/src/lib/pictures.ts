/** Pixels to what a browser shows and saves, and back. */

import { GIFEncoder, applyPalette, quantize } from "gifenc";
import type { Facts } from "./backend";

type Shape = Facts["shape"];

/** Pixels (H, W, C) of any C as RGBA. */
export function rgba(pixels: Uint8Array, [height, width, channels]: Shape): ImageData {
  const image = new ImageData(width, height);
  const grey = channels === 1;
  for (let i = 0, j = 0; i < image.data.length; i += 4, j += channels) {
    image.data[i] = pixels[j]!;
    image.data[i + 1] = pixels[grey ? j : j + 1]!;
    image.data[i + 2] = pixels[grey ? j : j + 2]!;
    image.data[i + 3] = 255;
  }
  return image;
}

export function canvasOf(pixels: Uint8Array, shape: Shape): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.height, canvas.width] = shape;
  context(canvas).putImageData(rgba(pixels, shape), 0, 0);
  return canvas;
}

export function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d", { willReadFrequently: true });
  if (!found) throw new Error("this browser cannot draw on a canvas");
  return found;
}

/** A picture file brought to the space's form, as morphospace.images.fit_image does: cropped, padded or stretched. */
export async function fitted(file: Blob, shape: Shape, resize: Facts["resize"]): Promise<Uint8Array> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error("not a picture that this browser can read");
  }
  const [height, width, channels] = shape;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const c = context(canvas);
  c.imageSmoothingQuality = "high";
  const across = width / bitmap.width;
  const down = height / bitmap.height;
  const scale = resize === "crop" ? Math.max(across, down) : Math.min(across, down);
  const w = resize === "fit" ? width : bitmap.width * scale;
  const h = resize === "fit" ? height : bitmap.height * scale;
  const place = [(width - w) / 2, (height - h) / 2, w, h] as const;
  c.fillStyle = resize === "pad" && (w < width - 0.5 || h < height - 0.5) ? borderOf(bitmap) : "#fff";
  c.fillRect(0, 0, width, height);
  c.fillStyle = "#fff"; // transparency lies over white
  c.fillRect(...place);
  c.drawImage(bitmap, ...place);
  const { data } = c.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(height * width * channels);
  for (let i = 0, j = 0; i < data.length; i += 4, j += channels) {
    const [r, g, b] = [data[i]!, data[i + 1]!, data[i + 2]!];
    if (channels === 1) pixels[j] = Math.round((299 * r + 587 * g + 114 * b) / 1000);
    else pixels.set([r, g, b], j);
  }
  bitmap.close();
  return pixels;
}

/** The mean colour of a picture's border: a white page stays white. */
function borderOf(bitmap: ImageBitmap): string {
  const canvas = document.createElement("canvas");
  const [w, h] = [Math.min(64, bitmap.width), Math.min(64, bitmap.height)];
  canvas.width = w;
  canvas.height = h;
  const c = context(canvas);
  c.fillStyle = "#fff";
  c.fillRect(0, 0, w, h);
  c.drawImage(bitmap, 0, 0, w, h);
  const { data } = c.getImageData(0, 0, w, h);
  const sum = [0, 0, 0];
  let count = 0;
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      if (x > 0 && x < w - 1 && y > 0 && y < h - 1) continue;
      for (let k = 0; k < 3; k++) sum[k]! += data[4 * (y * w + x) + k]!;
      count++;
    }
  }
  return `rgb(${sum.map((value) => Math.round(value / count)).join()})`;
}

/** A canvas `factor` times as large, smooth: the eye is to see the form, not the squares. */
export function enlarged(pixels: Uint8Array, shape: Shape, factor: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = shape[1] * factor;
  canvas.height = shape[0] * factor;
  const c = context(canvas);
  c.imageSmoothingQuality = "high";
  c.drawImage(canvasOf(pixels, shape), 0, 0, canvas.width, canvas.height);
  return canvas;
}

export const factorFor = (shape: Shape, side: number): number => Math.max(1, Math.round(side / Math.max(...shape.slice(0, 2))));

/** A PNG that carries `text` in its text chunks, as every picture of Morphospace does. */
export async function png(canvas: HTMLCanvasElement, text: Record<string, string>): Promise<Blob> {
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("this browser cannot write a PNG");
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const head = 33; // signature and header chunk; text comes right after them
  const chunks = Object.entries(text).map(([key, value]) => textChunk(key, value));
  return new Blob([bytes.slice(0, head), ...chunks, bytes.slice(head)] as BlobPart[], { type: "image/png" });
}

/** An iTXt chunk: length, type, key, no compression, no language, UTF-8 text, checksum. */
function textChunk(key: string, value: string): Uint8Array {
  const body = new TextEncoder().encode(`iTXt${key}\0\0\0\0\0${value}`);
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(body.length + 4, crc32(body));
  return chunk;
}

export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** An endless GIF of `frames` (H, W, C), there and back, `seconds` one way, that carries `text` in its comment. */
export function gif(
  frames: readonly Uint8Array[],
  shape: Shape,
  seconds: number,
  factor: number,
  text: Record<string, string>,
): Blob {
  const there = frames.map((frame) => {
    const canvas = enlarged(frame, shape, factor);
    return context(canvas).getImageData(0, 0, canvas.width, canvas.height);
  });
  const order = [...there, ...there.slice(1, -1).reverse()];
  const delay = Math.max(20, (seconds * 1000) / Math.max(1, frames.length));
  const encoder = GIFEncoder();
  for (const { data, width, height } of order) {
    const palette = quantize(data, 256);
    encoder.writeFrame(applyPalette(data, palette), width, height, { palette, delay, repeat: 0 });
  }
  encoder.finish();
  const bytes = encoder.bytes();
  const words = Object.entries(text).map(([key, value]) => `${key}: ${value}`).join("; ");
  const head = 13 + 3 * 2 ** ((bytes[10]! & 7) + 1); // the header, and the table of colours that follows it
  return new Blob([bytes.slice(0, head), comment(words), bytes.slice(head)] as BlobPart[], { type: "image/gif" });
}

/** A GIF's comment: its mark, blocks of at most 255 bytes behind their lengths, and an empty one. */
function comment(words: string): Uint8Array {
  const text = new TextEncoder().encode(words);
  const bytes = [0x21, 0xfe];
  for (let start = 0; start < text.length; start += 255) {
    const block = text.subarray(start, start + 255);
    bytes.push(block.length, ...block);
  }
  return Uint8Array.from([...bytes, 0]);
}

/** Frames side by side. */
export function strip(frames: readonly Uint8Array[], shape: Shape, factor: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = shape[1] * factor * frames.length;
  canvas.height = shape[0] * factor;
  const c = context(canvas);
  frames.forEach((frame, i) => c.drawImage(enlarged(frame, shape, factor), i * shape[1] * factor, 0));
  return canvas;
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
