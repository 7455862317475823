/** What can be said of all units: those worth a look, how often gates are saturated, and where the states lie on a plane. */

import { getProjection, type Inside } from "../../api/inside";
import { percent } from "../../charts/probabilities";
import { ProjectionChart } from "../../charts/projection";
import { signed } from "../../charts/shares";
import { plainTable } from "../../components/table";
import { h } from "../../dom";
import { decimal } from "../../i18n";
import { t } from "../../messages/inside";
import type { Choices } from "./choice";

export function tellingUnits(choices: Choices, chosen: () => void): HTMLElement {
  const { inside } = choices;
  const rows = inside.telling_units.map((each) => {
    const place = inside.layers.findIndex((layer) => layer.layer === each.layer);
    const pick = (): void => {
      choices.set({ layer: place, unit: each.unit });
      chosen();
    };
    const what = h("span", { lang: "en" }, `${each.feature}`);
    return [
      h("button", { type: "button", class: "link", on: { click: pick } }, `${each.layer}.${each.unit}`),
      h("span", {}, `${each.state} `, t(each.counts ? "counts" : "follows"), " ", what),
      signed(each.r),
      decimal(each.control),
    ];
  });
  return h(
    "section",
    { class: "card" },
    h("h3", {}, t("units")),
    h("p", { class: "note" }, t("unitsNote")),
    rows.length ? plainTable(t("units"), [t("unit"), t("follows"), t("correlation"), t("chance")], rows) : h("p", {}, t("noUnits")),
    inside.still_units.length > 0 && h("p", { class: "note" }, t("still", { names: inside.still_units.slice(0, 20).join(", ") })),
  );
}

export function saturationTable(inside: Inside): HTMLElement {
  const rows = inside.saturation.flatMap(({ layer, gates }) =>
    gates.map((gate) => [`${t("layer")} ${layer}: ${gate.gate}`, percent(gate.open ?? gate.high ?? 0), percent(gate.shut ?? gate.low ?? 0)]),
  );
  return h("section", { class: "card" }, h("h3", {}, t("saturation")), plainTable(t("saturation"), [t("gate"), t("open"), t("shut")], rows));
}

export async function statesOnPlane(run: string, choices: Choices, signal: AbortSignal, chosen: () => void): Promise<HTMLElement> {
  const { inside, layer, choice } = choices;
  const found = await getProjection(run, inside.trace, choice.layer, signal);
  const pick = (point: { input: number; step: number }): void => {
    choices.set({ step: (inside.starts[point.input] ?? 0) + point.step });
    chosen();
  };
  const chart = new ProjectionChart({ signal, title: t("statesTitle", { layer: layer.title }), note: found.note, points: found.points, onPick: pick });
  return h("section", { class: "card" }, chart.element);
}
