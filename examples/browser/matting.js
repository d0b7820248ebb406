// A photo in, its alpha out, by the exported network in onnxruntime-web: WebGPU where the browser has it, else WebAssembly.
// vendor/ holds the files of the package; without it, import from a CDN instead:
// https://cdn.jsdelivr.net/npm/onnxruntime-web@1.30.0/dist/ort.webgpu.min.mjs

import * as ort from "./vendor/ort.webgpu.min.mjs";

const LONGER_SIDE = 896; // pixels, of the network's input
const MULTIPLE = 128;

// The first backend that can run the network, by name, and its session; a backend that cannot is left out with a warning.
export async function loadNetwork(address, backends) {
  ort.env.wasm.wasmPaths = new URL("./vendor/", import.meta.url).href;
  ort.env.wasm.numThreads = self.crossOriginIsolated ? navigator.hardwareConcurrency : 1; // threads need shared memory
  for (const [place, backend] of backends.entries()) {
    try {
      const session = await ort.InferenceSession.create(address, { executionProviders: [backend] });
      const pixels = new ort.Tensor("float32", new Float32Array(3 * MULTIPLE ** 2), [1, 3, MULTIPLE, MULTIPLE]);
      if (place < backends.length - 1) await session.run({ image: pixels }, ["alpha"]); // some graphs load and do not run
      return { session, backend };
    } catch (error) {
      if (place === backends.length - 1) throw error;
      console.warn(`${backend} cannot run the network: ${error.message}`);
    }
  }
}

export function workingSize(width, height) {
  const scale = LONGER_SIDE / Math.max(width, height);
  return [width, height].map((side) => Math.max(1, Math.round((side * scale) / MULTIPLE)) * MULTIPLE);
}

// ImageBitmap -> ImageData of the photo's size, in which the red, green and blue channels are the alpha.
export async function matte(session, photo) {
  const [width, height] = workingSize(photo.width, photo.height);
  const pixels = draw(photo, width, height).getImageData(0, 0, width, height).data; // RGBA, row-major
  const plane = width * height;
  const image = new Float32Array(3 * plane); // red, green, blue in [0, 1], one after the other
  for (let i = 0; i < plane; i++) for (let c = 0; c < 3; c++) image[c * plane + i] = pixels[4 * i + c] / 255;
  const { alpha } = await session.run({ image: new ort.Tensor("float32", image, [1, 3, height, width]) }, ["alpha"]);
  const grey = new ImageData(width, height);
  for (let i = 0; i < plane; i++) grey.data.set([0, 0, 0].fill(Math.round(255 * alpha.data[i])).concat(255), 4 * i);
  const small = await createImageBitmap(grey);
  return draw(small, photo.width, photo.height).getImageData(0, 0, photo.width, photo.height);
}

// The photo with its alpha, transparent pixels black, as ImageData.
export function cutOut(photo, grey) {
  const cutout = draw(photo, photo.width, photo.height).getImageData(0, 0, photo.width, photo.height);
  for (let i = 0; i < cutout.data.length; i += 4) {
    cutout.data[i + 3] = grey.data[i];
    if (grey.data[i] === 0) cutout.data.fill(0, i, i + 3);
  }
  return cutout;
}

function draw(picture, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, width, height);
  return context;
}
