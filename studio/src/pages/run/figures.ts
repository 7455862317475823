/** The model's figures beside its baselines, with bars of the metric in the headline. */

import type { RunDetails } from "../../api/types";
import { commandLine } from "../../components/command";
import { barShares } from "../../components/run";
import { scrollable } from "../../components/table";
import { h, svg } from "../../dom";
import { decimal, percent } from "../../i18n";
import { t } from "../../messages/run";

export function figures(run: RunDetails): HTMLElement {
  const keys = Object.keys(run.metrics);
  if (keys.length === 0) return h("div", {}, h("p", { class: "note" }, t("no_result")), commands(run));
  const main = run.headline?.metric ?? null;
  const ordered = main === null ? keys : [main, ...keys.filter((key) => key !== main)];
  const rows = [{ name: t("this_model"), model: true, values: run.metrics }].concat(
    Object.entries(run.baselines).map(([name, values]) => ({ name: run.baseline_titles[name] ?? name, model: false, values })),
  );
  const sign = run.headline?.better === "higher" ? -1 : 1;
  const at = (values: Record<string, number | null>): number => (main === null ? 0 : sign * (values[main] ?? sign * Infinity));
  rows.sort((one, other) => at(one.values) - at(other.values));
  const logarithmic = main !== null && run.titles[main]?.logarithmic === true;
  const lengths = rows.map((row) => (main === null ? null : row.values[main]));
  const bars = barShares(lengths.map((value) => (logarithmic && typeof value === "number" ? Math.log(Math.max(1, value)) : value)));
  const body = rows.map((row, place) =>
    h(
      "tr",
      { class: row.model ? "model" : null },
      h(
        "th",
        { scope: "row" },
        h("div", { class: "who" }, h("span", { lang: row.model ? null : "en" }, row.name), bar(bars[place] ?? null, row.model)),
      ),
      ...ordered.map((key) => h("td", { class: "number" }, metricText(run, key, row.values[key]))),
    ),
  );
  const head = ordered.map((key) => h("th", { scope: "col", class: "number", lang: "en" }, metricTitle(run, key)));
  return h(
    "div",
    { class: "compared" },
    h("h2", {}, t("model_and_baselines")),
    run.headline && h("p", { class: "note" }, t(logarithmic ? "figures_note_log" : "figures_note", { metric: run.headline.title, better: t(run.headline.better) })),
    scrollable(t("model_and_baselines"), h("table", {}, h("thead", {}, h("tr", {}, h("td"), ...head)), h("tbody", {}, ...body))),
    commands(run),
  );
}

export function metricTitle(run: RunDetails, key: string): string {
  return run.titles[key]?.title ?? key.replaceAll("_", " ");
}

/** A value as the reports write it: shares in per cent. */
export function metricText(run: RunDetails, key: string, value: number | null | undefined): string {
  return run.titles[key]?.percent ? percent(value) : decimal(value);
}

function bar(share: number | null, model: boolean): SVGElement | null {
  if (share === null) return null;
  const width = `${(100 * Math.max(share, 0.005)).toFixed(2)}%`;
  return svg("svg", { class: "bar", "aria-hidden": "true" }, svg("rect", { class: model ? "model" : "baseline", width, height: "100%", rx: 3 }));
}

function commands(run: RunDetails): HTMLElement | null {
  const written = (["predict", "explain", "resume"] as const).filter((verb) => run.commands[verb]);
  if (written.length === 0) return null;
  return h(
    "section",
    {},
    h("h2", {}, t("commands")),
    h("dl", { class: "commands" }, ...written.flatMap((verb) => [h("dt", {}, t(`${verb}_command`)), h("dd", {}, commandLine(run.commands[verb] ?? ""))])),
  );
}
