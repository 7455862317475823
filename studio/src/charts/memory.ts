/** How far back a model remembers: what it costs to hide, shuffle or swap what lies so far back, and the gradient by lag. */

import { h } from "../dom";
import { t } from "../messages/inside";
import { t as chart } from "../messages/charts";
import { LinesChart } from "./lines";

/** As `memory` of `explain --json`. */
export interface Memory {
  effect: { lags: number[]; hidden: number[]; shuffled: number[]; swapped: number[]; length: number | null; reaches_start: boolean };
  layers: { by_lag: number[]; verdict: string; sentence: string }[];
}

export function memoryCharts(memory: Memory, signal: AbortSignal): HTMLElement {
  const { effect, layers } = memory;
  const sentence = effect.length === null ? t("memoryNone") : t(effect.reaches_start ? "memoryToStart" : "memoryLength", { n: effect.length });
  const curves = [
    { name: t("swapped"), values: effect.swapped, style: "other" },
    { name: t("shuffled"), values: effect.shuffled, style: "train" },
    { name: t("hidden"), values: effect.hidden, style: "held" },
  ];
  const effects = new LinesChart({
    signal, title: t("memoryTitle"), sentence, axis: chart("stepsBack"), placeName: (place) => String(effect.lags[place] ?? place), curves, words: effect.lags.map(String),
  });
  const gradients = layers
    .filter((layer) => Math.max(0, ...layer.by_lag) > 0)
    .map((layer, number) => new LinesChart({
      signal, title: t("gradientTitle", { layer: number }), sentence: layer.sentence, axis: chart("stepsBack"), placeName: String, height: 160, log: true,
      curves: [{ name: t("gradient"), values: layer.by_lag, style: "held" }],
    }).element);
  return h("div", {}, effects.element, gradients);
}
