/** The heat map of one signal of a layer, with what is chosen beside it: layer, signal, unit, order of the rows. */

import { getSignal } from "../../api/inside";
import { Heatmap, type HeatmapWords } from "../../charts/heatmap";
import { type Extent, readExtent, writeExtent } from "../../charts/heatmap-view";
import { type Matrix, unitsByMean } from "../../charts/matrix";
import { visible } from "../../charts/shares";
import { h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t as chart } from "../../messages/charts";
import { t } from "../../messages/inside";
import type { View } from "../../page";
import type { Choices } from "./choice";
import { readStretch } from "./choice";
import { middleOf, signalName } from "./words";

export interface GatesOptions {
  run: string;
  view: View;
  choices: Choices;
  onValues(matrix: Matrix): void;
  onStretch(stretch: Extent | null): void;
}

/** Layer, signal, unit and order as one row of controls; it is drawn again when another layer has other signals. */
export class GateControls {
  readonly element = h("div", { class: "controls" });
  private readonly unit = h("input", { type: "number", min: 0, step: 1 });

  constructor(
    private readonly choices: Choices,
    private readonly sorted: (byMean: boolean) => void,
    private readonly byMean: boolean,
  ) {
    this.unit.addEventListener("change", () => choices.set({ unit: Number(this.unit.value) }));
    this.draw();
    choices.listen((choice, before) => {
      if (choice.layer !== before.layer) this.draw();
      else this.mark();
    });
  }

  private draw(): void {
    const { choices } = this;
    const { inside, layer } = choices;
    const layers = h("select", {}, inside.layers.map((one, place) => h("option", { value: place, selected: place === choices.choice.layer, lang: "en" }, one.title)));
    layers.addEventListener("change", () => choices.set({ layer: Number(layers.value), unit: 0 }));
    const signals = layer.signals.map((signal) =>
      h("button", { type: "button", class: "signal-button", "data-signal": signal.name, on: { click: () => choices.set({ signal: signal.name }) } }, signalName(signal)),
    );
    const order = h("select", {}, h("option", { value: "unit" }, t("orderUnit")), h("option", { value: "mean", selected: this.byMean }, t("orderMean")));
    order.addEventListener("change", () => this.sorted(order.value === "mean"));
    this.unit.max = String(layer.units - 1);
    replace(
      this.element,
      inside.layers.length > 1 && h("label", { class: "control" }, h("span", {}, t("layer")), layers),
      h("div", { class: "signals", role: "group", "aria-label": t("signal") }, signals),
      h("label", { class: "control narrow" }, h("span", {}, t("unit")), this.unit),
      h("label", { class: "control" }, h("span", {}, t("order")), order),
    );
    this.mark();
  }

  private mark(): void {
    const { choice } = this.choices;
    this.unit.value = String(choice.unit);
    for (const button of this.element.querySelectorAll("[data-signal]")) button.setAttribute("aria-pressed", String(button.getAttribute("data-signal") === choice.signal));
  }
}

export class GatesPanel {
  readonly element = h("div");
  readonly controls: GateControls;
  private readonly holder = h("div", { class: "card" });
  private readonly known = new Map<string, Promise<Matrix>>();
  private map: Heatmap | null = null;
  private shown = "";
  private byMean: boolean;

  constructor(private readonly options: GatesOptions) {
    const { choices, view } = options;
    this.byMean = view.query["order"] === "mean";
    this.controls = new GateControls(choices, (byMean) => this.sort(byMean), this.byMean);
    this.element.append(this.holder);
    choices.listen((choice, before) => {
      if (choice.layer !== before.layer || choice.signal !== before.signal) void this.show();
      else this.map?.moveCursor(choice);
      if (choice.layer !== before.layer) this.map = null;
    });
  }

  mark(places: readonly Extent[]): void {
    this.map?.mark(places);
  }

  clear(): void {
    this.map?.select(null);
  }

  /** The values of the chosen signal, asked of the server once. */
  values(): Promise<Matrix> {
    const { run, choices, view } = this.options;
    const { layer, signal } = choices.choice;
    const key = `${layer}/${signal}`;
    const found = this.known.get(key) ?? getSignal(run, choices.inside.trace, layer, signal, view.signal);
    this.known.set(key, found);
    return found;
  }

  async show(): Promise<void> {
    const { choices, view } = this.options;
    const { choice } = choices;
    const wanted = `${choice.layer}/${choice.signal}`;
    this.shown = wanted;
    const matrix = await this.values();
    if (this.shown !== wanted || view.signal.aborted) return;
    if (this.map === null) this.draw(matrix);
    else this.map.show(matrix, this.order(matrix), this.words());
    this.options.onValues(matrix);
  }

  private sort(byMean: boolean): void {
    this.byMean = byMean;
    this.options.view.setQuery({ order: byMean ? "mean" : null });
    void this.show();
  }

  private order(matrix: Matrix): number[] {
    return this.byMean ? unitsByMean(matrix) : Array.from({ length: matrix.units }, (_, unit) => unit);
  }

  private draw(matrix: Matrix): void {
    const { choices, view, onStretch } = this.options;
    const steps = readExtent(view.query["steps"], matrix.steps);
    const units = readExtent(view.query["rows"], matrix.units);
    this.map = new Heatmap({
      signal: view.signal,
      matrix,
      words: this.words(),
      order: this.order(matrix),
      steps,
      units,
      selection: readStretch(view.query["stretch"], matrix.steps),
      cursor: choices.choice,
      onView: (seen) => view.setQuery({ steps: whole(seen.steps, matrix.steps), rows: whole(seen.units, matrix.units) }),
      onSelect: (stretch) => {
        view.setQuery({ stretch: stretch && `${stretch.from}-${stretch.to}` });
        onStretch(stretch);
      },
      onPick: (place) => choices.set(place),
    });
    replace(this.holder, this.map.element);
  }

  private words(): HeatmapWords {
    const { choices } = this.options;
    const { layer, signal } = choices;
    const word = (step: number): string => visible(layer.names[step] ?? "");
    return {
      label: chart("heatmapLabel", { signal: signalName(signal), title: layer.title, units: layer.units, steps: layer.steps }),
      middle: middleOf(signal),
      keys: chart("heatmapKeys"),
      zoomIn: chart("zoomIn"),
      zoomOut: chart("zoomOut"),
      whole: chart("whole"),
      earlier: chart("earlier"),
      later: chart("later"),
      reading: ({ step, unit }, value) => chart("heatmapReading", { unit: `${layer.layer}.${unit}`, step: step + 1, word: word(step), value: decimal(value) }),
      summary: (lowest, low, highest, high) =>
        chart("heatmapSummary", {
          middle: decimal(middleOf(signal)),
          high: decimal(high), highUnit: `${layer.layer}.${highest.unit}`, highStep: highest.step + 1, highWord: word(highest.step),
          low: decimal(low), lowUnit: `${layer.layer}.${lowest.unit}`, lowStep: lowest.step + 1, lowWord: word(lowest.step),
        }),
    };
  }
}

function whole(seen: Extent, size: number): string | null {
  return seen.to - seen.from >= size ? null : writeExtent(seen);
}
