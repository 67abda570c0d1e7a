/** The model in the browser: ONNX Runtime on WebAssembly, in a thread of its own, so that the page never waits. */

import * as ort from "onnxruntime-web/wasm";

/** The number of the label that a model is told; null for one that is told none. */
export type Label = number | null;
export type Part = "encoder" | "decoder";
export type Request =
  | { id: number; kind: "start"; runtime: ArrayBuffer }
  | { id: number; kind: "load"; part: Part; model: ArrayBuffer }
  | { id: number; kind: "decode"; z: Float32Array; count: number; label: Label; floats: boolean }
  | { id: number; kind: "encode"; images: Float32Array; shape: readonly [number, number, number, number]; label: Label };
export type Reply =
  | { id: number; error: string }
  | { id: number; pixels: Uint8Array }
  | { id: number; values: Float32Array }
  | { id: number; mean: Float32Array; logVar: Float32Array | null }
  | { id: number };

const sessions: { [part in Part]?: ort.InferenceSession } = {};

/** Bytes as they are, or unpacked if they are gzip's. */
async function unpacked(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  const head = new Uint8Array(bytes, 0, 2);
  if (head[0] !== 0x1f || head[1] !== 0x8b) return bytes;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

function session(part: Part): ort.InferenceSession {
  const found = sessions[part];
  if (!found) throw new Error(`the ${part} is not loaded`);
  return found;
}

/** What a model is fed beside images or latents, where it is told a label. */
function told(label: Label, count: number): Record<string, ort.Tensor> {
  if (label === null) return {};
  return { label: new ort.Tensor("int64", new BigInt64Array(count).fill(BigInt(label)), [count]) };
}

async function answer(request: Request): Promise<Reply> {
  const { id } = request;
  switch (request.kind) {
    case "start":
      // One thread: more need SharedArrayBuffer, which no page from a file may have.
      ort.env.wasm.numThreads = 1;
      ort.env.wasm.wasmBinary = await unpacked(request.runtime);
      return { id };
    case "load":
      sessions[request.part] = await ort.InferenceSession.create(new Uint8Array(await unpacked(request.model)), {
        executionProviders: ["wasm"],
        graphOptimizationLevel: "all",
      });
      return { id };
    case "decode": {
      const z = new ort.Tensor("float32", request.z, [request.count, request.z.length / request.count]);
      const { images } = await session("decoder").run({ z, ...told(request.label, request.count) });
      const values = images!.data as Float32Array;
      if (request.floats) return { id, values: values.slice() };
      return { id, pixels: Uint8ClampedArray.from(values, (value) => Math.floor(255 * value + 0.5)) as never };
    }
    case "encode": {
      const images = new ort.Tensor("float32", request.images, request.shape);
      const found = await session("encoder").run({ images, ...told(request.label, request.shape[0]) });
      const logVar = found["log_var"];
      return {
        id,
        mean: (found["mean"]!.data as Float32Array).slice(),
        logVar: logVar ? (logVar.data as Float32Array).slice() : null,
      };
    }
  }
}

let last: Promise<unknown> = Promise.resolve();
self.onmessage = ({ data }: MessageEvent<Request>) => {
  // One after the other: a session runs one batch at a time.
  last = last.then(async () => {
    let reply: Reply;
    try {
      reply = await answer(data);
    } catch (error) {
      reply = { id: data.id, error: error instanceof Error ? error.message : String(error) };
    }
    self.postMessage(reply);
  });
};
