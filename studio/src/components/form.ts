/** A form field for an option of the command line: its kind of input, its help, its default, and what is wrong with it. */

import type { Option, Value } from "../api/types";
import { h, uniqueId, type Child } from "../dom";
import { t } from "../messages/form";

export interface Field {
  element: HTMLElement;
  key: string;
  /** What was entered; undefined: nothing, so that the default holds. */
  read: () => Value | undefined;
  write: (value: Value | undefined) => void;
  /** Show what is wrong with it, or null when nothing is. */
  refuse: (message: string | null) => void;
}

const SIGNIFICANT_DIGITS = 6;

type FormOption = Option & { list?: boolean };
type Control = HTMLInputElement | HTMLSelectElement;

/** choices: what may be chosen, with its label, where the option itself names none (runs, uploads). */
export function optionField(
  option: FormOption,
  changed: () => void,
  choices: readonly { value: string; label: string }[] | null = null,
): Field {
  const id = uniqueId("field");
  const offered = choices ?? option.choices?.map((value) => ({ value, label: value })) ?? null;
  const control = controlOf(option, id, offered);
  control.addEventListener("change", changed);
  if (control.type === "text") control.addEventListener("input", changed);
  const problem = h("p", { class: "problem", id: `${id}-problem`, hidden: true });
  const help = h("p", { class: "note", id: `${id}-help`, lang: "en" }, option.help);
  const label = h("label", { for: id }, h("code", {}, option.key));
  const refuse = (message: string | null): void => {
    problem.hidden = message === null;
    problem.textContent = message ?? "";
    control.setAttribute("aria-invalid", String(message !== null));
  };
  return {
    element: h("div", { class: control.type === "checkbox" ? "field check" : "field" }, label, control, help, problem),
    key: option.key,
    read: () => readControl(option, control),
    write: (value) => writeControl(control, value),
    refuse,
  };
}

function controlOf(option: FormOption, id: string, offered: readonly { value: string; label: string }[] | null): Control {
  const described = { id, "aria-describedby": `${id}-help ${id}-problem`, name: option.key };
  if (option.type === "flag" && option.default !== null) {
    const box = h("input", { ...described, type: "checkbox" });
    box.checked = option.default === true;
    return box;
  }
  const choices = option.type === "flag" ? ["true", "false"].map((value) => ({ value, label: t(value as "true" | "false") })) : offered;
  if (choices !== null && !option.list) {
    return h(
      "select",
      described,
      h("option", { value: "" }, t("default", { value: valueText(option.default) })),
      ...choices.map(({ value, label }) => h("option", { value }, label)),
    );
  }
  const number = option.type === "int" || option.type === "float";
  return h("input", {
    ...described,
    type: "text",
    inputmode: number && !option.list ? "decimal" : null,
    placeholder: t("default", { value: valueText(option.default) }),
    autocomplete: "off",
    spellcheck: "false",
  });
}

/** A value as the command line writes it. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === "") return t("by_itself");
  if (typeof value === "boolean") return t(value ? "true" : "false");
  if (Array.isArray(value)) return value.length === 0 ? t("none") : value.map((item) => valueText(item)).join(", ");
  if (typeof value === "number") return String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function readControl(option: FormOption, control: Control): Value | undefined {
  if (control instanceof HTMLInputElement && control.type === "checkbox") {
    return control.checked === (option.default === true) ? undefined : control.checked;
  }
  const text = control.value.trim();
  if (text === "") return undefined;
  if (option.type === "flag") return text === "true";
  if (option.list) return text.split(/[\s,]+/).map((item) => scalar(option, item));
  return scalar(option, text);
}

/** A number where it is one; anything else goes as it is, and the server says what is wrong with it. */
function scalar(option: FormOption, text: string): string | number {
  if (option.type !== "int" && option.type !== "float") return text;
  const number = Number(text);
  return text !== "" && Number.isFinite(number) ? number : text;
}

function writeControl(control: Control, value: Value | undefined): void {
  if (control instanceof HTMLInputElement && control.type === "checkbox") control.checked = value === true;
  else if (value === undefined || value === null) control.value = "";
  else control.value = Array.isArray(value) ? value.join(", ") : String(value);
}

/** Fields under a heading, read together. */
export class FieldSet {
  readonly element: HTMLElement;

  constructor(
    readonly fields: readonly Field[],
    legend: Child = null,
  ) {
    this.element = h("fieldset", { class: "fields" }, legend && h("legend", {}, legend), ...fields.map((field) => field.element));
  }

  values(): Record<string, Value> {
    const found: Record<string, Value> = {};
    for (const field of this.fields) {
      const value = field.read();
      if (value !== undefined) found[field.key] = value;
    }
    return found;
  }
}
