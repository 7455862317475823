/** The curves of a training: a chart for each thing that was measured, training and validation together. */

import type { Curves, Series } from "../../api/types";
import { Chart, type ChartContent, type Line } from "../../components/chart";
import { h, replace } from "../../dom";
import { decimal, integer } from "../../i18n";
import { t } from "../../messages/run";
import { t as shell } from "../../messages/shell";
import type { View } from "../../page";

const MAX_DOTTED_POINTS = 60;

/** Draws curves, and draws them on when there is more of them. */
export class CurvesPanel {
  readonly element = h("div");
  private readonly charts = new Map<string, Chart>();
  private readonly grid = h("div", { class: "charts" });
  private readonly none = h("p", { class: "note" }, t("no_curves"));
  private readonly logarithmic = h("input", { type: "checkbox" });

  constructor(
    private readonly view: View,
    private curves: Curves,
  ) {
    this.logarithmic.checked = view.query["log"] === "1";
    this.logarithmic.addEventListener("change", () => {
      view.setQuery({ log: this.logarithmic.checked ? "1" : null });
      this.show(this.curves);
    });
    const choice = h("label", { class: "choice" }, this.logarithmic, h("span", {}, t("logarithmic")));
    replace(this.element, choice, this.none, this.grid);
    this.show(curves);
  }

  show(curves: Curves): void {
    this.curves = curves;
    const contents = chartContents(curves, this.logarithmic.checked);
    this.none.hidden = contents.size > 0;
    for (const [key, content] of contents) {
      const chart = this.charts.get(key);
      if (chart !== undefined) chart.show(content);
      else {
        const made = new Chart(content, this.view.signal);
        this.charts.set(key, made);
        this.grid.append(made.element);
      }
    }
  }
}

/** The charts by what they measure: what was held out first, then the loss, then the others. */
export function chartContents(curves: Curves, logarithmic: boolean): Map<string, ChartContent> {
  const byKey = new Map<string, Series[]>();
  for (const series of curves.series) {
    if (series.points.length > 0) byKey.set(series.key, [...(byKey.get(series.key) ?? []), series]);
  }
  const weight = (all: readonly Series[]): number => (all.some(({ part }) => part === "valid") ? 0 : all[0]?.key === "loss" ? 1 : 2);
  const ordered = [...byKey].sort(([, one], [, other]) => weight(one) - weight(other));
  return new Map(ordered.map(([key, all]) => [key, content(all, curves, logarithmic)]));
}

function content(all: readonly Series[], curves: Curves, logarithmic: boolean): ChartContent {
  const name = all[0]?.name ?? "";
  const positive = all.every(({ points }) => points.every(([, value]) => value === null || value > 0));
  const lines = all.map((series): Line => ({
    label: all.length > 1 ? t(series.part === "train" ? "training" : "validation", { name: series.name }) : series.name,
    colour: series.part === "train" ? "--train" : "--held",
    points: series.points,
    dots: series.part === "valid" && series.points.length <= MAX_DOTTED_POINTS,
  }));
  return {
    title: capital(t("over_steps", { name })),
    sentence: all.map((series) => capital(sentence(series, curves))).join(" "),
    lines,
    across: shell("step"),
    logarithmic: logarithmic && positive,
  };
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a reader who does not see the curve is told of it: where it began, where it is, its best. */
export function sentence(series: Series, curves: Pick<Curves, "best">): string {
  const known = series.points.filter((point): point is readonly [number, number] => point[1] !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return "";
  const told = t("curve_sentence", { name: series.name, first: decimal(first[1]), last: decimal(last[1]), step: integer(last[0]) });
  const best = bestPoint(series, known, curves);
  return best === null ? `${told}.` : `${told}, ${t("best_sentence", { value: decimal(best[1]), step: integer(best[0]) })}.`;
}

function bestPoint(series: Series, known: readonly (readonly [number, number])[], curves: Pick<Curves, "best">): readonly [number, number] | null {
  if (series.part !== "valid" || series.better === null) return null;
  const kept = known.find(([step]) => step === curves.best?.step);
  const sign = series.better === "lower" ? 1 : -1;
  return kept ?? known.reduce((one, other) => (sign * other[1] < sign * one[1] ? other : one));
}
