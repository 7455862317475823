/** How long a training may take: a few usual times, or any other. */

import { h, uniqueId } from "../../dom";
import { t } from "../../messages/train";

type Unit = "seconds" | "minutes" | "hours";
const TIMES: readonly (readonly [value: string, n: number, unit: Unit])[] = [
  ["30s", 30, "seconds"],
  ["2m", 2, "minutes"],
  ["10m", 10, "minutes"],
  ["30m", 30, "minutes"],
  ["1h", 1, "hours"],
];
export const USUAL_TIME = "2m";

/** The field for `--within`; an empty value leaves the time to the data. */
export function timeField(value: string, changed: (value: string) => void): { element: HTMLElement; refuse: (message: string | null) => void } {
  const name = uniqueId("within");
  const usual = TIMES.some(([time]) => time === value) || value === "";
  const other = h("input", { type: "text", value: usual ? "" : value, placeholder: t("within_other"), "aria-label": t("within_other"), autocomplete: "off", "aria-describedby": `${name}-problem` });
  const problem = h("p", { class: "problem", id: `${name}-problem`, hidden: true });
  const radios = [...TIMES.map(([time, n, unit]) => ({ time, label: t(unit, { n }) })), { time: "", label: t("within_open") }].map(({ time, label }) => {
    const radio = h("input", { type: "radio", name, value: time, checked: usual && time === value });
    radio.addEventListener("change", () => {
      other.value = "";
      changed(time);
    });
    return { radio, element: h("label", { class: "pill" }, radio, h("span", {}, label)) };
  });
  other.addEventListener("input", () => {
    for (const { radio } of radios) radio.checked = other.value.trim() === "" && radio.value === USUAL_TIME;
    changed(other.value.trim() || USUAL_TIME);
  });
  const refuse = (message: string | null): void => {
    problem.hidden = message === null;
    problem.textContent = message ?? "";
    other.setAttribute("aria-invalid", String(message !== null));
  };
  const element = h(
    "fieldset",
    { class: "plain" },
    h("legend", {}, t("within")),
    h("p", { class: "note" }, t("within_note")),
    h("div", { class: "pills" }, ...radios.map((one) => one.element), other),
    problem,
  );
  return { element, refuse };
}
