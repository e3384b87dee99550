// Before the 3D viewer: where it would look for decoders of other formats. Ours need none, and it asks no other host.
"use strict";

const here = new URL("/static/vendor/none/", location.href).href;
self.ModelViewerElement = self.ModelViewerElement || {};
self.ModelViewerElement.dracoDecoderLocation = here;
self.ModelViewerElement.ktx2TranscoderLocation = here;
self.ModelViewerElement.meshoptDecoderLocation = "";

const viewer = document.querySelector("model-viewer");
// Where nothing can be drawn, a slow machine would hide the picture all the same once the model is there: so it is not
// asked for.
const canvas = document.createElement("canvas");
if (viewer && !canvas.getContext("webgl2") && !canvas.getContext("webgl")) viewer.removeAttribute("src");
if (viewer && matchMedia("(prefers-reduced-motion: reduce)").matches) viewer.removeAttribute("auto-rotate");
// The bar fades out in the viewer's own time, which a processor that draws has none of.
viewer?.addEventListener("load", () => viewer.style.setProperty("--progress-bar-height", "0"));
