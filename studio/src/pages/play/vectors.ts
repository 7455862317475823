/** An embedder: vectors of several inputs side by side, their clusters and nearest others. */

import { predict } from "../../api/client";
import type { Input } from "../../api/types";
import { Heatmap } from "../../charts/heatmap";
import { visible } from "../../charts/shares";
import { errorBox } from "../../components/error";
import { plainTable } from "../../components/table";
import { debounce, h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t as chart } from "../../messages/charts";
import { t } from "../../messages/play";
import type { View } from "../../page";
import type { OpenedRun } from "../ask/open";
import { parseNumbers, preview, writeNumbers } from "../ask/parse";
import { card } from "./play";

interface Embedded {
  vector: number[];
  cluster?: number | null;
  neighbours?: { number: number; distance: number }[];
}

const TYPING_PAUSE = 300;

export async function playVectors(opened: OpenedRun, view: View): Promise<void> {
  const { run } = opened;
  const isText = run.input.kind === "text";
  const start = view.query["q"] ?? opened.examples.map((each) => (typeof each === "string" ? each : writeNumbers(each as number[]).replaceAll("\n", "; "))).join("\n");
  const field = h("textarea", { rows: 6, spellcheck: "false", dir: "auto", class: isText ? "text-input" : "mono", "aria-label": t("inputs") });
  field.value = start;
  const answer = h("div");
  let asked = new AbortController();
  const ask = async (): Promise<void> => {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    const lines = field.value.split("\n").filter((line) => line.trim() !== "");
    view.setQuery({ q: field.value.length <= 6000 ? field.value : null });
    if (!lines.length) return replace(answer);
    try {
      const inputs: Input[] = isText ? lines : lines.map((line) => parseNumbers(line.replaceAll(";", "\n")));
      const several = inputs.length > 1;
      const options = { neighbours: several ? Math.min(3, inputs.length - 1) : null, cluster: inputs.length >= 5 ? "auto" : null };
      const { results } = await predict(run.id, { inputs }, options, signal);
      if (!signal.aborted) replace(answer, draw(results as unknown as Embedded[], lines, view.signal));
    } catch (error) {
      if (!signal.aborted) replace(answer, errorBox(error));
    }
  };
  field.addEventListener("input", debounce(TYPING_PAUSE, () => void ask()));
  view.signal.addEventListener("abort", () => asked.abort());
  view.root.append(h("section", { class: "card" }, h("p", { class: "note" }, t("vectorsLead")), field), h("h2", { class: "visually-hidden" }, t("result")), answer);
  await ask();
}

function draw(found: readonly Embedded[], lines: readonly string[], signal: AbortSignal): HTMLElement[] {
  const name = (place: number): string => preview(lines[place] ?? "", 40);
  const rows = found.map((one, place) => [
    `${place + 1}. ${name(place)}`,
    one.cluster === undefined ? "–" : one.cluster === null ? t("none") : String(one.cluster),
    h("span", {}, (one.neighbours ?? []).map((other) => h("span", { class: "neighbour" }, `${other.number}. ${name(other.number - 1)} (${decimal(other.distance)}) `))),
  ]);
  const units = found[0]?.vector.length ?? 0;
  const matrix = { steps: found.length, units, values: Float32Array.from(found.flatMap((one) => one.vector)) };
  const map = new Heatmap({
    signal,
    matrix,
    words: {
      label: `${t("vectors")}: ${found.length} × ${units}`,
      middle: 0, keys: chart("heatmapKeys"), zoomIn: chart("zoomIn"), zoomOut: chart("zoomOut"), whole: chart("whole"), earlier: chart("earlier"), later: chart("later"),
      reading: ({ step, unit }, value) => chart("heatmapReading", { unit, step: step + 1, word: visible(name(step)), value: decimal(value) }),
      summary: (lowest, low, highest, high) =>
        chart("heatmapSummary", {
          middle: "0",
          high: decimal(high), highUnit: highest.unit, highStep: highest.step + 1, highWord: name(highest.step),
          low: decimal(low), lowUnit: lowest.unit, lowStep: lowest.step + 1, lowWord: name(lowest.step),
        }),
    },
  });
  return [card(t("neighbours"), plainTable(t("neighbours"), [t("number"), t("cluster"), t("neighbours")], rows)), card(t("vectors"), map.element)];
}
