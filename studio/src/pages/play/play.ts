/** What the play of every task shares: an input, its options, and an answer that follows what is typed. */

import { predict } from "../../api/client";
import type { Prediction, Result, RunDetails, Value } from "../../api/types";
import { errorBox } from "../../components/error";
import { FieldSet, optionField } from "../../components/form";
import { debounce, h, replace } from "../../dom";
import { t } from "../../messages/play";
import type { View } from "../../page";
import { Asker } from "../ask/asker";
import type { OpenedRun } from "../ask/open";
import { readInput } from "../ask/parse";

const TYPING_PAUSE = 120;

export interface PlayOptions {
  /** Options of `predict` that the play itself sets. */
  fixed?: Readonly<Record<string, Value>>;
  draw(results: readonly Result[], prediction: Prediction): void;
}

export class Play {
  readonly asker: Asker;
  readonly run: RunDetails;
  readonly answer = h("div", { class: "play-answer" });
  private readonly status = h("p", { class: "note", role: "status" });
  private readonly fields: FieldSet;
  private asked = new AbortController();

  constructor(
    opened: OpenedRun,
    readonly view: View,
    private readonly options: PlayOptions,
  ) {
    const { run } = opened;
    this.run = run;
    const later = debounce(TYPING_PAUSE, () => void this.ask());
    const initial = readInput(view.query["q"], run.input.kind);
    this.asker = new Asker({ opened, signal: view.signal, initial, onChange: (typed) => (typed ? later() : void this.ask()) });
    const shown = run.options.predict.filter((option) => !(option.key in (options.fixed ?? {})));
    this.fields = new FieldSet(shown.map((option) => optionField(option, later)));
    for (const field of this.fields.fields) field.write(view.query[`o.${field.key}`]);
    const details = shown.length > 0 && h("details", { class: "card" }, h("summary", {}, t("options")), this.fields.element);
    view.root.append(h("section", { class: "card" }, this.asker.element, this.status), h("h2", { class: "visually-hidden" }, t("result")), this.answer, details || "");
    view.signal.addEventListener("abort", () => this.asked.abort());
  }

  /** Ask the model about what is there; an answer that is overtaken by the next question is dropped. */
  async ask(): Promise<void> {
    this.asked.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    const options = this.fields.values();
    const kept = Object.fromEntries(this.fields.fields.map(({ key }) => [`o.${key}`, options[key] === undefined ? null : String(options[key])]));
    this.view.setQuery({ q: this.asker.link(), ...kept });
    try {
      const asked = this.asker.asked();
      if (asked === null) {
        replace(this.answer);
        return;
      }
      const slow = setTimeout(() => (this.status.textContent = t("working")), 300);
      const found = await predict(this.run.id, asked, { ...options, ...this.options.fixed }, signal).finally(() => clearTimeout(slow));
      if (signal.aborted) return;
      this.status.textContent = found.notes.join(" ");
      this.options.draw(found.results, found);
    } catch (error) {
      if (signal.aborted) return;
      this.status.textContent = "";
      replace(this.answer, errorBox(error));
    }
  }
}

export function card(title: string, ...children: (Node | string | false | null | undefined)[]): HTMLElement {
  return h("section", { class: "card" }, h("h2", {}, title), children);
}
