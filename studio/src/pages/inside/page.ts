/** The page Inside of one run: an input, and under it what goes on while the model reads that. */

import { lookInside, type Inside } from "../../api/inside";
import type { RunDetails } from "../../api/types";
import type { Extent } from "../../charts/heatmap-view";
import { errorBox } from "../../components/error";
import { tabs } from "../../components/tabs";
import { debounce, h, replace } from "../../dom";
import { t } from "../../messages/inside";
import type { View } from "../../page";
import { Asker } from "../ask/asker";
import type { OpenedRun } from "../ask/open";
import { readInput } from "../ask/parse";
import { CellPanel } from "./cell";
import { Choices, readStretch } from "./choice";
import { GatesPanel } from "./gates";
import { PatternPanel } from "./pattern";
import { Sentence } from "./sentence";
import { saturationTable, statesOnPlane, tellingUnits } from "./states";
import { UnitPanel } from "./unit";
import { WhyPanel } from "./why";

const TYPING_PAUSE = 500;
/** What belongs to one input, and is forgotten with it. */
const OF_INPUT = { layer: null, signal: null, unit: null, step: null, steps: null, rows: null, stretch: null };

export class InsidePage {
  private readonly run: RunDetails;
  private readonly asker: Asker;
  private readonly found = h("div", { "aria-live": "off" });
  private readonly status = h("p", { class: "note", role: "status" });
  private asked = new AbortController();

  constructor(
    opened: OpenedRun,
    private readonly view: View,
  ) {
    const { run } = opened;
    this.run = run;
    const initial = readInput(view.query["q"], run.input.kind);
    const later = debounce(TYPING_PAUSE, () => void this.look(true));
    this.asker = new Asker({ opened, signal: view.signal, initial, onChange: (typed) => (typed ? later() : void this.look(true)) });
    view.root.append(h("p", { class: "lead" }, t("lead")), h("section", { class: "card" }, this.asker.element, this.status), h("h2", { class: "visually-hidden" }, t("title")), this.found);
    view.signal.addEventListener("abort", () => this.asked.abort());
  }

  async look(isOther: boolean): Promise<void> {
    const { view, run, asker } = this;
    this.asked.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    if (isOther) view.setQuery({ ...OF_INPUT, q: asker.link() });
    try {
      const asked = asker.asked();
      if (asked === null) return;
      this.status.textContent = t("working");
      const inside = await lookInside(run.id, asked, signal);
      if (signal.aborted) return;
      this.status.textContent = asker.isExample ? t("example") : "";
      this.draw(inside, isOther);
    } catch (error) {
      if (signal.aborted) return;
      this.status.textContent = "";
      replace(this.found, errorBox(error));
    }
  }

  private draw(inside: Inside, isOther: boolean): void {
    const view: View = isOther ? { ...this.view, query: { ...this.view.query, ...Object.fromEntries(Object.keys(OF_INPUT).map((key) => [key, undefined])) } as Record<string, string> } : this.view;
    const choices = new Choices(inside, view);
    const all = [
      { key: "gates", title: t("gates"), render: (panel: HTMLElement) => this.gates(panel, choices, view) },
      { key: "states", title: t("states"), render: (panel: HTMLElement) => this.states(panel, choices) },
      ...(this.run.can.explain ? [{ key: "why", title: t("why"), render: (panel: HTMLElement) => this.why(panel) }] : []),
    ];
    const open = this.found.querySelector('[role="tab"][aria-selected="true"]')?.getAttribute("data-key") ?? view.query["tab"];
    replace(this.found, tabs(t("title"), all, open, (tab) => this.view.setQuery({ tab })), inside.left_out.map(({ name, why }) => h("p", { class: "note", lang: "en" }, t("leftOut", { name, why }))));
  }

  private async gates(panel: HTMLElement, choices: Choices, view: View): Promise<void> {
    const { run } = this;
    const { signal } = view;
    const sentence = new Sentence(choices);
    const unit = new UnitPanel(run.id, choices, signal);
    const cell = new CellPanel(run.id, choices, signal);
    const pattern: PatternPanel = new PatternPanel(run.id, choices, view, (places: readonly Extent[]) => gates.mark(places), () => gates.clear());
    const gates: GatesPanel = new GatesPanel({ run: run.id, view, choices, onValues: (matrix) => sentence.show(matrix), onStretch: (stretch) => pattern.select(stretch) });
    panel.append(h("section", { class: "card" }, gates.controls.element, sentence.element), gates.element, h("div", { class: "halves wide" }, unit.element, cell.element), h("div", { class: "halves" }, pattern.element, tellingUnits(choices, () => panel.scrollIntoView())));
    choices.listen((choice, before) => {
      const isOther = choice.layer !== before.layer || choice.unit !== before.unit;
      if (isOther) void unit.show();
      else unit.move();
      if (isOther || choice.step !== before.step) void cell.show();
      if (choice.layer === before.layer && choice.signal === before.signal) {
        if (isOther) void gates.values().then((matrix) => sentence.show(matrix));
        else sentence.move();
      } else if (choice.signal !== before.signal) void pattern.find();
    });
    await Promise.all([gates.show(), unit.show(), cell.show()]);
    pattern.select(readStretch(view.query["stretch"], choices.layer.steps));
  }

  private async states(panel: HTMLElement, choices: Choices): Promise<void> {
    const back = (): void => this.found.querySelector<HTMLElement>('[role="tab"]')?.click();
    panel.append(saturationTable(choices.inside));
    if (choices.layer.steps > 1) panel.prepend(await statesOnPlane(this.run.id, choices, this.view.signal, back));
  }

  private async why(panel: HTMLElement): Promise<void> {
    const { asker, run, view } = this;
    const text = (): string | null => (run.input.kind === "text" ? asker.text() : null);
    const why = new WhyPanel({ run, view, asked: () => asker.asked(), text });
    panel.append(why.element);
    await why.ask();
  }
}
