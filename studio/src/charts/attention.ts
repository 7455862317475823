/** What each unit of a translation looked at: a table whose cells are shaded, so that the picture is its own table. */

import { h } from "../dom";
import { t } from "../messages/charts";
import { percent } from "./probabilities";
import { visible } from "./shares";

export interface Attention {
  source: readonly string[];
  target: readonly string[];
  /** A row for each unit of the target, a column for each of the source. */
  weights: readonly (readonly number[])[];
}

export function attentionTable(title: string, { source, target, weights }: Attention): HTMLElement {
  const reading = h("p", { class: "chart-reading", role: "status" });
  const rows = target.map((word, row) => {
    const cells = source.map((_, column) => {
      const weight = weights[row]?.[column] ?? 0;
      const cell = h("td", { title: `${visible(word)} → ${visible(source[column] ?? "")}: ${percent(weight)}` }, h("span", { class: "visually-hidden" }, percent(weight)));
      cell.style.background = `color-mix(in srgb, var(--held) ${Math.round(weight * 100)}%, var(--card))`;
      return cell;
    });
    const line = h("tr", {}, h("th", { scope: "row", dir: "auto" }, visible(word)), cells);
    line.addEventListener("pointerenter", () => (reading.textContent = describe(word, source, weights[row] ?? [])));
    return line;
  });
  const head = h("tr", {}, h("td"), source.map((word) => h("th", { scope: "col" }, h("span", {}, visible(word)))));
  const sentence = target.map((word, row) => `${visible(word)} ← ${visible(source[strongest(weights[row] ?? [])] ?? "")}`).join("; ");
  return h(
    "figure",
    { class: "chart-figure" },
    h("figcaption", {}, h("h3", {}, title), h("p", { class: "note", dir: "auto" }, sentence)),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, h("table", { class: "attention" }, h("thead", {}, head), h("tbody", {}, rows))),
    reading,
  );
}

function strongest(weights: readonly number[]): number {
  return weights.reduce((best, weight, place) => (weight > (weights[best] ?? -1) ? place : best), 0);
}

function describe(word: string, source: readonly string[], weights: readonly number[]): string {
  const order = Array.from(weights.keys()).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  const found = order.slice(0, 3).map((place) => `${visible(source[place] ?? "")} ${percent(weights[place] ?? 0)}`);
  return t("attentionOf", { word: visible(word), found: found.join(", ") });
}
