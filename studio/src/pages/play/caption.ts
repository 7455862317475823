/** A captioner: a sentence on a picture, and for each word where in the picture it came from. */

import type { Result } from "../../api/types";
import { h, replace } from "../../dom";
import { t } from "../../messages/play";
import { colour } from "../../theme";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { card, Play } from "./play";
import { type Alternative, alternatives } from "./translation";

interface Looked {
  words: string[];
  /** For each word a grid of what was looked at. */
  weights: number[][][];
}

const WIDEST = 560;

export function playCaption(opened: OpenedRun, view: View): Promise<void> {
  const draw = async ([result]: readonly Result[]): Promise<void> => {
    if (!result) return;
    const looked = result["attention"] as Looked | null | undefined;
    const picture = play.asker.file ? await createImageBitmap(play.asker.file) : null;
    replace(
      play.answer,
      card(t("caption"), h("p", { class: "big", lang: "en" }, String(result["caption"])), picture && looked ? overlay(picture, looked) : picture && still(picture)),
      alternatives((result["alternatives"] ?? []) as Alternative[]),
    );
  };
  const play: Play = new Play(opened, view, { fixed: { attention: true, best: 3 }, draw: (results) => void draw(results) });
  return play.ask();
}

function still(picture: ImageBitmap): HTMLCanvasElement {
  const scale = Math.min(1, WIDEST / picture.width);
  const canvas = h("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale), role: "img", "aria-label": t("pictureName", { n: 1 }), class: "captioned" });
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function overlay(picture: ImageBitmap, looked: Looked): HTMLElement {
  const canvas = still(picture);
  const caption = h("p", { class: "note", role: "status" });
  const words = looked.words.map((word, place) => h("button", { type: "button", class: "chip-button", on: { click: () => show(place), focus: () => show(place) } }, word));
  const line = h("div", { class: "chips" }, words);
  line.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const from = words.findIndex((word) => word === document.activeElement);
    if (by === undefined || from < 0) return;
    event.preventDefault();
    words[Math.min(words.length - 1, Math.max(0, from + by))]?.focus();
  });
  const show = (place: number): void => {
    words.forEach((word, other) => word.setAttribute("aria-pressed", String(other === place)));
    const name = t("wordLooked", { word: looked.words[place] ?? "" });
    caption.textContent = name;
    canvas.setAttribute("aria-label", name);
    paint(canvas, picture, looked.weights[place] ?? []);
  };
  if (words.length) show(0);
  return h("figure", {}, line, canvas, caption, h("p", { class: "note" }, t("overlayHelp")));
}

/** The picture, darker where nothing was looked at; the brightest place is where the most was. */
function paint(canvas: HTMLCanvasElement, picture: ImageBitmap, weights: readonly (readonly number[])[]): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { width, height } = canvas;
  context.globalAlpha = 1;
  context.drawImage(picture, 0, 0, width, height);
  const top = Math.max(1e-9, ...weights.flat());
  const [wide, high] = [width / (weights[0]?.length ?? 1), height / weights.length];
  context.fillStyle = colour("--paper");
  weights.forEach((row, y) =>
    row.forEach((weight, x) => {
      context.globalAlpha = 0.75 * (1 - weight / top);
      context.fillRect(Math.floor(x * wide), Math.floor(y * high), Math.ceil(wide), Math.ceil(high));
    }),
  );
}
