/** Search for a pattern, as LSTMVis does: a stretch, the units that are high all along it, and other places where they are. */

import { findPattern, type Match } from "../../api/inside";
import type { Extent } from "../../charts/heatmap-view";
import { visible } from "../../charts/shares";
import { isAbort } from "../../components/error";
import { toastError } from "../../components/toast";
import { plainTable } from "../../components/table";
import { percent } from "../../charts/probabilities";
import { debounce, h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t as chart } from "../../messages/charts";
import { t } from "../../messages/inside";
import type { View } from "../../page";
import type { Choices } from "./choice";
import { textOf } from "./words";

const USUAL = { gate: 0.7, state: 0.3 };
const MOST_UNITS = 60;

export class PatternPanel {
  readonly element: HTMLElement;
  private readonly answer = h("div", { class: "passages", "aria-live": "polite" });
  private readonly limit = h("input", { type: "range", min: -1, max: 1, step: 0.05 });
  private readonly limitText = h("output");
  private stretch: Extent | null = null;
  private asked = new AbortController();

  constructor(
    private readonly run: string,
    private readonly choices: Choices,
    private readonly view: View,
    private readonly show: (places: readonly Extent[]) => void,
    clear: () => void,
  ) {
    const given = view.query["above"];
    this.limit.value = given ?? String(USUAL[choices.signal.kind]);
    const ask = debounce(150, () => void this.find());
    this.limit.addEventListener("input", () => {
      this.limitText.textContent = this.limit.value;
      view.setQuery({ above: this.limit.value });
      ask();
    });
    this.limitText.textContent = this.limit.value;
    const controls = h(
      "div",
      { class: "controls" },
      h("label", { class: "control" }, h("span", {}, t("threshold"), " ", this.limitText), this.limit),
      h("button", { type: "button", on: { click: clear } }, t("clear")),
    );
    this.element = h("section", { class: "card" }, h("h3", {}, t("pattern")), h("p", { class: "note" }, t("patternHelp")), controls, this.answer);
  }

  select(stretch: Extent | null): void {
    this.stretch = stretch;
    void this.find();
  }

  async find(): Promise<void> {
    const { choice, inside } = this.choices;
    this.asked.abort();
    this.asked = new AbortController();
    if (this.stretch === null) {
      replace(this.answer);
      this.show([]);
      return;
    }
    const { from, to } = this.stretch;
    const body = { layer: choice.layer, signal: choice.signal, from, to, threshold: Number(this.limit.value) };
    try {
      this.draw(await findPattern(this.run, inside.trace, body, this.asked.signal), from, to);
    } catch (error) {
      if (!isAbort(error)) toastError(error);
    }
  }

  private draw(found: Match, from: number, to: number): void {
    if (this.view.signal.aborted) return;
    const { choices } = this;
    const { layer } = choices;
    const units = found.units.slice(0, MOST_UNITS).map((unit) => h("button", { type: "button", class: "chip-button", on: { click: () => choices.set({ unit, step: from }) } }, `${layer.layer}.${unit}`));
    const rows = found.stretches.map((one) => [
      h("button", { type: "button", class: "link", on: { click: () => choices.set({ step: one.from }) } }, `${one.from + 1}–${one.to}`),
      h("span", { dir: "auto" }, visible(one.before), h("mark", {}, visible(one.text)), visible(one.after)),
      percent(one.share),
    ]);
    this.show(found.stretches);
    replace(
      this.answer,
      h("p", { dir: "auto" }, t("chosen", { from: from + 1, to, text: textOf(layer, from, to) })),
      found.units.length ? h("p", {}, t("patternUnits", { n: found.units.length }), ` (> ${decimal(Number(this.limit.value))})`) : h("p", {}, t("patternNone")),
      h("div", { class: "chips" }, units, found.units.length > MOST_UNITS && "…"),
      found.units.length > 0 && h("h4", {}, t("otherPlaces")),
      found.units.length > 0 && (rows.length ? plainTable(t("otherPlaces"), [t("step"), chart("part"), "%"], rows) : h("p", {}, t("noPlaces"))),
    );
  }
}
