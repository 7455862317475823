/** One unit: all its gates and states as curves over the steps, and the places where it is high. */

import { getUnit, type UnitView } from "../../api/inside";
import { LinesChart } from "../../charts/lines";
import { visible } from "../../charts/shares";
import { isAbort } from "../../components/error";
import { plainTable } from "../../components/table";
import { toastError } from "../../components/toast";
import { h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t as chart } from "../../messages/charts";
import { t } from "../../messages/inside";
import type { Choices } from "./choice";
import { signalName } from "./words";

export class UnitPanel {
  readonly element = h("section", { class: "card" });
  private lines: LinesChart | null = null;
  private asked = new AbortController();

  constructor(
    private readonly run: string,
    private readonly choices: Choices,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => this.asked.abort());
  }

  move(): void {
    this.lines?.moveCursor(this.choices.choice.step);
  }

  async show(): Promise<void> {
    const { choice, inside } = this.choices;
    this.asked.abort();
    this.asked = new AbortController();
    try {
      const found = await getUnit(this.run, inside.trace, choice.layer, choice.unit, this.asked.signal);
      if (!this.signal.aborted) this.draw(found);
    } catch (error) {
      if (!isAbort(error)) toastError(error);
    }
  }

  private draw(found: UnitView): void {
    const { choices } = this;
    const { layer } = choices;
    const curves = layer.signals.map((signal, place) => ({
      name: signalName(signal),
      values: (signal.kind === "gate" ? found.gates : found.states)[signal.name] ?? [],
      style: signal.name === "forget" || signal.name === "update" ? "held" : `g${(place * 2) % 10 === 1 ? 9 : place + 2}`,
    }));
    const best = found.high[0];
    const words = layer.names.map(visible);
    this.lines = new LinesChart({
      signal: this.signal,
      title: t("unitTitle", { unit: found.unit }),
      sentence: best ? t("unitSentence", { step: best.first + 1, word: visible(best.text), value: decimal(best.peak) }) : t("nowhere"),
      axis: chart("step"),
      placeName: (place) => `${place + 1} “${words[place] ?? ""}”`,
      curves,
      words,
      cursor: choices.choice.step,
      onPick: (step) => choices.set({ step }),
    });
    replace(this.element, this.lines.element, this.places(found));
  }

  private places(found: UnitView): HTMLElement {
    const title = t("highAt", { unit: found.unit });
    const rows = found.high.map((each) => [
      h("button", { type: "button", class: "link", on: { click: () => this.choices.set({ step: each.first }) } }, each.last > each.first + 1 ? `${each.first + 1}–${each.last}` : String(each.first + 1)),
      h("span", { dir: "auto" }, visible(each.before), h("mark", {}, visible(each.text)), visible(each.after)),
      decimal(each.peak),
    ]);
    return h("div", { class: "passages" }, h("h3", {}, title), rows.length ? plainTable(title, [t("step"), chart("part"), "max"], rows) : h("p", {}, t("nowhere")));
  }
}
