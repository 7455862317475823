/** Why: what each part of the input added to an output that is chosen, whether that holds, and how far back the model remembers. */

import { explain, type Explanation } from "../../api/inside";
import type { Asked, RunDetails, Value } from "../../api/types";
import { LinesChart } from "../../charts/lines";
import { memoryCharts } from "../../charts/memory";
import { shadedText, shareBars } from "../../charts/shares";
import { errorBox } from "../../components/error";
import { FieldSet, optionField } from "../../components/form";
import { h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t as chart } from "../../messages/charts";
import { t } from "../../messages/inside";
import type { View } from "../../page";

const PREFIX = "why.";

export interface WhyOptions {
  run: RunDetails;
  view: View;
  asked(): Asked | null;
  /** The text that was handed over, in which parts are shaded; null where it is none. */
  text(): string | null;
}

export class WhyPanel {
  readonly element = h("div");
  private readonly answer = h("div", { "aria-live": "polite" });
  private readonly fields: FieldSet;
  private readonly fast = h("input", { type: "checkbox" });
  private readonly memory = h("input", { type: "checkbox" });
  private readonly button = h("button", { type: "button", class: "primary", on: { click: () => void this.ask() } }, t("explain"));
  private asks = new AbortController();

  constructor(private readonly options: WhyOptions) {
    const { run, view } = options;
    const labels = run.labels.map((value) => ({ value, label: value }));
    this.fields = new FieldSet(run.options.explain.map((option) => optionField(option, () => undefined, option.key === "target" && labels.length ? labels : null)));
    for (const field of this.fields.fields) field.write(view.query[PREFIX + field.key]);
    this.fast.checked = view.query["fast"] === "1";
    this.memory.checked = view.query["memory"] === "1";
    this.element.append(
      h("p", { class: "note" }, t("whyLead")),
      this.fields.fields.length ? this.fields.element : "",
      h("div", { class: "controls" }, h("label", { class: "check-label" }, this.fast, t("fast")), h("label", { class: "check-label" }, this.memory, t("memory")), this.button),
      this.answer,
    );
    view.signal.addEventListener("abort", () => this.asks.abort());
  }

  async ask(): Promise<void> {
    const { run, view } = this.options;
    const asked = this.options.asked();
    if (asked === null) return;
    const options = this.fields.values();
    view.setQuery({ ...this.kept(options), fast: this.fast.checked ? 1 : null, memory: this.memory.checked ? 1 : null });
    this.asks.abort();
    this.asks = new AbortController();
    const { signal } = this.asks;
    this.button.disabled = true;
    replace(this.answer, h("p", { class: "note" }, t("working")));
    try {
      const { results } = await explain(run.id, asked, { options, fast: this.fast.checked, memory: this.memory.checked }, signal);
      replace(this.answer, results.map((found) => this.draw(found)));
    } catch (error) {
      if (!signal.aborted) replace(this.answer, errorBox(error));
    } finally {
      this.button.disabled = false;
    }
  }

  private kept(options: Readonly<Record<string, Value>>): Record<string, string | null> {
    return Object.fromEntries(this.fields.fields.map(({ key }) => [PREFIX + key, options[key] === undefined ? null : String(options[key])]));
  }

  private draw(found: Explanation): HTMLElement {
    const { signal } = this.options.view;
    const sentence = t("explained", {
      quantity: found.quantity, target: found.target, value: decimal(found.value), nothing: decimal(found.baseline_value), baseline: found.baseline, method: found.method,
      error: decimal(found.sum_error),
    });
    const held = found.faithfulness;
    return h(
      "section",
      { class: "card" },
      h("p", {}, sentence),
      held && h("p", {}, t("faithful", { n: held.count, top: decimal(held.top), random: decimal(held.random), spread: decimal(held.spread) })),
      this.inText(found),
      this.overSteps(found, signal),
      shareBars(t("sharesTitle"), found.segments),
      found.memory && memoryCharts(found.memory, signal),
    );
  }

  private inText(found: Explanation): HTMLElement | false {
    const text = this.options.text();
    if (text === null) return false;
    const letters = Array.from(text);
    const fits = found.segments.every((part) => letters.slice(part.start, part.end).join("") === part.text);
    return fits && shadedText(text, found.segments);
  }

  /** Shares of steps of a series as a curve, where each step has one. */
  private overSteps(found: Explanation, signal: AbortSignal): HTMLElement | false {
    const { segments } = found;
    const apart = segments.every((part, place) => place === 0 || part.start >= (segments[place - 1]?.end ?? 0));
    if (this.options.text() !== null || !apart || segments.length < 3) return false;
    const curves = [{ name: chart("share"), values: segments.map((part) => part.share), style: "held" }];
    return new LinesChart({ signal, title: t("sharesSteps"), sentence: "", axis: chart("step"), placeName: (place) => segments[place]?.text ?? "", curves }).element;
  }
}
