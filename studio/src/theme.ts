/** Light and dark: as the system has it, until one is chosen. */

import { recall, remember } from "./storage";

export type Theme = "system" | "light" | "dark";
const listeners = new Set<() => void>();

export function theme(): Theme {
  const kept = recall("theme");
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function chooseTheme(wanted: Theme): void {
  remember("theme", wanted === "system" ? null : wanted);
  applyTheme(wanted);
}

export function applyTheme(wanted: Theme = theme()): void {
  if (wanted === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wanted;
  for (const listener of listeners) listener();
}

/** Call back when colours change, for what is drawn on a canvas; ends with the signal. */
export function onThemeChange(listener: () => void, signal: AbortSignal): void {
  listeners.add(listener);
  signal.addEventListener("abort", () => listeners.delete(listener));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener, { signal });
}

/** The colour that a variable of the style sheet has now, as a canvas takes it: `colour("--train")`. */
export function colour(variable: string): string {
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  probe.style.color = `var(${variable})`;
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
