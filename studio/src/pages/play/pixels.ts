/** A picture model: it writes new pictures, and completes one whose upper half is drawn by hand. */

import { postJson, runUrl } from "../../api/client";
import { errorBox } from "../../components/error";
import { h, replace } from "../../dom";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { Pad } from "../ask/pad";
import { card } from "./play";

interface Written {
  seed: number | null;
  pictures: { pixels: number[][]; png: string }[];
}

const COUNT = 6;
const USUAL_SIDE = 28;

export async function playPixels(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const temperature = h("input", { type: "range", min: 0, max: 1.5, step: 0.05, value: view.query["temperature"] ?? 0.9 });
  const shown = h("output", {}, temperature.value);
  temperature.addEventListener("input", () => {
    shown.textContent = temperature.value;
    view.setQuery({ temperature: temperature.value });
  });
  const made = h("div", { "aria-live": "polite" });
  const completed = h("div", { "aria-live": "polite" });
  const write = (into: HTMLElement, body: Record<string, unknown>, title: string): Promise<Written | null> => {
    const { pixels, ...options } = body;
    const asked = { ...(pixels ? { prompt: { pixels } } : {}), options: { count: COUNT, temperature: Number(temperature.value), ...options } };
    return show(run.id, asked, into, title, view.signal);
  };
  const first = await write(made, {}, t("newPictures"));
  const sample = first?.pictures[0]?.pixels;
  const [height, width] = [sample?.length ?? USUAL_SIDE, sample?.[0]?.length ?? USUAL_SIDE];
  const rows = Math.ceil(height / 2);
  const pad: Pad = new Pad({
    signal: view.signal, shape: height / width, thickness: 2.2 / height, upper: rows / height,
    onChange: (strokes) => strokes.length && void write(completed, { pixels: pad.pixels(width, height), rows }, t("completions", { n: COUNT })),
  });
  const again = h("button", { type: "button", class: "primary", on: { click: () => void write(made, {}, t("newPictures")) } }, t("generate"));
  view.root.append(
    h("section", { class: "card" }, h("div", { class: "controls" }, h("label", { class: "control" }, h("span", {}, t("temperature"), " ", shown), temperature))),
    h("div", { class: "halves" }, card(t("complete"), pad.element, completed), card(t("newPictures"), again, made)),
  );
}

async function show(run: string, body: unknown, into: HTMLElement, title: string, signal: AbortSignal): Promise<Written | null> {
  try {
    const found = await postJson<Written>(runUrl(run, "/generate"), body, signal);
    const pictures = found.pictures.map(({ png }, place) => h("img", { src: png, alt: t("pictureName", { n: place + 1 }), class: "written" }));
    replace(into, h("div", { class: "pictures", role: "group", "aria-label": title }, pictures), found.seed !== null && h("p", { class: "note" }, t("seed", { seed: String(found.seed) })));
    return found;
  } catch (error) {
    if (!signal.aborted) replace(into, errorBox(error));
    return null;
  }
}
