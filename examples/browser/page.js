// The page: a photo chosen or dropped, its cut-out shown, both results to save.

import { cutOut, loadNetwork, matte } from "./matting.js";

const at = (id) => document.getElementById(id);
const wanted = new URLSearchParams(location.search).get("backend"); // ?backend=wasm leaves the graphics card alone
const names = { webgpu: "WebGPU", wasm: "WebAssembly" };
const network = findBackends().then((backends) => loadNetwork("matting.onnx", backends));
network.then(({ backend }) => say(`Ready. Runs on ${names[backend]}.`), (error) => say(`The network cannot be loaded: ${error.message}`));

at("file").addEventListener("change", (event) => work(event.target.files[0]));
for (const name of ["dragover", "dragleave", "drop"]) at("drop").addEventListener(name, drag);

async function findBackends() {
  if (wanted) return [wanted];
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null); // a browser may know WebGPU and have no card for it
  return adapter ? ["webgpu", "wasm"] : ["wasm"];
}

function drag(event) {
  event.preventDefault();
  at("drop").classList.toggle("over", event.type === "dragover");
  if (event.type === "drop") work(event.dataTransfer.files[0]);
}

async function work(file) {
  if (!file) return;
  say("Working …");
  try {
    const photo = await createImageBitmap(file);
    const began = performance.now();
    const { session, backend } = await network;
    const grey = await matte(session, photo);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const cutout = cutOut(photo, grey);
    Object.assign(at("result"), { width: photo.width, height: photo.height, hidden: false });
    at("result").getContext("2d").putImageData(cutout, 0, 0);
    await Promise.all([offer("cutout", cutout), offer("alpha", grey)]);
    at("downloads").hidden = false;
    say(`Done in ${seconds} s, on ${names[backend]}.`);
  } catch (error) {
    say(`This does not work: ${error.message}`);
  }
}

async function offer(id, pixels) {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  URL.revokeObjectURL(at(id).href);
  at(id).href = URL.createObjectURL(await canvas.convertToBlob({ type: "image/png" }));
}

function say(text) {
  at("status").textContent = text;
}
