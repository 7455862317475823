/** One measurement of several trainings on one chart. */

import type { Curves, RunDetails, Series } from "../../api/types";
import { Chart, type ChartContent } from "../../components/chart";
import { h } from "../../dom";
import { t } from "../../messages/compare";
import { t as shell } from "../../messages/shell";
import type { View } from "../../page";
import { sentence } from "../run/curves";

export interface Compared {
  run: RunDetails;
  curves: Curves;
}

const COLOURS = 10; // --g0 to --g9 of the style sheet

export function curvesChart(view: View, compared: readonly Compared[]): HTMLElement {
  const names = seriesNames(compared);
  const first = [...names.keys()][0];
  if (first === undefined) return h("p", { class: "note" }, t("no_curve"));
  const choice = h("select", { "aria-label": t("measurement") }, ...[...names].map(([key, name]) => h("option", { value: key }, name)));
  const logarithmic = h("input", { type: "checkbox" });
  choice.value = names.has(view.query["series"] ?? "") ? (view.query["series"] ?? first) : first;
  logarithmic.checked = view.query["log"] === "1";
  const chart = new Chart(content(compared, choice.value, names, logarithmic.checked), view.signal);
  const draw = (): void => {
    view.setQuery({ series: choice.value, log: logarithmic.checked ? "1" : null });
    chart.show(content(compared, choice.value, names, logarithmic.checked));
  };
  choice.addEventListener("change", draw);
  logarithmic.addEventListener("change", draw);
  const filters = h("div", { class: "filters" }, choice, h("label", { class: "choice" }, logarithmic, h("span", {}, t("logarithmic"))));
  return h("div", {}, filters, chart.element);
}

/** What was measured by more runs comes first, of those what was held out. */
function seriesNames(compared: readonly Compared[]): Map<string, string> {
  const found = new Map<string, { series: Series; runs: number }>();
  for (const { curves } of compared) {
    for (const series of curves.series) {
      const key = keyOf(series);
      found.set(key, { series, runs: (found.get(key)?.runs ?? 0) + 1 });
    }
  }
  const order = [...found].sort(([, one], [, other]) => other.runs - one.runs || Number(other.series.part === "valid") - Number(one.series.part === "valid"));
  return new Map(order.map(([key, { series }]) => [key, t("series", { part: t(series.part), name: series.name })]));
}

function keyOf(series: Series): string {
  return `${series.part}.${series.key}`;
}

function content(compared: readonly Compared[], key: string, names: ReadonlyMap<string, string>, logarithmic: boolean): ChartContent {
  const drawn = compared.flatMap(({ run, curves }, place) =>
    curves.series.filter((series) => keyOf(series) === key && series.points.length > 0).map((series) => ({ run, curves, series, place })),
  );
  const positive = drawn.every(({ series }) => series.points.every(([, value]) => value === null || value > 0));
  return {
    title: names.get(key) ?? key,
    sentence: drawn.map(({ run, curves, series }) => sentence({ ...series, name: run.name }, curves)).join(" "),
    lines: drawn.map(({ run, series, place }) => ({ label: run.name, colour: `--g${place % COLOURS}`, points: series.points })),
    across: shell("step"),
    logarithmic: logarithmic && positive,
  };
}
