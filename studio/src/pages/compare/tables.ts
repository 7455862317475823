/** Figures side by side, and the settings in which runs differ. */

import type { RunDetails } from "../../api/types";
import { valueText } from "../../components/form";
import { runLink, stateBadge } from "../../components/run";
import { scrollable } from "../../components/table";
import { h, type Child } from "../../dom";
import { duration, integer } from "../../i18n";
import { t } from "../../messages/compare";
import { t as labels } from "../../messages/runs";
import { taskTitle } from "../../messages/tasks";
import { metricText, metricTitle } from "../run/figures";

export function figuresTable(runs: readonly RunDetails[]): HTMLElement {
  const keys = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))];
  const main = runs[0]?.headline?.metric;
  const comparable = isComparable(runs);
  const ordered = main !== undefined && keys.includes(main) ? [main, ...keys.filter((key) => key !== main)] : keys;
  const rows: Child[] = ordered.map((key) => metricRow(runs, key, comparable));
  const described: [string, (run: RunDetails) => Child][] = [
    [labels("state"), stateBadge],
    [labels("task"), (run) => taskTitle(run.task)],
    [labels("data"), (run) => run.data],
    [labels("cell"), (run) => (run.cell === null ? "–" : `${run.cell}${run.layers === null ? "" : `, ${labels("layers", { n: run.layers })}`}`)],
    [labels("parameters"), (run) => (run.parameters === null ? "–" : integer(run.parameters))],
    [labels("time"), (run) => duration(run.seconds)],
    [labels("baseline"), (run) => (run.baseline === null ? "–" : `${run.baseline.title} ${run.baseline.text}`)],
  ];
  for (const [name, value] of described) {
    rows.push(h("tr", {}, h("th", { scope: "row" }, name), ...runs.map((run) => h("td", { class: "number" }, value(run)))));
  }
  return scrollable(t("figures"), h("table", { class: "side-by-side" }, head(t("metric"), runs), h("tbody", {}, ...rows)));
}

/** Whether figures of runs can be set against one another: one task, measured on data of one name. */
export function isComparable(runs: readonly RunDetails[]): boolean {
  return new Set(runs.map((run) => `${run.task} ${run.data}`)).size === 1;
}

function metricRow(runs: readonly RunDetails[], key: string, comparable: boolean): HTMLElement {
  const values = runs.map((run) => run.metrics[key] ?? null);
  const named = runs.find((run) => key in run.metrics) as RunDetails;
  const better = named.titles[key]?.better ?? null;
  const known = values.filter((value): value is number => value !== null);
  const best = comparable && better !== null && known.length > 1 ? (better === "lower" ? Math.min(...known) : Math.max(...known)) : null;
  const different = new Set(known.map((value) => metricText(named, key, value))).size > 1;
  const cells = values.map((value) =>
    different && value !== null && value === best
      ? h("td", { class: "number best" }, h("strong", {}, metricText(named, key, value)), h("span", { class: "badge good" }, t("best")))
      : h("td", { class: "number" }, metricText(named, key, value)),
  );
  return h("tr", {}, h("th", { scope: "row", lang: "en" }, metricTitle(named, key)), ...cells);
}

export function settingsTable(runs: readonly RunDetails[]): HTMLElement {
  const names = [...new Set(runs.flatMap((run) => run.config.map((entry) => `${entry.section}.${entry.key}`)))];
  const valueOf = (run: RunDetails, name: string): unknown => run.config.find((entry) => `${entry.section}.${entry.key}` === name)?.value;
  const different = names.filter((name) => new Set(runs.map((run) => JSON.stringify(valueOf(run, name)))).size > 1);
  if (different.length === 0) return h("p", { class: "note" }, t("same_settings"));
  const rows = different.map((name) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, name.replace(/^\./, ""))),
      ...runs.map((run) => {
        const value = valueOf(run, name);
        return h("td", { class: "value" }, value === undefined ? h("span", { class: "note" }, t("absent")) : valueText(value));
      }),
    ),
  );
  return scrollable(t("settings"), h("table", { class: "side-by-side" }, head(t("setting"), runs), h("tbody", {}, ...rows)));
}

function head(first: string, runs: readonly RunDetails[]): HTMLElement {
  return h("thead", {}, h("tr", {}, h("th", { scope: "col" }, first), ...runs.map((run) => h("th", { scope: "col", class: "number run-name" }, runLink(run)))));
}
